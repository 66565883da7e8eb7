/**
 * Where an upload reads its bytes. A source can be read again from any place: a part that must be sent again is read
 * again, so nothing is held beyond the parts in flight.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ByteRange from "../protocol/ByteRange.ts"

/**
 * Bytes of a known number that can be read in any order, several ranges at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source<out E = never, out R = never> {
  /** The number of bytes. */
  readonly size: Effect.Effect<number, E, R>
  /** The bytes of a range, all of them. */
  readonly read: (range: ByteRange.ByteRange) => Effect.Effect<Uint8Array, E, R>
}

/**
 * The source ended before the size it had when the upload began.
 *
 * @since 0.1.0
 * @category errors
 */
export class SourceChanged extends Schema.TaggedError<SourceChanged>("effect-glacier/SourceChanged")("SourceChanged", {
  path: Schema.String,
  message: Schema.String
}) {}

/**
 * Bytes in memory.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes = (all: Uint8Array): Source => ({
  size: Effect.succeed(all.length),
  read: (range) => Effect.succeed(all.subarray(range.start, range.end + 1))
})

/**
 * A file. Fails with the file system's error, or with `SourceChanged` when the file has become shorter meanwhile.
 *
 * @since 0.1.0
 * @category constructors
 */
export const file = (
  path: string
): Source<PlatformError.PlatformError | SourceChanged, FileSystem.FileSystem> => ({
  size: Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.map(fs.stat(path), (info) => Number(info.size))),
  read: (range) =>
    Effect.scoped(Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      // A handle of its own: its position is shared by all who read through it.
      const handle = yield* fs.open(path, { flag: "r" })
      yield* handle.seek(range.start, "start")
      const buffer = new Uint8Array(ByteRange.length(range))
      for (let filled = 0; filled < buffer.length;) {
        const read = Number(yield* handle.read(buffer.subarray(filled)))
        if (read === 0) {
          return yield* new SourceChanged({
            path,
            message: `${path} ended at byte ${range.start + filled}: it has become shorter since the upload began`
          })
        }
        filled += read
      }
      return buffer
    }))
})
