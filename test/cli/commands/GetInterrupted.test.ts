/** The command `get` as a process that is killed, interrupted and watched. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { ctrlC, runOnTerminal } from "../../support/terminal.ts"
import { jsonLines } from "./programs.ts"
import { checkFiles, emulator, filesIn, makeVault, photos } from "./vaults.ts"

/** Waits until a condition holds. */
const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("20 millis") })

/** The number of files in a folder, also while it does not exist. */
const countIn = (folder: string) => Effect.sync(() => existsSync(folder) ? filesIn(folder).length : 0)

/** Whether a process has written the totals of its work. */
const hasTotals = (state: string): boolean => {
  const folder = join(state, "123456789012/us-east-1/photos/running")
  return readdirSync(folder).some((name) =>
    name.endsWith(".json") && readFileSync(join(folder, name), "utf8").includes("\"total\"")
  )
}

describe("effect-glacier get", () => {
  it.scopedLive(
    "finishes after it was killed, with one job for each archive, while another process shows its status",
    () =>
      Effect.gen(function*() {
        const { folder, jobs, run, start, state } = yield* makeVault("photos", photos)
        const target = join(folder, "restored")
        const first = yield* start("get", target, "--yes")
        yield* until(Effect.map(jobs, (count) => count >= 10))
        // The process writes its progress each second.
        yield* until(Effect.sync(() => hasTotals(state)))
        // It keeps its locks while the other processes look.
        yield* first.kill("SIGSTOP")
        const status = yield* run("status", "--json")
        expect(jsonLines(status.stdout)).toMatchObject([
          {
            type: "running",
            vault: "photos",
            command: `get ${target} --tier Standard`,
            progress: { archives: { total: 30 } }
          }
        ])
        expect(yield* run("get", target, "--yes")).toMatchObject({ code: 11, stdout: "" })
        const other = yield* run("get", "2010/", join(folder, "other"), "--yes")
        expect(other.code).toBe(11)
        expect(other.stderr).toContain("in use by process")
        yield* first.kill("SIGCONT")
        yield* until(Effect.map(countIn(target), (count) => count >= 3))
        yield* first.kill("SIGKILL")
        yield* first.exit

        const left = jsonLines((yield* run("status", "--json")).stdout)
        expect(left.filter(({ type }) => type === "running")).toEqual([])
        expect(left.map(({ command }) => command)).toContain(
          `effect-glacier get ${target} --tier Standard --vault photos --region us-east-1 --account 123456789012 ` +
            `--state ${state}`
        )
        const second = yield* run("get", target)
        expect(second.stderr).toContain("30 of 30 archives")
        expect(second.code).toBe(0)
        checkFiles(target, photos)
        expect(yield* jobs).toBe(30)
      }).pipe(Effect.provide(emulator("3 seconds"))),
    60_000
  )

  it.scopedLive(
    "keeps the lines of a terminal within 80 columns, ends at Ctrl-C, and resumes",
    () =>
      Effect.gen(function*() {
        const { env, folder, jobs, run } = yield* makeVault("photos", photos)
        const target = join(folder, "restored")
        const terminal = yield* runOnTerminal(["get", target], { env, input: [["[y/N]", "y\r"]] })
        yield* until(Effect.map(terminal.lines, (lines) => lines.some((line) => /\d jobs? until/.test(line))))
        yield* until(Effect.map(jobs, (count) => count === 30))
        yield* terminal.type(ctrlC)
        const { code, lines } = yield* terminal.exit
        expect(code).toBe(130)
        expect(lines.at(-1)).toBe("Interrupted. Run the same command again to resume")
        const progress = lines.filter((line) => line.startsWith("get: "))
        expect(progress).toHaveLength(1)
        expect(progress.filter((line) => line.length > 80)).toEqual([])
        expect((yield* run("get", target)).code).toBe(0)
        checkFiles(target, photos)
        expect(yield* jobs).toBe(30)
      }).pipe(Effect.provide(emulator("10 seconds"))),
    120_000
  )
})
