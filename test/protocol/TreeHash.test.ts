import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import fixture from "../fixtures/treehash-vectors.json" with { type: "json" }
import { nativeSha256 as native } from "../support/hashes.ts"
import { bytesOf } from "./patterns.ts"

const within = (range: string): [end: number, start: number] => {
  const [start = NaN, end = NaN] = range.split("-").map(Number)
  return [end + 1, start]
}

const leavesOf = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const leaves: Array<Uint8Array> = []
  const builder = TreeHash.builder(native, (digest) => leaves.push(digest))
  builder.update(bytes)
  builder.digest()
  return leaves
}

/** Digests that stand for MiBs: all different, without the MiBs. */
const fakes = Array.from({ length: 25_000 }, (_, i) => Sha256.digest(native, new TextEncoder().encode(`leaf ${i}`)))

const slices = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))

/** Splits at the largest power of two below the number of leaves. */
const recursive = (leaves: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = leaves
  if (only !== undefined && leaves.length === 1) return only
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  return Sha256.digest(native, recursive(leaves.slice(0, half)), recursive(leaves.slice(half)))
}

describe("TreeHash", () => {
  describe("the test vectors", () => {
    it("are computed from the patterns of these tests", () => {
      const hex = (start: number) => Encoding.encodeHex(bytesOf("ramp", start + 16, start))
      expect({
        ramp_first_16_hex: hex(0),
        ramp_bytes_256_to_272_hex: hex(256),
        ramp_bytes_65536_to_65552_hex: hex(65_536),
        ramp_bytes_1048576_to_1048592_hex: hex(1_048_576)
      }).toEqual(fixture.pattern_check)
      expect(fixture.algorithm.leaf_size).toBe(mebibyte)
      expect(fixture.vectors).toHaveLength(3 * 22)
    })

    it.effect.each(fixture.small_literals)(
      "have the portable SHA-256 of $text",
      ({ sha256_and_tree_hash, text }) =>
        Effect.gen(function*() {
          const create = yield* Sha256.Sha256
          const bytes = new TextEncoder().encode(text)
          expect(TreeHash.ofBytes(create, bytes)).toBe(sha256_and_tree_hash)
          expect(TreeHash.ofBytes(native, bytes)).toBe(sha256_and_tree_hash)
          expect(Sha256.hex(create, bytes)).toBe(sha256_and_tree_hash)
        })
    )

    it.each(fixture.vectors)(
      "have the tree hash of $size_label of $pattern",
      ({ pattern, sha256, size, tree_hash }) => {
        const bytes = bytesOf(pattern, size)
        expect(TreeHash.ofBytes(native, bytes)).toBe(tree_hash)
        expect(Sha256.hex(native, bytes)).toBe(sha256)
      }
    )

    it.effect.each(fixture.vectors.filter(({ pattern, size }) => pattern === "ramp" && size <= 2 * mebibyte + 1))(
      "have the portable tree hash of $size_label of $pattern",
      ({ pattern, size, tree_hash }) =>
        Effect.map(Sha256.Sha256, (create) => expect(TreeHash.ofBytes(create, bytesOf(pattern, size))).toBe(tree_hash))
    )

    it.each(fixture.levels)("have every level of the tree of $size_label", ({ levels_bottom_up, pattern, size }) => {
      const leaves = leavesOf(bytesOf(pattern, size))
      expect(leaves.map((digest) => Encoding.encodeHex(digest))).toEqual(levels_bottom_up[0])
      expect(
        levels_bottom_up.map((_, height) =>
          slices(leaves, 2 ** height).map((below) => TreeHash.ofLeaves(native, below))
        )
      ).toEqual(levels_bottom_up)
    })

    it.each(fixture.combining_parts)(
      "have the tree hash of $size_label in parts of $part_size bytes",
      ({ archive_tree_hash, part_size, parts, pattern, size }) => {
        const hashed = slices(leavesOf(bytesOf(pattern, size)), part_size / mebibyte)
          .map((leaves) => TreeHash.ofLeaves(native, leaves))
        expect(hashed).toEqual(parts.map(({ tree_hash }) => tree_hash))
        for (const { range, sha256, tree_hash } of parts) {
          const bytes = bytesOf(pattern, ...within(range))
          expect(TreeHash.ofBytes(native, bytes)).toBe(tree_hash)
          expect(Sha256.hex(native, bytes)).toBe(sha256)
        }
        expect(TreeHash.combine(native, hashed)).toBe(archive_tree_hash)
      }
    )

    it("have another tree hash when parts of another size are combined", () => {
      const { combined_of_parts, part_size, pattern, size, true_tree_hash } = fixture.combining_negative
      const leaves = leavesOf(bytesOf(pattern, size))
      const parts = slices(leaves, part_size / mebibyte).map((part) => TreeHash.ofLeaves(native, part))
      expect(TreeHash.combine(native, parts)).toBe(combined_of_parts)
      expect(TreeHash.ofLeaves(native, leaves)).toBe(true_tree_hash)
    })

    it.each(fixture.range_alignment)("have the tree hash of every range of $size_label", ({ pattern, ranges }) => {
      for (const { range, tree_hash_of_range } of ranges) {
        expect(TreeHash.ofBytes(native, bytesOf(pattern, ...within(range)))).toBe(tree_hash_of_range)
      }
    })
  })

  const cuts = fc.integer({ min: 0, max: 3 * mebibyte + 5 }).chain((size) =>
    fc.tuple(fc.constant(size), fc.array(fc.oneof(fc.nat(size), fc.constant(Math.min(size, mebibyte)))))
  )

  describe("TreeHash.builder", () => {
    it.prop("computes the same tree hash from writes of any size", [cuts], ([[size, at]]) => {
      const bytes = bytesOf("ramp", size)
      const builder = TreeHash.builder(native)
      const bounds = [0, ...at.sort((a, b) => a - b), size]
      bounds.forEach((start, i) => builder.update(bytes.subarray(start, bounds[i + 1])))
      expect(builder.size()).toBe(size)
      expect(builder.digest()).toBe(Encoding.encodeHex(recursive(leavesOf(bytes))))
    }, { fastCheck: { numRuns: 40 } })

    it("accepts single bytes across the end of a MiB", () => {
      const builder = TreeHash.builder(native)
      builder.update(bytesOf("ramp", mebibyte - 3))
      for (let i = mebibyte - 3; i < mebibyte + 1; i++) builder.update(bytesOf("ramp", i + 1, i))
      const { tree_hash } = fixture.vectors.find(({ pattern, size }) => pattern === "ramp" && size === mebibyte + 1)!
      expect(builder.digest()).toBe(tree_hash)
    })

    it.each([1, 2, 3, 1_023, 1_024, 1_025, 4_096, 40_000])(
      "holds at most log2(n) + 1 digests at once for %d MiB",
      (count) => {
        const held = new Set<Uint8Array>()
        let most = 0
        const builder = TreeHash.builder(() => ({
          update: (bytes) => held.delete(bytes),
          digest: () => {
            const digest = new Uint8Array(32)
            most = Math.max(most, held.add(digest).size)
            return digest
          }
        }))
        for (let i = 0; i < count; i++) builder.update(bytesOf("zero", mebibyte))
        expect(builder.size()).toBe(count * mebibyte)
        builder.digest()
        expect(held.size).toBe(1)
        expect(most).toBeLessThanOrEqual(Math.floor(Math.log2(count)) + 1)
      }
    )
  })

  describe("TreeHash.ofStream", () => {
    it.effect.each(fixture.vectors.filter(({ pattern }) => pattern === "ramp"))(
      "computes the tree hash of $size_label of $pattern",
      ({ pattern, size, tree_hash }) =>
        Effect.map(
          Effect.provideService(TreeHash.ofStream(Stream.succeed(bytesOf(pattern, size))), Sha256.Sha256, native),
          (treeHash) => expect(treeHash).toBe(tree_hash)
        )
    )

    it.effect.prop(
      "computes the same tree hash from chunks of any size, and reports its progress",
      [cuts],
      ([[size, at]]) =>
        Effect.gen(function*() {
          const bytes = bytesOf("ramp", size)
          const bounds = [0, ...at.sort((a, b) => a - b), size]
          const chunks = bounds.map((start, i) => bytes.subarray(start, bounds[i + 1] ?? start))
          const reported: Array<number> = []
          const onProgress = (bytes: number) => Effect.sync(() => void reported.push(bytes))
          const treeHash = yield* TreeHash.ofStream(Stream.fromIterable(chunks), { onProgress })
          expect(treeHash).toBe(TreeHash.ofBytes(native, bytes))
          expect(reported).toEqual([...bounds.slice(1), size])
        }).pipe(Effect.provideService(Sha256.Sha256, native)),
      { fastCheck: { numRuns: 20 } }
    )

    it.effect("fails with the error of the Stream", () =>
      Effect.gen(function*() {
        const broken = Stream.concat(Stream.succeed(new Uint8Array(3)), Stream.fail("broken"))
        expect(yield* Effect.flip(TreeHash.ofStream(broken))).toBe("broken")
      }))
  })

  describe("ofLeaves and combine", () => {
    it("agree with the recursive definition for 1 to 300 leaves", () => {
      for (let count = 1; count <= 300; count++) {
        const leaves = fakes.slice(0, count)
        expect(TreeHash.ofLeaves(native, leaves)).toBe(Encoding.encodeHex(recursive(leaves)))
      }
    })

    it.prop(
      "agree with the recursive definition for any leaves",
      [fc.nat(10_000), fc.integer({ min: 1, max: 10_000 })],
      ([from, count]) => {
        const leaves = fakes.slice(from, from + count)
        expect(TreeHash.ofLeaves(native, leaves)).toBe(Encoding.encodeHex(recursive(leaves)))
      },
      { fastCheck: { numRuns: 10 } }
    )

    it.each(Array.from({ length: 13 }, (_, power) => 2 ** power))(
      "compute the tree hash of the whole from parts of %d MiB",
      (partSize) => {
        const counts = [1, partSize - 1, partSize, partSize + 1, 2 * partSize, 3 * partSize - 1, 5 * partSize + 3]
        for (const count of counts.filter((count) => count > 0)) {
          const leaves = fakes.slice(0, count)
          const parts = slices(leaves, partSize).map((part) => TreeHash.ofLeaves(native, part))
          expect(TreeHash.combine(native, parts)).toBe(TreeHash.ofLeaves(native, leaves))
        }
      }
    )

    it.each([3, 5, 6, 7, 12, 1_000])(
      "compute another tree hash from parts of %d MiB, which is no power of two",
      (partSize) => {
        const leaves = fakes.slice(0, partSize * 2 + 1)
        const parts = slices(leaves, partSize).map((part) => TreeHash.ofLeaves(native, part))
        expect(TreeHash.combine(native, parts)).not.toBe(TreeHash.ofLeaves(native, leaves))
      }
    )

    it("depend on the order of the parts", () => {
      const [one, two] = slices(fakes.slice(0, 4), 2).map((part) => TreeHash.ofLeaves(native, part))
      expect(TreeHash.combine(native, [two!, one!])).not.toBe(TreeHash.combine(native, [one!, two!]))
    })
  })

  describe("the schema of a TreeHash", () => {
    const hex = "0123456789abcdef".repeat(4)

    it("accepts 64 lower-case hex digits", () => expect(Schema.is(TreeHash.TreeHash)(hex)).toBe(true))

    it.each(["", hex.slice(1), `${hex}0`, hex.toUpperCase(), `${hex}\n`, ` ${hex.slice(1)}`, `g${hex.slice(1)}`])(
      "rejects %j",
      (text) => expect(Schema.is(TreeHash.TreeHash)(text)).toBe(false)
    )
  })
})
