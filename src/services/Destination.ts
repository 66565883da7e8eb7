/**
 * Destinations of retrieved archives: a directory (`directory`), an object store (`S3Destination` of `effect-glacier/s3`), or
 * your own. `RetrievalPlan.run` gives each archive to a destination, and keeps its proof in the checkpoint.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Entry } from "../protocol/Inventory.ts"
import type { VaultName } from "../protocol/Names.ts"
import { TreeHash } from "../protocol/TreeHash.ts"
import type { OnProgress } from "../transfer/Progress.ts"
import type * as SafePath from "../transfer/SafePath.ts"
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
 * An archive, its vault, and its path in the destination.
 *
 * @since 0.1.0
 * @category models
 */
export interface Archive extends Entry {
  readonly vaultName: VaultName
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
   * After an interruption, a failure or a crash it runs again for the same archive, perhaps with another job. Two archives
   * with the same path are never stored at the same time.
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
