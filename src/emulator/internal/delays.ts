/**
 * How long the service takes, and how long it keeps.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import type * as Jobs from "../../protocol/Jobs.ts"
import * as Limits from "../../protocol/Limits.ts"

/** The last date there is: an infinite delay must still be written as JSON. */
const never = 8.64e15

/** One duration for all, or one for each; each may be left out. */
export type Durations<K extends string> =
  | Duration.DurationInput
  | { readonly [P in K]?: Duration.DurationInput | undefined }

/** A retrieval of an archive goes by its tier. */
export type JobKind = Jobs.Tier | "Inventory"

/** What does not last. */
export type Expiry = "Job" | "Upload" | "Lock"

export interface Delays {
  /** When an inventory shows what is written at a time. */
  readonly afterInventoryLag: (now: number) => number
  /** When a job initiated at a time is complete. */
  readonly completesAt: (now: number, kind: JobKind) => number
  /** When a job completed, an upload last written or a lock initiated at a time is gone. */
  readonly expiresAt: (now: number, what: Expiry) => number
}

const delays = {
  Expedited: Duration.minutes(5),
  Standard: Duration.hours(4),
  Bulk: Duration.hours(8),
  Inventory: Duration.hours(4)
}

const lifetime = Duration.millis(Limits.lifetimeMillis)

const lifetimes = { Job: lifetime, Upload: lifetime, Lock: lifetime }

const isSingle = <K extends string>(each: Durations<K>): each is Duration.DurationInput =>
  typeof each !== "object" || Array.isArray(each) || Duration.isDuration(each)

const after = (now: number, delay: Duration.DurationInput): number => Math.min(now + Duration.toMillis(delay), never)

/** Durations of one's own; those that are left out are as usual. */
export const make = (options: {
  readonly inventoryLag: Duration.DurationInput
  readonly job?: Durations<JobKind> | undefined
  readonly expiry?: Durations<Expiry> | undefined
}): Delays => {
  const { expiry = {}, inventoryLag, job = {} } = options
  return {
    afterInventoryLag: (now) => after(now, inventoryLag),
    completesAt: (now, kind) => after(now, isSingle(job) ? job : job[kind] ?? delays[kind]),
    expiresAt: (now, what) => after(now, isSingle(expiry) ? expiry : expiry[what] ?? lifetimes[what])
  }
}
