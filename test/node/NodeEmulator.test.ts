import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { EmulatorStorageError } from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"

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
      const path = join(directory, "lock")
      // The one that runs the tests lives as long as they do.
      writeFileSync(path, String(process.ppid))
      const refused = yield* Effect.exit(Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory }))))
      expect(refused).toEqual(Exit.fail(
        new EmulatorStorageError({
          path: directory,
          reason: `the directory cannot be locked: process ${process.ppid} uses it (if not, remove ${path})`
        })
      ))
      expect(readFileSync(path, "utf8")).toBe(String(process.ppid))
      expect(existsSync(join(directory, "journal.jsonl"))).toBe(false)
    }))

  it.scopedLive("opens a folder once in a process", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const build = Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory })))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(NodeEmulator.layerServer({ directory }))
        expect(yield* Effect.exit(build)).toEqual(Exit.fail(
          new EmulatorStorageError({
            path: directory,
            reason: "the directory cannot be locked: this process uses it already"
          })
        ))
      }))
      yield* build
    }))

  it.scopedLive.each(["2147483646", "", "nonsense"])(
    "takes over the lock of one that does not: %j",
    (owner) =>
      Effect.gen(function*() {
        const directory = yield* folder
        const path = join(directory, "lock")
        writeFileSync(path, owner)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Layer.build(NodeEmulator.layerServer({ directory }))
          expect(readFileSync(path, "utf8")).toBe(String(process.pid))
        }))
        expect(existsSync(path)).toBe(false)
      })
  )
})
