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
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"

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

const helpOf = (command: Command.Command<unknown>) => Command.getHelp(command, CliConfig.defaultConfig)

/** The sections of a command's help. An enumeration lists its subcommands, each with its whole usage. */
const section = (command: Command.Command<unknown>) => (part: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  switch (part._tag) {
    case "Header":
      return ["", textOf(part.value)]
    case "Paragraph":
      return [`  ${textOf(part.value)}`]
    case "DescriptionList":
      // The first paragraph of an option is its type, the second its description.
      return part.definitions.map(([name, about]) => row(textOf(name).replace(/ 1\+$/, "..."), paragraphs(about)[1]))
    case "Enumeration":
      return Array.from(Command.getSubcommands(command), ([name, child]) => row(name, paragraphs(helpOf(child))[0]))
    default:
      return []
  }
}

/**
 * Returns the help text if the arguments are empty or contain `--help` or `-h`: the help of the subcommand that the first
 * argument names, else the help of the program.
 *
 * @since 0.1.0
 * @category formatting
 */
export const wanted = (
  program: Command.Command<unknown>,
  name: string,
  args: ReadonlyArray<string>
): Option.Option<string> => {
  if (args.length > 0 && !args.includes("--help") && !args.includes("-h")) return Option.none()
  const [first = ""] = args
  const child = HashMap.get(Command.getSubcommands(program), first)
  const command = Option.getOrElse(child, () => program)
  const usage = Option.isSome(child) ? `${name} ${first} [options]` : `${name} <command> [options]`
  return Option.some(["USAGE", `  ${usage}`, ...parts(helpOf(command)).flatMap(section(command))].join("\n"))
}
