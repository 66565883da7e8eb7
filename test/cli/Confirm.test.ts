import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { runScript } from "../support/processes.ts"
import { ctrlC, enter, runScriptOnTerminal } from "../support/terminal.ts"

const script = fileURLToPath(new URL("confirm.ts", import.meta.url))

/** Asks on a terminal, types a line, and returns the lines that the terminal shows. */
const typing = (question: "vaultName" | "yesOrNo", shown: string, typed: string) =>
  Effect.flatMap(runScriptOnTerminal(script, [question], { input: [[shown, typed]] }), ({ exit }) => exit)

describe.concurrent("Confirm", () => {
  it.scopedLive("accepts the name of the vault, and rejects any other", () =>
    Effect.gen(function*() {
      const type = (typed: string) => typing("vaultName", "to confirm: ", `${typed}${enter}`)
      const text = "This deletes 3 archives of the vault photos."
      expect((yield* type("photos")).lines)
        .toEqual([text, "Type the name of the vault to confirm: photos", "confirmed"])
      for (const wrong of ["photo", "Photos", "yes", ""]) {
        expect((yield* type(wrong)).lines.at(-1)).toBe("Not confirmed. Nothing was changed")
      }
    }))

  it.scopedLive("continues after y or yes only", () =>
    Effect.gen(function*() {
      const type = (typed: string) => typing("yesOrNo", "[y/N] ", `${typed}${enter}`)
      for (const right of ["y", "Yes"]) expect((yield* type(right)).lines.at(-1)).toBe("confirmed")
      for (const wrong of ["n", "", "yesterday"]) {
        expect((yield* type(wrong)).lines.at(-1)).toBe("Not confirmed. Nothing was changed")
      }
    }))

  it.scopedLive("changes nothing when the input ends, and is interrupted by Ctrl-C", () =>
    Effect.gen(function*() {
      const ended = yield* typing("vaultName", "to confirm: ", "\u0004")
      expect(ended.lines.at(-1)).toMatch(/Not confirmed\. Nothing was changed$/)
      const interrupted = yield* typing("vaultName", "to confirm: ", ctrlC)
      expect(interrupted.lines.at(-1)).toBe("Type the name of the vault to confirm: ^C")
    }))

  it.scopedLive("asks nothing without a terminal, but needs --yes", () =>
    Effect.gen(function*() {
      for (const question of ["vaultName", "yesOrNo"]) {
        const answered = yield* Effect.flatMap(runScript(script, [question, "--yes"]), ({ exit }) => exit)
        expect(answered).toMatchObject({ stdout: "confirmed", stderr: "" })
        const unanswered = yield* Effect.flatMap(runScript(script, [question]), ({ exit }) => exit)
        expect(unanswered.stdout).toMatch(/no terminal to confirm this on: use --yes\. Nothing was changed$/)
        expect(unanswered.stderr).toBe("")
      }
    }))
})
