/** Tests that the oracle finds deliberate bugs. */
import { beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { apply, type Mutant, mutants } from "./mutants.ts"

const root = resolve(import.meta.dirname, "../..")
const folder = join(root, ".mutants")

/** Runs up to 2,000 seeds of a mutant. Returns the report of the first seed that fails. */
const verdict = (mutant: Mutant, number: number) =>
  Effect.async<string>((resume) => {
    const program = apply(mutant, root, join(folder, String(number)))
    execFile(
      process.execPath,
      ["--import", "tsx", program, "--seeds", "2000", "--first"],
      { cwd: root },
      (_error, stdout, stderr) => resume(Effect.succeed(/^seed .*/m.exec(stdout)?.[0] ?? `not found: ${stderr}`))
    )
  })

describe("the oracle", () => {
  let verdicts: ReadonlyArray<string> = []

  beforeAll(async () => {
    verdicts = await Effect.runPromise(Effect.forEach(mutants, verdict, { concurrency: 2 }))
    rmSync(folder, { recursive: true })
  }, 2_400_000)

  it("I3 looks for at least 12 bugs", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(12)
  })

  it.each(mutants.map(({ found, name }, number) => ({ found, name, number })))(
    "I3 finds a program that $name",
    ({ found, number }) => {
      expect(verdicts[number]).toMatch(found)
    }
  )
})
