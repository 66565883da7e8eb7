/**
 * The scripts that complete commands and options in a shell.
 *
 * @since 0.1.0
 */
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import type { Program } from "./CliCommand.ts"
import { Usage } from "./Failures.ts"

const shells = {
  sh: CommandDescriptor.getBashCompletions,
  bash: CommandDescriptor.getBashCompletions,
  fish: CommandDescriptor.getFishCompletions,
  zsh: CommandDescriptor.getZshCompletions
}

const isShell = (name: string): name is keyof typeof shells => Object.hasOwn(shells, name)

/**
 * Returns the script for a shell. Fails with `Usage` for any other shell than sh, bash, fish and zsh.
 *
 * @since 0.1.0
 * @category formatting
 */
export const script = (
  name: string,
  programs: ReadonlyArray<Program>,
  shell: string | undefined
): Effect.Effect<string, Usage> => {
  const [first, ...others] = programs.map(({ descriptor }) => ["", descriptor] as const)
  if (shell === undefined || !isShell(shell) || first === undefined) {
    const problem = shell === undefined ? "--completions needs a shell" : `The shell ${shell} is unknown`
    return new Usage({ message: `${problem}: use sh, bash, fish or zsh` })
  }
  const all = CommandDescriptor.make(name, Options.none).pipe(CommandDescriptor.withSubcommands([first, ...others]))
  return Effect.map(shells[shell](all, name), (lines) => lines.join("\n"))
}
