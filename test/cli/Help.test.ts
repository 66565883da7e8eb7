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
      const descriptor = yield* descriptorOf("vaults")
      const error = yield* Effect.flip(Help.checkOptions("effect-glacier", descriptor, ["--wizard"]))
      expect(error.message).toMatch(/has no option --wizard\./)
    }))

  it.effect.each<readonly [mistyped: string, meant: string]>([
    ["--dryrun", "--dry-run"],
    ["--dry", "--dry-run"],
    ["--vualt=photos", "--vault"],
    ["-dry-run", "--dry-run"],
    ["--Json", "--json"]
  ])("suggests the nearest option for %s", ([mistyped, meant]) =>
    Effect.gen(function*() {
      const descriptor = yield* descriptorOf("vaults")
      const error = yield* Effect.flip(Help.checkOptions("effect-glacier", descriptor, [mistyped]))
      expect(error.message).toContain(`has no option ${mistyped}. Did you mean ${meant}? `)
    }))

  it.effect("suggests nothing for a word that is like no option", () =>
    Effect.gen(function*() {
      const descriptor = yield* descriptorOf("vaults")
      const error = yield* Effect.flip(Help.checkOptions("effect-glacier", descriptor, ["--everything"]))
      expect(error.message).not.toContain("Did you mean")
    }))

  it.effect("names an option that lacks its value, at the end or before another option", () =>
    Effect.gen(function*() {
      const descriptor = yield* descriptorOf("upload")
      const check = (...args: ReadonlyArray<string>) => Help.checkOptions("effect-glacier", descriptor, args)
      expect((yield* Effect.flip(check("--vault"))).message).toMatch(/^The option --vault needs a value\./)
      expect((yield* Effect.flip(check("--exclude", "--dry-run", "photos"))).message)
        .toMatch(/^The option --exclude needs a value\./)
      yield* check("--vault", "photos", "--json")
      yield* check("--exclude=--dry-run", "--exclude", "-a", "--exclude", "b", "photos")
    }))

  it.effect("rejects an option of all commands that is given twice, such as two vaults", () =>
    Effect.gen(function*() {
      const descriptor = yield* descriptorOf("tags")
      const check = (...args: ReadonlyArray<string>) => Help.checkOptions("effect-glacier", descriptor, args)
      expect((yield* Effect.flip(check("--vault", "photos", "--vault=films"))).message)
        .toBe("The option --vault is given more than once: give it once")
      yield* check("--vault", "photos", "--set", "a=1", "--set", "b=2")
    }))

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
