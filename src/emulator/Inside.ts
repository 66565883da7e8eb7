/**
 * What is in the emulator, read past its API: nothing of it waits for an inventory, and no policy hides it.
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
 * An archive: what an inventory would say of it, and its bytes.
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
  /** In the order of their bytes. */
  readonly parts: ReadonlyArray<Uploads.Part>
  /** When it is dropped, unless another part comes. */
  readonly expiresAt: DateTime.Utc
}

/**
 * A job.
 *
 * @since 0.1.0
 * @category models
 */
export interface Job extends Jobs.JobDescription {
  /** When it is or was complete. */
  readonly completesAt: DateTime.Utc
  /** When it is forgotten, and its output with it. */
  readonly expiresAt: DateTime.Utc
}

/**
 * A vault, each of its lists oldest first.
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
  /** Takes an inventory now, of what is there when this is run. */
  readonly takeInventory: Effect.Effect<void, EmulatorStorageError>
}
