import * as Command from "@effect/cli/Command"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Commands from "../../src/cli/Commands.ts"
import * as Help from "../../src/cli/Help.ts"

/** The help of a command of the program that these arguments load. */
const helpOf = (name: string, args: ReadonlyArray<string>) =>
  Effect.map(Commands.load(args), (commands) => {
    const program = Command.make("effect-glacier").pipe(Command.withSubcommands(commands))
    return Option.getOrThrow(Help.wanted(program.descriptor, "effect-glacier", [name, "--help"]))
  })

const usage = { emulator: "--port", "tree-hash": "<file>" }

describe("the commands of the program", () => {
  it.effect("are loaded if the arguments name them, also after a global option", () =>
    Effect.gen(function*() {
      for (const args of [["tree-hash", "a"], ["--log-level", "debug", "tree-hash", "a"]]) {
        expect(yield* helpOf("tree-hash", args)).toContain(usage["tree-hash"])
        expect(yield* helpOf("emulator", args)).not.toContain(usage.emulator)
      }
      expect(yield* helpOf("tree-hash", ["--help"])).not.toContain(usage["tree-hash"])
    }))

  it.effect("are all loaded for completions and for the wizard", () =>
    Effect.gen(function*() {
      for (const args of [["--completions", "bash"], ["--wizard"]]) {
        expect(yield* helpOf("tree-hash", args)).toContain(usage["tree-hash"])
        expect(yield* helpOf("emulator", args)).toContain(usage.emulator)
      }
    }))
})
