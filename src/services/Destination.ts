/**
 * Destinations of retrieved archives: a directory (`directory`), an object store (`S3Destination` of `effect-glacier/s3`), or
 * your own. `RetrievalPlan.run` gives each archive to a destination, and keeps its proof in the checkpoint.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "../protocol/GlacierError.ts"
import type { Entry } from "../protocol/Inventory.ts"
import { TreeHash } from "../protocol/TreeHash.ts"
import * as Download from "../transfer/Download.ts"
import type { OnProgress } from "../transfer/Progress.ts"
import type * as SafePath from "../transfer/SafePath.ts"
import type * as Target from "../transfer/Target.ts"
import * as Directory from "./internal/directory.ts"
import type * as Job from "./Job.ts"

/**
 * A record that a destination has a verified copy of an archive.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Proof = Schema.Struct({
  /** The place of the copy: an absolute path, or a location such as `s3://bucket/a.txt`. */
  location: Schema.String,
  /** The size in bytes. */
  size: Schema.NonNegativeInt,
  /** The tree hash of all bytes, which the writer has computed itself. */
  treeHash: TreeHash,
  /** The destination's own checksums by their names, such as `etag`. */
  checksums: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** The time at which the copy was complete, or was found. */
  date: Schema.DateTimeUtc
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Proof = typeof Proof.Type

/**
 * An archive and its path in the destination.
 *
 * @since 0.1.0
 * @category models
 */
export interface Archive extends Entry {
  readonly path: SafePath.SafePath
}

/**
 * A destination. `E` is the error of its work on an archive.
 *
 * @since 0.1.0
 * @category models
 */
export interface Destination<out E = never, out R = never> {
  /**
   * Returns the proof of an archive that is in the destination already. Returns none if the destination will take the archive.
   * Fails if it cannot: then no job is paid for. It runs before a job is started or reused.
   */
  readonly find: (archive: Archive) => Effect.Effect<Option.Option<Proof>, E, R>
  /**
   * Stores the output of a job that has succeeded, and returns the proof. It must read the output by the methods of the job,
   * which verify each byte, and must not show a copy before all bytes are verified.
   *
   * After an interruption, a failure or a crash it runs again for the same archive, perhaps with another job. The archives of
   * a plan have different paths.
   */
  readonly store: (
    archive: Archive,
    job: Job.Service,
    onProgress: OnProgress
  ) => Effect.Effect<Proof, E | Job.OutputError, R>
  /**
   * Returns whether the destination still has the copy of a proof. It runs before an archive is deleted because of its proof.
   */
  readonly verify: (archive: Archive, proof: Proof) => Effect.Effect<boolean, E, R>
}

/**
 * Options of a directory.
 *
 * @since 0.1.0
 * @category models
 */
export interface DirectoryOptions {
  /** Replaces an existing file with other bytes. Default: no, the archive fails. */
  readonly overwrite?: boolean | undefined
  /**
   * Sets the modification time of a file to the one that `ArchiveName.read` finds in the description, if there is one.
   * Otherwise a file has the time of its download. Default: yes.
   */
  readonly keepModified?: boolean | undefined
  /** The options of each download. */
  readonly download?: Omit<Download.Options, "onProgress" | "treeHash"> | undefined
}

/**
 * The errors of storing an archive in a directory.
 *
 * @since 0.1.0
 * @category errors
 */
export type DirectoryError = Target.TargetError | SafePath.UnsafePath | PlatformError.PlatformError

/**
 * Makes a destination of a directory, which need not exist. Each archive becomes a file at its path. A file appears only when
 * it is complete and verified. A file that exists already counts only if its bytes have the tree hash of the archive, so it
 * is read.
 *
 * Fails with `InvalidInput` when the options of the downloads are invalid.
 *
 * @since 0.1.0
 * @category constructors
 */
export const directory = (
  path: string,
  options: DirectoryOptions = {}
): Effect.Effect<Destination<DirectoryError, FileSystem.FileSystem | Path.Path>, InvalidInput> =>
  Effect.as(
    Download.check(options.download ?? {}),
    Directory.make({
      path,
      overwrite: options.overwrite ?? false,
      keepModified: options.keepModified ?? true,
      download: options.download ?? {}
    })
  )
