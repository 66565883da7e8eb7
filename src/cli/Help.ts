/**
 * The text of `--help`: one line for the usage, and one or two lines for each option. The help of `@effect/cli` lists all
 * options in one line and takes eight lines for each option, which is hard to read.
 *
 * @since 0.1.0
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/CommandDescriptor"
import type * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"
import * as Effect from "effect/Effect"
import { Usage } from "./Failures.ts"

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

const column = 34

const row = (name: string, text = ""): string =>
  name.length + 2 < column ? `  ${name.padEnd(column - 2)}${text}` : `  ${name}\n${" ".repeat(column)}${text}`

/** The name of an argument or option. `@effect/cli` writes how often it occurs behind it. */
const nameOf = (name: Span.Span): string => textOf(name).replace(/ 1\+$/, "...")

const helpOf = (command: Command.Command<unknown>) => Command.getHelp(command, CliConfig.defaultConfig)

/** The sections of a command's help. */
const section = (part: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  switch (part._tag) {
    case "Header":
      return ["", textOf(part.value)]
    case "Paragraph":
      return [`  ${textOf(part.value)}`]
    case "DescriptionList":
      // The first paragraph of an option is its type, the second its description.
      return part.definitions.map(([name, about]) => row(nameOf(name), paragraphs(about)[1]))
    default:
      return []
  }
}

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
    "",
    "COMMANDS",
    ...commands.map(({ about, name }) => row(name, about)),
    "",
    "OPTIONS",
    row("--help, -h", "Show this help, or that of a command"),
    row("--version", "Show the version"),
    row("--completions sh|bash|fish|zsh", "Print a script that completes commands and options in this shell")
  ].join("\n")

/** The names of the arguments in the help of a command, such as `<file>...`. */
const argumentsOf = (all: ReadonlyArray<HelpDoc.HelpDoc>): ReadonlyArray<string> => {
  const at = all.findIndex((part) => part._tag === "Header" && textOf(part.value) === "ARGUMENTS")
  const list = all[at + 1]
  return list?._tag === "DescriptionList" ? list.definitions.map(([name]) => nameOf(name)) : []
}

/**
 * Returns the help of a command.
 *
 * @since 0.1.0
 * @category formatting
 */
export const ofCommand = (program: string, command: Command.Command<unknown>): string => {
  const all = parts(helpOf(command))
  const [description = "", ...examples] = paragraphs(helpOf(command))
  const name = Array.from(Command.getNames(command)).join()
  const usage = `  ${program} ${name} [options]${argumentsOf(all).map((name) => ` ${name}`).join("")}`
  return [
    description,
    "",
    "USAGE",
    usage,
    ...all.filter(({ _tag }) => _tag !== "Paragraph").flatMap(section),
    "",
    "EXAMPLES",
    ...examples.map((line) => `  ${line}`)
  ].join("\n")
}

/** The names of the options in the help of a command. */
const optionsOf = (command: Command.Command<unknown>): ReadonlyArray<string> =>
  parts(helpOf(command)).flatMap((part) =>
    part._tag === "DescriptionList"
      ? part.definitions.flatMap(([name]) => Array.from(textOf(name).matchAll(/--[a-z0-9-]+/g), ([option]) => option))
      : []
  )

/**
 * Fails with `Usage` when an argument looks like an option that the command does not have. `@effect/cli` would take it for an
 * argument, so that a mistyped `--dry-run` could delete archives.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkOptions = (
  program: string,
  command: Command.Command<unknown>,
  args: ReadonlyArray<string>
): Effect.Effect<void, Usage> => {
  const known = [...optionsOf(command), "--help", "--version", "--log-level", "--completions", "--wizard"]
  const end = args.indexOf("--")
  const unknown = args.slice(0, end === -1 ? args.length : end)
    .find((argument) => argument.startsWith("--") && !known.includes(argument.replace(/=.*$/s, "")))
  if (unknown === undefined) return Effect.void
  const name = Array.from(Command.getNames(command)).join()
  return new Usage({
    message: `The command ${name} has no option ${unknown}. ${program} ${name} --help lists its options. ` +
      "If it is an argument, write -- before it"
  })
}
