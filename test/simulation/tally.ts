/** What many simulations come to. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Faults from "../../src/testing/Faults.ts"
import * as Scenario from "./scenario.ts"
import * as Simulation from "./simulation.ts"

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

const count = (steps: ReadonlyArray<Faults.Step>): Tally["faults"] => {
  const counts: Record<string, number> = {}
  for (const { fault } of steps) counts[fault] = (counts[fault] ?? 0) + 1
  return counts
}

/** Runs one. That it dies is a failure of it, too. */
export const of = async (scenario: Scenario.Scenario): Promise<Tally> => {
  const exit = await Effect.runPromiseExit(Simulation.run(scenario))
  if (Exit.isFailure(exit)) {
    return { ...none, seeds: 1, failures: [{ scenario, problems: [`it has died: ${String(exit.cause)}`] }] }
  }
  const { injected, problems, ...figures } = exit.value
  return {
    ...none,
    ...figures,
    seeds: 1,
    faults: count(injected),
    failures: problems.length === 0 ? [] : [{ scenario, problems }]
  }
}

/** The smallest scenario near one that has failed that still fails. */
export const shrunk = (scenario: Scenario.Scenario): Promise<Scenario.Scenario> =>
  Scenario.shrink(scenario, async (candidate) => {
    const exit = await Effect.runPromiseExit(Simulation.run(candidate))
    return Exit.isSuccess(exit) && exit.value.problems.length > 0 ? exit.value.injected : undefined
  })
