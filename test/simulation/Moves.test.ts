/** Moves to an object store, with random faults and crashes, and deliberate bugs that must be found. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isFull } from "../support/full.ts"
import * as Move from "./move.ts"
import { moveMutants } from "./moveMutants.ts"
import { make } from "./moveScenario.ts"

const seeds = isFull ? 120 : 5

/** The bugs that are searched for: a rare one takes many seeds. */
const searched = isFull ? moveMutants : moveMutants.slice(0, 2)

describe("a move to an object store", () => {
  it(
    `has no wrong byte, no deletion without a copy, no extra job, no replaced object and no open upload in ${seeds} seeds [I10]`,
    async () => {
      const sum = { crashes: 0, faults: 0, created: 0, jobs: 0 }
      for (let seed = 1; seed <= seeds; seed++) {
        const { problems, ...figures } = await Effect.runPromise(Move.run(make(seed)))
        expect(problems, `seed ${seed}`).toEqual([])
        for (const name of ["crashes", "faults", "created", "jobs"] as const) sum[name] += figures[name]
      }
      expect(Math.min(sum.crashes, sum.faults, sum.created, sum.jobs)).toBeGreaterThan(seeds)
    },
    1_800_000
  )

  it("runs a seed in the same way whatever ran before [I10]", async () => {
    const run = (seed: number) => Effect.runPromise(Move.run(make(seed)))
    const first = await run(3)
    await run(4)
    expect(await run(3)).toEqual(first)
  })

  it.each(searched)("is found wrong if it $name [I3]", async ({ bug, found }) => {
    let problems: ReadonlyArray<string> = []
    for (let seed = 1; seed <= 300 && !problems.some((problem) => found.test(problem)); seed++) {
      problems = (await Effect.runPromise(Move.run(make(seed), bug))).problems
    }
    expect(problems.join("; ")).toMatch(found)
  }, 600_000)
})
