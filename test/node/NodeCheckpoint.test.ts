import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runScript } from "../support/processes.ts"

/** The program that opens a checkpoint and keeps it open. */
const holder = fileURLToPath(new URL("holder.ts", import.meta.url))

/** Opens the checkpoint "work" and returns its entries. */
const readEntries = Effect.scoped(Effect.gen(function*() {
  const { entries } = yield* (yield* Checkpoint.Checkpoint).open("work")
  return Chunk.toReadonlyArray(yield* Stream.runCollect(entries))
}))

describe("NodeCheckpoint", () => {
  it.scopedLive(
    "rejects a checkpoint that another process uses, until that process is dead [I5]",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryFolder
        const lock = `${yield* Checkpoint.pathOf(directory, "work")}.lock`
        const { exit, firstLine, kill } = yield* runScript(holder, [directory, "work"])
        const [, owner] = (yield* firstLine).split("opened by ")
        expect(owner).toMatch(/^process \d+$/)
        yield* Effect.gen(function*() {
          const rejected = yield* Effect.flip(readEntries)
          expect(rejected).toMatchObject({ _tag: "CheckpointInUse", name: "work", owner, lock })
          expect(rejected.message).toBe(
            `Checkpoint "work" is in use by ${owner}. If that process no longer runs, remove ${lock}`
          )
          yield* kill("SIGKILL")
          yield* exit
          expect(existsSync(lock)).toBe(true)
          expect(yield* readEntries).toEqual([owner])
          expect(existsSync(lock)).toBe(false)
        }).pipe(Effect.provide(NodeCheckpoint.layer(directory)))
      }),
    180_000
  )

  it.scopedLive(
    "gives the lock of a dead process to only one of two processes [I5]",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryFolder
        const dead = yield* runScript(holder, [directory, "work"])
        yield* dead.firstLine
        yield* dead.kill("SIGKILL")
        yield* dead.exit
        const lines = yield* Effect.forEach(
          Array.from({ length: 2 }),
          () => Effect.flatMap(runScript(holder, [directory, "work"]), ({ firstLine }) => firstLine),
          { concurrency: "unbounded" }
        )
        expect(lines.filter((line) => line.startsWith("opened by"))).toHaveLength(1)
        expect(lines.filter((line) => /^Checkpoint "work" is in use by /.test(line))).toHaveLength(1)
      }),
    180_000
  )

  it.scopedLive("opens a checkpoint whose lock was left by a process that died while it took it", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      mkdirSync(`${yield* Checkpoint.pathOf(directory, "work")}.lock`)
      expect(yield* Effect.provide(readEntries, NodeCheckpoint.layer(directory))).toEqual([])
      expect(readdirSync(directory)).toEqual([])
    }))

  it.scopedLive("rejects a checkpoint of another process by any path to its folder", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      symlinkSync(directory, `${directory}/linked`)
      const { firstLine } = yield* runScript(holder, [`${directory}/linked`, "work"])
      const [, owner] = (yield* firstLine).split("opened by ")
      for (const path of [directory, `${directory}/linked/.`, `${directory}/linked/linked/`]) {
        const rejected = yield* Effect.flip(Effect.provide(readEntries, NodeCheckpoint.layer(path)))
        expect(rejected).toMatchObject({ _tag: "CheckpointInUse", owner })
      }
    }), 60_000)

  it.scopedLive("rejects a second use in this process through another layer and path", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      const other = Effect.provide(readEntries, NodeCheckpoint.layer(`${directory}/../${directory.split("/").at(-1)}`))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* (yield* Checkpoint.Checkpoint).open("work")
        expect(yield* Effect.flip(other)).toMatchObject({ _tag: "CheckpointInUse", owner: "this process" })
      })).pipe(Effect.provide(NodeCheckpoint.layer(directory)))
      yield* other
    }))

  it.scopedLive("fails when the folder cannot be created", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      writeFileSync(path, "mine")
      const error = yield* Effect.flip(Effect.provide(readEntries, NodeCheckpoint.layer(path)))
      expect(error).toMatchObject({ _tag: "CheckpointError", name: "work" })
      expect(error.message).toMatch(/^Checkpoint "work": cannot be locked: /)
      expect(readFileSync(path, "utf8")).toBe("mine")
    }))
})
