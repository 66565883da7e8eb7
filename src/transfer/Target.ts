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
import type { TreeHash } from "../protocol/TreeHash.ts"
import * as Folder from "./internal/folder.ts"
import * as PartialFile from "./internal/PartialFile.ts"
import * as SafePath from "./SafePath.ts"

/**
 * Why a file cannot have its place: `exists`, something has it already; `folder`, a folder has it; `outside`, a symbolic
 * link on the way leads out of the directory.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = "exists" | "folder" | "outside"

const because: Readonly<Record<Reason, string>> = {
  exists: "something is there already",
  folder: "a folder is there",
  outside: "a symbolic link on the way leads out of the directory"
}

/**
 * A file must not be written there.
 *
 * @since 0.1.0
 * @category errors
 */
export class TargetRefused extends Data.TaggedError("TargetRefused")<{
  readonly path: string
  readonly reason: Reason
}> {
  override get message(): string {
    return `${this.path} is not written: ${because[this.reason]}`
  }
}

/**
 * How to prepare a target.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whether what is there, unless it is a folder, may be replaced. Default: no. */
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
  TargetRefused | SafePath.UnsafePath | PlatformError.PlatformError,
  FileSystem.FileSystem | Path.Path
> = Effect.fn("Target.prepare")(function*(directory, path, options = {}) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const isLink = (path: string) => Effect.isSuccess(fs.readLink(path))

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
    folder = (yield* isLink(next)) ? yield* fs.realPath(next) : next
    const below = paths.relative(root, folder)
    if (below.split(paths.sep)[0] === ".." || paths.isAbsolute(below)) {
      return yield* new TargetRefused({ path: next, reason: "outside" })
    }
  }

  const target = paths.join(folder, paths.basename(path))
  const linked = yield* isLink(target)
  if (linked || (yield* fs.exists(target))) {
    if (!linked && (yield* fs.stat(target)).type === "Directory") {
      return yield* new TargetRefused({ path: target, reason: "folder" })
    }
    if (options.overwrite !== true) return yield* new TargetRefused({ path: target, reason: "exists" })
  }
  return target
})

/**
 * Ends a download that was cut off when its file had its name already: removes what it has left beside the file, and
 * fsyncs the folder. `treeHash` is that of the file, which is taken to be whole.
 *
 * @since 0.1.0
 * @category combinators
 */
export const settle: (
  path: string,
  treeHash: TreeHash
) => Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem> = Effect.fn("Target.settle")(
  function*(path, treeHash) {
    yield* PartialFile.discard(path, treeHash)
    yield* Folder.sync(yield* FileSystem.FileSystem, Folder.of(path))
  }
)
