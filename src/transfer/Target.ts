/**
 * The place of a file that is to be downloaded, in a folder that others may have put things in.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TreeHash } from "../protocol/TreeHash.ts"
import type { FileLockError, FileReplaced } from "./FileLock.ts"
import * as Folder from "./internal/folder.ts"
import * as PartialFile from "./internal/partialFile.ts"
import * as RegularFile from "./RegularFile.ts"
import * as SafePath from "./SafePath.ts"

/**
 * Why a file cannot be written:
 *
 * - `exists`: a file or a link is there already.
 * - `folder`, `device`, `pipe`, `socket`, `unknown`: what is there, or what a symbolic link there points to, is not a file.
 * - `link`: a symbolic link is there that points to nothing.
 * - `outside`: a symbolic link on the way leads out of the directory.
 * - `missing`: there is no such folder.
 * - `unwritable`: the folder cannot be written to.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason =
  | "exists"
  | RegularFile.Other
  | "link"
  | "outside"
  | "missing"
  | "unwritable"

const because: Readonly<Record<Reason, string>> = {
  exists: "something is there already",
  folder: "a folder is there",
  device: "a device is there",
  pipe: "a named pipe is there",
  socket: "a socket is there",
  unknown: "what is there is not a file",
  link: "a symbolic link is there that points to nothing",
  outside: "a symbolic link on the way leads out of the directory",
  missing: "its folder does not exist",
  unwritable: "its folder cannot be written to"
}

/**
 * A file must not, or cannot, be written there.
 *
 * @since 0.1.0
 * @category errors
 */
export class TargetRejected extends Data.TaggedError("TargetRejected")<{
  readonly path: string
  readonly reason: Reason
}> {
  override get message(): string {
    return `${this.path} is not written: ${because[this.reason]}`
  }
}

/**
 * Why a download cannot write its target.
 *
 * @since 0.1.0
 * @category errors
 */
export type TargetError = TargetRejected | FileLockError | FileReplaced

const isLink = (fs: FileSystem.FileSystem, path: string): Effect.Effect<boolean> => Effect.isSuccess(fs.readLink(path))

/**
 * Checks that a download can write a file to a path, and returns the path with the real path of its folder. A file that is
 * there would be replaced. A symbolic link to a file would be replaced, too, and the file that it points to stays as it
 * is. `Job.outputToFile` checks this before it fetches anything; check it yourself before you pay for the job.
 *
 * Fails with `TargetRejected` when anything else is there, or when the folder does not exist or cannot be written to; and
 * with `FileInUse` while another download writes there.
 *
 * @since 0.1.0
 * @category constructors
 */
export const check: (
  path: string
) => Effect.Effect<string, TargetRejected | FileLockError | PlatformError.PlatformError, FileSystem.FileSystem> = Effect
  .fn(
    "Target.check"
  )(function*(path) {
    const fs = yield* FileSystem.FileSystem
    const refuse = (reason: Reason) => () => new TargetRejected({ path, reason })
    const target = yield* Effect.catchIf(Folder.locate(fs, path), Folder.isNotFound, refuse("missing"))
    const found = yield* Effect.catchAll(Effect.asSome(fs.stat(target)), (error) =>
      Effect.if(isLink(fs, target), {
        onTrue: refuse("link"),
        onFalse: () => Folder.isNotFound(error) ? Effect.succeedNone : Effect.fail(error)
      }))
    const other = Option.flatMap(found, RegularFile.otherOf)
    if (Option.isSome(other)) return yield* refuse(other.value)()
    yield* Effect.mapError(fs.access(Folder.of(target), { writable: true }), refuse("unwritable"))
    yield* PartialFile.checkFree(target)
    return target
  })

/**
 * How to prepare a target.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whether a file that is there, or a symbolic link to a file, may be replaced. Default: no. */
  readonly overwrite?: boolean | undefined
}

/**
 * Makes the folders on the way to a file below a directory, and gives the real path of the file, for `Job.outputToFile`.
 * Symbolic links are followed within the directory only. A link in the place of the file counts as something that is
 * there; a download replaces it and not what it points to.
 *
 * Fails with `UnsafePath` when the path was accepted for another platform than this one. It looks once: who may write to
 * the directory can change it afterwards. Two archives of one name are told by `SafePath.collisions` beforehand.
 *
 * @since 0.1.0
 * @category constructors
 */
export const prepare: (
  directory: string,
  path: SafePath.SafePath,
  options?: Options
) => Effect.Effect<
  string,
  TargetRejected | FileLockError | SafePath.UnsafePath | PlatformError.PlatformError,
  FileSystem.FileSystem | Path.Path
> = Effect.fn("Target.prepare")(function*(directory, path, options = {}) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  yield* SafePath.make(path, paths.sep === "\\" ? "windows" : "posix")
  yield* fs.makeDirectory(directory, { recursive: true })
  const root = yield* fs.realPath(directory)
  let folder = root
  for (const name of path.split("/").slice(0, -1)) {
    const next = paths.join(folder, name)
    yield* Effect.catchIf(
      fs.makeDirectory(next),
      (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
      () => Effect.void
    )
    folder = (yield* isLink(fs, next)) ? yield* fs.realPath(next) : next
    const below = paths.relative(root, folder)
    if (below.split(paths.sep)[0] === ".." || paths.isAbsolute(below)) {
      return yield* new TargetRejected({ path: next, reason: "outside" })
    }
  }

  const target = paths.join(folder, paths.basename(path))
  const isFolder = Effect.map(fs.stat(target), ({ type }) => type === "Directory")
  const isTaken = (yield* isLink(fs, target)) || ((yield* fs.exists(target)) && !(yield* isFolder))
  if (isTaken && options.overwrite !== true) return yield* new TargetRejected({ path: target, reason: "exists" })
  return yield* check(target)
})

/**
 * Ends a download that was cut off when its file had its name already: removes what it has left beside the file, and
 * fsyncs the folder. `treeHash` is that of the file, which is taken to be whole. What belongs to a download that still
 * runs, in this process or another, stays.
 *
 * @since 0.1.0
 * @category combinators
 */
export const finish: (
  path: string,
  treeHash: TreeHash
) => Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem> = Effect.fn("Target.finish")(
  function*(path, treeHash) {
    const fs = yield* FileSystem.FileSystem
    const target = yield* Folder.locate(fs, path)
    yield* PartialFile.discard(target, treeHash)
    yield* Folder.sync(fs, Folder.of(target))
  }
)
