import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Arguments from "../../src/cli/Arguments.ts"
import { commands } from "../../src/cli/Commands.ts"

/** Reads what a user has typed after the name of the program. */
const read = ([name, ...args]: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const entry = commands.find((entry) => entry.name === name)
    if (entry === undefined) throw new Error(`There is no command ${name}`)
    const { program } = yield* Effect.promise(entry.load)
    return yield* Arguments.read("effect-glacier", program.descriptor, args, environment)
  }).pipe(Effect.provide(NodeFileSystem.layer))

/** The message about a mistake. */
const messageOf = (line: ReadonlyArray<string>, environment?: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(read(line, environment)), ({ message }) => message)

const helpOf = (name: string) => `effect-glacier ${name} --help describes it`

describe("Arguments", () => {
  it.effect.each<readonly [line: ReadonlyArray<string>, read: ReadonlyArray<string>]>([
    [["ls", "--json", "a", "-b"], ["ls", "--json", "true", "--", "a", "-b"]],
    [["ls", "a", "--vault=photos", "b"], ["ls", "--vault", "photos", "--", "a", "b"]],
    [["ls", "--json=no"], ["ls", "--json", "no", "--"]],
    [["ls", "--", "--json", "--"], ["ls", "--", "--json", "--"]],
    [["find", "-0"], ["find", "--print0", "true", "--"]],
    [["tags", "--set=a=b", "--set", "c=d=e"], ["tags", "--set", "a=b", "--set", "c=d=e", "--"]],
    [["jobs", `-${"x".repeat(91)}`], ["jobs", "--", `-${"x".repeat(91)}`]],
    [["tree-hash", "-", "-a"], ["tree-hash", "--", "-", "-a"]],
    [["upload", "test", "--exclude=--dry-run"], ["upload", "--exclude", "--dry-run", "--", "test"]]
  ])("reads %j as options with their values, and then arguments", ([line, expected]) =>
    Effect.gen(function*() {
      expect(yield* read(line)).toEqual(expected)
    }))

  it.effect.each<readonly [line: ReadonlyArray<string>, argument: string]>([
    [["delete", "--dry-run", "no"], "no"],
    [["ls", "--json", "1"], "1"],
    [["get", "--overwrite", "on"], "on"]
  ])(
    "takes %j for an option and an argument, not for an option that is off",
    ([line, argument]) =>
      Effect.gen(function*() {
        expect(yield* read(line)).toEqual([line[0], line[1], "true", "--", argument])
      })
  )

  it.effect.each<readonly [mistyped: string, meant: string]>([
    ["--dryrun", "--dry-run"],
    ["--dry", "--dry-run"],
    ["--vualt=photos", "--vault"],
    ["-dry-run", "--dry-run"],
    ["--Json", "--json"]
  ])("suggests the nearest option for %s", ([mistyped, meant]) =>
    Effect.gen(function*() {
      expect(yield* messageOf(["vaults", mistyped]))
        .toBe(`The command vaults has no option ${mistyped}. Did you mean ${meant}?`)
    }))

  it.effect.each<readonly [line: ReadonlyArray<string>, message: string]>([
    [
      ["vaults", "--everything"],
      "The command vaults has no option --everything. effect-glacier vaults --help lists its options."
    ],
    [
      ["vaults", "--wizard"],
      "The command vaults has no option --wizard. effect-glacier vaults --help lists its options."
    ],
    [
      ["tree-hash", "a", "--tpyo=x", "b"],
      "The command tree-hash has no option --tpyo=x. effect-glacier tree-hash --help lists its options. " +
      "If it is an argument, write -- before it"
    ],
    [["upload", "photos", "--vault"], `The option --vault needs a value. ${helpOf("upload")}`],
    [["upload", "--exclude", "--dry-run", "photos"], `The option --exclude needs a value. ${helpOf("upload")}`],
    [["upload", "test", "--exclude", "--dry-run=yes"], `The option --exclude needs a value. ${helpOf("upload")}`],
    [["upload", "test", "--exclude", "--dryrun"], `The option --exclude needs a value. ${helpOf("upload")}`],
    [["upload", "--exclude", "--", "test"], `The option --exclude needs a value. ${helpOf("upload")}`],
    [["delete", "--dry-run=", "a"], `The option --dry-run needs a value. ${helpOf("delete")}`],
    [["ls", "--vault", ""], `The option --vault needs a value. ${helpOf("ls")}`],
    [["jobs", "--vault", "photos", "--vault=films"], "The option --vault is given more than once: give it once"],
    [["delete", "a", "--dry-run", "--dry-run"], "The option --dry-run is given more than once: give it once"],
    [["du", "--depth", "1", "--depth", "2"], "The option --depth is given more than once: give it once"],
    [["vaults", "--json=maybe"], "The value \"maybe\" of --json is unknown: write true or false"],
    [["quote", "--tier", "fast"], "The value \"fast\" of --tier is unknown: write Expedited, Standard or Bulk"],
    [["notifications", "--event", "all"], "The value \"all\" of --event is unknown: write archive or inventory"],
    [["policy", "--set", "no-file"], "There is no file no-file (--set): check the path"],
    [["inventory", "--import", "test"], "The path test (--import) is a folder: write the path of a file"],
    [["jobs", "--state", "package.json"], "The path package.json (--state) is a file: write the path of a folder"],
    [["emulator", "--data", "package.json"], "The path package.json (--data) is a file: write the path of a folder"],
    [["upload", "test", "no-file"], "There is no file or folder no-file (<path>): check the path"],
    [["vaults", "photos"], `The command vaults takes no argument, but was given photos. ${helpOf("vaults")}`],
    [["lock", "a", "b"], `The command lock takes only 1 argument, <archive-id>, but was given b. ${helpOf("lock")}`],
    [["ls", ""], `The argument <glob> is empty. ${helpOf("ls")}`],
    [
      ["tree-hash"],
      `The argument <file> is missing: The path of a file, or - for standard input. ${helpOf("tree-hash")}`
    ]
  ])("rejects %j in a line that says what to do", ([line, message]) =>
    Effect.gen(function*() {
      expect(yield* messageOf(line)).toBe(message)
    }))

  it.effect("reads the options of all commands from the environment, unless they are given", () =>
    Effect.gen(function*() {
      const environment = { EFFECT_GLACIER_VAULT: "photos", EFFECT_GLACIER_DRY_RUN: "on", EFFECT_GLACIER_STATE: "" }
      expect(yield* read(["jobs"], environment)).toEqual(["jobs", "--vault", "photos", "--dry-run", "on", "--"])
      expect(yield* read(["jobs", "--vault", "films", "--dry-run=off"], environment))
        .toEqual(["jobs", "--vault", "films", "--dry-run", "off", "--"])
      expect(yield* read(["tree-hash", "a"], environment)).toEqual(["tree-hash", "--", "a"])
    }))

  it.effect("names the variable that has a wrong value", () =>
    Effect.gen(function*() {
      expect(yield* messageOf(["jobs"], { EFFECT_GLACIER_DRY_RUN: "maybe" }))
        .toBe("The value \"maybe\" of EFFECT_GLACIER_DRY_RUN is unknown: write true or false")
    }))
})
