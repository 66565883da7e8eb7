/**
 * The inventory that a job has retrieved: the archives that were in the vault when the service last took its inventory,
 * which it does about once a day.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { MalformedEntry, MalformedInventory } from "../protocol/GlacierError.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { InventoryFormat } from "../protocol/Jobs.ts"
import type * as Download from "../transfer/Download.ts"

/**
 * The errors of reading the archives, except those of `onMalformed`.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadError = Download.DownloadError | MalformedInventory

/**
 * Options for reading the archives of an inventory. The default window size is 4 MiB.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions<E, R> extends Download.Options {
  /**
   * Handles an entry that cannot be decoded, for instance by logging it. The Stream continues with the next entry. Without this
   * option it fails at the first such entry.
   */
  readonly onMalformed?: ((entry: MalformedEntry) => Effect.Effect<void, E, R>) | undefined
}

/**
 * The members of every inventory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Common {
  readonly vaultArn: string
  readonly format: typeof InventoryFormat.Type
  /** The size of the document in bytes. */
  readonly size: number
  /** Inventories have no tree hash: only their size and the position of each window are verified. */
  readonly verification: Extract<Download.Verification, "size">
  /**
   * The time at which the service took the inventory. Archives that were stored or deleted later are missing or still listed.
   * None for a CSV document, which has no date; it was taken before the job completed.
   */
  readonly inventoryDate: Option.Option<DateTime.Utc>
  /** The time since `inventoryDate`. */
  readonly age: Effect.Effect<Option.Option<Duration.Duration>>
  /**
   * Streams the archives in the order of the document. Memory does not grow with their number. Fetches the document in windows,
   * so that a broken connection costs one window.
   */
  readonly archives: <E = MalformedEntry, R = never>(
    options?: ReadOptions<E, R>
  ) => Stream.Stream<Entry, ReadError | E, R>
}

/**
 * An inventory of the whole vault. (An inventory that was requested with only a marker looks the same: DescribeJob does not
 * report the marker of a succeeded job.)
 *
 * @since 0.1.0
 * @category models
 */
export interface Full extends Common {
  readonly _tag: "Full"
}

/**
 * An inventory that was requested for some dates or with a limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Partial extends Common {
  readonly _tag: "Partial"
  /** The archives were created at this time or later. */
  readonly startDate: Option.Option<DateTime.Utc>
  /** The archives were created before this time. */
  readonly endDate: Option.Option<DateTime.Utc>
  readonly limit: Option.Option<number>
  /** The marker for the next inventory job, when the limit has left archives out. */
  readonly next: Option.Option<string>
}

/**
 * The inventory of a job.
 *
 * @since 0.1.0
 * @category models
 */
export type JobInventory = Full | Partial
