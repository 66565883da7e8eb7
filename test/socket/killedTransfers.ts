/** A program that is killed, such as one that uploads or downloads, and a proxy that records its traffic. */
import { expect } from "@effect/vitest"
import { Deferred, Effect, Option, Redacted, Schedule, Stream } from "effect"
import { createServer, request as requestTo } from "node:http"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runScript } from "../support/processes.ts"
import * as Support from "./support.ts"

const { port } = Support

const vault = { vaultName: "films" }

/** The number of parts or windows that `transfer.ts` transfers at once. */
export const workers = 2

/** The traffic between a program and the emulator, or another server. */
interface Traffic {
  /** How often each part or window was transferred completely, by its range, or the path in an object store. */
  readonly transfers: Map<string, number>
  /** The methods of the executed requests of the current process. */
  readonly methods: Array<string>
  /** The methods and paths of the executed requests of all processes. */
  readonly requests: Array<string>
  /** The number of bytes in bodies of the current process. */
  bytes: number
  /** Whether the program is to be killed now. From then on no response is passed on. */
  isOver: (traffic: Traffic) => boolean
  onOver: () => void
}

/** The number of parts or windows that were transferred more than once. */
export const repeated = ({ transfers }: Traffic) =>
  Array.from(transfers.values()).reduce((sum, times) => sum + times - 1, 0)

/** Starts a proxy for the server on a port, which records the traffic. */
const makeProxy = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void; readonly traffic: Traffic }>((resume) => {
      const traffic: Traffic = {
        transfers: new Map(),
        methods: [],
        requests: [],
        bytes: 0,
        isOver: () => false,
        onOver: () => {}
      }
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
        const isPart = method === "PUT" && path?.includes("/multipart-uploads/") === false
        const range = headers["content-range"] ?? headers["range"] ?? (isPart ? path : undefined)
        const onward = requestTo({ port, method, path, headers, host: "127.0.0.1" }, (response) => {
          const record = () => {
            traffic.methods.push(method)
            traffic.requests.push(`${method} ${path}`)
            if (range === undefined || (response.statusCode ?? 500) >= 300) return
            traffic.transfers.set(range, (traffic.transfers.get(range) ?? 0) + 1)
          }
          let left = Number(response.headers["content-length"])
          // A part counts when it is acknowledged, a window when its last byte has passed.
          if (method !== "GET") record()
          if (checkOver()) return
          // The framing is that of each connection.
          delete response.headers["transfer-encoding"]
          outgoing.writeHead(response.statusCode ?? 500, response.headers)
          if (method === "HEAD") return outgoing.end()
          response.on("data", (bytes: Buffer) => {
            left -= bytes.length
            if (method === "GET" && left === 0) record()
            count(bytes)
          }).pipe(outgoing)
        })
        // Swift sends a superfluous chunk after a response to HEAD.
        onward.on("error", () => outgoing.writableEnded || outgoing.destroy())
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

/**
 * Makes a runner of a script of this folder, which runs it through a proxy, until it is killed or to its end. With the port
 * of an object store, there is also a proxy for that.
 */
export const makeRunnerOf = Effect.fnUntraced(function*(name: string, storePort?: number) {
  const proxy = yield* makeProxy(yield* port)
  const store = yield* makeProxy(storePort ?? (yield* port))
  const { traffic } = proxy
  const { accessKeyId, secretAccessKey } = Emulator.defaultKey
  const script = fileURLToPath(new URL(name, import.meta.url))
  const start = (...args: ReadonlyArray<string>) =>
    runScript(script, args, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
      AWS_REGION: NodeEmulator.region,
      AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${proxy.port}`,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${store.port}`
    })
  const runUntil = (traffic: Traffic) => (isOver: Traffic["isOver"], ...args: ReadonlyArray<string>) =>
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
    }))
  return {
    traffic,
    storeTraffic: store.traffic,
    /** Runs the program and kills it when the condition holds for the traffic with the emulator. */
    runUntil: runUntil(traffic),
    /** Runs the program and kills it when the condition holds for the traffic with the object store. */
    runUntilStored: runUntil(store.traffic),
    /** Runs the program and kills it when it has printed that number of lines. */
    runUntilLines: (count: number, ...args: ReadonlyArray<string>) =>
      Effect.scoped(Effect.gen(function*() {
        traffic.isOver = () => false
        const { exit, kill, lines } = yield* start(...args)
        yield* Effect.repeat(lines, { until: ({ length }) => length >= count, schedule: Schedule.spaced("2 millis") })
        yield* kill("SIGKILL")
        yield* exit
      })),
    /** Runs the program to its end, and returns its output. */
    runToEnd: (...args: ReadonlyArray<string>) =>
      Effect.scoped(Effect.gen(function*() {
        traffic.isOver = () => false
        store.traffic.isOver = () => false
        traffic.methods.length = 0
        const { code, stderr, stdout } = yield* Effect.flatMap(start(...args), ({ exit }) => exit)
        expect(code, stderr).toBe(0)
        return stdout
      }))
  }
})

/** Makes a runner of `transfer.ts`. */
export const makeRunner = makeRunnerOf("transfer.ts")

/** Starts a job for an archive. */
export const retrieve = (archiveId: string) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const parameters = { type: "archive-retrieval", archiveId } as const
    return (yield* glacier.initiateJob({ ...vault, parameters })).jobId
  })

/**
 * Expects that the vault has one archive with these bytes, and at most `lost` open uploads without parts: the responses to
 * opening those were lost with their processes.
 */
export const expectOneArchive = (archiveId: string, bytes: Uint8Array, lost: number) =>
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
export const withEmulator = <A, E>(
  program: Effect.Effect<A, E, GlacierClient | Effect.Effect.Context<typeof makeRunner>>
) =>
  Effect.flatMap(temporaryFolder, (directory) =>
    Effect.provide(
      Effect.gen(function*() {
        yield* (yield* GlacierClient).createVault(vault)
        return yield* program
      }),
      NodeEmulator.layer({ directory, jobDelay: 0, inventoryDelay: 0 })
    ))

export const countOf = (methods: ReadonlyArray<string>, method: string) =>
  methods.filter((other) => other === method).length

/** The moments at which the upload is opened, between parts, and at which it is completed. */
export const moments: ReadonlyArray<Traffic["isOver"]> = [
  ({ methods }) => countOf(methods, "POST") === 1,
  ({ methods }) => countOf(methods, "PUT") >= 3,
  ({ methods }) => countOf(methods, "POST") === 1
]
