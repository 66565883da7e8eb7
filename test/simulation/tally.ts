/** What many simulations come to. */
import type * as Scenario from "./scenario.ts"

/** A scenario that has failed. */
export interface Failure {
  readonly scenario: Scenario.Scenario
  readonly problems: ReadonlyArray<string>
}

export interface Tally {
  readonly seeds: number
  readonly requests: number
  readonly bytes: number
  /** How often each kind of fault has struck. */
  readonly faults: Readonly<Record<string, number>>
  readonly crashes: number
  readonly wrongBytes: number
  readonly orphans: number
  readonly duplicates: number
  /** Retrievals of archives that were paid for. */
  readonly jobs: number
  /** Those of them that were one too many. */
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

/** Two tallies as one. */
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
