/**
 * The file that a download fills, until it is whole and gets the name of its target. It stands beside the target, and
 * beside it a checkpoint: a line for each window that was verified and written, `0-1048575 TREEHASH`. Both are named
 * after the target and the tree hash of the whole, so that a later download finds them, also one of another job for the
 * same bytes; where there is none, after the job. No path out of a description may be such a name: see `SafePath`.
 *
 * Neither is fsynced on the way: what a crash or a loss of power left there is believed only when the bytes of a window
 * still have the tree hash of its line. Lines begin and end with a line end, so that one that is torn spoils no other.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as ByteRange from "../../protocol/ByteRange.ts"
import { InvalidInput, show } from "../../protocol/GlacierError.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { JobId } from "../../protocol/Names.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import { Hasher } from "../../transport/Hasher.ts"
import * as Source from "../Source.ts"
import * as Folder from "./folder.ts"

export interface PartialFile {
  /** The tree hash of a window that is there already, as it was verified. */
  readonly kept: (range: ByteRange.ByteRange) => Effect.Effect<Option.Option<TreeHash>>
  /** Writes a window that was verified. */
  readonly write: (
    range: ByteRange.ByteRange,
    bytes: Uint8Array,
    treeHash: TreeHash
  ) => Effect.Effect<void, PlatformError.PlatformError>
  /** Gives the file, which is of that size, the name of its target. */
  readonly complete: (size: number) => Effect.Effect<void, PlatformError.PlatformError>
  /** Removes all that was kept. */
  readonly discard: Effect.Effect<void>
}

/** What one write to a file may be at most: Node.js takes no more than 2 GiB. */
const slice = 64 * Limits.mebibyte

const utf8 = new TextEncoder()

/** Those that are being filled in this process. */
const inUse = new Set<string>()

const keyOf = ({ end, start }: ByteRange.ByteRange): string => `${start}-${end}`

/** The names of what stands beside a target. */
const beside = (path: string, content: TreeHash | JobId) =>
  Effect.map(Sha256.Sha256, (sha256) => {
    const name = `${path}.${Sha256.hex(sha256, utf8.encode(content)).slice(0, 16)}`
    return { name, partial: `${name}.partial`, checkpoint: `${name}.checkpoint` }
  })

/** Removes what was kept beside a target. */
export const discard = Effect.fnUntraced(function*(path: string, content: TreeHash | JobId) {
  const fs = yield* FileSystem.FileSystem
  const { checkpoint, partial } = yield* beside(path, content)
  for (const file of [checkpoint, partial]) yield* Effect.ignore(fs.remove(file, { force: true }))
})

/** Opens what an earlier download left behind, or begins. When the Scope ends with a failure, all of it is removed or kept. */
export const open: (
  path: string,
  content: TreeHash | JobId,
  onFailure: "remove" | "keep"
) => Effect.Effect<
  PartialFile,
  PlatformError.PlatformError | InvalidInput,
  FileSystem.FileSystem | Scope.Scope
> = Effect.fnUntraced(function*(path, content, onFailure) {
  const fs = yield* FileSystem.FileSystem
  const hasher = yield* Hasher
  const { checkpoint, name, partial } = yield* beside(path, content)
  const use = <A, E>(file: string, run: (file: FileSystem.File) => Effect.Effect<A, E>) =>
    Effect.scoped(Effect.flatMap(fs.open(file, { flag: "r+" }), run))
  const discarded = Effect.provideService(discard(path, content), FileSystem.FileSystem, fs)

  yield* Effect.acquireRelease(
    Effect.suspend(() =>
      inUse.has(name)
        ? new InvalidInput({
          operation: "download",
          field: "path",
          value: show(path),
          rule: "must not be the target of a download of the same bytes that is still going on"
        })
        : Effect.sync(() => inUse.add(name))
    ),
    () => Effect.sync(() => inUse.delete(name))
  )
  yield* Effect.addFinalizer((exit) => Exit.isSuccess(exit) || onFailure === "keep" ? Effect.void : discarded)

  // Created, and otherwise left as it is.
  yield* Effect.scoped(fs.open(partial, { flag: "a" }))
  const records = yield* fs.open(checkpoint, { flag: "a" })
  const lines = (yield* fs.readFileString(checkpoint)).matchAll(/^(\d+-\d+) ([0-9a-f]{64})$/gm)
  const recorded = new Map(Array.from(lines, ([, key, treeHash]) => [key, treeHash]))

  return {
    discard: discarded,
    kept: (range) =>
      recorded.has(keyOf(range))
        ? Source.file(partial).read(range).pipe(
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.flatMap(hasher.treeHash),
          Effect.scoped,
          Effect.filterOrFail((treeHash) => recorded.get(keyOf(range)) === treeHash),
          // What cannot be read is not there.
          Effect.option
        )
        : Effect.succeedNone,
    write: (range, bytes, treeHash) =>
      // A handle of its own: its position is shared by all who write through it.
      use(partial, (file) =>
        Effect.gen(function*() {
          yield* file.seek(range.start, "start")
          for (let start = 0; start < bytes.length; start += slice) {
            yield* file.writeAll(bytes.subarray(start, start + slice))
          }
          yield* records.writeAll(utf8.encode(`\n${keyOf(range)} ${treeHash}\n`))
        })).pipe(
          // An interruption would close the files under a write that is still under way.
          Effect.uninterruptible
        ),
    complete: Effect.fnUntraced(function*(size) {
      yield* use(partial, (file) => Effect.zipRight(file.truncate(size), file.sync))
      yield* fs.rename(partial, path)
      yield* Folder.sync(fs, Folder.of(path))
      yield* Effect.ignore(fs.remove(checkpoint))
    }, Effect.uninterruptible)
  }
})
