/** Two processes that download to one target: the file is complete or missing, and the first download is not disturbed. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Redacted } from "effect"
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { createServer, request as requestTo } from "node:http"
import { join, relative } from "node:path"
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

const inFolder = <A, E>(
  body: (prepared: Prepared) => Effect.Effect<A, E, Effect.Effect.Context<ReturnType<Prepared["start"]>>>
) => Effect.provide(Effect.flatMap(prepare, body), NodeEmulator.layer({ jobDelay: 0 }))

const expectComplete = (target: string) => expect(readFileSync(target).equals(bytes)).toBe(true)

const allWindows = Number.POSITIVE_INFINITY

describe.concurrent("two processes that download to one target", () => {
  it.scopedLive(
    "do not disturb each other: the second is rejected, by any path to the target",
    () =>
      inFolder(({ start, directory, names, run, target }) =>
        Effect.gen(function*() {
          mkdirSync(join(directory, "sub"))
          symlinkSync(directory, join(directory, "linked"))
          const first = yield* start(target)
          yield* first.blocked
          const before = names()
          expect(before).toHaveLength(5)
          for (const path of [target, relative(process.cwd(), target), join(directory, "linked", "film")]) {
            const output = yield* run(path)
            expect(output).toMatch(
              /^FileInUse: .*\/film is in use by process \d+\. If that process no longer runs, remove /
            )
            expect(output).toContain(`${target} is in use`)
            expect(names()).toEqual(before)
          }
          const stopped = yield* start(`${directory}/sub/../film`)
          yield* stopped.kill("SIGINT")
          expect(names()).toEqual(before)
          yield* first.open
          expect(yield* first.output).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film", "linked", "sub"])
        })
      ),
    180_000
  )

  it.scopedLive(
    "share verified windows: the second process resumes after the first was killed",
    () =>
      inFolder(({ start, directory, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* start(target, 4)
          yield* first.blocked
          const checkpoint = names().find((name) => name.endsWith(".checkpoint")) ?? ""
          const recorded = Effect.sync(() => readFileSync(join(directory, checkpoint), "utf8").match(/^\d+-/gm) ?? [])
          yield* Support.until(recorded, ({ length }) => length >= 3)
          yield* first.kill("SIGKILL")
          expect(names()).toHaveLength(3)
          const rest = yield* start(target, 6)
          expect(yield* rest.output).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film"])
          expect(yield* run(target, allWindows)).toBe("done")
        })
      ),
    180_000
  )

  it.scopedLive(
    "leave no files when the first is interrupted, so the second starts from the beginning",
    () =>
      inFolder(({ start, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* start(target)
          yield* first.blocked
          yield* first.kill("SIGINT")
          expect(names()).toEqual([])
          expect(yield* run(target, allWindows)).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film"])
        })
      ),
    180_000
  )

  it.scopedLive(
    "never mix their bytes, even without a lock: the first fails when the second replaces its file",
    () =>
      inFolder(({ start, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* start(target, 3, "unlocked")
          yield* first.blocked
          const stopped = yield* start(target, 0, "unlocked")
          yield* stopped.blocked
          yield* stopped.kill("SIGINT")
          expect(names()).toEqual([])
          const again = yield* start(target, 2, "unlocked")
          yield* again.blocked
          yield* first.open
          expect(yield* first.output).toMatch(
            /^FileReplaced: .*\/film is not written: another process removed or replaced /
          )
          expect(names()).not.toContain("film")
          yield* again.open
          expect(yield* again.output).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film"])
          expect(yield* run(target, allWindows, "unlocked")).toBe("done")
        })
      ),
    180_000
  )
})
