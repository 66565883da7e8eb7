/**
 * The text of `--help`: one line for the usage, and a few lines of at most 80 characters for each option. The help of
 * `@effect/cli` lists all options in one line and takes eight lines for each option, which is hard to read.
 *
 * @since 0.1.0
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/CommandDescriptor"
import type * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"
import * as Options from "@effect/cli/Options"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { Usage } from "./Failures.ts"
import * as Globals from "./Globals.ts"
import * as Suggestion from "./Suggestion.ts"

const textOf = (span: Span.Span): string =>
  span._tag === "Sequence" ?
    textOf(span.left) + textOf(span.right)
    : typeof span.value === "string" ?
    span.value
    : textOf(span.value)

const parts = (doc: HelpDoc.HelpDoc): ReadonlyArray<HelpDoc.HelpDoc> =>
  doc._tag === "Sequence" ? [...parts(doc.left), ...parts(doc.right)] : [doc]

const paragraphs = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> =>
  parts(doc).flatMap((part) => part._tag === "Paragraph" ? [textOf(part.value)] : [])

const width = 80

/** Breaks a text into lines that have at most this many characters. */
const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

const indented = (text: string): ReadonlyArray<string> => wrap(text, width - 2).map((line) => `  ${line}`)

/** An argument, option or command, and the text about it. */
type Row = readonly [name: string, about: string]

/** The longest name that has its text beside it. The text of a longer name is below it. */
const longest = 30

/** The lines of rows, with their texts one below the other. */
const lines = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const column = Math.max(...rows.map(([name]) => name.length > longest ? 0 : name.length)) + 4
  return rows.flatMap(([name, about]) => {
    const [first = "", ...others] = wrap(about, width - column)
    const start = `  ${name}`
    const head = start.length + 2 > column
      ? [start, " ".repeat(column) + first]
      : [start.padEnd(column) + first]
    return [...head, ...others.map((line) => " ".repeat(column) + line)]
  })
}

/** The name of an argument or option. `@effect/cli` writes how often it occurs behind it. */
const nameOf = (name: Span.Span): string => textOf(name).replace(/ 1\+$/, "...")

/** The rows of a list, whose items have two paragraphs: the type and the description. */
const rowsOf = (list: HelpDoc.HelpDoc | undefined): ReadonlyArray<Row> =>
  list?._tag === "DescriptionList"
    ? list.definitions.map(([name, about]): Row => [nameOf(name), paragraphs(about)[1] ?? ""])
    : []

const config = CliConfig.make({ showBuiltIns: false })

/** The parts of a command's help. */
const read = (command: Command.Command<unknown>) => {
  const help = Command.getHelp(command, config)
  const all = parts(help)
  const section = (title: string) => {
    const after = all.slice(all.findIndex((part) => part._tag === "Header" && textOf(part.value) === title) + 1)
    return Arr.takeWhile(after, ({ _tag }) => _tag !== "Header").flatMap(rowsOf)
  }
  const [description = "", ...examples] = paragraphs(help)
  return {
    name: Array.from(Command.getNames(command)).join(),
    description,
    examples,
    args: section("ARGUMENTS"),
    options: section("OPTIONS")
  }
}

const helpOption: Row = ["--help, -h", "Show this help"]

/** Splits the options of a command into its own and those that all commands have. */
const split = (options: ReadonlyArray<Row>) => {
  const globals = new Set(parts(Options.getHelp(Options.all(Globals.options))).flatMap(rowsOf).map(String))
  const isGlobal = (row: Row) => globals.has(String(row))
  return { own: options.filter((row) => !isGlobal(row)), common: options.filter(isGlobal) }
}

/** The names of options, and whether a value follows them. */
const optionsOf = (rows: ReadonlyArray<Row>) =>
  rows.flatMap(([text]) =>
    Array.from(text.matchAll(/--[a-z0-9-]+/g), ([option]) => ({ option, hasValue: /[^,] [^-]/.test(text) }))
  )

/** A section, unless it is empty. */
const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines]

/**
 * Returns the help of the program.
 *
 * @since 0.1.0
 * @category formatting
 */
export const ofProgram = (
  name: string,
  commands: ReadonlyArray<{ readonly name: string; readonly about: string }>
): string =>
  [
    "USAGE",
    `  ${name} <command> [options]`,
    ...section("COMMANDS", lines(commands.map(({ about, name }): Row => [name, about]))),
    ...section(
      "OPTIONS",
      lines([
        ["--help, -h", "Show this help, or that of a command"],
        ["--version", "Show the version"],
        ["--completions sh|bash|fish|zsh", "Print a script that completes commands and options in this shell"]
      ])
    )
  ].join("\n")

/**
 * Returns the help of a command.
 *
 * @since 0.1.0
 * @category formatting
 */
export const ofCommand = (program: string, command: Command.Command<unknown>): string => {
  const { args, description, examples, name, options } = read(command)
  const { common, own } = split(options)
  const usage = `${program} ${name} [options]${args.map(([name]) => ` ${name}`).join("")}`
  return [
    ...wrap(description, width),
    ...section("USAGE", indented(usage)),
    ...section("ARGUMENTS", lines(args)),
    ...section("OPTIONS", lines(common.length === 0 ? [...own, helpOption] : own)),
    ...(common.length === 0 ? [] : [
      ...section("OPTIONS OF ALL COMMANDS", lines([...common, helpOption])),
      ...section("ENVIRONMENT", indented(Globals.environment))
    ]),
    ...section("EXAMPLES", examples.map((line) => `  ${line}`))
  ].join("\n")
}

/**
 * Fails with `Usage` in cases that `@effect/cli` accepts, although the command may then do harm:
 *
 * - An argument looks like an option that the command does not have: a mistyped `--dry-run` would be an argument.
 * - An option lacks its value: in `--exclude --dry-run`, the value would be `--dry-run`.
 * - An option of all commands is given twice: of two vaults the first one would count.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkOptions = (
  program: string,
  command: Command.Command<unknown>,
  args: ReadonlyArray<string>
): Effect.Effect<void, Usage> => {
  const { name, options } = read(command)
  const known = optionsOf(options)
  const names = [...known.map(({ option }) => option), "--help"]
  const end = args.indexOf("--")
  const given = args.slice(0, end === -1 ? args.length : end)
  // With one hyphen it can be an id, but not if only the other hyphen is missing.
  const isOption = (argument: string) => argument.startsWith("--") || names.includes(`-${argument}`)
  const unknown = given.find((argument) => isOption(argument) && !names.includes(argument.replace(/=.*$/s, "")))
  if (unknown !== undefined) {
    const next = Suggestion.of(unknown.replace(/=.*$/s, ""), names) || `${program} ${name} --help lists its options. `
    return new Usage({
      message: `The command ${name} has no option ${unknown}. ${next}If it is an argument, write -- before it`
    })
  }
  const needsValue = new Set(known.flatMap(({ hasValue, option }) => hasValue ? [option] : []))
  const lacking = given.find((argument, at) => {
    const next = given[at + 1]
    return needsValue.has(argument) && !needsValue.has(given[at - 1] ?? "") &&
      (next === undefined || names.includes(next))
  })
  if (lacking !== undefined) {
    return new Usage({ message: `The option ${lacking} needs a value. ${program} ${name} --help describes it` })
  }
  const twice = optionsOf(split(options).common).find(({ hasValue, option }) =>
    hasValue && given.filter((argument) => argument.replace(/=.*$/s, "") === option).length > 1
  )
  return twice === undefined
    ? Effect.void
    : new Usage({ message: `The option ${twice.option} is given more than once: give it once` })
}
