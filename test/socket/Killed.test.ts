import { expect, it } from "@effect/vitest"
import { Deferred, Effect, Option, Redacted, Stream } from "effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, request as requestTo } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { isFull } from "../support/full.ts"
import * as Support from "./support.ts"

const { mebibyte, port, ramp } = Support

const vault = { vaultName: "survivor" }

/** What `survivor.ts` has on its way at once. */
const workers = 2

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-glacier-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** What has passed between a program and the service. */
interface Traffic {
  /** How often the part or window of a range went all the way. */
  readonly carried: Map<string, number>
  /** The methods of the requests of this life that were carried out. */
  readonly life: Array<string>
  /** Bytes of bodies in this life. */
  bytes: number
  /** Whether it is time: from then on no answer comes back. */
  holds: (traffic: Traffic) => boolean
  held: () => void
}

const again = ({ carried }: Traffic) => Array.from(carried.values()).reduce((sum, times) => sum + times - 1, 0)

/** A way to the emulator on a port. */
const makeWay = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void; readonly traffic: Traffic }>((resume) => {
      const traffic: Traffic = { carried: new Map(), life: [], bytes: 0, holds: () => false, held: () => {} }
      const isHeld = () => {
        if (!traffic.holds(traffic)) return false
        traffic.held()
        return true
      }
      const passed = (bytes: Buffer) => {
        traffic.bytes += bytes.length
        isHeld()
      }
      const server = createServer((incoming, outgoing) => {
        const { headers, method = "", url: path } = incoming
        const range = headers["content-range"] ?? headers["range"]
        const onward = requestTo({ port, method, path, headers, host: "127.0.0.1" }, (answer) => {
          const carried = () => {
            traffic.life.push(method)
            if (range === undefined || (answer.statusCode ?? 500) >= 300) return
            traffic.carried.set(range, (traffic.carried.get(range) ?? 0) + 1)
          }
          let left = Number(answer.headers["content-length"])
          // A part has arrived when it is acknowledged, a window when its last byte has passed.
          if (method !== "GET") carried()
          if (isHeld()) return
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.on("data", (bytes: Buffer) => {
            left -= bytes.length
            if (method === "GET" && left === 0) carried()
            passed(bytes)
          }).pipe(outgoing)
        })
        onward.on("error", () => outgoing.destroy())
        // A part that is all there is stored, whoever is left to hear of it.
        outgoing.on("close", () => {
          if (method === "GET" || !onward.writableEnded) onward.destroy()
        })
        incoming.on("data", passed).pipe(onward)
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

/** Runs `survivor.ts` over a way: to be killed at a moment, or to its end. */
const makeLives = Effect.gen(function*() {
  const way = yield* makeWay(yield* port)
  const { traffic } = way
  const { accessKeyId, secretAccessKey } = Emulator.defaultKey
  const script = fileURLToPath(new URL("survivor.ts", import.meta.url))
  const live = (...args: ReadonlyArray<string>) =>
    Support.runScript(script, args, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
      AWS_REGION: NodeEmulator.region,
      AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${way.port}`
    })
  return {
    traffic,
    killed: (holds: Traffic["holds"], ...args: ReadonlyArray<string>) =>
      Effect.scoped(Effect.gen(function*() {
        const held = yield* Deferred.make<void>()
        Object.assign(traffic, { holds, held: () => Deferred.unsafeDone(held, Effect.void), bytes: 0 })
        traffic.life.length = 0
        const { exit, kill } = yield* live(...args)
        yield* Effect.raceFirst(
          Deferred.await(held),
          Effect.flatMap(exit, ({ stderr, stdout }) => Effect.dieMessage(`It ended:\n${stdout}\n${stderr}`))
        )
        yield* kill("SIGKILL")
        yield* exit
      })),
    whole: (...args: ReadonlyArray<string>) =>
      Effect.scoped(Effect.gen(function*() {
        traffic.holds = () => false
        traffic.life.length = 0
        const { code, stderr, stdout } = yield* Effect.flatMap(live(...args), ({ exit }) => exit)
        expect(code, stderr).toBe(0)
        return stdout
      }))
  }
})

const retrieved = (archiveId: string) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const parameters = { type: "archive-retrieval", archiveId } as const
    return (yield* glacier.initiateJob({ ...vault, parameters })).jobId
  })

/**
 * There is one archive, it holds these bytes, and nothing is left of its making: at most `lost` uploads without parts, whose
 * responses were lost with the processes that opened them.
 */
const expectOneArchive = (archiveId: string, bytes: Uint8Array, lost: number) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const { numberOfArchives } = yield* glacier.describeVault(vault)
    expect(numberOfArchives).toEqual(Option.some(1))
    const { uploads } = yield* glacier.listMultipartUploads(vault)
    expect(uploads.length).toBeLessThanOrEqual(lost)
    for (const { uploadId } of uploads) expect((yield* glacier.listParts({ ...vault, uploadId })).parts).toEqual([])
    const { body } = yield* glacier.getJobOutput({ ...vault, jobId: yield* retrieved(archiveId) })
    const back = Buffer.concat(Array.from(yield* Stream.runCollect(body)))
    expect(back.equals(bytes)).toBe(true)
  })

/** Over an emulator whose data are files. */
const overFiles = <A, E>(program: Effect.Effect<A, E, GlacierClient | Effect.Effect.Context<typeof makeLives>>) =>
  Effect.flatMap(folder, (directory) =>
    Effect.provide(
      Effect.gen(function*() {
        yield* (yield* GlacierClient).createVault(vault)
        return yield* program
      }),
      NodeEmulator.layer({ directory, jobDelay: 0, inventoryDelay: 0 })
    ))

const count = (life: ReadonlyArray<string>, method: string) => life.filter((one) => one === method).length

/** When the upload is opened, between parts, and when it is completed. */
const moments: ReadonlyArray<Traffic["holds"]> = [
  ({ life }) => count(life, "POST") === 1,
  ({ life }) => count(life, "PUT") >= 3,
  ({ life }) => count(life, "POST") === 1
]

it.scopedLive(
  "an upload whose process is killed when it is opened, between parts and when it is completed sends nothing twice [I4]",
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* folder
      const bytes = ramp(12.5 * mebibyte)
      const file = join(yield* folder, "film")
      writeFileSync(file, bytes)
      yield* overFiles(Effect.gen(function*() {
        const { killed, traffic, whole } = yield* makeLives
        for (const holds of moments) yield* killed(holds, "upload", file, checkpoints)
        expect(traffic.carried.size).toBe(13)
        const archiveId = yield* whole("upload", file, checkpoints)
        // It is not open any more, and completing it once more gives its archive.
        expect(traffic.life).toEqual(["GET", "POST"])
        expect(again(traffic)).toBe(0)
        expect(readdirSync(checkpoints)).toEqual([])
        // The response to the first life's request to open it was held back.
        yield* expectOneArchive(archiveId, bytes, 1)
      }))
    }),
  180_000
)

/** The number of kills during the upload, and during the download. */
const kills = isFull ? { upload: 13, download: 12 } : { upload: 3, download: 2 }

/** After so many bytes of a life, in the middle of a part or window: a few of them, not much more than one, or none. */
const places = (lives: number) => Array.from({ length: lives }, (_, life) => ((life * 7) % 10) * 0.3 * mebibyte)

it.scopedLive(
  `${
    kills.upload + kills.download
  } times killed in the middle of an upload and of a download: the same bytes, once, and little sent twice [I4]`,
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* folder
      const films = yield* folder
      const bytes = ramp(30.5 * mebibyte)
      const file = join(films, "film")
      writeFileSync(file, bytes)
      yield* overFiles(Effect.gen(function*() {
        const up = yield* makeLives
        const uploads = places(kills.upload)
        for (const place of uploads) yield* up.killed(({ bytes }) => bytes > place, "upload", file, checkpoints)
        const archiveId = yield* up.whole("upload", file, checkpoints)
        expect(up.traffic.carried.size).toBe(31)
        expect(again(up.traffic)).toBeLessThanOrEqual(uploads.length * workers)
        expect(readdirSync(checkpoints)).toEqual([])
        yield* expectOneArchive(archiveId, bytes, uploads.length)

        const down = yield* makeLives
        const jobId = yield* retrieved(archiveId)
        const target = join(films, "back")
        const downloads = places(kills.download)
        for (const place of downloads) {
          yield* down.killed(({ bytes }) => bytes > place, "download", target, jobId)
          expect(existsSync(target)).toBe(false)
        }
        yield* down.whole("download", target, jobId)
        expect(readFileSync(target).equals(bytes)).toBe(true)
        expect(readdirSync(films).sort()).toEqual(["back", "film"])
        expect(down.traffic.carried.size).toBe(31)
        expect(again(down.traffic)).toBeLessThanOrEqual(downloads.length * workers)
      }))
    }),
  300_000
)
