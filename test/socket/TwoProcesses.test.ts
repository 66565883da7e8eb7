/** Two processes that download to one target: the file is whole or not there, and the first is not disturbed. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Redacted } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs"
import { createServer, request as requestTo } from "node:http"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import * as Support from "./support.ts"

const { mebibyte, port, ramp } = Support

const bytes = ramp(8.5 * mebibyte)

const vault = { vaultName: "survivor" }

const script = fileURLToPath(new URL("downloader.ts", import.meta.url))

/** A way to the emulator that lets so many windows pass, and holds all others until it is opened. */
const makeWay = (port: number, windows: number) =>
  Effect.gen(function*() {
    const full = yield* Deferred.make<void>()
    const held: Array<() => void> = []
    let left = windows
    const server = createServer((incoming, outgoing) => {
      const { headers, method = "", url: path = "" } = incoming
      const pass = () => {
        const onward = requestTo({ port, method, path, headers, host: "127.0.0.1" }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(outgoing)
        })
        onward.on("error", () => outgoing.destroy())
        incoming.pipe(onward)
      }
      if (!path.includes("/output") || left-- > 0) return pass()
      held.push(pass)
      Deferred.unsafeDone(full, Effect.void)
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
      full: Deferred.await(full),
      open: Effect.sync(() => {
        left = Number.POSITIVE_INFINITY
        for (const pass of held) pass()
      })
    }
  })

/** A folder, and processes that download an archive to a path. */
const prepared = Effect.gen(function*() {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "effect-glacier-")))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const glacier = yield* GlacierClient
  yield* glacier.createVault(vault)
  const hashes = yield* (yield* Hasher).hashes(bytes)
  const { archiveId } = yield* glacier.uploadArchive({ ...vault, ...hashes, body: bytes })
  const { jobId } = yield* glacier.initiateJob({ ...vault, parameters: { type: "archive-retrieval", archiveId } })
  const emulator = yield* port
  const { accessKeyId, secretAccessKey } = Emulator.defaultKey

  /** Begins a download whose first windows pass. */
  const begin = Effect.fnUntraced(function*(path: string, windows = 3, ...args: ReadonlyArray<string>) {
    const way = yield* makeWay(emulator, windows)
    const { exit, kill } = yield* Support.runScript(script, [path, jobId, ...args], {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
      AWS_REGION: NodeEmulator.region,
      AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${way.port}`
    })
    const said = Effect.map(exit, ({ stderr, stdout }) => stdout || stderr)
    return { ...way, kill: (signal: NodeJS.Signals) => Effect.zipRight(kill(signal), exit), said }
  })
  /** Runs a download to its end. */
  const run = (...args: Parameters<typeof begin>) => Effect.scoped(Effect.flatMap(begin(...args), ({ said }) => said))

  return { directory, target: join(directory, "film"), begin, run, names: () => readdirSync(directory).sort() }
})

type Prepared = Effect.Effect.Success<typeof prepared>

const inFolder = <A, E>(
  body: (prepared: Prepared) => Effect.Effect<A, E, Effect.Effect.Context<ReturnType<Prepared["begin"]>>>
) => Effect.provide(Effect.flatMap(prepared, body), NodeEmulator.layer({ jobDelay: 0 }))

const isWhole = (target: string) => expect(readFileSync(target).equals(bytes)).toBe(true)

const everything = Number.POSITIVE_INFINITY

describe.concurrent("Two processes that download to one target", () => {
  it.scopedLive(
    "refuse the second, which is stopped and started again, by any path, and leave the first alone",
    () =>
      inFolder(({ begin, directory, names, run, target }) =>
        Effect.gen(function*() {
          mkdirSync(join(directory, "sub"))
          symlinkSync(directory, join(directory, "linked"))
          const first = yield* begin(target)
          yield* first.full
          const before = names()
          expect(before).toHaveLength(5)
          for (const path of [target, relative(process.cwd(), target), join(directory, "linked", "film")]) {
            const said = yield* run(path)
            expect(said).toMatch(
              /^FileInUse: .*\/film is in use by process \d+\. If that process no longer runs, remove /
            )
            expect(said).toContain(`${target} is in use`)
            expect(names()).toEqual(before)
          }
          const stopped = yield* begin(`${directory}/sub/../film`)
          yield* stopped.kill("SIGINT")
          expect(names()).toEqual(before)
          yield* first.open
          expect(yield* first.said).toBe("done")
          isWhole(target)
          expect(names()).toEqual(["film", "linked", "sub"])
        })
      ),
    180_000
  )

  it.scopedLive(
    "let the second resume when the first was killed",
    () =>
      inFolder(({ begin, directory, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* begin(target, 4)
          yield* first.full
          const checkpoint = names().find((name) => name.endsWith(".checkpoint")) ?? ""
          const recorded = Effect.sync(() => readFileSync(join(directory, checkpoint), "utf8").match(/^\d+-/gm) ?? [])
          yield* Support.until(recorded, ({ length }) => length >= 3)
          yield* first.kill("SIGKILL")
          expect(names()).toHaveLength(3)
          const rest = yield* begin(target, 6)
          expect(yield* rest.said).toBe("done")
          isWhole(target)
          expect(names()).toEqual(["film"])
          expect(yield* run(target, everything)).toBe("done")
        })
      ),
    180_000
  )

  it.scopedLive(
    "leave nothing when the first is interrupted, and the second may start then",
    () =>
      inFolder(({ begin, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* begin(target)
          yield* first.full
          yield* first.kill("SIGINT")
          expect(names()).toEqual([])
          expect(yield* run(target, everything)).toBe("done")
          isWhole(target)
          expect(names()).toEqual(["film"])
        })
      ),
    180_000
  )

  it.scopedLive(
    "that no lock reaches: what the second removed and began anew is never mixed with the first's",
    () =>
      inFolder(({ begin, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* begin(target, 3, "unlocked")
          yield* first.full
          const stopped = yield* begin(target, 0, "unlocked")
          yield* stopped.full
          yield* stopped.kill("SIGINT")
          expect(names()).toEqual([])
          const again = yield* begin(target, 2, "unlocked")
          yield* again.full
          yield* first.open
          expect(yield* first.said).toMatch(
            /^FileReplaced: .*\/film is not written: another process removed or replaced /
          )
          expect(names()).not.toContain("film")
          yield* again.open
          expect(yield* again.said).toBe("done")
          isWhole(target)
          expect(names()).toEqual(["film"])
          expect(yield* run(target, everything, "unlocked")).toBe("done")
        })
      ),
    180_000
  )
})
