/** The command `get` as a process. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { jsonLines } from "./programs.ts"
import { checkFiles, emulator, filesIn, makeVault, photos } from "./vaults.ts"

const few = photos.slice(0, 4)

describe("effect-glacier get", () => {
  it.scopedLive("retrieves 30 archives, and prints a JSON line for each", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", photos)
      const target = join(folder, "restored")
      const { code, stderr, stdout } = yield* run("get", target, "--yes", "--json")
      expect(stderr).toBe("")
      expect(code).toBe(0)
      checkFiles(target, photos)
      const lines = jsonLines(stdout)
      expect(lines[0]).toMatchObject({ type: "quote", archives: 30, tier: "Standard", currency: "USD" })
      expect(lines.filter(({ type }) => type === "retrieved")).toHaveLength(30)
      expect(lines.at(-1)).toMatchObject({ type: "summary", archives: 30, failed: 0, rejected: 0 })
      expect(yield* jobs).toBe(30)
      const states = jsonLines((yield* run("ls", "--json")).stdout)
      expect(states.filter(({ state }) => state === "retrieved")).toHaveLength(30)
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive("starts no job if the folder is a file", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", few)
      const target = join(folder, "file")
      writeFileSync(target, "")
      expect(yield* run("get", target, "--yes")).toMatchObject({
        code: 2,
        stderr: `The path ${target} (the last argument) is a file: write the path of a folder\n`
      })
      expect(yield* jobs).toBe(0)
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive("starts no job if the folder cannot be written to", () =>
    Effect.gen(function*() {
      const { jobs, run } = yield* makeVault("photos", few)
      // Nobody can make files there, not even root.
      expect(yield* run("get", "/proc/photos", "--yes")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^The folder \/proc\/photos cannot be written to: /)
      })
      expect(yield* jobs).toBe(0)
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive("asks before it costs money, and starts nothing without a terminal", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", few)
      const target = join(folder, "restored")
      expect(yield* run("get", "*.jpg", "--yes")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/is a pattern/)
      })
      const { code, stderr } = yield* run("get", target)
      expect(code).toBe(1)
      expect(stderr).toContain("use --yes")
      expect(yield* jobs).toBe(0)
      const preview = yield* run("get", target, "--dry-run")
      expect(preview.code).toBe(0)
      expect(preview.stdout).toContain("Standard: 4 requests")
      expect(yield* jobs).toBe(0)
      expect(existsSync(target)).toBe(false)
      expect((yield* run("status")).stdout).toBe("")
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive(
    "stops at the budget with the exit code 8, and continues with a larger one",
    () =>
      Effect.gen(function*() {
        const { folder, jobs, run } = yield* makeVault("photos", few)
        const target = join(folder, "restored")
        // The requests of two Standard jobs.
        const { code, stderr } = yield* run("get", target, "--max-cost", "0.000102")
        expect(stderr).toContain("2 archives did not fit in the budget")
        expect(code).toBe(8)
        expect(yield* jobs).toBe(2)
        const [left] = jsonLines((yield* run("status", "--json")).stdout)
        expect(left).toMatchObject({
          command: expect.stringContaining(" --tier Standard --max-cost 0.000102 --vault ")
        })
        // The limit was the only confirmation.
        expect(yield* run("get", target)).toMatchObject({ code: 1, stderr: expect.stringContaining("use --yes") })
        expect((yield* run("get", target, "--bytes-per-day", "1", "--yes")).code).toBe(8)
        expect((yield* run("get", target, "--max-cost", "1")).code).toBe(0)
        checkFiles(target, few)
        expect(yield* jobs).toBe(4)
      }).pipe(Effect.provide(emulator())),
    60_000
  )

  it.scopedLive("retrieves missing copies of a finished plan again, and asks before", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", few)
      const target = join(folder, "restored")
      const get = ["get", target] as const
      expect((yield* run(...get, "--yes")).code).toBe(0)
      expect(yield* run(...get)).toMatchObject({ code: 0, stderr: expect.stringMatching(/All copies exist/) })
      rmSync(join(target, few[0]?.[0] ?? ""))
      truncateSync(join(target, few[1]?.[0] ?? ""), 3)
      const asked = {
        code: 1,
        stdout: expect.stringMatching(/^2 archives, .*\nStandard: 2 requests/),
        stderr: expect.stringMatching(/is finished since .*\n2 copies are missing or wrong\n.*use --yes/s)
      }
      expect(yield* run(...get)).toMatchObject(asked)
      // The question was not confirmed, so it remains.
      expect(yield* run(...get)).toMatchObject({ code: 1, stderr: expect.stringMatching(/use --yes/) })
      const failed = yield* run(...get, "--yes")
      expect(failed).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/is not written.*1 archive failed\. .* with --overwrite to replace what is not/s)
      })
      expect((yield* run(...get, "--yes", "--overwrite")).code).toBe(0)
      checkFiles(target, few)
      expect(yield* jobs).toBe(4)
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive(
    "asks before it replaces a wrong copy, also after a crash between the two steps",
    () =>
      Effect.gen(function*() {
        const { env, folder, jobs, run, state } = yield* makeVault("photos", few)
        const target = join(folder, "restored")
        const [taken, wrong] = few.map(([name]) => join(target, name))
        mkdirSync(join(taken ?? "", ".."), { recursive: true })
        writeFileSync(taken ?? "", "mine")
        expect((yield* run("get", target, "--yes")).code).toBe(3)
        truncateSync(wrong ?? "", 3)
        expect((yield* run("verify")).code).toBe(3)
        rmSync(taken ?? "")
        const before = yield* jobs

        // Ends the program when it saves a plan whose proof is revoked.
        const crash = join(folder, "crash.mjs")
        writeFileSync(
          crash,
          `import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
const folder = ${JSON.stringify(join(state, "123456789012/us-east-1/photos/checkpoints"))}
const { rename } = fs
fs.rename = (from, to, done) => {
  const isRevoked = fs.readdirSync(folder).some((name) => fs.readFileSync(folder + "/" + name, "utf8").includes("Revoked"))
  if (isRevoked && to.endsWith(".json")) process.kill(process.pid, "SIGKILL")
  rename(from, to, done)
}
syncBuiltinESMExports()`
        )
        Object.assign(env, { NODE_OPTIONS: `--import ${crash}` })
        expect((yield* run("get", target, "--overwrite")).code).toBe(null)
        Object.assign(env, { NODE_OPTIONS: "" })
        expect(yield* run("get", target, "--overwrite")).toMatchObject({
          code: 1,
          stderr: expect.stringContaining("use --yes")
        })
        expect(yield* jobs).toBe(before)
        expect((yield* run("get", target, "--overwrite", "--yes")).code).toBe(0)
        checkFiles(target, few)
      }).pipe(Effect.provide(emulator())),
    60_000
  )

  it.scopedLive("makes another plan with other options for names", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", [["caf%C3%A9.jpg", 100]])
      const target = join(folder, "restored")
      expect((yield* run("get", target, "--yes")).code).toBe(0)
      expect((yield* run("get", target, "--yes", "--boto-names")).code).toBe(0)
      expect(filesIn(target)).toEqual(["caf%C3%A9.jpg", "café.jpg"])
      expect(yield* jobs).toBe(1)
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive("replaces a file with other bytes only with --overwrite", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", few)
      const target = join(folder, "restored")
      const file = join(target, few[0]?.[0] ?? "")
      mkdirSync(join(file, ".."), { recursive: true })
      writeFileSync(file, "mine")
      const { code, stderr } = yield* run("get", target, "--yes")
      expect(code).toBe(3)
      expect(stderr).toContain(`${file} is not written`)
      expect(readFileSync(file, "utf8")).toBe("mine")
      expect(yield* jobs).toBe(3)
      expect((yield* run("get", target, "--overwrite")).code).toBe(0)
      checkFiles(target, few)
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive("gets every archive with --unnamed-by-id and --all-versions", () =>
    Effect.gen(function*() {
      const all = ["a.txt", "a.txt", "a.txt/b.txt", "../etc/passwd", "/volume1/c.txt"]
      const { folder, run } = yield* makeVault("photos", all.map((name) => [name, 10] as const))
      const target = join(folder, "restored")
      const strict = yield* run("get", target, "--yes", "--json")
      expect(strict.code).toBe(3)
      const rejected = jsonLines(strict.stdout).filter(({ type }) => type === "rejected")
      expect(rejected.map(({ description }) => description).sort()).toEqual(["../etc/passwd", "a.txt", "a.txt"])
      expect(filesIn(target)).toEqual(["a.txt/b.txt", "volume1/c.txt"])
      expect((yield* run("get", target, "--yes", "--unnamed-by-id", "--all-versions")).code).toBe(0)
      const files = filesIn(target)
      expect(files).toHaveLength(5)
      expect(files.filter((path) => /^versions\/\d{8}T\d{6}Z-.{8}\/a\.txt$/.test(path))).toHaveLength(2)
      expect(files.filter((path) => /^unnamed\/.{138}$/.test(path))).toHaveLength(1)
    }).pipe(Effect.provide(emulator())), 60_000)
})
