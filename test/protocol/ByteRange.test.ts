import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { maximumArchiveSize, mebibyte } from "../../src/protocol/Limits.ts"
import fixture from "../fixtures/treehash-vectors.json" with { type: "json" }

const mebibytes = (first: number, end: number, size = Infinity): ByteRange.ByteRange => ({
  start: first * mebibyte,
  end: Math.min(end * mebibyte, size) - 1
})

/** The span of each node of a tree: [first leaf, leaf after the last]. */
const nodes = (first: number, end: number): ReadonlyArray<readonly [number, number]> => {
  if (end - first === 1) return [[first, end]]
  let half = 1
  while (half * 2 < end - first) half *= 2
  return [[first, end], ...nodes(first, first + half), ...nodes(first + half, end)]
}

/** An archive of so many leaves, the last one full, short or a single byte. */
const sizes = (leaves: number): ReadonlyArray<number> =>
  [0, 1_000, mebibyte - 1].map((missing) => leaves * mebibyte - missing)

const ranges = (leaves: number): ReadonlyArray<readonly [number, number]> =>
  Array.from(
    { length: leaves },
    (_, first) => Array.from({ length: leaves - first }, (_, more) => [first, first + more + 1] as const)
  ).flat()

/** The fewest nodes of at most `most` leaves that cover a range. */
const fewest = (spans: ReadonlyArray<readonly [number, number]>, first: number, end: number, most: number): number => {
  const counts = new Map([[first, 0]])
  for (let at = first; at < end; at++) {
    const count = (counts.get(at) ?? Infinity) + 1
    for (const [from, to] of spans) {
      if (from === at && to <= end && to - from <= most) counts.set(to, Math.min(count, counts.get(to) ?? Infinity))
    }
  }
  return counts.get(end) ?? Infinity
}

describe("ByteRange", () => {
  it("is made from a start and a length", () => {
    expect(ByteRange.make(0, 1)).toEqual({ start: 0, end: 0 })
    expect(ByteRange.make(mebibyte, mebibyte)).toEqual({ start: 1_048_576, end: 2_097_151 })
    expect(ByteRange.length({ start: 5, end: 5 })).toBe(1)
    expect(ByteRange.length(ByteRange.make(2 ** 40, 2 ** 33))).toBe(2 ** 33)
  })

  it.each([
    [{ start: 0, end: 0 }, true],
    [{ start: 2 ** 33, end: 2 ** 34 }, true],
    [{ start: 0, end: maximumArchiveSize - 1 }, true],
    [{ start: 1, end: 0 }, false],
    [{ start: -1, end: 0 }, false],
    [{ start: 0, end: 0.5 }, false],
    [{ start: 0, end: maximumArchiveSize + 1 }, false],
    [{ start: NaN, end: 1 }, false],
    [{ start: 0, end: Infinity }, false]
  ])(
    "accepts only whole bytes of an archive, in order: %j is %j",
    (range, legal) => expect(Schema.is(ByteRange.ByteRange)(range)).toBe(legal)
  )

  describe("isTreeHashAligned", () => {
    it.each(fixture.range_alignment)(
      "agrees with the test vectors for every range of $size_label",
      ({ ranges, size }) => {
        for (const { range, tree_hash_aligned } of ranges) {
          const parsed = Schema.decodeSync(ByteRange.Plain)(range)
          expect(ByteRange.isMebibyteAligned(parsed, size)).toBe(true)
          expect([range, ByteRange.isTreeHashAligned(parsed, size)]).toEqual([range, tree_hash_aligned])
        }
      }
    )

    it("is true exactly for the ranges of a node of the tree, for 1 to 40 leaves", () => {
      for (let leaves = 1; leaves <= 40; leaves++) {
        const spans = new Set(nodes(0, leaves).map(String))
        expect(spans.size).toBe(2 * leaves - 1)
        for (const size of sizes(leaves)) {
          const aligned = ranges(leaves)
            .filter(([first, end]) => ByteRange.isTreeHashAligned(mebibytes(first, end, size), size))
          expect(new Set(aligned.map(String))).toEqual(spans)
        }
      }
    })

    it.each([
      ["starts a byte late", { start: 1, end: mebibyte - 1 }, 3 * mebibyte],
      ["ends a byte early", { start: 0, end: mebibyte - 2 }, 3 * mebibyte],
      ["ends a byte late", { start: 0, end: mebibyte }, 3 * mebibyte],
      ["starts a byte early", { start: mebibyte - 1, end: 2 * mebibyte - 1 }, 3 * mebibyte],
      ["ends a byte before the end of the archive", { start: mebibyte, end: mebibyte + 8 }, mebibyte + 10],
      ["ends behind the archive", { start: mebibyte, end: mebibyte + 10 }, mebibyte + 10],
      ["ends on a MiB behind the archive", { start: 0, end: 2 * mebibyte - 1 }, mebibyte + 10],
      ["lies behind the archive", { start: 4 * mebibyte, end: 5 * mebibyte - 1 }, 3 * mebibyte]
    ])("is false for a range that %s", (_, range, size) => {
      expect(ByteRange.isMebibyteAligned(range, size)).toBe(false)
      expect(ByteRange.isTreeHashAligned(range, size)).toBe(false)
    })

    it.each([
      [ByteRange.make(2 ** 44, 2 ** 44), true],
      [ByteRange.make(2 ** 45, maximumArchiveSize - 2 ** 45), true],
      [ByteRange.make(2 ** 44, 2 ** 43), true],
      [ByteRange.make(2 ** 44 + 2 ** 42, 2 ** 43), false],
      [ByteRange.make(2 ** 45 - mebibyte, 2 * mebibyte), false]
    ])("of the range %j in the largest archive is %j", (range, aligned) => {
      expect(ByteRange.isMebibyteAligned(range, maximumArchiveSize)).toBe(true)
      expect(ByteRange.isTreeHashAligned(range, maximumArchiveSize)).toBe(aligned)
    })
  })

  describe("windows", () => {
    it("are as few as possible, for every range of 1 to 18 leaves", () => {
      for (let leaves = 1; leaves <= 18; leaves++) {
        const spans = nodes(0, leaves)
        for (const most of [1, 2, 4, 8, 16, 32]) {
          for (const [first, end] of ranges(leaves)) {
            const size = leaves * mebibyte - 1_000
            const windows = ByteRange.windows(mebibytes(first, end, size), size, most * mebibyte)
            expect(windows.length).toBe(fewest(spans, first, end, most))
          }
        }
      }
    })

    const size = fc.oneof(
      fc.integer({ min: 1, max: 100 * mebibyte }),
      fc.integer({ min: 1, max: 100 }).map((leaves) => leaves * mebibyte),
      fc.integer({ min: 1, max: maximumArchiveSize }),
      fc.constant(maximumArchiveSize)
    )
    const maximum = fc.nat(12).map((power) => mebibyte * 2 ** power)
    const plan = fc.record({ size, maximum }).chain(({ maximum, size }) =>
      fc.record({
        size: fc.constant(size),
        maximum: fc.constant(maximum),
        start: fc.nat(size - 1),
        length: fc.integer({ min: 1, max: Math.min(size, 60 * maximum) }),
        place: fc.constantFrom("head", "middle", "tail")
      })
    ).map(({ length, maximum, place, size, start }) => ({
      size,
      maximum,
      range: ByteRange.make(
        place === "head" ? 0 : place === "tail" ? size - length : Math.min(start, size - length),
        length
      )
    }))

    it.prop("cover a range in order, aligned and no larger than the limit", [plan], ([{ maximum, range, size }]) => {
      const windows = ByteRange.windows(range, size, maximum)
      const start = Math.floor(range.start / mebibyte) * mebibyte
      const end = Math.min(Math.ceil((range.end + 1) / mebibyte) * mebibyte, size) - 1
      expect(windows[0]?.start).toBe(start)
      expect(windows.at(-1)?.end).toBe(end)
      windows.forEach((window, i) => {
        expect(window.start).toBe(i === 0 ? start : windows[i - 1]!.end + 1)
        expect(ByteRange.length(window)).toBeGreaterThan(0)
        expect(ByteRange.length(window)).toBeLessThanOrEqual(maximum)
        expect(ByteRange.isTreeHashAligned(window, size)).toBe(true)
      })
      expect(windows.length)
        .toBeLessThanOrEqual(Math.ceil((end - start + 1) / maximum) + 2 * Math.log2(maximum / mebibyte))
    }, { fastCheck: { numRuns: 1_000 } })

    it("are 10,000 for the largest archive", () => {
      const windows = ByteRange.windows(ByteRange.make(0, maximumArchiveSize), maximumArchiveSize, 2 ** 32)
      expect(windows).toEqual(Array.from({ length: 10_000 }, (_, i) => ByteRange.make(i * 2 ** 32, 2 ** 32)))
    })

    it.each([
      ["a single one for a range that fits", mebibytes(0, 4), 4.5 * mebibyte, 4, [[0, 4]]],
      ["a single one for a whole archive that fits", mebibytes(0, 5, 4.5 * mebibyte), 4.5 * mebibyte, 8, [[0, 5]]],
      ["short at an odd start", mebibytes(1, 8), 16 * mebibyte, 8, [[1, 2], [2, 4], [4, 8]]],
      ["short at an odd end", mebibytes(0, 7), 16 * mebibyte, 8, [[0, 4], [4, 6], [6, 7]]],
      ["long at the end of the archive", mebibytes(0, 7), 7 * mebibyte, 4, [[0, 4], [4, 7]]],
      ["none behind the archive", mebibytes(8, 9), 7 * mebibyte, 4, []]
    ])("are %s", (_, range, size, most, expected) => {
      expect(ByteRange.windows(range, size, most * mebibyte))
        .toEqual(expected.map(([first = NaN, end = NaN]) => mebibytes(first, end, size)))
    })

    it("stop at the end of the archive when the range ends after it", () => {
      const size = 3 * mebibyte + 7
      expect(ByteRange.windows({ start: 2 * mebibyte, end: 9 * mebibyte }, size, 8 * mebibyte))
        .toEqual([{ start: 2 * mebibyte, end: size - 1 }])
    })
  })

  describe("the text of a range", () => {
    const range = { start: 0, end: 1_048_575 }
    const large = ByteRange.make(2 ** 33, 2 ** 33)
    const unlike = ["", "-", "0-", "-5", "1", "a-b", "1.5-2", "0x1-2", "1e3-2e3", "0--1", "+0-1", "0- 1", "0-1,3-4"]
    const junk = [...unlike, "١-٢", "5-4", "0-1x", "0-99999999999999999999", "0-42949672960001"]
    const codecs = [
      {
        name: "Plain",
        schema: ByteRange.Plain,
        text: "0-1048575",
        before: "",
        after: "",
        others: ["0-1/*", "bytes=0-1", "bytes 0-1"]
      },
      {
        name: "PartRange",
        schema: ByteRange.PartRange,
        text: "bytes 0-1048575/*",
        before: "bytes ",
        after: "/*",
        others: ["0-1", "bytes=0-1", "bytes=0-1/*", "bytes 0-1", "bytes 0-1/", "bytes */*", "bytes 0-1/**"]
      },
      {
        name: "RangeHeader",
        schema: ByteRange.RangeHeader,
        text: "bytes=0-1048575",
        before: "bytes=",
        after: "",
        others: ["0-1", "bytes 0-1", "bytes 0-1/5", "bytes = 0-1", "octets=0-1"]
      }
    ]

    it.each(codecs)("$name reads and writes $text", ({ schema, text }) => {
      expect(Schema.decodeSync(schema)(text)).toEqual(range)
      expect(Schema.encodeSync(schema)(range)).toBe(text)
      expect(Schema.encodeSync(schema)(large)).toBe(text.replace("0-1048575", "8589934592-17179869183"))
      expect(Either.isLeft(Schema.encodeEither(schema)({ start: 2, end: 1 }))).toBe(true)
    })

    it.each(codecs)("$name rejects any other text", ({ after, before, others, schema }) => {
      const accepts = (text: string) => Either.isRight(Schema.decodeEither(schema)(text))
      const legal = `${before}0-1${after}`
      expect(accepts(legal)).toBe(true)
      const spaced = [" ", "\t", "\n", "\r\n"].flatMap((space) => [space + legal, legal + space])
      const texts = [...junk.map((text) => `${before}${text}${after}`), ...spaced, ...others]
      expect(texts.filter(accepts)).toEqual([])
    })

    it.prop("is decoded to the range that was encoded", [ByteRange.ByteRange], ([range]) => {
      for (const { schema } of codecs) {
        expect(Schema.decodeSync(schema)(Schema.encodeSync(schema)(range))).toEqual(range)
      }
    })

    it("PartRange accepts a total size, and ignores it", () => {
      expect(Schema.decodeSync(ByteRange.PartRange)("bytes 0-1048575/5242880")).toEqual(range)
    })

    it("PartRange writes the headers of the test vectors", () => {
      for (const part of fixture.combining_parts.flatMap(({ parts }) => parts)) {
        const range = Schema.decodeSync(ByteRange.Plain)(part.range)
        expect(Schema.encodeSync(ByteRange.PartRange)(range)).toBe(part.content_range_header)
      }
    })

    describe("OutputRange", () => {
      it.each([
        ["bytes 0-1048575/3145728", { range, total: 3_145_728 }],
        ["bytes 0-0/1", { range: { start: 0, end: 0 }, total: 1 }],
        ["bytes 8589934592-17179869183/42949672960000", { range: large, total: maximumArchiveSize }]
      ])("reads and writes %s", (text, value) => {
        expect(Schema.decodeSync(ByteRange.OutputRange)(text)).toEqual(value)
        expect(Schema.encodeSync(ByteRange.OutputRange)(value)).toBe(text)
      })

      it.each([
        ...junk.map((text) => `bytes ${text}/5`),
        "0-1/5",
        "bytes=0-1/5",
        "bytes 0-1",
        "bytes 0-1/",
        "bytes 0-1/*",
        "bytes */5",
        "bytes 0-1/5 ",
        " bytes 0-1/5",
        "bytes 0-1/5\n",
        "bytes 0-1/1",
        "bytes 5-9/5"
      ])("rejects %j", (text) => {
        expect(Either.isLeft(Schema.decodeEither(ByteRange.OutputRange)(text))).toBe(true)
      })
    })
  })
})
