/** Processes that download an archive to one target, and a proxy that holds their windows. */
import { expect } from "@effect/vitest"
import { Deferred, Effect, Redacted } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { createServer, request as requestTo } from "node:http"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runScript } from "../support/processes.ts"
import * as Support from "./support.ts"

const { mebibyte, port, ramp } = Support

const bytes = ramp(8.5 * mebibyte)

const vault = { vaultName: "films" }

const script = fileURLToPath(new URL("downloader.ts", import.meta.url))

/** Starts a proxy for the emulator that passes a number of windows on, and holds all others until it is opened. */
const makeProxy = (port: number, windows: number) =>
  Effect.gen(function*() {
    const blocked = yield* Deferred.make<void>()
    const held: Array<() => void> = []
    let left = windows
    const server = createServer((incoming, outgoing) => {
      const { headers, method = "", url: path = "" } = incoming
      const pass = () => {
        const onward = requestTo({ port, method, path, headers, host: "127.0.0.1" }, (response) => {
          outgoing.writeHead(response.statusCode ?? 500, response.headers)
          response.pipe(outgoing)
        })
        onward.on("error", () => outgoing.destroy())
        incoming.pipe(onward)
      }
      if (!path.includes("/output") || left-- > 0) return pass()
      held.push(pass)
      Deferred.unsafeDone(blocked, Effect.void)
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const address = server.address()
    return {
      port: typeof address === "object" && address !== null ? address.port : 0,
      /** Waits until a window is held. */
      blocked: Deferred.await(blocked),
      open: Effect.sync(() => {
        left = Number.POSITIVE_INFINITY
        for (const pass of held) pass()
      })
    }
  })

/** A folder, and functions that start processes which download an archive to a path. */
const prepare = Effect.gen(function*() {
  const directory = yield* temporaryFolder
  const glacier = yield* GlacierClient
  yield* glacier.createVault(vault)
  const hashes = yield* (yield* Hasher).hashes(bytes)
  const { archiveId } = yield* glacier.uploadArchive({ ...vault, ...hashes, body: bytes })
  const { jobId } = yield* glacier.initiateJob({ ...vault, parameters: { type: "archive-retrieval", archiveId } })
  const emulator = yield* port
  const { accessKeyId, secretAccessKey } = Emulator.defaultKey

  /** Starts a download of which only the first windows pass. */
  const start = Effect.fnUntraced(function*(path: string, windows = 3, ...args: ReadonlyArray<string>) {
    const proxy = yield* makeProxy(emulator, windows)
    const { exit, kill } = yield* runScript(script, [path, jobId, ...args], {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
      AWS_REGION: NodeEmulator.region,
      AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${proxy.port}`
    })
    const output = Effect.map(exit, ({ stderr, stdout }) => stdout || stderr)
    return { ...proxy, kill: (signal: NodeJS.Signals) => Effect.zipRight(kill(signal), exit), output }
  })
  /** Runs a download to its end, and returns its output. */
  const run = (...args: Parameters<typeof start>) =>
    Effect.scoped(Effect.flatMap(start(...args), ({ output }) => output))

  return { directory, target: join(directory, "film"), start, run, names: () => readdirSync(directory).sort() }
})

type Prepared = Effect.Effect.Success<typeof prepare>

export const inFolder = <A, E>(
  body: (prepared: Prepared) => Effect.Effect<A, E, Effect.Effect.Context<ReturnType<Prepared["start"]>>>
) => Effect.provide(Effect.flatMap(prepare, body), NodeEmulator.layer({ jobDelay: 0 }))

export const expectComplete = (target: string) => expect(readFileSync(target).equals(bytes)).toBe(true)

export const allWindows = Number.POSITIVE_INFINITY
