/** Uploads and downloads whose process is killed and started again: nothing is stored, sent or written twice. */
import { expect, it } from "@effect/vitest"
import { Deferred, Effect, Option, Redacted, Stream } from "effect"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, request as requestTo } from "node:http"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { temporaryFolder } from "../support/folders.ts"
import { isFull } from "../support/full.ts"
import { runScript } from "../support/processes.ts"
import * as Support from "./support.ts"

const { mebibyte, port, ramp } = Support

const vault = { vaultName: "films" }

/** The number of parts or windows that `transfer.ts` transfers at once. */
const workers = 2

/** The traffic between a program and the emulator. */
interface Traffic {
  /** How often each part or window was transferred completely, by its range. */
  readonly transfers: Map<string, number>
  /** The methods of the executed requests of the current process. */
  readonly methods: Array<string>
  /** The number of bytes in bodies of the current process. */
  bytes: number
  /** Whether the program is to be killed now. From then on no response is passed on. */
  isOver: (traffic: Traffic) => boolean
  onOver: () => void
}

/** The number of parts or windows that were transferred more than once. */
const repeated = ({ transfers }: Traffic) => Array.from(transfers.values()).reduce((sum, times) => sum + times - 1, 0)

/** Starts a proxy for the emulator on a port, which records the traffic. */
const makeProxy = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void; readonly traffic: Traffic }>((resume) => {
      const traffic: Traffic = { transfers: new Map(), methods: [], bytes: 0, isOver: () => false, onOver: () => {} }
      const checkOver = () => {
        if (!traffic.isOver(traffic)) return false
        traffic.onOver()
        return true
      }
      const count = (bytes: Buffer) => {
        traffic.bytes += bytes.length
        checkOver()
      }
      const server = createServer((incoming, outgoing) => {
        const { headers, method = "", url: path } = incoming
        const range = headers["content-range"] ?? headers["range"]
        const onward = requestTo({ port, method, path, headers, host: "127.0.0.1" }, (response) => {
          const record = () => {
            traffic.methods.push(method)
            if (range === undefined || (response.statusCode ?? 500) >= 300) return
            traffic.transfers.set(range, (traffic.transfers.get(range) ?? 0) + 1)
          }
          let left = Number(response.headers["content-length"])
          // A part counts when it is acknowledged, a window when its last byte has passed.
          if (method !== "GET") record()
          if (checkOver()) return
          outgoing.writeHead(response.statusCode ?? 500, response.headers)
          response.on("data", (bytes: Buffer) => {
            left -= bytes.length
            if (method === "GET" && left === 0) record()
            count(bytes)
          }).pipe(outgoing)
        })
        onward.on("error", () => outgoing.destroy())
        // The emulator stores a complete part even if the program is dead.
        outgoing.on("close", () => {
          if (method === "GET" || !onward.writableEnded) onward.destroy()
        })
        incoming.on("data", count).pipe(onward)
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

/** Runs `transfer.ts` through a proxy, until it is killed or to its end. */
const makeRunner = Effect.gen(function*() {
  const proxy = yield* makeProxy(yield* port)
  const { traffic } = proxy
  const { accessKeyId, secretAccessKey } = Emulator.defaultKey
  const script = fileURLToPath(new URL("transfer.ts", import.meta.url))
  const start = (...args: ReadonlyArray<string>) =>
    runScript(script, args, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
      AWS_REGION: NodeEmulator.region,
      AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${proxy.port}`
    })
  return {
    traffic,
    /** Runs the program and kills it when the condition holds. */
    runUntil: (isOver: Traffic["isOver"], ...args: ReadonlyArray<string>) =>
      Effect.scoped(Effect.gen(function*() {
        const over = yield* Deferred.make<void>()
        Object.assign(traffic, { isOver, onOver: () => Deferred.unsafeDone(over, Effect.void), bytes: 0 })
        traffic.methods.length = 0
        const { exit, kill } = yield* start(...args)
        yield* Effect.raceFirst(
          Deferred.await(over),
          Effect.flatMap(exit, ({ stderr, stdout }) => Effect.dieMessage(`The program ended:\n${stdout}\n${stderr}`))
        )
        yield* kill("SIGKILL")
        yield* exit
      })),
    /** Runs the program to its end, and returns its output. */
    runToEnd: (...args: ReadonlyArray<string>) =>
      Effect.scoped(Effect.gen(function*() {
        traffic.isOver = () => false
        traffic.methods.length = 0
        const { code, stderr, stdout } = yield* Effect.flatMap(start(...args), ({ exit }) => exit)
        expect(code, stderr).toBe(0)
        return stdout
      }))
  }
})

/** Starts a job for an archive. */
const retrieve = (archiveId: string) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const parameters = { type: "archive-retrieval", archiveId } as const
    return (yield* glacier.initiateJob({ ...vault, parameters })).jobId
  })

/**
 * Expects that the vault has one archive with these bytes, and at most `lost` open uploads without parts: the responses to
 * opening those were lost with their processes.
 */
const expectOneArchive = (archiveId: string, bytes: Uint8Array, lost: number) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const { numberOfArchives } = yield* glacier.describeVault(vault)
    expect(numberOfArchives).toEqual(Option.some(1))
    const { uploads } = yield* glacier.listMultipartUploads(vault)
    expect(uploads.length).toBeLessThanOrEqual(lost)
    for (const { uploadId } of uploads) expect((yield* glacier.listParts({ ...vault, uploadId })).parts).toEqual([])
    const { body } = yield* glacier.getJobOutput({ ...vault, jobId: yield* retrieve(archiveId) })
    const back = Buffer.concat(Array.from(yield* Stream.runCollect(body)))
    expect(back.equals(bytes)).toBe(true)
  })

/** Runs a program with an emulator that keeps its data in files, and with a vault. */
const withEmulator = <A, E>(program: Effect.Effect<A, E, GlacierClient | Effect.Effect.Context<typeof makeRunner>>) =>
  Effect.flatMap(temporaryFolder, (directory) =>
    Effect.provide(
      Effect.gen(function*() {
        yield* (yield* GlacierClient).createVault(vault)
        return yield* program
      }),
      NodeEmulator.layer({ directory, jobDelay: 0, inventoryDelay: 0 })
    ))

const countOf = (methods: ReadonlyArray<string>, method: string) => methods.filter((other) => other === method).length

/** The moments at which the upload is opened, between parts, and at which it is completed. */
const moments: ReadonlyArray<Traffic["isOver"]> = [
  ({ methods }) => countOf(methods, "POST") === 1,
  ({ methods }) => countOf(methods, "PUT") >= 3,
  ({ methods }) => countOf(methods, "POST") === 1
]

it.scopedLive(
  "sends no part twice when the process is killed as it opens the upload, between parts and as it completes it [I4]",
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* temporaryFolder
      const bytes = ramp(12.5 * mebibyte)
      const file = join(yield* temporaryFolder, "film")
      writeFileSync(file, bytes)
      yield* withEmulator(Effect.gen(function*() {
        const { runToEnd, runUntil, traffic } = yield* makeRunner
        for (const isOver of moments) yield* runUntil(isOver, "upload", file, checkpoints)
        expect(traffic.transfers.size).toBe(13)
        const archiveId = yield* runToEnd("upload", file, checkpoints)
        // The upload is not open any more, and completing it again returns its archive.
        expect(traffic.methods).toEqual(["GET", "POST"])
        expect(repeated(traffic)).toBe(0)
        expect(readdirSync(checkpoints)).toEqual([])
        // The response to opening the first upload was not passed on.
        yield* expectOneArchive(archiveId, bytes, 1)
      }))
    }),
  180_000
)

/** The number of kills during the upload, and during the download. */
const kills = isFull ? { upload: 13, download: 12 } : { upload: 3, download: 2 }

/** Numbers of bytes after which processes are killed: 0 to 2.7 MiB, in the middle of a part or window. */
const killPoints = (kills: number) => Array.from({ length: kills }, (_, kill) => ((kill * 7) % 10) * 0.3 * mebibyte)

it.scopedLive(
  `stores and downloads the right bytes after ${kills.upload + kills.download} kills, and repeats little [I4]`,
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* temporaryFolder
      const films = yield* temporaryFolder
      const bytes = ramp(30.5 * mebibyte)
      const file = join(films, "film")
      writeFileSync(file, bytes)
      yield* withEmulator(Effect.gen(function*() {
        const up = yield* makeRunner
        const uploads = killPoints(kills.upload)
        for (const killPoint of uploads) {
          yield* up.runUntil(({ bytes }) => bytes > killPoint, "upload", file, checkpoints)
        }
        const archiveId = yield* up.runToEnd("upload", file, checkpoints)
        expect(up.traffic.transfers.size).toBe(31)
        expect(repeated(up.traffic)).toBeLessThanOrEqual(uploads.length * workers)
        expect(readdirSync(checkpoints)).toEqual([])
        yield* expectOneArchive(archiveId, bytes, uploads.length)

        const down = yield* makeRunner
        const jobId = yield* retrieve(archiveId)
        const target = join(films, "back")
        const downloads = killPoints(kills.download)
        for (const killPoint of downloads) {
          yield* down.runUntil(({ bytes }) => bytes > killPoint, "download", target, jobId)
          expect(existsSync(target)).toBe(false)
        }
        yield* down.runToEnd("download", target, jobId)
        expect(readFileSync(target).equals(bytes)).toBe(true)
        expect(readdirSync(films).sort()).toEqual(["back", "film"])
        expect(down.traffic.transfers.size).toBe(31)
        expect(repeated(down.traffic)).toBeLessThanOrEqual(downloads.length * workers)
      }))
    }),
  300_000
)
