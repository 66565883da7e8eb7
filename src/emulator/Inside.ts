/**
 * The contents of an emulator, read directly and not through its API: without inventory lag and without the checks of
 * policies.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Inventory from "../protocol/Inventory.ts"
import type * as Jobs from "../protocol/Jobs.ts"
import type * as Uploads from "../protocol/Uploads.ts"
import type { EmulatorStorageError } from "./internal/storageError.ts"

/**
 * An archive: its entry in an inventory, and its bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Archive extends Inventory.Entry {
  readonly bytes: Effect.Effect<Uint8Array, EmulatorStorageError>
}

/**
 * A multipart upload that is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Upload extends Uploads.UploadDescription {
  /** The parts in the order of their bytes. */
  readonly parts: ReadonlyArray<Uploads.Part>
  /** When the upload expires. Each new part moves this time. */
  readonly expiresAt: DateTime.Utc
}

/**
 * A job that has not expired.
 *
 * @since 0.1.0
 * @category models
 */
export interface Job extends Jobs.JobDescription {
  /** When the job ends or ended. */
  readonly completesAt: DateTime.Utc
  /** When the job and its output are removed. */
  readonly expiresAt: DateTime.Utc
}

/**
 * A vault. Each of its lists has the oldest item first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Vault {
  readonly vaultName: string
  readonly vaultArn: string
  readonly archives: ReadonlyArray<Archive>
  readonly uploads: ReadonlyArray<Upload>
  readonly jobs: ReadonlyArray<Job>
  /** Takes an inventory of the vault now, without waiting for the inventory lag. */
  readonly takeInventory: Effect.Effect<void, EmulatorStorageError>
}
