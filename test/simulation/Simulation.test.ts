import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { isFull } from "../support/full.ts"
import { runScript } from "../support/processes.ts"
import * as Scenario from "./scenario.ts"
import * as Simulation from "./simulation.ts"
import * as Tally from "./tally.ts"
import * as Trial from "./trial.ts"

const program = fileURLToPath(new URL("run.ts", import.meta.url))

/** Runs the program. Returns its exit code and the lines it printed. */
const simulate = (...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(runScript(program, args), ({ exit }) => exit)).pipe(
    Effect.map(({ code, stdout }) => ({ code, lines: stdout.trimEnd().split("\n") }))
  )

const seeds = (length: number, from = 1) => Array.from({ length }, (_, index) => index + from)

/** The number of seeds, and what so many must contain at least. */
const least = isFull
  ? { seeds: 2_000, faults: 2_000, crashes: 700, jobs: 1_000, mebibytes: 5 * 1_024 }
  : { seeds: 200, faults: 200, crashes: 70, jobs: 100, mebibytes: 500 }

describe("the simulation", () => {
  it.live(
    `finds nothing wrong, lost, left behind, stored twice or hanging in ${least.seeds} seeds [I1] [I2]`,
    () =>
      Effect.gen(function*() {
        const { code, lines } = yield* simulate("--seeds", String(least.seeds), "--from", "1", "--json")
        const summary: unknown = JSON.parse(lines.at(-1) ?? "")
        expect(lines.slice(0, -1)).toEqual([])
        expect(summary).toMatchObject({
          seeds: least.seeds,
          wrongBytes: 0,
          orphans: 0,
          duplicates: 0,
          extraJobs: 0,
          failures: 0
        })
        expect(summary).toSatisfy((figures: Record<string, number>) =>
          Object.entries({ ...least, kinds: 10 }).every(([name, count]) => (figures[name] ?? 0) >= count) &&
          (figures["maxAttempts"] ?? 9) <= 8
        )
        expect(code).toBe(0)
      }),
    600_000
  )

  it.live("runs a seed in the same way whatever ran before [I1]", () =>
    Effect.gen(function*() {
      const run = (seed: number) => Simulation.run(Scenario.make(seed))
      const before = yield* Effect.forEach(seeds(20), run)
      expect(before.some(({ trace }) => trace.length > 20)).toBe(true)
      for (const seed of seeds(20).reverse()) expect(yield* run(seed)).toEqual(before[seed - 1])
    }))

  it.live("replays a seed from the list of its faults [I1]", () =>
    Effect.gen(function*() {
      for (const seed of seeds(20, 100)) {
        const scenario = Scenario.make(seed)
        const { injected, ...outcome } = yield* Simulation.run(scenario)
        const again = yield* Simulation.run({ ...scenario, faults: injected })
        expect(again).toMatchObject({ ...outcome, injected })
      }
    }))

  it.effect("shrinks a failing scenario to the parts that it needs to fail [I3]", () =>
    Effect.gen(function*() {
      const scenario = Scenario.make(11)
      const smallest = yield* Effect.promise(() =>
        Scenario.shrink(scenario, async ({ clients, faults }) => {
          const script = typeof faults === "number"
            ? seeds(30).map((at) => ({ fault: "Throttled", operation: "InitiateJob", at }) as const)
            : faults
          const names = clients.flatMap(({ works }) => works.map(({ name }) => name))
          return names.includes("archive-0-0") && script.some(({ at }) => at === 17) ? script : undefined
        })
      )
      expect(smallest.clients.map(({ crashes, works }) => [crashes.length, works.map(({ name }) => name)])).toEqual([
        [0, ["archive-0-0"]]
      ])
      expect(smallest.faults).toEqual([{ fault: "Throttled", operation: "InitiateJob", at: 17 }])
    }))

  it.live("never completes a request whose sender dies before it has sent all of it", () =>
    Effect.gen(function*() {
      const work = { description: "", upload: "plain", source: "stream", concurrency: 1, download: "none" } as const
      const { problems } = yield* Simulation.run({
        seed: 700_409,
        jobDelay: 0,
        outputDelay: 0,
        clients: [
          // Runs for long enough to see a request that arrives late.
          { works: [{ ...work, name: "archive-0-0", size: 3_000_000 }], batches: [], crashes: [] },
          {
            works: [{ ...work, name: "archive-1-0", size: 8_360 }],
            batches: [],
            crashes: [{ after: 1_720, how: "killed" }]
          }
        ],
        faults: [
          { fault: "Trickled", operation: "UploadArchive", at: 1 },
          { fault: "Trickled", operation: "UploadMultipartPart", at: 1 }
        ]
      })
      expect(problems).toEqual([])
    }))

  it("adds the results of the processes", async () => {
    const [one, other] = [await Trial.run(Scenario.make(1)), await Trial.run(Scenario.make(4))]
    const sum = Tally.add(one, other)
    expect(sum.seeds).toBe(2)
    expect(sum.requests).toBe(one.requests + other.requests)
    expect(sum.faults["LostRequest"]).toBe((one.faults["LostRequest"] ?? 0) + (other.faults["LostRequest"] ?? 0))
    expect(sum.maxAttempts).toBe(Math.max(one.maxAttempts, other.maxAttempts))
  })
})
