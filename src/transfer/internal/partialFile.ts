/**
 * The file that a download fills, until it is whole and gets the name of its target. It stands beside the target, and
 * beside it a checkpoint: a line for each window that was verified and written, `0-1048575 TREEHASH`. Both are named
 * after the target and the tree hash of the whole, so that a later download finds them, also one of another job for the
 * same bytes; where there is none, after the job. No path out of a description may be such a name: see `SafePath`.
 *
 * Neither is fsynced on the way: what a crash or a loss of power left there is believed only when the bytes of a window
 * still have the tree hash of its line. Lines begin and end with a line end, so that one that is torn spoils no other.
 *
 * A download owns its target by a `FileLock`. Where the lock does not reach the other owner, another process may remove
 * the partial file and create a new one. So the download keeps its file open, which keeps the file's number unique, and
 * writes to, renames and removes only a file of that number.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as ByteRange from "../../protocol/ByteRange.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { JobId } from "../../protocol/Names.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import { Hasher } from "../../transport/Hasher.ts"
import { FileLock, type FileLockError, FileReplaced } from "../FileLock.ts"
import * as RegularFile from "../RegularFile.ts"
import * as Source from "../Source.ts"
import * as Folder from "./folder.ts"

type FileError = PlatformError.PlatformError | FileReplaced

export interface PartialFile {
  /** The tree hash of a window that is there already, as it was verified. */
  readonly kept: (range: ByteRange.ByteRange) => Effect.Effect<Option.Option<TreeHash>>
  /** Writes a window that was verified. */
  readonly write: (
    range: ByteRange.ByteRange,
    bytes: Uint8Array,
    treeHash: TreeHash
  ) => Effect.Effect<void, FileError>
  /** Gives the file, which is of that size, its time and then the name of its target. */
  readonly complete: (size: number, modified?: DateTime.Utc) => Effect.Effect<void, FileError>
  /** Removes all that was kept. */
  readonly discard: Effect.Effect<void>
}

/** What one write to a file may be at most: Node.js takes no more than 2 GiB. */
const slice = 64 * Limits.mebibyte

const utf8 = new TextEncoder()

const keyOf = ({ end, start }: ByteRange.ByteRange): string => `${start}-${end}`

/** The names of what stands beside a target: the lock is that of all downloads to it, the rest of those of these bytes. */
const beside = (target: string, content: string) =>
  Effect.map(Sha256.Sha256, (sha256) => {
    const name = (text: string) => `${target}.${Sha256.hex(sha256, utf8.encode(text)).slice(0, 16)}`
    return { lock: `${name("")}.lock`, partial: `${name(content)}.partial`, checkpoint: `${name(content)}.checkpoint` }
  })

/** Removes what an earlier download left beside a target. What belongs to a download that still runs stays. */
export const discard = Effect.fnUntraced(
  function*(target: string, content: TreeHash | JobId) {
    const fs = yield* FileSystem.FileSystem
    const { checkpoint, lock, partial } = yield* beside(target, content)
    const left = yield* Effect.filter([checkpoint, partial], fs.exists)
    if (left.length === 0) return
    yield* (yield* FileLock).acquire(target, lock)
    for (const file of left) yield* Effect.ignore(fs.remove(file, { force: true }))
  },
  Effect.scoped,
  Effect.ignore
)

/** Fails when another download writes to a target. */
export const checkFree = Effect.fnUntraced(function*(target: string) {
  yield* (yield* FileLock).acquire(target, (yield* beside(target, "")).lock)
}, Effect.scoped)

/** Whether two descriptions are of one file, as far as the platform numbers its files. */
const isSame = (a: FileSystem.File.Info, b: FileSystem.File.Info): boolean =>
  a.dev === b.dev && Option.getOrUndefined(a.ino) === Option.getOrUndefined(b.ino)

/** Bytes that were paid for are not dropped for a time that the file system does not take. */
const setTime = (fs: FileSystem.FileSystem, path: string, modified: DateTime.Utc) =>
  Effect.flatMap(DateTime.now, (now) =>
    Effect.catchAll(
      fs.utimes(path, DateTime.toDateUtc(now), DateTime.toDateUtc(modified)),
      ({ message }) => Effect.logWarning(`${path} keeps the time of its download: ${message}`)
    ))

/**
 * Owns a target, which has the real path of its folder, and opens what an earlier download left beside it, or begins. When
 * the Scope ends with a failure, all of it is removed or kept.
 */
export const open: (
  target: string,
  content: TreeHash | JobId,
  onFailure: "discard" | "keep"
) => Effect.Effect<
  PartialFile,
  PlatformError.PlatformError | FileLockError,
  FileSystem.FileSystem | Scope.Scope
> = Effect.fnUntraced(function*(target, content, onFailure) {
  const fs = yield* FileSystem.FileSystem
  const hasher = yield* Hasher
  const { checkpoint, lock, partial } = yield* beside(target, content)
  yield* (yield* FileLock).acquire(target, lock)

  const replaced = new FileReplaced({ path: target, partial })

  /** Opens a file, creates it if need be, and keeps it open: no other file gets its number until the Scope ends. */
  const own = Effect.fnUntraced(function*(path: string) {
    const file = yield* RegularFile.open(path, { flag: "a" })
    const mine = yield* file.stat
    const check = (stat: Effect.Effect<FileSystem.File.Info, PlatformError.PlatformError>) =>
      stat.pipe(
        Effect.filterOrFail((info) => isSame(info, mine), () => replaced),
        Effect.catchIf(Folder.isNotFound, () => replaced)
      )
    const remove = Effect.ignore(Effect.flatMap(check(fs.stat(path)), () => fs.remove(path)))
    yield* Effect.addFinalizer((exit) => Exit.isSuccess(exit) || onFailure === "keep" ? Effect.void : remove)
    return { file, check, remove }
  }, Effect.uninterruptible)

  const ours = yield* own(partial)
  const records = yield* own(checkpoint)
  const isOurs = ours.check(fs.stat(partial))
  const lines = (yield* fs.readFileString(checkpoint)).matchAll(/^(\d+-\d+) ([0-9a-f]{64})$/gm)
  const recorded = new Map(Array.from(lines, ([, key, treeHash]) => [key, treeHash]))

  /** Opens the file once more: the position of a handle is shared by all that write through it. */
  const use = <A, E>(run: (file: FileSystem.File) => Effect.Effect<A, E>) =>
    Effect.scoped(
      RegularFile.open(partial, { flag: "r+" }).pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.catchIf(Folder.isNotFound, () => replaced),
        Effect.tap((file) => ours.check(file.stat)),
        Effect.flatMap(run)
      )
    )

  return {
    discard: Effect.zipRight(records.remove, ours.remove),
    kept: (range) =>
      recorded.has(keyOf(range))
        ? Source.file(partial).read(range).pipe(
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.flatMap(hasher.treeHash),
          Effect.scoped,
          Effect.filterOrFail((treeHash) => recorded.get(keyOf(range)) === treeHash),
          // What was read counts if it is in the file that will be renamed.
          Effect.zipLeft(isOurs),
          // What cannot be read is not there.
          Effect.option
        )
        : Effect.succeedNone,
    write: (range, bytes, treeHash) =>
      use((file) =>
        Effect.gen(function*() {
          yield* file.seek(range.start, "start")
          for (let start = 0; start < bytes.length; start += slice) {
            yield* file.writeAll(bytes.subarray(start, start + slice))
          }
          yield* records.file.writeAll(utf8.encode(`\n${keyOf(range)} ${treeHash}\n`))
        })
      ).pipe(
        // An interruption would close the files under a write that is still under way.
        Effect.uninterruptible
      ),
    complete: Effect.fnUntraced(function*(size, modified) {
      yield* use((file) =>
        file.truncate(size).pipe(
          // Before it has its name: whatever happens then, a file of that name has its time.
          Effect.zipRight(modified === undefined ? Effect.void : setTime(fs, partial, modified)),
          Effect.zipRight(file.sync)
        )
      )
      yield* isOurs
      yield* fs.rename(partial, target)
      yield* Folder.sync(fs, Folder.of(target))
      yield* Effect.ignore(fs.remove(checkpoint))
    }, Effect.uninterruptible)
  }
})
