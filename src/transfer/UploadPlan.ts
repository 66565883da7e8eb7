/**
 * How an archive is cut into parts, and how many of them are sent at once.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ByteRange from "../protocol/ByteRange.ts"
import { InvalidInput, show } from "../protocol/GlacierError.ts"
import { check, Concurrency, Rate } from "../protocol/InputCheck.ts"
import * as Limits from "../protocol/Limits.ts"
import { ArchiveSize, PartSize } from "../protocol/Names.ts"

/**
 * The part size of archives that do not need a larger one: 16 MiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultPartSize = PartSize.make(16 * Limits.mebibyte)

/**
 * How to cut an archive into parts and send them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Bytes, 1 MiB times a power of two. Default: 16 MiB, less where the line does not carry that, or more where 10,000 parts
   * would not hold the archive. Of a Stream nobody knows that: with 16 MiB it may have up to 156.25 GiB.
   */
  readonly partSize?: number | undefined
  /** Parts in flight. Default: 4; fewer where the line does not carry so many. */
  readonly concurrency?: number | undefined
  /**
   * The bytes a second that the line is expected to carry in all. A signature lives for 5 minutes: with this, parts are
   * so small and so few at once that none of them takes more than 4. Default: no matter.
   */
  readonly lineSpeed?: number | undefined
}

/**
 * How large the parts are, and how many of them are sent at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pace {
  readonly partSize: PartSize
  readonly concurrency: number
}

/**
 * The parts of an archive, in order: all of `partSize` but the last, which may be shorter.
 *
 * @since 0.1.0
 * @category models
 */
export interface UploadPlan extends Pace {
  readonly size: number
  readonly parts: ReadonlyArray<ByteRange.ByteRange>
}

/** The longest that a part may be on its way (seconds): less than a signature lives, as no line is quite even. */
const longest = 240

const refuse = (options: Options, field: "partSize" | "lineSpeed", rule: string) =>
  Either.left(new InvalidInput({ operation: "upload", field, value: show(options[field]), rule }))

/** For parts of at least `smallest` bytes, of an archive of `size`. */
const choose = (options: Options, smallest: number, size: number): Either.Either<Pace, InvalidInput> =>
  Either.gen(function*() {
    const concurrency = yield* check("upload", "concurrency", Concurrency, options.concurrency ?? 4)
    const lineSpeed = options.lineSpeed === undefined
      ? Number.POSITIVE_INFINITY
      : yield* check("upload", "lineSpeed", Rate, options.lineSpeed)
    const carried = lineSpeed * longest
    let fitting: number = defaultPartSize
    while (fitting > Limits.minimumPartSize && fitting * concurrency > carried) fitting /= 2
    const partSize = yield* check("upload", "partSize", PartSize, options.partSize ?? Math.max(smallest, fitting))
    const largest = Math.min(partSize, size)
    const atOnce = Math.min(concurrency, Math.floor(carried / largest))
    if (atOnce === 0) {
      return yield* refuse(
        options,
        options.partSize === undefined ? "lineSpeed" : "partSize",
        `must let a part of ${largest} bytes travel in ${longest} seconds (at ${lineSpeed} bytes a second it takes ${
          Math.ceil(largest / lineSpeed)
        })`
      )
    }
    return { partSize, concurrency: atOnce }
  })

/**
 * Plans the parts of `size` bytes. Without a part size it takes 16 MiB, less where the line does not carry that, and more
 * where 10,000 parts would not hold the archive. Refuses an empty archive, one larger than the service stores, a part
 * size that is none or too small, and a part that is too large for the line even when it has it for itself. `name` is what
 * the error calls the source of the archive.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  size: number,
  options: Options = {},
  name?: string | undefined
): Either.Either<UploadPlan, InvalidInput> =>
  Either.gen(function*() {
    yield* check("upload", name === undefined ? "size" : `size of ${show(name)}`, ArchiveSize, size)
    let smallest: number = Limits.minimumPartSize
    while (smallest * Limits.maximumParts < size) smallest *= 2
    const pace = yield* choose(options, smallest, size)
    const { partSize } = pace
    if (partSize < smallest) {
      return yield* refuse(options, "partSize", `must be so large that 10,000 parts hold ${size} bytes`)
    }
    return {
      ...pace,
      size,
      parts: Array.from(
        { length: Math.ceil(size / partSize) },
        (_, index) => ByteRange.make(index * partSize, Math.min(partSize, size - index * partSize))
      )
    }
  })

/**
 * Plans the parts of an archive whose size nobody knows: without a part size 16 MiB, or less where the line does not
 * carry that. The archive may have 10,000 times as much.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsized = (options: Options = {}): Either.Either<Pace, InvalidInput> =>
  choose(options, Limits.minimumPartSize, Number.POSITIVE_INFINITY)
