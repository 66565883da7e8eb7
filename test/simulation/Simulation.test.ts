import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Scenario from "./scenario.ts"
import * as Simulation from "./simulation.ts"
import * as Tally from "./tally.ts"
import * as Trial from "./trial.ts"

const program = fileURLToPath(new URL("run.ts", import.meta.url))

/** Runs the program. Returns its exit code and the lines it printed. */
const simulate = (...args: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: number; readonly lines: ReadonlyArray<string> }>((resume) => {
    const child = execFile(
      process.execPath,
      ["--import", "tsx", program, ...args],
      (_error, stdout) => resume(Effect.succeed({ code: child.exitCode ?? 1, lines: stdout.trimEnd().split("\n") }))
    )
  })

const seeds = (length: number, from = 1) => Array.from({ length }, (_, index) => index + from)

describe("the simulation", () => {
  it.live(
    "I1 I2 finds nothing wrong, lost, left behind, stored twice or hanging in 2,000 seeds",
    () =>
      Effect.gen(function*() {
        const { code, lines } = yield* simulate("--seeds", "2000", "--from", "1", "--json")
        const summary: unknown = JSON.parse(lines.at(-1) ?? "")
        expect(lines.slice(0, -1)).toEqual([])
        expect(summary).toMatchObject({
          seeds: 2_000,
          wrongBytes: 0,
          orphans: 0,
          duplicates: 0,
          extraJobs: 0,
          failures: 0
        })
        expect(summary).toSatisfy((figures: Record<string, number>) =>
          (figures["faults"] ?? 0) >= 2_000 && (figures["kinds"] ?? 0) >= 10 && (figures["crashes"] ?? 0) >= 700 &&
          (figures["jobs"] ?? 0) >= 1_000 && (figures["mebibytes"] ?? 0) >= 5 * 1_024 &&
          (figures["maxAttempts"] ?? 9) <= 8
        )
        expect(code).toBe(0)
      }),
    600_000
  )

  it.live("I1 runs a seed in the same way whatever ran before", () =>
    Effect.gen(function*() {
      const run = (seed: number) => Simulation.run(Scenario.make(seed))
      const before = yield* Effect.forEach(seeds(20), run)
      expect(before.some(({ trace }) => trace.length > 20)).toBe(true)
      for (const seed of seeds(20).reverse()) expect(yield* run(seed)).toEqual(before[seed - 1])
    }))

  it.live("I1 replays a seed from the list of its faults", () =>
    Effect.gen(function*() {
      for (const seed of seeds(20, 100)) {
        const scenario = Scenario.make(seed)
        const { injected, ...outcome } = yield* Simulation.run(scenario)
        const again = yield* Simulation.run({ ...scenario, faults: injected })
        expect(again).toMatchObject({ ...outcome, injected })
      }
    }))

  it.effect("I3 shrinks a failing scenario to the parts that it needs to fail", () =>
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
