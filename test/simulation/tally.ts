/** The sum of many simulations. */
import type * as Scenario from "./scenario.ts"

/** A scenario that failed. */
export interface Failure {
  readonly scenario: Scenario.Scenario
  readonly problems: ReadonlyArray<string>
}

export interface Tally {
  readonly seeds: number
  readonly requests: number
  readonly bytes: number
  /** The number of faults of each kind. */
  readonly faults: Readonly<Record<string, number>>
  readonly crashes: number
  readonly wrongBytes: number
  readonly orphans: number
  readonly duplicates: number
  /** The retrieval jobs that were started and paid for. */
  readonly jobs: number
  /** The jobs that should not have been started. */
  readonly extraJobs: number
  readonly maxAttempts: number
  readonly failures: ReadonlyArray<Failure>
}

export const none: Tally = {
  seeds: 0,
  requests: 0,
  bytes: 0,
  faults: {},
  crashes: 0,
  wrongBytes: 0,
  orphans: 0,
  duplicates: 0,
  jobs: 0,
  extraJobs: 0,
  maxAttempts: 0,
  failures: []
}

/** Adds two tallies. */
export const add = (one: Tally, other: Tally): Tally => ({
  seeds: one.seeds + other.seeds,
  requests: one.requests + other.requests,
  bytes: one.bytes + other.bytes,
  faults: Object.entries(other.faults).reduce(
    (sum, [kind, count]) => ({ ...sum, [kind]: (sum[kind] ?? 0) + count }),
    one.faults
  ),
  crashes: one.crashes + other.crashes,
  wrongBytes: one.wrongBytes + other.wrongBytes,
  orphans: one.orphans + other.orphans,
  duplicates: one.duplicates + other.duplicates,
  jobs: one.jobs + other.jobs,
  extraJobs: one.extraJobs + other.extraJobs,
  maxAttempts: Math.max(one.maxAttempts, other.maxAttempts),
  failures: [...one.failures, ...other.failures]
})
