/** A vault is emptied and deleted through faults and deaths of the program, while other programs write to it. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isFull } from "../support/full.ts"
import { run } from "./decommission.ts"
import { make } from "./decommissionScenario.ts"

const seeds = isFull ? 200 : 25

describe("a decommission", () => {
  it.live(
    `deletes each vault of ${seeds} seeds, no archive without a proof, and no open upload [W2]`,
    () =>
      Effect.gen(function*() {
        let deaths = 0
        let stops = 0
        let rounds = 0
        const failures = new Array<string>()
        for (let seed = 1; seed <= seeds; seed++) {
          const result = yield* run(make(seed))
          deaths += result.deaths
          stops += result.stops.length
          rounds += result.rounds
          if (result.problems.length > 0) failures.push(`seed ${seed}: ${result.problems.join("; ")}`)
        }
        expect(failures).toEqual([])
        expect(deaths).toBeGreaterThanOrEqual(2 * seeds)
        expect(stops).toBeGreaterThanOrEqual(0.4 * seeds)
        expect(rounds).toBeGreaterThanOrEqual(seeds)
      }),
    isFull ? 1_800_000 : 240_000
  )

  it.live("ends in the same way whenever a seed is repeated [W2]", () =>
    Effect.gen(function*() {
      const [first, second] = yield* Effect.all([run(make(3)), run(make(3))])
      expect(second.events.map(({ _tag }) => _tag)).toEqual(first.events.map(({ _tag }) => _tag))
      expect(second.stops).toEqual(first.stops)
    }))
})
