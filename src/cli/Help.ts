/**
 * The text of `--help`: one line for the usage, and a few lines of at most 80 characters for each option. The help of
 * `@effect/cli` lists all options in one line and takes eight lines for each option, which is hard to read.
 *
 * @since 0.1.0
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/CommandDescriptor"
import * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"
import * as Options from "@effect/cli/Options"
import * as Arr from "effect/Array"
import * as Globals from "./Globals.ts"

const textOf = (span: Span.Span): string =>
  span._tag === "Sequence" ?
    textOf(span.left) + textOf(span.right)
    : typeof span.value === "string" ?
    span.value
    : textOf(span.value)

const parts = (doc: HelpDoc.HelpDoc): ReadonlyArray<HelpDoc.HelpDoc> =>
  doc._tag === "Sequence" ? [...parts(doc.left), ...parts(doc.right)] : [doc]

/**
 * Returns the texts of the paragraphs of a document.
 *
 * @since 0.1.0
 * @category getters
 */
export const paragraphs = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> =>
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

/**
 * An option of a command.
 *
 * @since 0.1.0
 * @category models
 */
export interface Option {
  /** Its name, such as `--depth`. */
  readonly name: string
  /** Its name of one letter, such as `-0`. */
  readonly alias: string | undefined
  /** A word for its value, such as `size`, or the values to choose from: `none | all`. A switch has no value. */
  readonly value: string | undefined
  readonly isRepeated: boolean
  readonly about: string
}

/**
 * An argument of a command.
 *
 * @since 0.1.0
 * @category models
 */
export interface Argument {
  /** Its name, such as `<glob>`. */
  readonly name: string
  readonly isOptional: boolean
  readonly isRepeated: boolean
  readonly about: string
}

/**
 * The parts of a command's help.
 *
 * @since 0.1.0
 * @category models
 */
export interface Description {
  readonly name: string
  readonly description: string
  readonly examples: ReadonlyArray<string>
  readonly args: ReadonlyArray<Argument>
  /** The options that only this command has. */
  readonly own: ReadonlyArray<Option>
  /** The options that all commands have. */
  readonly common: ReadonlyArray<Option>
}

/** Reads the list of arguments or options in the help of `@effect/cli`. Their second paragraph is their description. */
const readList = <A>(
  help: HelpDoc.HelpDoc,
  read: (name: string, about: string, paragraphs: ReadonlyArray<string>) => A
): ReadonlyArray<A> =>
  parts(help).flatMap((part) =>
    part._tag === "DescriptionList"
      ? part.definitions.map(([name, about]) => read(textOf(name), paragraphs(about)[1] ?? "", paragraphs(about)))
      : []
  )

const optionPattern = /^\(?(?:(-\w), )?(--[a-z0-9-]+)\)?(?: (.+?))?(\.\.\.)?$/

const readOptions = (help: HelpDoc.HelpDoc): ReadonlyArray<Option> =>
  readList(help, (text, about) => {
    const [, alias, name = text, value, dots] = optionPattern.exec(text) ?? []
    return { name, alias, value, isRepeated: dots !== undefined, about }
  })

/** `@effect/cli` writes `...` behind an argument that can be left out or repeated, and `1+` behind one that can be repeated. */
const readArgs = (help: HelpDoc.HelpDoc): ReadonlyArray<Argument> =>
  readList(help, (text, about, paragraphs) => ({
    name: text.replace(/(\.\.\.| 1\+)$/, ""),
    isOptional: text.endsWith("...") || paragraphs.includes("This setting is optional."),
    isRepeated: /(\.\.\.| 1\+)$/.test(text),
    about
  }))

/**
 * Reads the parts of a command's help.
 *
 * @since 0.1.0
 * @category getters
 */
export const read = (command: Command.Command<unknown>): Description => {
  const help = Command.getHelp(command, CliConfig.make({ showBuiltIns: false }))
  const all = parts(help)
  const section = (title: string) => {
    const after = all.slice(all.findIndex((part) => part._tag === "Header" && textOf(part.value) === title) + 1)
    return HelpDoc.blocks(Arr.takeWhile(after, ({ _tag }) => _tag !== "Header"))
  }
  const [description = "", ...examples] = paragraphs(help)
  const globals = readOptions(Options.getHelp(Options.all(Globals.options)))
  const [own, common] = Arr.partition(
    readOptions(section("OPTIONS")),
    ({ about, name }) => globals.some((option) => option.name === name && option.about === about)
  )
  return {
    name: Array.from(Command.getNames(command)).join(),
    description,
    examples,
    args: readArgs(section("ARGUMENTS")),
    own,
    common
  }
}

const helpOption: Row = ["--help, -h", "Show this help"]

const optionRow = ({ about, alias, isRepeated, name, value }: Option): Row => [
  name + (alias === undefined ? "" : `, ${alias}`) + (value === undefined ? "" : ` ${value}`) +
  (isRepeated ? "..." : ""),
  about
]

const shownArgument = ({ isRepeated, name }: Argument): string => isRepeated ? `${name}...` : name

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
        ["--completions bash|fish|zsh", "Print a script that completes commands and options in this shell"]
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
  const { args, common, description, examples, name, own } = read(command)
  const usage = args.map((argument) => argument.isOptional ? `[${shownArgument(argument)}]` : shownArgument(argument))
  const ownRows = own.map(optionRow)
  return [
    ...wrap(description, width),
    ...section("USAGE", indented([program, name, "[options]", ...usage].join(" "))),
    ...section("ARGUMENTS", lines(args.map((argument) => [shownArgument(argument), argument.about]))),
    ...section("OPTIONS", lines(common.length === 0 ? [...ownRows, helpOption] : ownRows)),
    ...(common.length === 0 ? [] : [
      ...section("OPTIONS OF ALL COMMANDS", lines([...common.map(optionRow), helpOption])),
      ...section("ENVIRONMENT", indented(Globals.environment))
    ]),
    ...section("EXAMPLES", examples.map((line) => `  ${line}`))
  ].join("\n")
}
