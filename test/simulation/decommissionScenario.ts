/** Scenarios of a decommission: a vault, what other programs do with it meanwhile, the faults, and when the program dies. */
import { PCGRandom } from "effect/Utils"
import { type Fate, fates } from "../policy/support.ts"

/** When the program dies: in a write of its checkpoint, or in a request, before or after the service has executed it. */
export type Death =
  | { readonly writes: number; readonly fate: Fate }
  | { readonly requests: number; readonly responded: boolean }

export interface Scenario {
  readonly seed: number
  readonly archives: number
  /** The number of archives for which there is no proof at first. */
  readonly unproven: number
  /** The times at which another program stores an archive, in hours from the start. */
  readonly stragglers: ReadonlyArray<number>
  /** The time at which another program opens an upload. */
  readonly upload: number | undefined
  readonly concurrency: number
  /** The rate of faults of requests. */
  readonly faults: number
  readonly deaths: ReadonlyArray<Death>
}

/** A disk that loses writes that it has acknowledged is not part of these scenarios. */
const honest = fates.filter((fate) => fate !== "lost")

/** Makes the scenario of a seed. */
export const make = (seed: number): Scenario => {
  const random = new PCGRandom(seed)
  const hour = () => random.number() * 80
  const list = <A>(most: number, element: () => A) => Array.from({ length: random.integer(most + 1) }, element)
  const archives = random.integer(16)
  return {
    seed,
    archives,
    unproven: random.integer(3) === 0 ? random.integer(archives + 1) : 0,
    stragglers: random.integer(2) === 0 ? list(4, hour) : [],
    upload: random.integer(4) === 0 ? hour() : undefined,
    concurrency: 1 + random.integer(6),
    faults: random.integer(2) === 0 ? 0 : random.number() * 0.2,
    deaths: list(8, () =>
      random.integer(3) === 0
        ? { writes: 1 + random.integer(12), fate: honest[random.integer(honest.length)] ?? "whole" }
        : { requests: 1 + random.integer(25), responded: random.integer(2) === 0 })
  }
}
