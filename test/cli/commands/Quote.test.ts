/** The commands `quote` and `retrieve` as processes. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { jsonLines } from "./programs.ts"
import { emulator, makeVault } from "./vaults.ts"

const archives = [["a.txt", 2 ** 20], ["b.txt", 2 ** 20], ["c.jpg", 2 ** 21]] as const

describe("effect-glacier quote", () => {
  it.scopedLive(
    "computes each part of the cost in each tier, from the prices in an editable file",
    () =>
      Effect.gen(function*() {
        const { jobs, run, state } = yield* makeVault("photos", archives)
        const { code, stderr, stdout } = yield* run("quote", "--json")
        expect(code).toBe(0)
        const gib = 4 / 1_024
        expect(jsonLines(stdout)).toMatchObject([
          ["Expedited", 0.03, 10],
          ["Standard", 0.01, 0.05],
          ["Bulk", 0.0025, 0.025]
        ].map(([tier, perGiB, perThousand]) => ({
          type: "quote",
          tier,
          bytes: 2 ** 22,
          archives: 3,
          cost: expect.closeTo(gib * (Number(perGiB) + 0.09) + 3 * Number(perThousand) / 1_000, 12),
          costs: { retrieval: expect.closeTo(gib * Number(perGiB), 12), transfer: expect.closeTo(gib * 0.09, 12) }
        })))
        const file = join(state, "prices.json")
        expect(stderr).toContain(`In USD, by the prices of 2026-11-28 in ${file}`)
        const inside = yield* run("quote", "*.txt", "--tier", "Bulk", "--in-region", "--bytes-per-hour", "1MiB")
        expect(inside.stdout.split("\n").map((line) => line.trim().split(/ {2,}/))).toEqual([
          ["TIER", "JOBS", "SIZE", "RETRIEVAL", "REQUESTS", "TRANSFER", "COST", "READY AFTER"],
          ["Bulk", "2", "2.0 MiB", "0.0000", "0.0001", "0.0000", "0.0001", "1h and 5 to 12 hours"]
        ])
        writeFileSync(file, readFileSync(file, "utf8").replace("us-east-1", "eu-west-1"))
        const unknown = yield* run("quote", "--tier", "Bulk")
        expect(unknown.stdout).toMatch(/Bulk +3 +4\.0 MiB +- +- +- +- +5 to 12 hours/)
        expect(unknown.stderr).toContain(`There are no prices of us-east-1 in ${file}. Add an entry to "regions"`)
        const limited = yield* run("get", "out", "--max-cost", "1")
        expect(limited).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/^--max-cost needs prices\. There are no/)
        })
        // The last line of the message is an entry to add.
        const entry = limited.stderr.trimEnd().split("\n").at(-1)
        writeFileSync(file, readFileSync(file, "utf8").replace("\"regions\": {", `"regions": {\n${entry},`))
        expect((yield* run("quote", "--tier", "Bulk")).stdout).toMatch(/Bulk +3 +4\.0 MiB +0\.\d+/)
        expect(yield* jobs).toBe(0)
      }).pipe(Effect.provide(emulator())),
    60_000
  )

  it.scopedLive("writes no file with --dry-run", () =>
    Effect.gen(function*() {
      const { run, state } = yield* makeVault("photos", archives)
      expect((yield* run("quote", "--dry-run")).code).toBe(0)
      expect(existsSync(join(state, "prices.json"))).toBe(false)
    }).pipe(Effect.provide(emulator())), 60_000)
})

describe("effect-glacier retrieve", () => {
  it.scopedLive("starts jobs that get uses later, and ends when all archives have a job", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", archives)
      expect((yield* run("retrieve", "--max-cost", "0.00001")).code).toBe(8)
      expect(yield* jobs).toBe(0)
      const first = yield* run("retrieve", "*.txt", "--tier", "Bulk", "--yes")
      expect(first).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/2 jobs started\nBulk jobs take 5 to 12 hours/)
      })
      const second = yield* run("retrieve", "--tier", "Bulk", "--yes", "--json")
      expect(jsonLines(second.stdout).at(-1)).toMatchObject({ type: "summary", started: 1, before: 2, failed: 0 })
      expect(yield* run("get", join(folder, "out"), "--tier", "Bulk", "--yes")).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("Included in the cost, but paid already: 3 jobs")
      })
      expect(yield* jobs).toBe(3)
      expect(yield* run("retrieve", "--tier", "Standard", "--yes")).toMatchObject({
        code: 0,
        stderr: "All archives that the patterns select have a copy or a job\n"
      })
      // The first command has nothing left to do.
      expect(yield* run("status")).toMatchObject({ stdout: "", stderr: expect.stringMatching(/^No command runs/) })
      expect(yield* run("retrieve", "*.jpeg", "--yes")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/select no archive/)
      })
    }).pipe(Effect.provide(emulator())), 60_000)
})
