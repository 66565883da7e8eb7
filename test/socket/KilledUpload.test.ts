import { expect, it } from "@effect/vitest"
import { Deferred, Effect, Option, Redacted, Stream } from "effect"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer, request as requestTo } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as Support from "./support.ts"

const { mebibyte, port, ramp } = Support

const vault = { vaultName: "survivor" }

const uploader = fileURLToPath(new URL("uploader.ts", import.meta.url))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-glacier-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/**
 * A way to the emulator on a port. `arrived` are the parts that the service has acknowledged, `twice` those that were sent
 * once more; from the request of a life that `holds` says, no answer comes back.
 */
const makeWay = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void; readonly traffic: Traffic }>((resume) => {
      const traffic: Traffic = { arrived: new Set(), twice: [], life: [], holds: () => false, held: () => {} }
      const server = createServer((incoming, outgoing) => {
        const { headers, method = "", url: path } = incoming
        const range = headers["content-range"]
        if (range !== undefined && traffic.arrived.has(range)) traffic.twice.push(range)
        const onward = requestTo({ port, method, path, headers, host: "127.0.0.1" }, (answer) => {
          if (range !== undefined && answer.statusCode === 204) traffic.arrived.add(range)
          traffic.life.push(method)
          if (traffic.holds(traffic.life)) return traffic.held()
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(outgoing)
        })
        onward.on("error", () => outgoing.destroy())
        outgoing.on("close", () => onward.destroy())
        incoming.pipe(onward)
      })
      const close = () => {
        server.close()
        server.closeAllConnections()
      }
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port, close, traffic }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

interface Traffic {
  readonly arrived: Set<string>
  readonly twice: Array<string>
  /** The methods of the requests of this life that were carried out. */
  readonly life: Array<string>
  holds: (life: ReadonlyArray<string>) => boolean
  held: () => void
}

const count = (life: ReadonlyArray<string>, method: string) => life.filter((one) => one === method).length

/** When a process is killed: when the upload is opened, between parts, when it is completed. */
const moments: ReadonlyArray<Traffic["holds"]> = [
  (life) => count(life, "POST") === 1,
  (life) => count(life, "PUT") >= 3,
  (life) => count(life, "POST") === 1
]

const size = 12.5 * mebibyte

it.scopedLive(
  "I4: an upload whose process is killed again and again makes one archive, and sends nothing twice",
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* folder
      const bytes = ramp(size)
      const file = join(yield* folder, "film")
      writeFileSync(file, bytes)
      const data = yield* folder
      yield* Effect.gen(function*() {
        const glacier = yield* GlacierClient
        yield* glacier.createVault(vault)
        const way = yield* makeWay(yield* port)
        const { traffic } = way
        const { accessKeyId, secretAccessKey } = Emulator.defaultKey
        const live = Support.runScript(uploader, [file, checkpoints], {
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
          AWS_REGION: NodeEmulator.region,
          AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${way.port}`
        })
        for (const holds of moments) {
          yield* Effect.scoped(Effect.gen(function*() {
            const held = yield* Deferred.make<void>()
            Object.assign(traffic, { holds, held: () => Deferred.unsafeDone(held, Effect.void) })
            traffic.life.length = 0
            const { exit, kill } = yield* live
            yield* Effect.raceFirst(
              Deferred.await(held),
              Effect.flatMap(exit, ({ stderr, stdout }) => Effect.dieMessage(`It ended:\n${stdout}\n${stderr}`))
            )
            yield* kill("SIGKILL")
            yield* exit
          }))
        }
        expect(traffic.arrived.size).toBe(13)
        traffic.holds = () => false
        traffic.life.length = 0
        const { code, stderr, stdout: archiveId } = yield* Effect.flatMap(live, ({ exit }) => exit)
        expect(code, stderr).toBe(0)
        // It is not open any more, and completing it once more gives its archive.
        expect(traffic.life).toEqual(["GET", "POST"])
        expect(traffic.twice).toEqual([])
        expect(readdirSync(checkpoints)).toEqual([])

        const { numberOfArchives } = yield* glacier.describeVault(vault)
        expect(numberOfArchives).toEqual(Option.some(1))
        expect((yield* glacier.listMultipartUploads(vault)).uploads).toEqual([])
        const parameters = { type: "archive-retrieval", archiveId } as const
        const { jobId } = yield* glacier.initiateJob({ ...vault, parameters })
        const { body } = yield* glacier.getJobOutput({ ...vault, jobId })
        const back = Buffer.concat(Array.from(yield* Stream.runCollect(body)))
        expect(back.equals(bytes)).toBe(true)
      }).pipe(Effect.provide(NodeEmulator.layer({ directory: data, jobDelay: 0, inventoryDelay: 0 })))
    }),
  180_000
)
