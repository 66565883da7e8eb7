/** Plans of uploads: part sizes, and concurrency for a connection of a known speed. */
import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import { PartSize } from "../../src/protocol/Names.ts"
import * as UploadPlan from "../../src/transfer/UploadPlan.ts"

const { maximumArchiveSize, maximumPartSize, maximumParts, mebibyte } = Limits

const legal = Array.from({ length: 13 }, (_, power) => mebibyte * 2 ** power)

/** The problems of a plan. */
const faults = ({ partSize, parts, size }: UploadPlan.UploadPlan): ReadonlyArray<string> => {
  const found: Array<string> = []
  let covered = 0
  for (const [index, part] of parts.entries()) {
    const length = ByteRange.length(part)
    const isLast = index === parts.length - 1
    if (part.start !== covered) found.push(`part ${index} starts at ${part.start} instead of ${covered}`)
    if (isLast ? length < 1 || length > partSize : length !== partSize) found.push(`part ${index} has ${length} bytes`)
    covered = part.end + 1
  }
  if (covered !== size) found.push(`${covered} of ${size} bytes are covered`)
  if (parts.length > maximumParts) found.push(`${parts.length} parts`)
  if (!legal.includes(partSize)) found.push(`${partSize} is no part size`)
  return found
}

const made = (size: number, options?: UploadPlan.Options) => Either.getOrThrow(UploadPlan.make(size, options))

const rejection = (size: number, options?: UploadPlan.Options) =>
  Either.getOrThrow(Either.flip(UploadPlan.make(size, options)))

/** Any size, and often one near a power of two or a multiple of the number of parts. */
const Size = FastCheck.oneof(
  FastCheck.integer({ min: 1, max: maximumArchiveSize }),
  FastCheck.tuple(
    FastCheck.constantFrom(1, maximumParts, maximumParts - 1),
    FastCheck.integer({ min: 0, max: 32 }),
    FastCheck.integer({ min: -2, max: 2 })
  ).map(([times, power, more]) => Math.min(Math.max(times * 2 ** power + more, 1), maximumArchiveSize))
)

describe("UploadPlan", () => {
  it.each([
    [1, 16, 1],
    [16 * mebibyte, 16, 1],
    [16 * mebibyte + 1, 16, 2],
    [maximumParts * 16 * mebibyte, 16, 10_000],
    [maximumParts * 16 * mebibyte + 1, 32, 5_001],
    [maximumParts * 2_048 * mebibyte, 2_048, 10_000],
    [maximumParts * 2_048 * mebibyte + 1, 4_096, 5_001],
    [maximumArchiveSize - 1, 4_096, 10_000],
    [maximumArchiveSize, 4_096, 10_000]
  ])("divides %d bytes by %d MiB into %d parts", (size, mebibytes, parts) => {
    const plan = made(size)
    expect(plan).toMatchObject({ size, partSize: mebibytes * mebibyte })
    expect(plan.parts).toHaveLength(parts)
    expect(faults(plan)).toEqual([])
  })

  it.prop("covers each byte once, in order, with the smallest possible parts", [Size], ([size]) => {
    const plan = made(size)
    expect(faults(plan)).toEqual([])
    expect(plan.partSize === UploadPlan.defaultPartSize || plan.partSize / 2 * maximumParts < size).toBe(true)
  })

  it.prop(
    "keeps a given part size, or rejects it when 10,000 parts are too few",
    [Size, PartSize],
    ([size, partSize]) => {
      if (partSize * maximumParts < size) {
        expect(rejection(size, { partSize })).toMatchObject({
          _tag: "InvalidInput",
          field: "partSize",
          value: String(partSize),
          rule: `must be so large that 10,000 parts hold ${size} bytes`
        })
      } else {
        const plan = made(size, { partSize })
        expect(plan.partSize).toBe(partSize)
        expect(faults(plan)).toEqual([])
      }
    }
  )

  it.each([
    [0, "0", "must be 1 byte to"],
    [-1, "-1", "must be 1 byte to"],
    [maximumArchiveSize + 1, "42949672960001", "must be 1 byte to"],
    [1.5, "1.5", "must be a whole number of bytes"],
    [Number.NaN, "NaN", "must be a whole number of bytes"],
    [Number.POSITIVE_INFINITY, "Infinity", "must be a whole number of bytes"]
  ])("rejects a size of %d", (size, value, rule) => {
    expect(rejection(size)).toMatchObject({
      _tag: "InvalidInput",
      operation: "upload",
      field: "size",
      value,
      rule: expect.stringContaining(rule)
    })
  })

  it.each([
    [0, "0"],
    [-mebibyte, "-1048576"],
    [mebibyte / 2, "524288"],
    [mebibyte - 1, "1048575"],
    [mebibyte + 0.5, "1048576.5"],
    [3 * mebibyte, "3145728"],
    [2 * maximumPartSize, "8589934592"],
    [Number.NaN, "NaN"]
  ])("rejects a part size of %d", (partSize, value) => {
    expect(rejection(mebibyte, { partSize })).toMatchObject({
      _tag: "InvalidInput",
      operation: "upload",
      field: "partSize",
      value,
      rule: expect.stringContaining("must be 1 MiB times a power of two")
    })
  })
  describe("for a connection of a known speed", () => {
    /** Speeds from too slow for any part to fast enough for all parts, most of them between. */
    const LineSpeed = FastCheck.oneof(
      FastCheck.integer({ min: 1, max: 400_000 }),
      FastCheck.integer({ min: 1, max: 2 ** 40 }),
      // Speeds at which some parts take just 4 minutes, or just more.
      FastCheck.tuple(FastCheck.nat({ max: 12 }), FastCheck.integer({ min: 1, max: 9 }), FastCheck.boolean()).map(
        ([power, parts, more]) => Math.floor(mebibyte * 2 ** power * parts / 240) + (more ? 1 : 0)
      )
    )
    const Given = FastCheck.option(Arbitrary.make(PartSize), { nil: undefined })
    const Concurrency = FastCheck.integer({ min: 1, max: 8 })

    /** The seconds that a part takes when `atOnce` parts share the connection. */
    const seconds = (bytes: number, atOnce: number, lineSpeed: number) => bytes * atOnce / lineSpeed

    it.prop(
      "covers each byte once, with parts that take at most 4 minutes, as many at once as that allows",
      [Size, Given, LineSpeed, Concurrency],
      ([size, partSize, lineSpeed, concurrency]) => {
        const planned = UploadPlan.make(size, { partSize, lineSpeed, concurrency })
        if (Either.isLeft(planned)) {
          // No other plan would be valid either.
          const smallest = partSize ?? legal.find((one) => one * maximumParts >= size) ?? NaN
          expect(smallest * maximumParts < size || seconds(Math.min(smallest, size), 1, lineSpeed) > 240).toBe(true)
          return
        }
        const plan = planned.right
        const largest = Math.min(plan.partSize, size)
        expect(faults(plan)).toEqual([])
        expect(plan.concurrency).toBeGreaterThanOrEqual(1)
        expect(plan.concurrency).toBeLessThanOrEqual(concurrency)
        expect(seconds(largest, plan.concurrency, lineSpeed)).toBeLessThanOrEqual(240)
        if (plan.concurrency < concurrency) {
          expect(seconds(largest, plan.concurrency + 1, lineSpeed)).toBeGreaterThan(240)
        }
        if (partSize !== undefined) expect(plan.partSize).toBe(partSize)
      },
      { fastCheck: { numRuns: 1_000 } }
    )

    it.prop(
      "chooses for a Stream the largest possible parts up to 16 MiB, and then the concurrency",
      [LineSpeed, Concurrency],
      ([lineSpeed, concurrency]) => {
        const planned = UploadPlan.unsized({ lineSpeed, concurrency })
        if (Either.isLeft(planned)) {
          expect(seconds(mebibyte, 1, lineSpeed)).toBeGreaterThan(240)
          return
        }
        const { partSize } = planned.right
        expect(seconds(partSize, planned.right.concurrency, lineSpeed)).toBeLessThanOrEqual(240)
        if (partSize < UploadPlan.defaultPartSize) {
          expect(seconds(2 * partSize, concurrency, lineSpeed)).toBeGreaterThan(240)
        }
        expect(partSize === mebibyte || planned.right.concurrency === concurrency).toBe(true)
      },
      { fastCheck: { numRuns: 1_000 } }
    )

    const gibibyte = 1_024 * mebibyte

    it.each([
      ["fast", 100 * gibibyte, { lineSpeed: 1e8 }, 16, 4],
      ["slow: smaller parts", gibibyte, { lineSpeed: 100_000 }, 4, 4],
      ["even slower: smaller parts, and fewer at once", gibibyte, { lineSpeed: 10_000 }, 1, 2],
      ["slow for a large archive: fewer at once", 40 * gibibyte, { lineSpeed: 100_000 }, 8, 2],
      ["slow for a given part size: fewer at once", gibibyte, { lineSpeed: 100_000, partSize: 8 * mebibyte }, 8, 2],
      ["slow, but the archive is small", 1_000, { lineSpeed: 100, partSize: 8 * mebibyte }, 8, 4]
    ])(
      "adapts the part size and concurrency to a connection that is %s",
      (_, size, options, mebibytes, concurrency) => {
        expect(made(size, options)).toMatchObject({ partSize: mebibytes * mebibyte, concurrency })
      }
    )

    it.each([
      [
        gibibyte,
        { lineSpeed: 4_000 },
        "lineSpeed",
        "must allow a part of 1048576 bytes to be sent in 240 seconds (at 4000 bytes per second it takes 263)"
      ],
      [
        maximumArchiveSize,
        { lineSpeed: 1e7 },
        "lineSpeed",
        "must allow a part of 4294967296 bytes to be sent in 240 seconds (at 10000000 bytes per second it takes 430)"
      ],
      [
        gibibyte,
        { lineSpeed: 10_000, partSize: 4 * mebibyte },
        "partSize",
        "must allow a part of 4194304 bytes to be sent in 240 seconds (at 10000 bytes per second it takes 420)"
      ],
      [gibibyte, { lineSpeed: 0 }, "lineSpeed", "must be more than 0"],
      [gibibyte, { lineSpeed: Number.NaN }, "lineSpeed", "must be more than 0"]
    ])("rejects %d bytes with %j", (size, options, field, rule) => {
      expect(rejection(size, options)).toMatchObject({ _tag: "InvalidInput", operation: "upload", field, rule })
    })
  })
})
