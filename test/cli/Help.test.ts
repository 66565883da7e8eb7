import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { commands } from "../../src/cli/Commands.ts"
import * as Help from "../../src/cli/Help.ts"

const descriptorOf = (name: string) =>
  Effect.promise(async () => {
    const entry = commands.find((entry) => entry.name === name)
    if (entry === undefined) throw new Error(`There is no command ${name}`)
    return (await entry.load()).program.descriptor
  })

const helpOf = (name: string) =>
  Effect.map(descriptorOf(name), (descriptor) => Help.ofCommand("effect-glacier", descriptor).split("\n"))

const tooLong = (lines: ReadonlyArray<string>) => lines.filter(({ length }) => length > 80)

describe("Help", () => {
  it("lists each command of the program with its description", () => {
    const lines = Help.ofProgram("effect-glacier", commands).split("\n")
    expect(lines).toEqual(expect.arrayContaining([
      expect.stringMatching(/^ {2}emulator +Run an emulator of Amazon Glacier$/),
      expect.stringMatching(/^ {2}tree-hash +Print the tree hash of each file$/)
    ]))
    expect(tooLong(lines)).toEqual([])
  })

  it.effect.each(commands)(
    "shows the description, usage, options and examples of $name",
    ({ name }) =>
      Effect.gen(function*() {
        const lines = yield* helpOf(name)
        expect(lines[0]).toMatch(/^[A-Z]/)
        expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^  effect-glacier ${name} \\[options\\]`)))
        const examples = lines.slice(lines.indexOf("EXAMPLES") + 1)
        expect(examples.length).toBeGreaterThan(0)
        expect(examples.filter((line) => !line.includes(`effect-glacier ${name}`))).toEqual([])
      })
  )

  it.effect.each(commands)(
    "describes $name in lines of at most 80 characters, and each option in words",
    ({ name }) =>
      Effect.gen(function*() {
        const lines = yield* helpOf(name)
        expect(tooLong(lines.slice(0, lines.indexOf("EXAMPLES")))).toEqual([])
        expect(lines.filter((line) => /^ {2}--[a-z-]+( [a-z.]+)? *$/.test(line))).toEqual([])
      })
  )

  it.effect("lists the options of a command before those of all commands", () =>
    Effect.gen(function*() {
      const lines = yield* helpOf("inventory")
      const [own, common] = [lines.indexOf("OPTIONS"), lines.indexOf("OPTIONS OF ALL COMMANDS")]
      const optionsIn = (lines: ReadonlyArray<string>) =>
        lines.flatMap((line) => /^ {2}(--[a-z-]+)/.exec(line)?.[1] ?? [])
      expect(optionsIn(lines.slice(own, common))).toEqual(["--wait", "--import"])
      expect(optionsIn(lines.slice(common))).toEqual(expect.arrayContaining(["--vault", "--dry-run", "--help"]))
      expect(optionsIn(yield* helpOf("emulator"))).toEqual(expect.arrayContaining(["--port", "--region", "--help"]))
      expect(yield* helpOf("emulator")).not.toContain("OPTIONS OF ALL COMMANDS")
    }))

  it.effect("lists no option of @effect/cli that does not work here", () =>
    Effect.gen(function*() {
      for (const { name } of commands) {
        expect((yield* helpOf(name)).join("\n")).not.toMatch(/--(wizard|log-level|completions)/)
      }
    }))

  it.effect("describes the arguments of a command", () =>
    Effect.gen(function*() {
      expect(yield* helpOf("tree-hash")).toContainEqual(
        expect.stringMatching(/^ {2}<file>\.\.\. +The path of a file, or - for standard input$/)
      )
    }))

  it.effect("shows which arguments can be left out, and the short name of an option behind the long one", () =>
    Effect.gen(function*() {
      expect(yield* helpOf("ls")).toContain("  effect-glacier ls [options] [<glob>...]")
      expect(yield* helpOf("lock")).toContain("  effect-glacier lock [options] [<archive-id>]")
      expect(yield* helpOf("upload")).toContain("  effect-glacier upload [options] <path>...")
      expect(yield* helpOf("find")).toContainEqual(expect.stringMatching(/^ {2}--print0, -0 +End each name/))
    }))
})
