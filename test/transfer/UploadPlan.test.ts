import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import { PartSize } from "../../src/protocol/Names.ts"
import * as UploadPlan from "../../src/transfer/UploadPlan.ts"

const { maximumArchiveSize, maximumPartSize, maximumParts, mebibyte } = Limits

const legal = Array.from({ length: 13 }, (_, power) => mebibyte * 2 ** power)

/** What is wrong with a plan; nothing should be. */
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

const made = (size: number, partSize?: number) => Either.getOrThrow(UploadPlan.make(size, partSize))

const refusal = (size: number, partSize?: number) => Either.getOrThrow(Either.flip(UploadPlan.make(size, partSize)))

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
  ])("cuts %d bytes by %d MiB into %d parts", (size, mebibytes, parts) => {
    const plan = made(size)
    expect(plan).toMatchObject({ size, partSize: mebibytes * mebibyte })
    expect(plan.parts).toHaveLength(parts)
    expect(faults(plan)).toEqual([])
  })

  it.prop("covers each byte once, in order, in as small parts as will do", [Size], ([size]) => {
    const plan = made(size)
    expect(faults(plan)).toEqual([])
    expect(plan.partSize === UploadPlan.defaultPartSize || plan.partSize / 2 * maximumParts < size).toBe(true)
  })

  it.prop("keeps a given part size, or refuses it when 10,000 would not do", [Size, PartSize], ([size, partSize]) => {
    if (partSize * maximumParts < size) {
      expect(refusal(size, partSize)).toMatchObject({
        _tag: "InvalidInput",
        field: "partSize",
        value: String(partSize),
        rule: `must be so large that 10,000 parts hold ${size} bytes`
      })
    } else {
      const plan = made(size, partSize)
      expect(plan.partSize).toBe(partSize)
      expect(faults(plan)).toEqual([])
    }
  })

  it.each([
    [0, "0", "must be 1 byte to"],
    [-1, "-1", "must be 1 byte to"],
    [maximumArchiveSize + 1, "42949672960001", "must be 1 byte to"],
    [1.5, "1.5", "must be a whole number of bytes"],
    [Number.NaN, "NaN", "must be a whole number of bytes"],
    [Number.POSITIVE_INFINITY, "Infinity", "must be a whole number of bytes"]
  ])("refuses a size of %d", (size, value, rule) => {
    expect(refusal(size)).toMatchObject({
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
  ])("refuses a part size of %d", (partSize, value) => {
    expect(refusal(mebibyte, partSize)).toMatchObject({
      _tag: "InvalidInput",
      operation: "upload",
      field: "partSize",
      value,
      rule: expect.stringContaining("must be 1 MiB times a power of two")
    })
  })
})
