/** Runs simulations and counts their results. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Faults from "../../src/testing/Faults.ts"
import * as Scenario from "./scenario.ts"
import * as Simulation from "./simulation.ts"
import { none, type Tally } from "./tally.ts"

const count = (steps: ReadonlyArray<Faults.Step>): Tally["faults"] => {
  const counts: Record<string, number> = {}
  for (const { fault } of steps) counts[fault] = (counts[fault] ?? 0) + 1
  return counts
}

/** Runs a scenario. A defect is a failure, too. */
export const run = async (scenario: Scenario.Scenario): Promise<Tally> => {
  const exit = await Effect.runPromiseExit(Simulation.run(scenario))
  if (Exit.isFailure(exit)) {
    return { ...none, seeds: 1, failures: [{ scenario, problems: [`the simulation died: ${String(exit.cause)}`] }] }
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

/** Finds the smallest scenario near a failing one that still fails. */
export const shrunk = (scenario: Scenario.Scenario): Promise<Scenario.Scenario> =>
  Scenario.shrink(scenario, async (candidate) => {
    const exit = await Effect.runPromiseExit(Simulation.run(candidate))
    return Exit.isSuccess(exit) && exit.value.problems.length > 0 ? exit.value.injected : undefined
  })
