/**
 * How long the service takes.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import type * as Jobs from "../../protocol/Jobs.ts"

/** The last date there is: an infinite delay must still be written as JSON. */
const never = 8.64e15

const after = (delay: Duration.Duration) => (now: number): number => Math.min(now + Duration.toMillis(delay), never)

/** A retrieval of an archive goes by its tier. */
export type Kind = Jobs.Tier | "Inventory"

/** How long jobs take: all the same, or by their kind. */
export type JobDelay = Duration.DurationInput | { readonly [K in Kind]?: Duration.DurationInput | undefined }

export interface Delays {
  /** When an inventory shows what is written at a time. */
  readonly inventoryAt: (now: number) => number
  /** When a job initiated at a time is complete. */
  readonly completesAt: (now: number, kind: Kind) => number
}

const byDefault = {
  Expedited: Duration.minutes(5),
  Standard: Duration.hours(4),
  Bulk: Duration.hours(8),
  Inventory: Duration.hours(4)
}

const isOne = (delay: JobDelay): delay is Duration.DurationInput =>
  typeof delay !== "object" || Array.isArray(delay) || Duration.isDuration(delay)

/** Delays of one's own; kinds that are left out take what is usual. */
export const make = (inventory: Duration.DurationInput, job: JobDelay = {}): Delays => ({
  inventoryAt: after(Duration.decode(inventory)),
  completesAt: (now, kind) => after(Duration.decode(isOne(job) ? job : job[kind] ?? byDefault[kind]))(now)
})
