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

describe("Help", () => {
  it("lists each command of the program with its description", () => {
    const lines = Help.ofProgram("effect-glacier", commands).split("\n")
    expect(lines).toEqual(expect.arrayContaining([
      expect.stringMatching(/^ {2}emulator +Run an emulator of Amazon Glacier$/),
      expect.stringMatching(/^ {2}tree-hash +Print the tree hash of each file$/)
    ]))
    expect(lines.filter((line) => line.length > 120)).toEqual([])
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

  it.effect("describes the arguments of a command", () =>
    Effect.gen(function*() {
      expect(yield* helpOf("tree-hash")).toContainEqual(
        expect.stringMatching(/^ {2}<file>\.\.\. +The path of a file, or - for standard input$/)
      )
    }))

  it.effect("rejects a mistyped option, which would otherwise be an argument", () =>
    Effect.gen(function*() {
      const descriptor = yield* descriptorOf("tree-hash")
      const check = (...args: ReadonlyArray<string>) => Help.checkOptions("effect-glacier", descriptor, args)
      expect((yield* Effect.flip(check("a", "--tpyo=x", "b"))).message).toMatch(/has no option --tpyo=x\./)
      yield* check("-a", "--", "--b")
      yield* check("-", "--help")
    }))
})
