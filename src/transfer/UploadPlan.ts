/**
 * How an archive is cut into parts.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ByteRange from "../protocol/ByteRange.ts"
import { check } from "../protocol/Check.ts"
import { InvalidInput, show } from "../protocol/GlacierError.ts"
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
 * The parts of an archive, in order: all of `partSize` but the last, which may be shorter.
 *
 * @since 0.1.0
 * @category models
 */
export interface UploadPlan {
  readonly size: number
  readonly partSize: PartSize
  readonly parts: ReadonlyArray<ByteRange.ByteRange>
}

/**
 * Plans the parts of `size` bytes. Without a part size it takes 16 MiB, or the smallest that needs no more than 10,000
 * parts. Refuses an empty archive, one larger than the service stores, and a part size that is none or too small.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (size: number, partSize?: number | undefined): Either.Either<UploadPlan, InvalidInput> =>
  Either.gen(function*() {
    yield* check("upload", "size", ArchiveSize, size)
    let smallest: number = defaultPartSize
    while (smallest * Limits.maximumParts < size) smallest *= 2
    const chosen = yield* check("upload", "partSize", PartSize, partSize ?? smallest)
    if (chosen * Limits.maximumParts < size) {
      return yield* Either.left(
        new InvalidInput({
          operation: "upload",
          field: "partSize",
          value: show(chosen),
          rule: `must be so large that 10,000 parts hold ${size} bytes`
        })
      )
    }
    return {
      size,
      partSize: chosen,
      parts: Array.from(
        { length: Math.ceil(size / chosen) },
        (_, index) => ByteRange.make(index * chosen, Math.min(chosen, size - index * chosen))
      )
    }
  })
