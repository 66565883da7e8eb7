/**
 * The file that a download fills until it is complete and is renamed to the target. It stands beside the target, and beside
 * it stands a window log: a line for each window that was verified and written, `0-1048575 TREEHASH`. Both are named after
 * the target and the tree hash of the whole, so that a later download finds them, even of another job for the same bytes.
 * Without a tree hash they are named after the job. `SafePath` rejects such names in descriptions.
 *
 * Neither file is fsynced before the download is complete. After a crash or a loss of power, a window counts only when its
 * bytes have the tree hash of its line. That is why this log has a format of its own, without the checksums of `records.ts`:
 * each line is verified by itself. Lines begin and end with a line end, so that a torn line damages no other.
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
import type { JobId } from "../../protocol/Names.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import { Hasher } from "../../transport/Hasher.ts"
import { FileLock, type FileLockError, FileReplaced } from "../FileLock.ts"
import * as RegularFile from "../RegularFile.ts"
import * as Source from "../Source.ts"
import { writeAll } from "./fileIo.ts"
import * as Folder from "./folder.ts"

type FileError = PlatformError.PlatformError | FileReplaced

export interface PartialFile {
  /** Returns the tree hash of a window that an earlier download wrote, if the bytes in the file still have it. */
  readonly kept: (range: ByteRange.ByteRange) => Effect.Effect<Option.Option<TreeHash>>
  /** Writes a window that was verified. */
  readonly write: (
    range: ByteRange.ByteRange,
    bytes: Uint8Array,
    treeHash: TreeHash
  ) => Effect.Effect<void, FileError>
  /** Cuts the file to its size, sets its modification time, and renames it to the target. */
  readonly complete: (size: number, modified?: DateTime.Utc) => Effect.Effect<void, FileError>
  /** Removes the partial file and its window log. */
  readonly discard: Effect.Effect<void>
}

const utf8 = new TextEncoder()

const keyOf = ({ end, start }: ByteRange.ByteRange): string => `${start}-${end}`

/** The paths beside a target: one lock for all downloads to it, and the files of the downloads of this content. */
const beside = (target: string, content: string) =>
  Effect.map(Sha256.Sha256, (sha256) => {
    const name = (text: string) => `${target}.${Sha256.hex(sha256, utf8.encode(text)).slice(0, 16)}`
    return { lock: `${name("")}.lock`, partial: `${name(content)}.partial`, windowLog: `${name(content)}.checkpoint` }
  })

const lockTarget = Effect.fnUntraced(function*(target: string) {
  yield* (yield* FileLock).acquire(target, (yield* beside(target, "")).lock)
})

/** Fails when another download writes to a target. */
export const checkFree = (target: string): Effect.Effect<void, FileLockError> => Effect.scoped(lockTarget(target))

/** Removes the files that an earlier download left beside a target, unless a download to the target still runs. */
export const discard = Effect.fnUntraced(
  function*(target: string, content: TreeHash | JobId) {
    const fs = yield* FileSystem.FileSystem
    const { lock, partial, windowLog } = yield* beside(target, content)
    const left = yield* Effect.filter([lock, windowLog, partial], fs.exists)
    if (left.length === 0) return
    // Takes over the lock of a dead process, and removes it with its own.
    yield* lockTarget(target)
    for (const file of [windowLog, partial]) yield* Effect.ignore(fs.remove(file, { force: true }))
  },
  Effect.scoped,
  Effect.ignore
)

/** Whether two descriptions are of one file, as far as the platform numbers its files. */
const isSame = (a: FileSystem.File.Info, b: FileSystem.File.Info): boolean =>
  a.dev === b.dev && Option.getOrUndefined(a.ino) === Option.getOrUndefined(b.ino)

/** A file system may reject a time. Then the file keeps its own time: bytes that were paid for are not discarded for it. */
const setTime = (fs: FileSystem.FileSystem, path: string, modified: DateTime.Utc) =>
  Effect.flatMap(DateTime.now, (now) =>
    Effect.catchAll(
      fs.utimes(path, DateTime.toDateUtc(now), DateTime.toDateUtc(modified)),
      ({ message }) => Effect.logWarning(`${path} keeps the time of its download: ${message}`)
    ))

/**
 * Opens a file, creates it if needed, and keeps it open: no other file gets its number until the Scope ends. When the Scope
 * ends with a failure, removes the file or keeps it.
 */
const own = Effect.fnUntraced(function*(path: string, onFailure: "discard" | "keep", replaced: FileReplaced) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* RegularFile.open(path, { flag: "a" })
  const mine = yield* file.stat
  /** Fails when another file was described. */
  const check = (stat: Effect.Effect<FileSystem.File.Info, PlatformError.PlatformError>) =>
    stat.pipe(
      Effect.filterOrFail((info) => isSame(info, mine), () => replaced),
      Effect.catchIf(Folder.isNotFound, () => replaced)
    )
  const isOurs = check(fs.stat(path))
  const remove = Effect.ignore(Effect.flatMap(isOurs, () => fs.remove(path)))
  yield* Effect.addFinalizer((exit) => Exit.isSuccess(exit) || onFailure === "keep" ? Effect.void : remove)

  /** Opens the file once more: all that write through one handle share its position. */
  const use = <A, E>(run: (file: FileSystem.File) => Effect.Effect<A, E>) =>
    Effect.scoped(
      RegularFile.open(path, { flag: "r+" }).pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.catchIf(Folder.isNotFound, () => replaced),
        Effect.tap((file) => check(file.stat)),
        Effect.flatMap(run)
      )
    )
  return { file, isOurs, remove, use }
}, Effect.uninterruptible)

const readWindowLog = (fs: FileSystem.FileSystem, path: string) =>
  Effect.map(fs.readFileString(path), (text) => {
    const lines = text.matchAll(/^(\d+-\d+) ([0-9a-f]{64})$/gm)
    return new Map(Array.from(lines, ([, key, treeHash]) => [key, treeHash]))
  })

/**
 * Owns a target, which has the real path of its folder, and opens the partial file beside it, or creates it. When the Scope
 * ends with a failure, removes the partial file and its window log, or keeps both.
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
  yield* lockTarget(target)
  const { partial, windowLog } = yield* beside(target, content)
  const replaced = new FileReplaced({ path: target, partial })
  const bytesFile = yield* own(partial, onFailure, replaced)
  const logFile = yield* own(windowLog, onFailure, replaced)
  const recorded = yield* readWindowLog(fs, windowLog)

  return {
    discard: Effect.zipRight(logFile.remove, bytesFile.remove),
    kept: (range) =>
      recorded.has(keyOf(range))
        ? Source.file(partial).read(range).pipe(
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.flatMap(hasher.treeHash),
          Effect.scoped,
          Effect.filterOrFail((treeHash) => recorded.get(keyOf(range)) === treeHash),
          // The bytes count only if they were read from the file that will be renamed.
          Effect.zipLeft(bytesFile.isOurs),
          // A window that cannot be read is fetched again.
          Effect.option
        )
        : Effect.succeedNone,
    write: (range, bytes, treeHash) =>
      bytesFile.use((file) =>
        Effect.gen(function*() {
          yield* file.seek(range.start, "start")
          yield* writeAll(file, bytes)
          yield* logFile.file.writeAll(utf8.encode(`\n${keyOf(range)} ${treeHash}\n`))
        })
      ).pipe(
        // An interruption would close the files while a write is under way.
        Effect.uninterruptible
      ),
    complete: Effect.fnUntraced(function*(size, modified) {
      yield* bytesFile.use((file) =>
        file.truncate(size).pipe(
          // Before the rename, so that a file with the name of the target always has its time.
          Effect.zipRight(modified === undefined ? Effect.void : setTime(fs, partial, modified)),
          Effect.zipRight(file.sync)
        )
      )
      yield* bytesFile.isOurs
      yield* fs.rename(partial, target)
      yield* Folder.sync(fs, Folder.of(target))
      yield* Effect.ignore(fs.remove(windowLog))
    }, Effect.uninterruptible)
  }
})
