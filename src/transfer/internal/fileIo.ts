/**
 * Reads and writes of any length at the position of an open file.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Limits from "../../protocol/Limits.ts"

/** The most bytes of one read or write: Node.js accepts at most 2 GiB. */
const slice = 64 * Limits.mebibyte

/** Fills the memory, and returns the number of bytes read: fewer if the file ends before. */
export const readInto = Effect.fnUntraced(function*(
  file: FileSystem.File,
  memory: Uint8Array
): Effect.fn.Return<number, PlatformError.PlatformError> {
  let filled = 0
  while (filled < memory.length) {
    // An interrupted read would continue to fill memory that another transfer may have by then.
    const read = Number(yield* Effect.uninterruptible(file.read(memory.subarray(filled, filled + slice))))
    if (read === 0) break
    filled += read
  }
  return filled
})

/** Writes all bytes. */
export const writeAll = Effect.fnUntraced(function*(
  file: FileSystem.File,
  bytes: Uint8Array
): Effect.fn.Return<void, PlatformError.PlatformError> {
  for (let start = 0; start < bytes.length; start += slice) {
    yield* file.writeAll(bytes.subarray(start, start + slice))
  }
})
