/**
 * Where an upload reads its bytes. A source can be read from any place, several ranges at once, so nothing is held
 * beyond the parts in flight: each from when it is read until the service has it.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as ByteRange from "../protocol/ByteRange.ts"
import { SourceChanged } from "../protocol/GlacierError.ts"
import * as Limits from "../protocol/Limits.ts"

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

/** What one read of a file may ask for at most: Node.js takes no more than 2 GiB. */
const slice = 64 * Limits.mebibyte

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
        const read = Number(yield* handle.read(buffer.subarray(filled, filled + slice)))
        if (read === 0) {
          return yield* new SourceChanged({
            message: `${path} ended at byte ${range.start + filled}: it has become shorter since the upload began`
          })
        }
        filled += read
      }
      return buffer
    }))
})
