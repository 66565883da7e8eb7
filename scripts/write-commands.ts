// Writes docs/commands.md, the reference of the program's commands, from their help.
//
//     node --import tsx scripts/write-commands.ts
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { programName } from "../src/cli/CliCommand.ts"
import { commands } from "../src/cli/Commands.ts"
import * as Help from "../src/cli/Help.ts"

export const path = join(resolve(import.meta.dirname, ".."), "docs/commands.md")

const block = (text: string): string => `\`\`\`text\n${text}\n\`\`\``

/** The sections of a help, which begin with titles in capitals. */
const sectionsOf = (help: string): ReadonlyArray<string> => help.split(/\n\n(?=[A-Z][A-Z ]*\n)/)

const isCommon = (section: string): boolean => /^(OPTIONS OF ALL COMMANDS|ENVIRONMENT)\n/.test(section)

/** Returns the page. The options that all commands have are on it once. */
export const page = async (): Promise<string> => {
  const helps = await Promise.all(commands.map(async ({ load, name }) => {
    const { program } = await load()
    return { name, sections: sectionsOf(Help.ofCommand(programName, program.descriptor)) }
  }))
  const common = helps.find(({ sections }) => sections.some(isCommon))?.sections.filter(isCommon) ?? []
  const without = helps.filter(({ sections }) => !sections.some(isCommon))
  return [
    "# Commands",
    "This page is the help of each command, as `effect-glacier COMMAND --help` prints it. The [guide](command-line.md) shows " +
    "how to use the program.",
    block(Help.ofProgram(programName, commands)),
    "## Options of all commands",
    `These commands do not have them: ${without.map(({ name }) => `\`${name}\``).join(", ")}.`,
    block(common.join("\n\n")),
    ...helps.flatMap(({ name, sections: [description = "", ...sections] }) => [
      `## ${name}`,
      `${description.replaceAll("\n", " ")}.`,
      block(sections.filter((section) => !isCommon(section)).join("\n\n"))
    ])
  ].join("\n\n") + "\n"
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, await page())
