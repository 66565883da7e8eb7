/**
 * Checks the arguments of a command, and writes them in a form that `@effect/cli` reads in one way only: the options with their
 * values, then `--`, then the arguments. As people type them, `@effect/cli` would accept some that do harm:
 *
 * - A mistyped `--dry-run` would be an argument, and so would `--dry-run=` and a second `--depth 2`.
 * - In `--exclude --dry-run`, the value would be `--dry-run`. A value that begins with `--` is written `--exclude=--value`.
 * - In `--json no`, the argument `no` would turn the option off.
 *
 * @since 0.1.0
 */
import type * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Usage } from "./Failures.ts"
import * as Globals from "./Globals.ts"
import * as Help from "./Help.ts"
import * as Suggestion from "./Suggestion.ts"

/** A value of an option. Its source is the option as typed, or a variable of the environment. */
interface Given {
  readonly option: Help.Option
  readonly source: string
  readonly value: string
}

/** The arguments by what they are. */
interface Sorted {
  readonly given: ReadonlyArray<Given>
  readonly others: ReadonlyArray<string>
}

/** Sorts the arguments into values of options and others. All after `--` are others. */
const sort = (
  program: string,
  { args: named, common, name: command, own }: Help.Description,
  args: ReadonlyArray<string>
): Effect.Effect<Sorted, Usage> =>
  Effect.gen(function*() {
    const fail = (message: string) => new Usage({ message })
    const options = [...own, ...common]
    const names = [...options.map(({ name }) => name), "--help"]
    const find = (text: string) => options.find(({ alias, name }) => text === name || text === alias)
    const given: Array<Given> = []
    const others: Array<string> = []
    const rest = args.values()
    for (const argument of rest) {
      if (argument === "--") break
      const [, source = argument, assigned] = /^(--[^=]+)=(.*)$/s.exec(argument) ?? []
      const option = find(source)
      if (option === undefined) {
        // With one hyphen it can be an id, but not if only the other hyphen is missing.
        if (!argument.startsWith("--") && !names.includes(`-${argument}`)) {
          others.push(argument)
          continue
        }
        const next = Suggestion.of(source, names) || `${program} ${command} --help lists its options. `
        const remedy = named.length === 0 ? "" : "If it is an argument, write -- before it"
        return yield* fail(`The command ${command} has no option ${argument}. ${next}${remedy}`.trimEnd())
      }
      if (!option.isRepeated && given.some((other) => other.option === option)) {
        return yield* fail(`The option ${source} is given more than once: give it once`)
      }
      const following = () => rest.next().value ?? ""
      const value = assigned ?? (option.value === undefined ? "true" : following())
      if (value === "" || (assigned === undefined && (value.startsWith("--") || find(value) !== undefined))) {
        return yield* fail(`The option ${source} needs a value. ${program} ${command} --help describes it`)
      }
      given.push({ option, source, value })
    }
    return { given, others: [...others, ...rest] }
  })

/** The values of options of all commands that only the environment has. */
const fromEnvironment = (
  { common }: Help.Description,
  given: ReadonlyArray<Given>,
  environment: Readonly<Record<string, string | undefined>>
): ReadonlyArray<Given> =>
  common.filter((option) => !given.some((other) => other.option === option)).flatMap((option) => {
    const source = Globals.variableOf(option.name.slice("--".length))
    const value = environment[source]
    return value === undefined || value === "" ? [] : [{ option, source, value }]
  })

const switches = ["true", "yes", "on", "1", "false", "no", "off", "0"]

/** Checks that a path exists. `what` is what must be there. */
const checkPath = (what: "file" | "file or folder", path: string, source: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { type } = yield* Effect.mapError(fs.stat(path), (error) =>
      new Usage({
        message: error._tag === "SystemError" && error.reason === "NotFound"
          ? `There is no ${what} ${path} (${source}): check the path`
          : `The path ${path} (${source}) cannot be read: ${error.message}`
      }))
    if (type === "Directory" && what === "file") {
      return yield* new Usage({ message: `The path ${path} (${source}) is a folder: write the path of a file` })
    }
  })

/**
 * Fails with `Usage` if the path of a folder is that of a file. The folder may be missing: the command makes it. `source` is the
 * option or argument of the path.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkFolder = (path: string, source: string): Effect.Effect<void, Usage, FileSystem.FileSystem> =>
  FileSystem.FileSystem.pipe(
    Effect.flatMap((fs) => fs.stat(path)),
    Effect.option,
    Effect.flatMap((found) =>
      Option.isSome(found) && found.value.type !== "Directory"
        ? new Usage({ message: `The path ${path} (${source}) is a file: write the path of a folder` })
        : Effect.void
    )
  )

/** Checks a value by the placeholder of its option. The messages of `@effect/cli` would not name the option. */
const checkValue = ({ option: { value: placeholder = "switch" }, source, value }: Given) => {
  if (placeholder === "file") return checkPath("file", value, source)
  if (placeholder === "folder") return checkFolder(value, source)
  const choices = placeholder === "switch" ? switches : placeholder.split(" | ")
  if (choices.length === 1 || choices.includes(value)) return Effect.void
  const rule = placeholder === "switch" ? "true or false" : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`
  return new Usage({ message: `The value ${JSON.stringify(value)} of ${source} is unknown: write ${rule}` })
}

/** Checks the number of the arguments, and the paths that must exist. */
const checkOthers = (program: string, { args: [named], name }: Help.Description, others: ReadonlyArray<string>) => {
  const next = `${program} ${name} --help describes it`
  const [extra] = others.slice(named === undefined ? 0 : named.isRepeated ? others.length : 1)
  if (extra !== undefined) {
    const most = named === undefined ? "no argument" : `only 1 argument, ${named.name}`
    return new Usage({ message: `The command ${name} takes ${most}, but was given ${extra}. ${next}` })
  }
  if (named === undefined) return Effect.void
  if (others.length === 0 && !named.isOptional) {
    return new Usage({ message: `The argument ${named.name} is missing: ${named.about}. ${next}` })
  }
  if (others.includes("")) return new Usage({ message: `The argument ${named.name} is empty. ${next}` })
  return named.name === "<path>"
    ? Effect.forEach(others, (path) => checkPath("file or folder", path, named.name), { discard: true })
    : Effect.void
}

/**
 * Reads the arguments of a command, and adds the options of all commands that the environment has. Fails with `Usage` for a
 * mistake.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = (
  program: string,
  command: CommandDescriptor.Command<unknown>,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): Effect.Effect<ReadonlyArray<string>, Usage, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const description = Help.read(command)
    const { given, others } = yield* sort(program, description, args)
    const all = [...given, ...fromEnvironment(description, given, environment)]
    yield* Effect.forEach(all, checkValue, { discard: true })
    yield* checkOthers(program, description, others)
    return [description.name, ...all.flatMap(({ option, value }) => [option.name, value]), "--", ...others]
  })
