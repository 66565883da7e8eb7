import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../support/folders.ts"
import { runProgram } from "../support/processes.ts"
import { make } from "./commands/vaultFolders.ts"

/** The script for a shell, as the program prints it. */
const scriptFor = (shell: string) =>
  Effect.gen(function*() {
    const { exit } = yield* runProgram("--completions", shell)
    const { code, stderr, stdout } = yield* exit
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    return stdout
  })

/** Whether a shell is installed. */
const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "exit"]).status === 0

/** Prints the words that bash proposes for the last of its arguments. */
const propose = `
words=("$@")
COMP_WORDS=("\${words[@]}")
COMP_CWORD=$((\${#words[@]} - 1))
_effect_glacier
echo "\${COMPREPLY[*]}"`

describe("Completions", () => {
  it.scopedLive("completes commands, options, values to choose from and vaults in bash", () =>
    Effect.gen(function*() {
      const script = yield* scriptFor("bash")
      const state = yield* make("photos", [])
      for (const name of ["+fil+ms", "films+.", "@ledger"]) mkdirSync(join(state, "123456789012/us-east-1", name))
      const env = { ...process.env, EFFECT_GLACIER_STATE: state }
      const complete = (...words: ReadonlyArray<string>) => {
        const args = ["-c", script + propose, "bash", "effect-glacier", ...words]
        const { stderr, stdout } = spawnSync("bash", args, { encoding: "utf8", env })
        expect(stderr).toBe("")
        return stdout.trim()
      }
      expect(complete("v")).toBe("vaults verify")
      expect(complete("tags", "--r")).toBe("--remove --region")
      expect(complete("tree-hash", "--")).toBe("--help")
      expect(complete("upload", "--vault", "photos", "--ex")).toBe("--exclude")
      expect(complete("quote", "--tier", "")).toBe("Expedited Standard Bulk")
      expect(complete("ls", "--vault", "p")).toBe("photos")
      expect(complete("ls", "--vault", "").split(" ").sort()).toEqual(["FilMs", "films.", "photos"])
      expect(complete("--completions", "")).toBe("bash fish zsh")
      // Bash itself completes the names of files.
      expect(complete("tree-hash", "pack")).toBe("")
    }).pipe(Effect.provide(NodeContext.layer)), 60_000)

  it.scopedLive.each(["fish", "zsh"].filter(isInstalled))(
    "prints a script that %s can read",
    (shell) =>
      Effect.gen(function*() {
        const path = join(yield* temporaryFolder, "script")
        writeFileSync(path, yield* scriptFor(shell))
        const { status, stderr } = spawnSync(shell, ["-n", path], { encoding: "utf8" })
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
      }),
    60_000
  )
})
