/**
 * Targets of downloads: checks that a file can be written to a path, and prepares the folders of a path from a description.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { errorClass } from "../protocol/ErrorClass.ts"
import type { TreeHash } from "../protocol/TreeHash.ts"
import type { FileLockError, FileReplaced } from "./FileLock.ts"
import * as Folder from "./internal/folder.ts"
import * as PartialFile from "./internal/partialFile.ts"
import * as RegularFile from "./RegularFile.ts"
import * as SafePath from "./SafePath.ts"

/**
 * Why a file cannot be written to a path:
 *
 * - `exists`: a file or a symbolic link already exists there.
 * - `folder`, `device`, `pipe`, `socket`, `unknown`: the path, or the symbolic link there, leads to something that is not a
 *   regular file.
 * - `link`: a symbolic link there points to nothing.
 * - `outside`: a symbolic link in the path leads out of the directory.
 * - `missing`: the folder does not exist.
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
  exists: "a file or a symbolic link already exists there",
  folder: "a folder exists there",
  device: "a device exists there",
  pipe: "a named pipe exists there",
  socket: "a socket exists there",
  unknown: "something that is not a file exists there",
  link: "a symbolic link there points to nothing",
  outside: "a symbolic link in the path leads out of the directory",
  missing: "its folder does not exist",
  unwritable: "its folder cannot be written to"
}

/**
 * A file cannot, or must not, be written to a path. Nothing was changed there.
 *
 * @since 0.1.0
 * @category errors
 */
export class TargetRejected extends errorClass<TargetRejected>()("TargetRejected", {
  path: Schema.String,
  reason: Schema.Literal(...Struct.keys(because))
}) {
  override get message(): string {
    return `${this.path} is not written: ${because[this.reason]}`
  }
}

/**
 * The errors of a download that cannot write its target.
 *
 * @since 0.1.0
 * @category errors
 */
export type TargetError = TargetRejected | FileLockError | FileReplaced

const isLink = (fs: FileSystem.FileSystem, path: string): Effect.Effect<boolean> => Effect.isSuccess(fs.readLink(path))

/**
 * Checks that a download can write a file to a path, and returns the path with the real path of its folder.
 * `Job.outputToFile` checks this before it fetches anything; check it yourself before you pay for the job.
 *
 * A download replaces a file that exists at the path. It also replaces a symbolic link to a file, and does not change the
 * file that the link points to.
 *
 * Fails with `TargetRejected` when something else exists at the path, or when the folder does not exist or cannot be written
 * to. Fails with `FileInUse` while another download writes to the path.
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
    const reject = (reason: Reason) => () => new TargetRejected({ path, reason })
    const target = yield* Effect.catchIf(Folder.locate(fs, path), Folder.isNotFound, reject("missing"))
    const found = yield* Effect.catchAll(Effect.asSome(fs.stat(target)), (error) =>
      Effect.if(isLink(fs, target), {
        onTrue: reject("link"),
        onFalse: () => Folder.isNotFound(error) ? Effect.succeedNone : Effect.fail(error)
      }))
    const other = Option.flatMap(found, RegularFile.otherOf)
    if (Option.isSome(other)) return yield* reject(other.value)()
    yield* Effect.mapError(fs.access(Folder.of(target), { writable: true }), reject("unwritable"))
    yield* PartialFile.checkFree(target)
    return target
  })

/**
 * The options of `prepare`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whether an existing file, or a symbolic link to a file, may be replaced. Default: false. */
  readonly overwrite?: boolean | undefined
}

/**
 * Creates the folders of a path below a directory, and returns the real path of the file, for `Job.outputToFile`. Follows
 * symbolic links only within the directory. A symbolic link at the path itself counts as an existing file: a download
 * replaces the link, and does not change the file that it points to.
 *
 * Fails with `TargetRejected` when the file cannot, or must not, be written. Fails with `UnsafePath` when the path was
 * accepted for another platform than this one.
 *
 * It checks once: a program that can write to the directory may change it afterwards. It does not detect two archives with
 * the same path: use `SafePath.collisions` for that.
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
 * Finishes a download that ended after its file was renamed to the target: removes the files that it left beside the target,
 * and fsyncs the folder. `treeHash` is the tree hash of the target, which is assumed to be complete. Keeps the files of a
 * download that still runs, in this process or another.
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
