/**
 * Where an upload reads its bytes: from what can be read at any place, several ranges at once, so that nothing is held
 * beyond the parts in flight; or from a Stream, of which one part more is held.
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
import * as Limits from "../protocol/Limits.ts"
import { Hasher } from "../transport/Hasher.ts"
import * as RegularFile from "./RegularFile.ts"

/**
 * Bytes of a known number that can be read in any order, several ranges at once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source<out E = never, out R = never> {
  /** The number of bytes. */
  readonly size: Effect.Effect<number, E, R>
  /** The bytes of a range, all of them. When the Scope ends others may have their memory. */
  readonly read: (range: ByteRange.ByteRange) => Effect.Effect<Uint8Array, E, R | Scope.Scope>
  /** What errors call the source, for instance the path of a file. */
  readonly name?: string | undefined
  /** What tells one state of the source from another: an upload during which it changes fails with `SourceChanged`. */
  readonly version?: Effect.Effect<string, E, R> | undefined
}

/**
 * Bytes that come once, in order; nobody knows how many.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamSource<out E = never, out R = never> {
  readonly stream: Stream.Stream<Uint8Array, E, R>
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
 * A Stream of bytes in pieces of any size, whose number need not be known. It is read once, in order, as fast as parts
 * can be sent. What a Web `ReadableStream`, a Node.js `Readable` or an async iterable gives comes by
 * `Stream.fromReadableStream`, `NodeStream.fromReadable` and `Stream.fromAsyncIterable`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const stream = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): StreamSource<E, R> => ({ stream })

/**
 * A file, or a range of one. Fails with the file system's error, also when the path leads to something other than a
 * regular file (see `RegularFile.check`), or with `SourceChanged` when the file ends before the range does or has become
 * shorter meanwhile. An upload checks the path before it opens anything at the service.
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
        : new SourceChanged({ message: `${path} has ${size} bytes: too few for ${range.start} to ${range.end}` })
    }),
    version: Effect.map(
      stat,
      ({ mtime, size }) =>
        `${first} ${size} ${Option.match(mtime, { onNone: () => "", onSome: (time) => time.getTime() })}`
    ),
    read: Effect.fnUntraced(function*({ end, start }) {
      const hasher = yield* Hasher
      const memory = yield* hasher.allocate(end - start + 1)
      // A handle of its own: its position is shared by all who read through it.
      const handle = yield* RegularFile.open(path, { flag: "r" })
      yield* handle.seek(first + start, "start")
      for (let filled = 0; filled < memory.length;) {
        // A read that was given up would go on, into memory that others may have by then.
        const read = Number(yield* Effect.uninterruptible(handle.read(memory.subarray(filled, filled + slice))))
        if (read === 0) {
          return yield* new SourceChanged({
            message: `${path} ended at byte ${first + start + filled}: it has become shorter since the upload began`
          })
        }
        filled += read
      }
      return memory
    })
  }
}
