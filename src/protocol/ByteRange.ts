/**
 * Ranges of bytes: their forms on the wire, and Glacier's rules for their alignment.
 *
 * @since 0.1.0
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Limits from "./Limits.ts"

const Position = Schema.Number.pipe(
  Schema.int(),
  Schema.between(0, Limits.maximumArchiveSize - 1, { message: () => "must be a position of 0 to 42,949,672,959,999" })
)

/**
 * A range of bytes, both ends included: `{ start: 0, end: 1048575 }` is the first MiB.
 *
 * @since 0.1.0
 * @category models
 */
export const ByteRange = Schema.Struct({ start: Position, end: Position }).pipe(
  Schema.filter((range) => range.start <= range.end, {
    identifier: "ByteRange",
    message: () => "must start at or before its end"
  })
)

/**
 * A range of bytes, as `ByteRange` decodes it.
 *
 * @since 0.1.0
 * @category models
 */
export type ByteRange = typeof ByteRange.Type

/**
 * Makes the range of `length` bytes (at least 1) from `start`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (start: number, length: number): ByteRange => ({ start, end: start + length - 1 })

/**
 * Returns the number of bytes in a range.
 *
 * @since 0.1.0
 * @category getters
 */
export const length = (range: ByteRange): number => range.end - range.start + 1

const written = (pattern: RegExp, print: (range: ByteRange) => string, rule: string) =>
  Schema.transformOrFail(Schema.String, ByteRange, {
    strict: true,
    decode: (text, _, ast) => {
      const [, start, end] = pattern.exec(text) ?? []
      return start === undefined || end === undefined
        ? ParseResult.fail(new ParseResult.Type(ast, text, rule))
        : ParseResult.succeed({ start: Number(start), end: Number(end) })
    },
    encode: (range) => ParseResult.succeed(print(range))
  })

/**
 * `0-1048575`: RetrievalByteRange of a job, RangeInBytes of a part.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Plain = written(/^(\d{1,15})-(\d{1,15})$/, ({ end, start }) => `${start}-${end}`, "must be START-END")

/**
 * `bytes 0-1048575/*`: the Content-Range of a part. A total instead of the star is accepted.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PartRange = written(
  /^bytes (\d{1,15})-(\d{1,15})\/(?:\*|\d{1,15})$/,
  ({ end, start }) => `bytes ${start}-${end}/*`,
  "must be \"bytes START-END/*\""
)

/**
 * `bytes=0-1048575`: the Range header of a request for a job's output.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RangeHeader = written(
  /^bytes=(\d{1,15})-(\d{1,15})$/,
  ({ end, start }) => `bytes=${start}-${end}`,
  "must be \"bytes=START-END\""
)

/**
 * `bytes 0-1048575/3145728`: the Content-Range of a job's output, with the size of the whole output.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OutputRange = Schema.transformOrFail(
  Schema.String,
  Schema.Struct({ range: ByteRange, total: Schema.NonNegativeInt }).pipe(
    Schema.filter(({ range, total }) => range.end < total, { message: () => "must end before its total" })
  ),
  {
    strict: true,
    decode: (text, _, ast) => {
      const [, start, end, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text) ?? []
      return start === undefined || end === undefined || total === undefined
        ? ParseResult.fail(new ParseResult.Type(ast, text, "must be \"bytes START-END/TOTAL\""))
        : ParseResult.succeed({ range: { start: Number(start), end: Number(end) }, total: Number(total) })
    },
    encode: ({ range, total }) => ParseResult.succeed(`bytes ${range.start}-${range.end}/${total}`)
  }
)

/**
 * Whether a range of an archive of `size` bytes starts and ends on a MiB (or at the archive's end), as the service requires of
 * a retrieval.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isMebibyteAligned = (range: ByteRange, size: number): boolean =>
  range.end < size && range.start % Limits.mebibyte === 0 &&
  ((range.end + 1) % Limits.mebibyte === 0 || range.end === size - 1)

/**
 * Whether a range is exactly the span of one node of the archive's hash tree. Then the service sends its tree hash, and a
 * client can verify it.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTreeHashAligned = (range: ByteRange, size: number): boolean => {
  if (!isMebibyteAligned(range, size)) return false
  const first = range.start / Limits.mebibyte
  const end = Math.ceil((range.end + 1) / Limits.mebibyte)
  const leaves = Math.ceil(size / Limits.mebibyte)
  for (let span = 1; first % span === 0; span *= 2) {
    if (end === Math.min(first + span, leaves)) return true
    if (first + span >= leaves) return false
  }
  return false
}

/**
 * Covers a range of an output of `size` bytes with tree-hash-aligned windows of at most `maximum` bytes, in order and
 * without gaps or overlaps. `maximum` is a part size. A range that does not start and end on MiBs is widened to them first,
 * because nothing smaller can be verified.
 *
 * @since 0.1.0
 * @category plans
 */
export const windows = (range: ByteRange, size: number, maximum: number): ReadonlyArray<ByteRange> => {
  const leaves = Math.ceil(size / Limits.mebibyte)
  const end = Math.ceil((Math.min(range.end, size - 1) + 1) / Limits.mebibyte)
  const plan: Array<ByteRange> = []
  for (let first = Math.floor(range.start / Limits.mebibyte); first < end;) {
    let span = 1
    while (
      first % (span * 2) === 0 && span * 2 * Limits.mebibyte <= maximum &&
      (first + span * 2 <= end || (end === leaves && first + span < leaves))
    ) span *= 2
    const next = Math.min(first + span, leaves)
    plan.push({ start: first * Limits.mebibyte, end: Math.min(next * Limits.mebibyte, size) - 1 })
    first = next
  }
  return plan
}
