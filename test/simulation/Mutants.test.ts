/** Tests that the oracle finds deliberate bugs. */
import { beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { isFull } from "../support/full.ts"
import { decommissionMutants } from "./decommissionMutants.ts"
import { apply, edited, type Mutant, mutants as transferMutants } from "./mutants.ts"

const root = resolve(import.meta.dirname, "../..")
const folder = join(root, ".mutants")

const mutants = [...transferMutants, ...decommissionMutants]

/** The bugs that are searched for: one takes seconds. */
const searched = isFull ? mutants : [...transferMutants.slice(0, 2), ...decommissionMutants.slice(0, 1)]

/** Runs a mutant with up to 2,000 seeds. Returns the report of the first seed that fails. */
const verdict = (mutant: Mutant, number: number) =>
  Effect.async<string>((resume) => {
    const program = apply(mutant, root, join(folder, String(number)))
    execFile(
      process.execPath,
      ["--import", "tsx", program, "--seeds", "2000", "--from", String(mutant.from ?? 1), "--first"],
      { cwd: root },
      (_error, stdout, stderr) => resume(Effect.succeed(/^seed .*/m.exec(stdout)?.[0] ?? `not found: ${stderr}`))
    )
  })

describe("the oracle", () => {
  it("has at least 12 bugs of transfers and 8 of a decommission to find [I3]", () => {
    expect(transferMutants.length).toBeGreaterThanOrEqual(12)
    expect(decommissionMutants.length).toBeGreaterThanOrEqual(8)
  })

  it.each(mutants)("can be given a program that $name [I3]", (mutant) => {
    expect(edited(mutant, root)).not.toBe("")
  })

  // The searches are in a suite of their own, so that they run only when one of its tests does.
  describe("in at most 2,000 seeds", () => {
    let verdicts: ReadonlyArray<string> = []

    beforeAll(async () => {
      verdicts = await Effect.runPromise(Effect.forEach(searched, verdict, { concurrency: 2 }))
      rmSync(folder, { recursive: true })
    }, 2_400_000)

    it.each(searched.map(({ found, name }, number) => ({ found, name, number })))(
      "finds a program that $name [I3]",
      ({ found, number }) => {
        expect(verdicts[number]).toMatch(found)
      }
    )
  })
})
