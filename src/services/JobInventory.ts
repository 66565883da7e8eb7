/**
 * An inventory that a job has fetched: which archives were in a vault when the service last took its inventory, which it
 * does about once a day. It is read entry by entry.
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
 * What reading the archives can fail with, besides what is done about entries that cannot be read.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadError = Download.DownloadError | MalformedInventory

/**
 * How to read the archives of an inventory: windows are of 4 MiB unless told otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions<E, R> extends Download.Options {
  /**
   * What to do about an entry that cannot be read. Without it the Stream fails with the first; with an Effect that logs
   * or gathers them the others are still read.
   */
  readonly onMalformed?: ((entry: MalformedEntry) => Effect.Effect<void, E, R>) | undefined
}

/**
 * What there is to know of any inventory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Common {
  readonly vaultArn: string
  readonly format: typeof InventoryFormat.Type
  /** Bytes of the document. */
  readonly size: number
  /** There is no tree hash for inventories: what is checked is that all bytes came, each from its place. */
  readonly verification: Extract<Download.Verification, "size">
  /**
   * When the service took it: what was stored or deleted since is not in it. A document in CSV does not say; then all
   * that is known is that it was before the job was done.
   */
  readonly inventoryDate: Option.Option<DateTime.Utc>
  /** How long ago that was. */
  readonly age: Effect.Effect<Option.Option<Duration.Duration>>
  /**
   * The archives, in the order of the document, in memory that does not grow with their number. Fetched in windows: a
   * connection that breaks costs one.
   */
  readonly archives: <E = MalformedEntry, R = never>(
    options?: ReadOptions<E, R>
  ) => Stream.Stream<Entry, ReadError | E, R>
}

/**
 * An inventory of the whole vault. (One that was asked for with nothing but a marker looks the same: once it has
 * succeeded, a job does not tell the marker that it began at.)
 *
 * @since 0.1.0
 * @category models
 */
export interface Full extends Common {
  readonly _tag: "Full"
}

/**
 * An inventory that was asked to list some archives only: those of some dates, or so many.
 *
 * @since 0.1.0
 * @category models
 */
export interface Partial extends Common {
  readonly _tag: "Partial"
  /** Archives created at that time or later. */
  readonly startDate: Option.Option<DateTime.Utc>
  /** Archives created before that time. */
  readonly endDate: Option.Option<DateTime.Utc>
  readonly limit: Option.Option<number>
  /** The marker to ask for the next with, when the limit left some out. */
  readonly next: Option.Option<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export type JobInventory = Full | Partial
