/**
 * The world of a simulation: one Glacier, a network with latency and faults, a disk, and processes that die. It records
 * what happens, so that two runs can be compared.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import { PCGRandom } from "effect/Utils"
import * as Faults from "../../src/testing/Faults.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Disk from "./disk.ts"
import * as Responses from "./responses.ts"
import type { Crash, Scenario } from "./scenario.ts"
import * as Witness from "./witness.ts"

/** A process. After its death it can no longer reach the network or the disk. */
export interface Process {
  readonly folder: string
  alive: boolean
  readonly http: HttpClient.HttpClient
  readonly fs: FileSystem.FileSystem
  readonly lock: FileLock.Service
}

/** More than any scenario needs: a program that sends more is caught in a loop. */
const maximumRequests = 5_000

/** The longest time that a message takes, each way (ms). */
const latency = 200

export const make = Effect.fnUntraced(function*({ faults: harm, outputDelay, seed }: Scenario) {
  const witness = Witness.make(yield* HttpClient.HttpClient)
  const harming = (share: number) =>
    Faults.make({ seed, ...(typeof harm === "number" ? { rates: harm * share } : { script: harm }) })
  const faults = yield* harming(1)
  // Files are written in many steps, each of which can fail.
  const diskFaults = yield* harming(0.1)
  const disk = Disk.make()
  const clock = yield* Effect.clock
  const random = new PCGRandom(seed, 2)
  const trace: Array<string> = []
  const sent = new Map<string, number>()
  const aborted = new Set<string>()
  const responses = Responses.make()
  const served = faults.wrapHttpClient(witness.http)
  /** The locks that are held, each by a process. */
  const locks = new Map<string, { readonly alive: boolean }>()
  let requests = 0
  let crashes = 0

  /** Names a request for the record. */
  const note = (method: string, path: string, uploadId: string | undefined, range: string | undefined) => {
    if (uploadId !== undefined && method === "DELETE") aborted.add(uploadId)
    if (range === undefined || method !== "PUT") return `${method} ${path}`
    const part = `${path} ${range}`
    sent.set(part, (sent.get(part) ?? 0) + 1)
    return `${method} ${part}`
  }

  const dead = Effect.die("This process is dead")

  /** A lock that all processes see. It dies with its owner. */
  const lockOf = (process: { readonly alive: boolean }): FileLock.Service => ({
    acquire: (path, lock) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          const owner = locks.get(lock)
          if (owner?.alive === true) {
            return new FileLock.FileInUse({ path, owner: owner === process ? "this process" : "another process" })
          }
          locks.set(lock, process)
          return Effect.void
        }),
        () =>
          Effect.sync(() => {
            if (locks.get(lock) === process) locks.delete(lock)
          })
      )
  })

  const makeProcess = (folder: string): Process => {
    const process = { folder, alive: true }
    const alive = Effect.suspend(() => process.alive ? Effect.void : dead)
    const watch = responses.watch(folder)
    const http = HttpClient.transform(served, (send, request) =>
      Effect.gen(function*() {
        yield* alive
        if (++requests > maximumRequests) return yield* Effect.die("Too many requests: the program is caught in a loop")
        const path = new URL(request.url).pathname.replace(/^\/-\/vaults\/[^/]+/, "")
        const uploadId = /^\/multipart-uploads\/([^/]+)/.exec(path)?.[1]
        const what = note(request.method, path, uploadId, request.headers["content-range"])
        const receive = watch(request, uploadId)
        const [up, down] = [random.integer(latency), random.integer(latency)]
        // A request on its way may still arrive after its process has died.
        yield* Effect.onInterrupt(
          Effect.sleep(up),
          () =>
            process.alive || random.integer(2) === 0
              ? Effect.void
              // The service has a clock of its own.
              : Effect.forkDaemon(Effect.withClock(witness.http.execute(request), clock))
        )
        const response = yield* send
        if (path.endsWith("/output")) yield* Effect.sleep(random.integer(outputDelay + 1))
        yield* Effect.sleep(down)
        receive(response)
        trace.push(`${clock.unsafeCurrentTimeMillis()} ${folder} ${what} ${response.status}`)
        return response
      }))
    return Object.assign(process, { http, fs: diskFaults.wrapFileSystem(disk.seenBy(alive)), lock: lockOf(process) })
  }

  return {
    disk,
    witness,
    injected: Effect.zipWith(faults.injected, diskFaults.injected, (line, disk) => [...line, ...disk]),
    faults,
    /** The uploads that some process asked to abort. */
    aborted,
    responses,
    trace,
    makeProcess,
    /** Ends a process at once. */
    kill: (process: Process, how: Crash["how"]) => {
      process.alive = false
      crashes++
      trace.push(`${process.folder} is gone: ${how}`)
      if (how === "power cut") disk.cutPower(process.folder, () => Disk.fate(random.integer(3)))
    },
    figures: () => ({ requests, crashes, maxAttempts: Math.max(0, ...sent.values()) })
  }
})

export type World = Effect.Effect.Success<ReturnType<typeof make>>
