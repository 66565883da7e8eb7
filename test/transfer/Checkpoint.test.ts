/** Checkpoints: logs over files, memory and key-value stores, with damaged and torn entries. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import { Sha256 } from "../../src/protocol/Sha256.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Records from "../../src/transfer/internal/records.ts"
import { directory, entriesOf, inFiles, read, stores, texts, write } from "./checkpointStores.ts"

describe.each(Object.entries(stores))("%s", (_, store) => {
  it.scoped.prop(
    "returns the entries of a name in order, over any number of openings, and no entries of other names",
    [
      FastCheck.uniqueArray(FastCheck.string({ unit: "binary", maxLength: 400 }), { minLength: 2, maxLength: 2 }),
      FastCheck.array(texts, { maxLength: 3 })
    ],
    ([[name = "", other = ""], openings]) =>
      Effect.gen(function*() {
        const layer = yield* store
        const all: Array<string> = []
        for (const texts of openings) {
          all.push(...texts)
          expect(yield* Effect.provide(write(name, texts), layer)).toEqual(all)
        }
        expect(yield* Effect.provide(read(name), layer)).toEqual(all)
        expect(yield* Effect.provide(read(other), layer)).toEqual([])
      }),
    { fastCheck: { numRuns: 15 } }
  )

  it.scoped("keeps names apart that a file system may confuse", () =>
    Effect.gen(function*() {
      const layer = yield* store
      const names = ["a", "A", "a/b", "a/B", "../a", "..", ".", "", "a.0", "a ", "con", "é", "e\u0301", "a".repeat(300)]
      yield* Effect.forEach(names, (name) => Effect.provide(write(name, [name]), layer))
      yield* Effect.forEach(names, (name) =>
        Effect.map(Effect.provide(read(name), layer), (entries) => expect(entries).toEqual([name])))
    }))

  it.scoped("keeps all entries that are added concurrently", () =>
    Effect.gen(function*() {
      const layer = yield* store
      const entries = Array.from({ length: 20 }, (_, n) => String(n))
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* (yield* Checkpoint.Checkpoint).open("work")
        yield* Effect.forEach(entries, log.append, { concurrency: "unbounded" })
      })).pipe(Effect.provide(layer))
      expect(new Set(yield* Effect.provide(read("work"), layer))).toEqual(new Set(entries))
    }))

  it.scoped("is empty after it is cleared, and keeps later entries", () =>
    Effect.gen(function*() {
      const layer = yield* store
      yield* Effect.provide(Checkpoint.clear("work"), layer)
      yield* Effect.provide(write("work", ["a", "b", "c"]), layer)
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* (yield* Checkpoint.Checkpoint).open("work")
        yield* log.clear
        expect(yield* entriesOf(log)).toEqual([])
        yield* log.append("d")
        expect(yield* entriesOf(log)).toEqual(["d"])
      })).pipe(Effect.provide(layer))
      expect(yield* Effect.provide(read("work"), layer)).toEqual(["d"])
      yield* Effect.provide(Checkpoint.clear("work"), layer)
      expect(yield* Effect.provide(read("work"), layer)).toEqual([])
    }))

  it.scoped("rejects a second user until the first has closed the log [I5]", () =>
    Effect.gen(function*() {
      const layer = yield* store
      yield* Effect.gen(function*() {
        const { open } = yield* Checkpoint.Checkpoint
        const second = Effect.scoped(open("work"))
        yield* Effect.scoped(Effect.gen(function*() {
          yield* open("work")
          const error = yield* Effect.flip(second)
          expect(error).toMatchObject({ _tag: "CheckpointInUse", name: "work", owner: "this process" })
          expect(error.message).toBe("Checkpoint \"work\" is in use by this process")
          expect(yield* Effect.flip(Checkpoint.clear("work"))).toEqual(error)
          yield* open("play")
        }))
        yield* second
      }).pipe(Effect.provide(layer))
    }))
})

describe("Checkpoint.layerMemory", () => {
  it.effect("keeps a log as long as the layer exists", () =>
    Effect.gen(function*() {
      yield* write("work", ["a"])
      expect(yield* read("work")).toEqual(["a"])
    }).pipe(Effect.provide(Checkpoint.layerMemory)))
})

describe("Checkpoint.layerKeyValueStore", () => {
  /** A store in memory whose keys can be seen and changed. `sets` counts the writes. */
  const visible = () => {
    const keys = new Map<string, string>()
    const count = { sets: 0 }
    const store = KeyValueStore.makeStringOnly({
      get: (key) => Effect.sync(() => Option.fromNullable(keys.get(key))),
      set: (key, value) => Effect.sync(() => void (count.sets++, keys.set(key, value))),
      remove: (key) => Effect.sync(() => void keys.delete(key)),
      clear: Effect.sync(() => keys.clear()),
      size: Effect.sync(() => keys.size)
    })
    const layer = Layer.provide(Checkpoint.layerKeyValueStore, Layer.succeed(KeyValueStore.KeyValueStore, store))
    return { keys, count, layer, nth: (n: number) => Array.from(keys.keys())[n] ?? "" }
  }

  it.effect("returns the entries before a damaged or missing one, and drops the rest [I5]", () =>
    Effect.gen(function*() {
      for (const damage of [(_: string) => undefined, (line: string) => line.slice(0, -2), () => ""]) {
        const { keys, layer, nth } = visible()
        yield* Effect.provide(write("work", ["a", "b", "c", "d"]), layer)
        const line = damage(keys.get(nth(1)) ?? "")
        if (line === undefined) keys.delete(nth(1))
        else keys.set(nth(1), line)
        expect(yield* Effect.provide(read("work"), layer)).toEqual(["a"])
        // The entries after the damaged one do not appear again.
        expect(yield* Effect.provide(write("work", ["b2"]), layer)).toEqual(["a", "b2"])
        expect(yield* Effect.provide(read("work"), layer)).toEqual(["a", "b2"])
      }
    }))

  it.effect("writes each entry once, and leaves no key after it is cleared", () =>
    Effect.gen(function*() {
      const { count, keys, layer } = visible()
      yield* Effect.provide(write("work", Array.from({ length: 100 }, String)), layer)
      expect(count.sets).toBe(100)
      yield* Effect.provide(Checkpoint.clear("work"), layer)
      expect(keys.size).toBe(0)
    }))

  it.effect("fails with the error of its store and the name of the log", () =>
    Effect.gen(function*() {
      const full = new SystemError({ module: "KeyValueStore", method: "set", reason: "Unknown", description: "full" })
      const store = KeyValueStore.makeStringOnly({
        get: () => Effect.succeedNone,
        set: () => Effect.fail(full),
        remove: () => Effect.void,
        clear: Effect.void,
        size: Effect.succeed(0)
      })
      const error = yield* Effect.flip(write("work", ["a"])).pipe(
        Effect.provide(Checkpoint.layerKeyValueStore),
        Effect.provideService(KeyValueStore.KeyValueStore, store)
      )
      expect(error).toMatchObject({ _tag: "CheckpointError", name: "work" })
      expect(error.message).toMatch(/^Checkpoint "work": cannot be written: .*full/)
    }))
})

describe("Checkpoint.layerFileSystem", () => {
  /** The bytes of a file with those entries. */
  const fileOf = Effect.fnUntraced(function*(entries: ReadonlyArray<string>) {
    const sha256 = yield* Sha256
    let checksum = ""
    const lines = entries.map((entry) => {
      const record = Records.encode(sha256, checksum, entry)
      checksum = record.checksum
      return `${record.line}\n`
    })
    return Buffer.from(lines.join(""))
  })

  const linesIn = (bytes: Uint8Array) => bytes.filter((byte) => byte === 10).length

  /** Reads the log when its file has the bytes of `file`, in two pieces. */
  const readings = Effect.fnUntraced(function*(file: { bytes: Uint8Array }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* fs.makeTempFileScoped()
    const context = yield* Layer.build(Layer.provide(
      Checkpoint.layerFileSystem("checkpoints"),
      FileSystem.layerNoop({
        stream: () => Stream.make(file.bytes.subarray(0, 1_000), file.bytes.subarray(1_000)),
        open: () => fs.open(path)
      })
    ))
    return Effect.provide(read("work"), context)
  }, Effect.provide(NodeFileSystem.layer))

  it.scoped("returns the whole entries of a file that is cut at any byte [I5]", () =>
    Effect.gen(function*() {
      const entries = Array.from({ length: 40 }, (_, n) => n.toString(36))
      const bytes = yield* fileOf(entries)
      const file: { bytes: Uint8Array } = { bytes }
      const reading = yield* readings(file)
      for (let size = 0; size <= bytes.length; size++) {
        file.bytes = bytes.subarray(0, size)
        expect(yield* reading).toEqual(entries.slice(0, linesIn(file.bytes)))
      }
    }).pipe(Effect.provide(NodeHashing.layer)), 60_000)

  it.scoped("detects any flipped bit [I5]", () =>
    Effect.gen(function*() {
      const entries = ["one", "\uFFFD", "three"]
      const bytes = yield* fileOf(entries)
      const file: { bytes: Uint8Array } = { bytes }
      const reading = yield* readings(file)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const at = bit >> 3
        file.bytes = bytes.map((byte, index) => index === at ? byte ^ (1 << (bit & 7)) : byte)
        expect(yield* reading).toEqual(entries.slice(0, linesIn(bytes.subarray(0, at))))
      }
    }).pipe(Effect.provide(NodeHashing.layer)))

  it.scoped("appends to a log of 10,000 entries that is cut anywhere [I5]", () =>
    Effect.gen(function*() {
      const entries = Array.from({ length: 10_000 }, (_, n) => `entry ${n} of ten thousand`)
      const bytes = yield* fileOf(entries)
      const path = yield* directory
      for (const size of FastCheck.sample(FastCheck.integer({ min: 0, max: bytes.length }), 6)) {
        const cut = bytes.subarray(0, size)
        writeFileSync(yield* Checkpoint.pathOf(path, "work"), cut)
        const rest = entries.slice(0, linesIn(cut))
        expect(yield* Effect.provide(read("work"), inFiles(path))).toEqual(rest)
        expect(yield* Effect.provide(write("work", ["next"]), inFiles(path))).toEqual([...rest, "next"])
        expect(yield* Effect.provide(read("work"), inFiles(path))).toEqual([...rest, "next"])
      }
    }).pipe(Effect.provide(NodeHashing.layer)), 60_000)

  it.scoped("fsyncs entries when they are added and when they are read, and the folder when the file may be new [I5]", () =>
    Effect.gen(function*() {
      const steps: Array<string> = []
      const layer = inFiles(`${yield* directory}/new`, (step, effect) =>
        Effect.suspend(() => {
          if (step !== "open work.checkpoint") steps.push(step)
          return effect
        }))
      const taken = () => steps.splice(0)
      yield* Effect.scoped(Effect.gen(function*() {
        const { append, clear } = yield* (yield* Checkpoint.Checkpoint).open("work")
        expect(taken()).toEqual([])
        const write = ["write work.checkpoint", "write work.checkpoint", "sync work.checkpoint"]
        const folders = ["open ", "sync ", "open ..", "sync .."]
        yield* append("a")
        expect(taken()).toEqual(["truncate work.checkpoint", ...write, ...folders])
        yield* append("b")
        expect(taken()).toEqual(write)
        yield* clear
        expect(taken()).toEqual(["remove work.checkpoint", "open ", "sync "])
        yield* append("c")
        expect(taken()).toEqual(["truncate work.checkpoint", ...write, ...folders])
      })).pipe(Effect.provide(layer))
      // The process that wrote an entry may have died before it was durable.
      expect(yield* Effect.provide(read("work"), layer)).toEqual(["c"])
      expect(taken()).toEqual(["sync work.checkpoint", "open ", "sync ", "open ..", "sync .."])
      // An fsync that fails must not keep a log from being cleared.
      yield* Effect.provide(Checkpoint.clear("work"), layer)
      expect(taken()).toEqual(["remove work.checkpoint", "open ", "sync "])
    }))

  it.scoped.each(["write work.checkpoint", "sync work.checkpoint", "sync "])(
    "drops an entry that could not be added, and keeps the others: %s",
    (failing) =>
      Effect.gen(function*() {
        let left = -1
        const path = yield* directory
        const full = new SystemError({ module: "FileSystem", method: "write", reason: "Unknown", description: "full" })
        const layer = inFiles(path, (step, effect) => step === failing && left-- === 0 ? Effect.fail(full) : effect)
        yield* Effect.scoped(Effect.gen(function*() {
          const { append, ...log } = yield* (yield* Checkpoint.Checkpoint).open("work")
          if (failing !== "sync ") yield* append("a")
          // The second half of the line.
          left = failing === "write work.checkpoint" ? 1 : 0
          const error = yield* Effect.flip(append("b"))
          expect(error).toMatchObject({ _tag: "CheckpointError", name: "work" })
          expect(error.message).toContain("full")
          yield* append("c")
          expect(yield* entriesOf({ append, ...log })).toEqual(failing === "sync " ? ["c"] : ["a", "c"])
        })).pipe(Effect.provide(layer))
        expect(yield* Effect.provide(read("work"), layer)).toEqual(failing === "sync " ? ["c"] : ["a", "c"])
      })
  )

  describe("entries that are added at once", () => {
    /** Runs a test with a log whose first write waits for `proceed`, and whose second write fails with `problem`. */
    const withSlowWrite = (
      test: (log: Checkpoint.Log, proceed: Effect.Effect<unknown>, syncs: () => number) => Effect.Effect<void, unknown>,
      problem?: SystemError
    ) =>
      Effect.gen(function*() {
        const path = yield* directory
        const gate = yield* Deferred.make<void>()
        const counts = { writes: 0, syncs: 0 }
        const layer = inFiles(path, (step, effect) =>
          Effect.suspend(() => {
            if (step === "sync work.checkpoint") counts.syncs++
            if (step !== "write work.checkpoint") return effect
            counts.writes++
            if (counts.writes === 1) return Effect.zipRight(Deferred.await(gate), effect)
            // A line is written in two steps, so the third step begins the second write.
            return counts.writes === 3 && problem !== undefined ? Effect.fail(problem) : effect
          }))
        yield* Effect.scoped(Effect.gen(function*() {
          const log = yield* (yield* Checkpoint.Checkpoint).open("work")
          yield* test(log, Deferred.succeed(gate, undefined), () => counts.syncs)
        })).pipe(Effect.provide(layer))
        return yield* Effect.provide(read("work"), layer)
      })

    const names = Array.from({ length: 16 }, (_, index) => `entry ${index}`)

    it.scoped("share one write and one fsync while another write is under way [I5]", () =>
      Effect.gen(function*() {
        const entries = yield* withSlowWrite((log, proceed, syncs) =>
          Effect.gen(function*() {
            const all = yield* Effect.fork(Effect.forEach(names, log.append, { concurrency: "unbounded" }))
            yield* Effect.yieldNow()
            yield* proceed
            yield* Fiber.join(all)
            expect(syncs()).toBe(2)
          })
        )
        expect(entries).toEqual(names)
      }))

    it.scoped("all fail when their write fails, and later entries do not [I5]", () =>
      Effect.gen(function*() {
        const full = new SystemError({ module: "FileSystem", method: "write", reason: "Unknown", description: "full" })
        const entries = yield* withSlowWrite((log, proceed) =>
          Effect.gen(function*() {
            const all = yield* Effect.fork(
              Effect.forEach(names, (name) => Effect.either(log.append(name)), { concurrency: "unbounded" })
            )
            yield* Effect.yieldNow()
            yield* proceed
            const [first, ...others] = yield* Fiber.join(all)
            expect(first?._tag).toBe("Right")
            expect(others.map(({ _tag }) => _tag)).toEqual(names.slice(1).map(() => "Left"))
            yield* log.append("later")
          }), full)
        expect(entries).toEqual(["entry 0", "later"])
      }))

    it.scoped("are not written when they are interrupted before their write [I5]", () =>
      Effect.gen(function*() {
        const entries = yield* withSlowWrite((log, proceed) =>
          Effect.gen(function*() {
            const [first, second, third] = yield* Effect.forEach(
              ["a", "b", "c"],
              (name) => Effect.fork(log.append(name))
            )
            yield* Effect.yieldNow()
            if (second !== undefined) yield* Fiber.interrupt(second)
            yield* proceed
            yield* Fiber.joinAll([first, third].filter((fiber) => fiber !== undefined))
          })
        )
        expect(entries).toEqual(["a", "c"])
      }))
  })

  it.scoped("fails when a folder has the path of the file, and does not change it", () =>
    Effect.gen(function*() {
      const path = yield* directory
      mkdirSync(yield* Checkpoint.pathOf(path, "work"))
      const error = yield* Effect.flip(Effect.provide(read("work"), inFiles(path)))
      expect(error.message).toMatch(
        /^Checkpoint "work": cannot be read: .*\/work-.*\.checkpoint\): is a folder, not a file$/
      )
    }))

  it.scoped("removes the file of a log that is cleared", () =>
    Effect.gen(function*() {
      const path = yield* directory
      yield* Effect.provide(write("work", ["a"]), inFiles(path))
      expect(readdirSync(path)).toEqual([basename(yield* Checkpoint.pathOf(path, "work"))])
      yield* Effect.provide(Checkpoint.clear("work"), inFiles(path))
      expect(readdirSync(path)).toEqual([])
    }))
})
