/**
 * Locks that give a file one owner: the target of a download, or a checkpoint. The default lock knows the owners in this
 * process only; `effect-glacier/node` provides a lock that all processes see.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { errorClass } from "../protocol/ErrorClass.ts"

/**
 * Another download, upload or program uses the file. The file was not changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class FileInUse extends errorClass<FileInUse>()("FileInUse", {
  /** The file, with the real path of its folder. */
  path: Schema.String,
  /** The process that uses it, for instance `this process`, `process 4711` or `process 4711 on host backup-1`. */
  owner: Schema.String,
  /** The path to remove when the owner no longer runs but its lock still exists. */
  lock: Schema.optional(Schema.String)
}) {
  override get message(): string {
    const hint = this.lock === undefined ? "" : `. If that process no longer runs, remove ${this.lock}`
    return `${this.path} is in use by ${this.owner}${hint}`
  }
}

/**
 * The lock cannot be taken, so it is unknown whether another process uses the file.
 *
 * @since 0.1.0
 * @category errors
 */
export class FileLockFailed extends errorClass<FileLockFailed>()("FileLockFailed", {
  /** The file, with the real path of its folder. */
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.path} cannot be locked: ${this.problem}`
  }
}

/**
 * The errors of taking a lock.
 *
 * @since 0.1.0
 * @category errors
 */
export type FileLockError = FileInUse | FileLockFailed

/**
 * Another process removed or replaced the partial file of a download. This can happen only when that process does not see
 * the lock. The target was not written.
 *
 * @since 0.1.0
 * @category errors
 */
export class FileReplaced extends errorClass<FileReplaced>()("FileReplaced", {
  /** The target of the download, with the real path of its folder. */
  path: Schema.String,
  /** The file that was removed or replaced. */
  partial: Schema.String
}) {
  override get message(): string {
    return `${this.path} is not written: another process removed or replaced ${this.partial} during the download. ` +
      "Start the download again when no other process writes there"
  }
}

/**
 * A service that takes locks.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Owns the file at `path` until the Scope ends. `lock` is the path for a lock that other processes see. Both paths start
   * with the real path of their folder. Fails at once when the file has another owner.
   */
  readonly acquire: (path: string, lock: string) => Effect.Effect<void, FileLockError, Scope.Scope>
}

/**
 * Makes a lock that only users of the same value see, so it works within one process.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeInProcess = (): Service => {
  const owned = new Set<string>()
  return {
    acquire: (path, lock) =>
      Effect.acquireRelease(
        Effect.suspend(() =>
          owned.has(lock) ? new FileInUse({ path, owner: "this process" }) : Effect.sync(() => void owned.add(lock))
        ),
        () => Effect.sync(() => owned.delete(lock))
      )
  }
}

/**
 * The lock in use. The default is shared by the whole process, and other processes do not see it. `NodeGlacier.layer`,
 * `NodeEmulator.layer` and `NodeCheckpoint.layer` of `effect-glacier/node` provide `NodeFileLock.layer`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { FileLock } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // Fails with FileInUse while another part of the program runs this
 * const alone = Effect.scoped(Effect.gen(function*() {
 *   const { acquire } = yield* FileLock.FileLock
 *   yield* acquire("/data/report.csv", "/data/report.csv.lock")
 *   yield* Effect.log("The report is ours")
 * }))
 */
export class FileLock extends Context.Reference<FileLock>()("effect-glacier/FileLock", {
  defaultValue: makeInProcess
}) {}
