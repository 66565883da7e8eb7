/**
 * Plans of uploads: the parts of an archive, and how many of them are sent at once.
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
 * The default part size: 16 MiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultPartSize = PartSize.make(16 * Limits.mebibyte)

/**
 * The options of a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The part size in bytes: 1 MiB times a power of two. Default: 16 MiB. `lineSpeed` makes it smaller, and an archive that
   * needs more than 10,000 parts makes it larger. The size of a Stream is unknown, so its part size is not made larger: with
   * 16 MiB a Stream may have up to 156.25 GiB.
   */
  readonly partSize?: number | undefined
  /** The number of parts sent at once. Default: 4. `lineSpeed` makes it smaller. */
  readonly concurrency?: number | undefined
  /**
   * The speed of the connection in bytes per second. The signature of a part expires after 5 minutes, so part size and
   * concurrency are chosen such that no part takes more than 4 minutes. Default: unlimited.
   */
  readonly lineSpeed?: number | undefined
}

/**
 * The part size, and the number of parts sent at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pace {
  readonly partSize: PartSize
  readonly concurrency: number
}

/**
 * The parts of an archive, in order. All have `partSize` bytes, except that the last may be shorter.
 *
 * @since 0.1.0
 * @category models
 */
export interface UploadPlan extends Pace {
  readonly size: number
  readonly parts: ReadonlyArray<ByteRange.ByteRange>
}

/** The most seconds that a part may take: less than the 300 of a signature, because the speed of a connection varies. */
const longest = 240

const reject = (options: Options, field: "partSize" | "lineSpeed", rule: string) =>
  Either.left(new InvalidInput({ operation: "upload", field, value: show(options[field]), rule }))

/** Chooses a part size of at least `smallest` bytes, and the concurrency, for an archive of `size` bytes. */
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
      return yield* reject(
        options,
        options.partSize === undefined ? "lineSpeed" : "partSize",
        `must allow a part of ${largest} bytes to be sent in ${longest} seconds (at ${lineSpeed} bytes per second it takes ${
          Math.ceil(largest / lineSpeed)
        })`
      )
    }
    return { partSize, concurrency: atOnce }
  })

/**
 * Plans the parts of an archive of `size` bytes. `name` is the name of its source in errors.
 *
 * Fails with `InvalidInput` when the archive is empty or larger than the service stores, when the part size is invalid or
 * too small for 10,000 parts, and when the connection is too slow even for a single part at a time.
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
      return yield* reject(options, "partSize", `must be so large that 10,000 parts hold ${size} bytes`)
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
 * Plans the upload of an archive of unknown size. It may have up to 10,000 times the part size.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsized = (options: Options = {}): Either.Either<Pace, InvalidInput> =>
  choose(options, Limits.minimumPartSize, Number.POSITIVE_INFINITY)
