import * as Command from "@effect/cli/Command"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Commands from "../../src/cli/Commands.ts"
import * as Help from "../../src/cli/Help.ts"

const program = Command.make("effect-glacier").pipe(
  Command.withSubcommands(await Effect.runPromise(Commands.load(["--wizard"])))
)

const wanted = (...args: ReadonlyArray<string>) => Help.wanted(program.descriptor, "effect-glacier", args)

const lines = (...args: ReadonlyArray<string>) => Option.getOrElse(wanted(...args), () => "").split("\n")

describe("Help", () => {
  it("lists each command with its description", () => {
    expect(lines("--help")).toEqual(expect.arrayContaining([
      expect.stringMatching(/^ {2}emulator +Run an emulator of Amazon Glacier$/),
      expect.stringMatching(/^ {2}tree-hash +Print the tree hash of each file$/)
    ]))
    expect(lines("--help").filter((line) => line.length > 120)).toEqual([])
  })

  it("is printed only for --help, -h or no argument", () => {
    expect(lines("-h")).toEqual(lines("--help"))
    expect(lines()).toEqual(lines("--help"))
    expect(wanted("tree-hash", "package.json")).toEqual(Option.none())
  })

  it("describes the arguments of a command", () => {
    expect(lines("tree-hash", "--help")).toContainEqual(
      expect.stringMatching(/^ {2}<file>\.\.\. +The path of a file, or - for standard input$/)
    )
  })
})
