/**
 * Sources of bytes to upload. A `Source` can be read at any position, several ranges at once, so that memory holds only the
 * parts being sent. A `StreamSource` is read once, in order, and memory holds one part more.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as ByteRange from "../protocol/ByteRange.ts"
import { SourceChanged } from "../protocol/GlacierError.ts"
import { Hasher } from "../transport/Hasher.ts"
import { readInto } from "./internal/fileIo.ts"
import * as RegularFile from "./RegularFile.ts"

/**
 * Bytes of a known size that can be read in any order, several ranges at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source<out E = never, out R = never> {
  /** The size in bytes. */
  readonly size: Effect.Effect<number, E, R>
  /** Reads all bytes of a range. Their memory may be reused when the Scope ends. */
  readonly read: (range: ByteRange.ByteRange) => Effect.Effect<Uint8Array, E, R | Scope.Scope>
  /** The name of the source in errors, for instance the path of a file. */
  readonly name?: string | undefined
  /**
   * A text that changes when the bytes change. An upload fails with `SourceChanged` when the version at its end is another
   * than at its beginning.
   */
  readonly version?: Effect.Effect<string, E, R> | undefined
}

/**
 * Bytes that can be read once, in order. Their size is unknown.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamSource<out E = never, out R = never> {
  readonly stream: Stream.Stream<Uint8Array, E, R>
}

/**
 * Makes a source of bytes in memory.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes = (all: Uint8Array): Source => ({
  size: Effect.succeed(all.length),
  read: (range) => Effect.succeed(all.subarray(range.start, range.end + 1))
})

/**
 * Makes a source of a Stream of bytes, in pieces of any size. It is read once, in order, as fast as parts can be sent. Use
 * `Stream.fromReadableStream`, `NodeStream.fromReadable` or `Stream.fromAsyncIterable` for a Web `ReadableStream`, a Node.js
 * `Readable` or an async iterable.
 *
 * @since 0.1.0
 * @category constructors
 */
export const stream = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): StreamSource<E, R> => ({ stream })

/**
 * Makes a source of a file, or of a range of a file. Its version is made of the range's start, the file's size and its
 * modification time. An upload checks the path before it sends anything.
 *
 * Fails with the file system's error, also when the path does not lead to a regular file (see `RegularFile.check`), and with
 * `SourceChanged` when the file ends before the range does or becomes shorter during the upload.
 *
 * @since 0.1.0
 * @category constructors
 */
export const file = (
  path: string,
  range?: ByteRange.ByteRange
): Source<PlatformError.PlatformError | SourceChanged, FileSystem.FileSystem> => {
  const stat = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(path))
  const first = range?.start ?? 0
  return {
    name: path,
    size: Effect.flatMap(RegularFile.check(path), (info) => {
      const size = Number(info.size)
      if (range === undefined) return Effect.succeed(size)
      return range.end < size
        ? Effect.succeed(ByteRange.length(range))
        : new SourceChanged({
          message: `${path} has ${size} bytes, so bytes ${range.start} to ${range.end} cannot be read`
        })
    }),
    version: Effect.map(
      stat,
      ({ mtime, size }) =>
        `${first} ${size} ${Option.match(mtime, { onNone: () => "", onSome: (time) => time.getTime() })}`
    ),
    read: Effect.fnUntraced(function*({ end, start }) {
      const hasher = yield* Hasher
      const memory = yield* hasher.allocate(end - start + 1)
      // Each read has a handle of its own, because the position belongs to the handle.
      const handle = yield* RegularFile.open(path, { flag: "r" })
      yield* handle.seek(first + start, "start")
      const filled = yield* readInto(handle, memory)
      if (filled === memory.length) return memory
      return yield* new SourceChanged({
        message: `${path} ended at byte ${first + start + filled}: it has become shorter since the upload began`
      })
    })
  }
}
