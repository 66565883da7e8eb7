/**
 * The scripts that complete commands, options and the names of vaults in a shell. Those of `@effect/cli` complete neither the
 * options of a program with a hyphen in its name nor values to choose from.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import type { Program } from "./CliCommand.ts"
import { Usage } from "./Failures.ts"
import * as Help from "./Help.ts"

/** The values to choose from. Other options have none. */
const choicesOf = ({ value = "" }: Help.Option): ReadonlyArray<string> =>
  value.includes(" | ") ? value.split(" | ") : []

const optionsOf = ({ common, own }: Help.Description): ReadonlyArray<Help.Option> => [...own, ...common]

const takesPath = ({ value }: Help.Option): boolean => value === "file" || value === "folder"

/**
 * Lists the vaults that have a folder in the state folder, as a line for a shell. `state` is that folder. In the names of these
 * folders, a plus sign is before a small letter that stands for a capital one.
 */
const vaultsIn = (state: string): string =>
  `find ${state} -mindepth 3 -maxdepth 3 -type d ! -name '@*' 2>/dev/null | awk -F/ '{ n = split($NF, part, "+"); ` +
  `name = part[1]; for (i = 2; i <= n; i++) name = name toupper(substr(part[i], 1, 1)) substr(part[i], 2); print name }'`

const bash = (name: string, commands: ReadonlyArray<Help.Description>): string => {
  const complete = (words: string) => `COMPREPLY=($(compgen -W "${words}" -- "$cur"))`
  const values = commands.flatMap((command) =>
    optionsOf(command).flatMap((option) =>
      choicesOf(option).length === 0
        ? []
        : [`    "${command.name} ${option.name}") ${complete(choicesOf(option).join(" "))}; return ;;`]
    )
  )
  const options = commands.map((command) =>
    `    ${command.name}) ${complete([...optionsOf(command).map(({ name }) => name), "--help"].join(" "))} ;;`
  )
  return `_effect_glacier() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local state="\${EFFECT_GLACIER_STATE:-\${XDG_STATE_HOME:-$HOME/.local/state}/effect-glacier}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    ${complete([...commands.map(({ name }) => name), "--help", "--version", "--completions"].join(" "))}
    return
  fi
  case "\${COMP_WORDS[1]} $prev" in
    "--completions --completions") ${complete(Object.keys(shells).join(" "))}; return ;;
    *" --vault") ${complete(`$(${vaultsIn("\"$state\"")})`)}; return ;;
${values.join("\n")}
  esac
  [[ $cur == -* ]] || return
  case "\${COMP_WORDS[1]}" in
${options.join("\n")}
  esac
}
complete -o bashdefault -o default -F _effect_glacier ${name}`
}

/** A shell that runs the functions of bash. */
const zsh = (name: string, commands: ReadonlyArray<Help.Description>): string =>
  `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(name, commands)}`

const fish = (name: string, commands: ReadonlyArray<Help.Description>): string => {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
  const line = (...words: ReadonlyArray<string>) => `complete -c ${name} ${words.join(" ")}`
  const first = "-n __fish_use_subcommand"
  const state = "set -q EFFECT_GLACIER_STATE; and echo $EFFECT_GLACIER_STATE; " +
    "or begin; set -q XDG_STATE_HOME; and echo $XDG_STATE_HOME/effect-glacier; end; " +
    "or echo ~/.local/state/effect-glacier"
  const valueOf = (option: Help.Option): string => {
    if (option.value === undefined) return ""
    if (option.name === "--vault") return `-x -a ${quote(`(${vaultsIn(`(${state})`)})`)}`
    return takesPath(option) ? "-r -F" : `-x -a ${quote(choicesOf(option).join(" "))}`
  }
  const options = commands.flatMap((command) =>
    optionsOf(command).map((option) => {
      const alias = option.alias === undefined ? "" : `-s ${option.alias.slice(1)}`
      return line(
        `-n '__fish_seen_subcommand_from ${command.name}' -l ${option.name.slice(2)} ${alias}`.trimEnd(),
        `${valueOf(option)} -d ${quote(option.about)}`.trimStart()
      )
    })
  )
  return [
    ...commands.map((command) => line(first, "-f", "-a", command.name, "-d", quote(command.description))),
    line(first, "-l help", "-d 'Show the help'"),
    line(first, "-l version", "-d 'Show the version'"),
    line(first, "-l completions", "-x", "-a", quote(Object.keys(shells).join(" ")), "-d 'Print a script'"),
    ...options
  ].join("\n")
}

const shells: Readonly<Record<string, typeof bash>> = { bash, fish, zsh }

/**
 * Returns the script for a shell. Fails with `Usage` for any other shell than bash, fish and zsh.
 *
 * @since 0.1.0
 * @category formatting
 */
export const script = (
  name: string,
  programs: ReadonlyArray<Program>,
  shell: string | undefined
): Effect.Effect<string, Usage> => {
  const make = Record.get(shells, shell ?? "")
  if (Option.isSome(make)) {
    return Effect.succeed(make.value(name, programs.map(({ descriptor }) => Help.read(descriptor))))
  }
  const problem = shell === undefined ? "--completions needs a shell" : `The shell ${shell} is unknown`
  return new Usage({ message: `${problem}: use bash, fish or zsh` })
}
