/** Sources of bytes in memory and in files. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as Source from "../../src/transfer/Source.ts"
import { pattern, same } from "./support.ts"

const size = 300_000
const all = pattern(size)

/** Writes the bytes to a file, and returns its path. */
const written = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/holiday.tar`
  yield* fs.writeFile(path, bytes)
  return path
})

const Range = FastCheck.tuple(FastCheck.nat({ max: size - 1 }), FastCheck.nat({ max: size - 1 })).map(([a, b]) => ({
  start: Math.min(a, b),
  end: Math.max(a, b)
}))

const slice = ({ end, start }: ByteRange.ByteRange) => all.subarray(start, end + 1)

describe("Source", () => {
  it.effect.prop("bytes reads any range", [Range], ([range]) =>
    Effect.gen(function*() {
      const source = Source.bytes(all)
      expect(yield* source.size).toBe(size)
      expect(same(yield* source.read(range), slice(range))).toBe(true)
    }).pipe(Effect.scoped))

  it.scoped("file reads its ends, single bytes and the whole", () =>
    Effect.gen(function*() {
      const source = Source.file(yield* written(all))
      expect(yield* source.size).toBe(size)
      for (
        const range of [ByteRange.make(0, size), ByteRange.make(0, 1), ByteRange.make(size - 1, 1), {
          start: 7,
          end: 99
        }]
      ) {
        expect(same(yield* source.read(range), slice(range))).toBe(true)
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("file reads many ranges concurrently", () =>
    Effect.gen(function*() {
      const source = Source.file(yield* written(all))
      const ranges = FastCheck.sample(Range, { numRuns: 50, seed: 1 })
      const right = yield* Effect.forEach(
        ranges,
        (range) => Effect.map(source.read(range), (bytes) => same(bytes, slice(range))),
        { concurrency: "unbounded" }
      )
      expect(right).toEqual(ranges.map(() => true))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped.prop(
    "file reads a range as a source of its own",
    [Range, Range],
    ([outer, inner]) =>
      Effect.gen(function*() {
        const source = Source.file(yield* written(all), outer)
        const part = slice(outer)
        expect(yield* source.size).toBe(part.length)
        const range = { start: inner.start % part.length, end: part.length - 1 }
        expect(same(yield* source.read(range), part.subarray(range.start))).toBe(true)
      }).pipe(Effect.provide(NodeFileSystem.layer)),
    { fastCheck: { numRuns: 20 } }
  )

  it.scoped("file fails with SourceChanged when it ends before its range does", () =>
    Effect.gen(function*() {
      const source = Source.file(yield* written(all), { start: 0, end: size })
      expect(yield* Effect.flip(source.size)).toMatchObject({ _tag: "SourceChanged" })
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("file has another version after it was written to", () =>
    Effect.gen(function*() {
      const path = yield* written(all)
      const { version = Effect.succeed("") } = Source.file(path)
      const before = yield* version
      expect(yield* version).toBe(before)
      const fs = yield* FileSystem.FileSystem
      yield* fs.utimes(path, 1_000, 1_000)
      const touched = yield* version
      yield* fs.truncate(path, 5)
      yield* fs.utimes(path, 1_000, 1_000)
      expect(new Set([before, touched, yield* version]).size).toBe(3)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("file fails with SourceChanged when it has become shorter than the range", () =>
    Effect.gen(function*() {
      const path = yield* written(all)
      const source = Source.file(path)
      const fs = yield* FileSystem.FileSystem
      yield* fs.truncate(path, 1_000)
      expect(yield* Effect.flip(source.read({ start: 500, end: 1_500 }))).toMatchObject({
        _tag: "SourceChanged",
        message: expect.stringContaining("ended at byte 1000")
      })
      expect(yield* Effect.flip(source.read({ start: 2_000, end: 2_000 }))).toMatchObject({ _tag: "SourceChanged" })
      expect(same(yield* source.read({ start: 0, end: 999 }), all.subarray(0, 1_000))).toBe(true)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("file fails with the file system's error when it does not exist", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const source = Source.file(`${yield* fs.makeTempDirectoryScoped()}/missing.tar`)
      const notFound = { _tag: "SystemError", reason: "NotFound" }
      expect(yield* Effect.flip(source.size)).toMatchObject(notFound)
      expect(yield* Effect.flip(source.read({ start: 0, end: 0 }))).toMatchObject(notFound)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
