import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { runScript } from "../support/processes.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-glacier-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const holder = fileURLToPath(new URL("holder.ts", import.meta.url))

const read = Effect.scoped(Effect.gen(function*() {
  const { entries } = yield* (yield* Checkpoint.Checkpoint).open("work")
  return Chunk.toReadonlyArray(yield* Stream.runCollect(entries))
}))

describe("NodeCheckpoint", () => {
  it.scopedLive("rejects the log of another process until that process is dead [I5]", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const lock = `${yield* Checkpoint.pathOf(directory, "work")}.lock`
      const { exit, firstLine, kill } = yield* runScript(holder, [directory, "work"])
      const [, owner] = (yield* firstLine).split("opened by ")
      expect(owner).toMatch(/^process \d+$/)
      yield* Effect.gen(function*() {
        const refused = yield* Effect.flip(read)
        expect(refused).toMatchObject({ _tag: "CheckpointInUse", name: "work", owner, lock })
        expect(refused.message).toBe(
          `Checkpoint "work" is in use by ${owner}. If that process no longer runs, remove ${lock}`
        )
        yield* kill("SIGKILL")
        yield* exit
        expect(existsSync(lock)).toBe(true)
        expect(yield* read).toEqual([owner])
        expect(existsSync(lock)).toBe(false)
      }).pipe(Effect.provide(NodeCheckpoint.layer(directory)))
    }), 180_000)

  it.scopedLive(
    "of two processes that find the lock of a dead one, one takes it over [I5]",
    () =>
      Effect.gen(function*() {
        const directory = yield* folder
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

  it.scopedLive("needs no help when a process died while it took a lock", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      mkdirSync(`${yield* Checkpoint.pathOf(directory, "work")}.lock`)
      expect(yield* Effect.provide(read, NodeCheckpoint.layer(directory))).toEqual([])
      expect(readdirSync(directory)).toEqual([])
    }))

  it.scopedLive("rejects the log of another process by any path to its folder", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      symlinkSync(directory, `${directory}/linked`)
      const { firstLine } = yield* runScript(holder, [`${directory}/linked`, "work"])
      const [, owner] = (yield* firstLine).split("opened by ")
      for (const path of [directory, `${directory}/linked/.`, `${directory}/linked/linked/`]) {
        const refused = yield* Effect.flip(Effect.provide(read, NodeCheckpoint.layer(path)))
        expect(refused).toMatchObject({ _tag: "CheckpointInUse", owner })
      }
    }), 60_000)

  it.scopedLive("rejects a second writer in this process by any layer and any path to the folder", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const other = Effect.provide(read, NodeCheckpoint.layer(`${directory}/../${directory.split("/").at(-1)}`))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* (yield* Checkpoint.Checkpoint).open("work")
        expect(yield* Effect.flip(other)).toMatchObject({ _tag: "CheckpointInUse", owner: "this process" })
      })).pipe(Effect.provide(NodeCheckpoint.layer(directory)))
      yield* other
    }))

  it.scopedLive("fails when there can be no folder", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "file")
      writeFileSync(path, "mine")
      const error = yield* Effect.flip(Effect.provide(read, NodeCheckpoint.layer(path)))
      expect(error).toMatchObject({ _tag: "CheckpointError", name: "work" })
      expect(error.message).toMatch(/^Checkpoint "work": cannot be locked: /)
      expect(readFileSync(path, "utf8")).toBe("mine")
    }))
})
