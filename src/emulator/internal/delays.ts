/**
 * The delays of the emulator: the inventory lag, how long jobs take, and when jobs, uploads and locks expire.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import type * as Jobs from "../../protocol/Jobs.ts"
import * as Limits from "../../protocol/Limits.ts"

export const dayMillis = 86_400_000

/** The latest date of JavaScript. An infinite delay ends then, because JSON has no infinite numbers. */
const latestTime = 8.64e15

/** One duration for all kinds, or a duration for each kind, with defaults for those left out. */
export type Durations<K extends string> =
  | Duration.DurationInput
  | { readonly [P in K]?: Duration.DurationInput | undefined }

/** The kinds of jobs by how long they take. Retrievals of archives differ by tier. */
export type JobKind = Jobs.Tier | "Inventory"

/** The things that expire. */
export type Expiry = "Job" | "Upload" | "Lock"

/** Computes times in epoch milliseconds. */
export interface Delays {
  /** Returns when inventories show a write that is made now. */
  readonly afterInventoryLag: (now: number) => number
  /** Returns when a job that is initiated now is complete. */
  readonly completesAt: (now: number, kind: JobKind) => number
  /** Returns when a job that completes now, an upload whose part is stored now, or a lock initiated now expires. */
  readonly expiresAt: (now: number, kind: Expiry) => number
}

const defaultJobDelays = {
  Expedited: Duration.minutes(5),
  Standard: Duration.hours(4),
  Bulk: Duration.hours(8),
  Inventory: Duration.hours(4)
}

const lifetime = Duration.millis(Limits.lifetimeMillis)

const defaultLifetimes = { Job: lifetime, Upload: lifetime, Lock: lifetime }

const isSingle = <K extends string>(durations: Durations<K>): durations is Duration.DurationInput =>
  typeof durations !== "object" || Array.isArray(durations) || Duration.isDuration(durations)

const after = (now: number, delay: Duration.DurationInput): number =>
  Math.min(now + Duration.toMillis(delay), latestTime)

/** Builds the delays from the options of the emulator. */
export const make = (options: {
  readonly inventoryLag: Duration.DurationInput
  readonly job?: Durations<JobKind> | undefined
  readonly expiry?: Durations<Expiry> | undefined
}): Delays => {
  const { expiry = {}, inventoryLag, job = {} } = options
  return {
    afterInventoryLag: (now) => after(now, inventoryLag),
    completesAt: (now, kind) => after(now, isSingle(job) ? job : job[kind] ?? defaultJobDelays[kind]),
    expiresAt: (now, kind) => after(now, isSingle(expiry) ? expiry : expiry[kind] ?? defaultLifetimes[kind])
  }
}
