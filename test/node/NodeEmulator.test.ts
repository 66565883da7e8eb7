import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { EmulatorStorageError } from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { runScript } from "../socket/support.ts"

const locker = fileURLToPath(new URL("locker.ts", import.meta.url))

const listed = Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({}))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-glacier-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("NodeEmulator", () => {
  it.live.each(["127.0.0.1", "0.0.0.0", "::1"])("is reached where it listens: %s", (host) =>
    Effect.gen(function*() {
      expect((yield* listed).vaults).toEqual([])
    }).pipe(Effect.provide(NodeEmulator.layer({ host }))))

  it.scopedLive("leaves alone the folder of a process that lives", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const { exit, firstLine, kill } = yield* runScript(locker, [join(directory, "lock")])
      const owner = yield* firstLine
      const path = join(directory, "lock")
      renameSync(`${path}.lock`, path)
      const refused = yield* Effect.exit(Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory }))))
      expect(refused).toEqual(Exit.fail(
        new EmulatorStorageError({
          path: directory,
          reason: `the directory cannot be used: ${directory} is in use by ${owner}. ` +
            `If that process no longer runs, remove ${path}`
        })
      ))
      expect(readdirSync(directory)).toEqual(["lock"])
      yield* kill("SIGKILL")
      yield* exit
      yield* Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory })))
      expect(readdirSync(directory).sort()).toEqual(["blobs", "journal.jsonl"])
    }), 60_000)

  it.scopedLive("opens a folder once in a process, by whatever path", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      symlinkSync(directory, `${directory}/linked`)
      const build = (directory: string) => Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory })))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(NodeEmulator.layerServer({ directory }))
        for (const path of [directory, `${directory}/linked`]) {
          expect(yield* Effect.exit(build(path))).toEqual(Exit.fail(
            new EmulatorStorageError({
              path,
              reason: `the directory cannot be used: ${path} is in use by this process`
            })
          ))
        }
      }))
      yield* build(directory)
    }))
})
