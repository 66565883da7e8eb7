/**
 * Where the programs of a simulation live: one Glacier, a line to it that takes time and goes wrong, a disk for each, and
 * processes that die. What happens is written down, so that two runs can be compared.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import { PCGRandom } from "effect/Utils"
import * as Faults from "../../src/testing/Faults.ts"
import * as Disk from "./disk.ts"
import type { Scenario } from "./scenario.ts"
import * as Witness from "./witness.ts"

/** A process: what it asks of the world after its death does not happen. */
export interface Process {
  readonly folder: string
  alive: boolean
  readonly http: HttpClient.HttpClient
  readonly fs: FileSystem.FileSystem
}

/** More than any scenario needs: who sends more does not come to an end. */
const maximumRequests = 5_000

/** A line takes up to so long, each way (ms). */
const latency = 200

export const make = Effect.fnUntraced(function*({ faults: harm, seed }: Scenario) {
  const witness = Witness.make(yield* HttpClient.HttpClient)
  const harming = (share: number) =>
    Faults.make({ seed, ...(typeof harm === "number" ? { rates: harm * share } : { script: harm }) })
  const faults = yield* harming(1)
  // A file is written to in many steps.
  const diskFaults = yield* harming(0.1)
  const disk = Disk.make()
  const clock = yield* Effect.clock
  const random = new PCGRandom(seed, 2)
  const trace: Array<string> = []
  const sent = new Map<string, number>()
  const aborted = new Set<string>()
  const served = faults.harmHttp(witness.http)
  let requests = 0
  let crashes = 0

  /** What a request is about, for the record. */
  const note = (method: string, url: string, range: string | undefined) => {
    const path = new URL(url).pathname.replace(/^\/-\/vaults\/[^/]+/, "")
    const uploadId = /^\/multipart-uploads\/([^/]+)/.exec(path)?.[1]
    if (uploadId !== undefined && method === "DELETE") aborted.add(uploadId)
    if (range === undefined || method !== "PUT") return `${method} ${path}`
    const part = `${path} ${range}`
    sent.set(part, (sent.get(part) ?? 0) + 1)
    return `${method} ${part}`
  }

  const dead = Effect.die("This process is dead")

  const makeProcess = (folder: string): Process => {
    const process = { folder, alive: true }
    const alive = Effect.suspend(() => process.alive ? Effect.void : dead)
    const http = HttpClient.transform(served, (send, request) =>
      Effect.gen(function*() {
        yield* alive
        if (++requests > maximumRequests) return yield* Effect.die("Too many requests: it does not come to an end")
        const what = note(request.method, request.url, request.headers["content-range"])
        const [up, down] = [random.integer(latency), random.integer(latency)]
        // What was on its way when the process died may arrive all the same.
        yield* Effect.onInterrupt(
          Effect.sleep(up),
          () =>
            process.alive || random.integer(2) === 0 ? Effect.void : Effect.forkDaemon(witness.http.execute(request))
        )
        const response = yield* send
        yield* Effect.sleep(down)
        trace.push(`${clock.unsafeCurrentTimeMillis()} ${folder} ${what} ${response.status}`)
        return response
      }))
    return Object.assign(process, { http, fs: diskFaults.harmFiles(disk.seenBy(alive)) })
  }

  return {
    disk,
    witness,
    injected: Effect.zipWith(faults.injected, diskFaults.injected, (line, disk) => [...line, ...disk]),
    faults,
    /** The uploads that somebody has asked to drop. */
    aborted,
    trace,
    makeProcess,
    /** Kills a process at once. */
    kill: (process: Process, power: boolean) => {
      process.alive = false
      crashes++
      trace.push(`${process.folder} dies`)
      if (power) disk.cutPower(process.folder, () => Disk.fate(random.integer(3)))
    },
    figures: () => ({ requests, crashes, maxAttempts: Math.max(0, ...sent.values()) })
  }
})

export type World = Effect.Effect.Success<ReturnType<typeof make>>
