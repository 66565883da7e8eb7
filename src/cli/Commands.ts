/**
 * The commands of the program. Each is in a module of its own, and `load` imports only the modules that the arguments need:
 * importing all of them takes longer than a short command.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"

/** Whether the arguments may need the options of a command. A global option, which may have a value, can precede its name. */
const isNeeded = (name: string, args: ReadonlyArray<string>): boolean =>
  [name, "--completions", "--wizard"].some((word) => args.includes(word))

/** A command whose module is imported when the arguments need it. Otherwise the command has only a name and a description. */
const command = <Name extends string, R, E, A>(
  name: Name,
  description: string,
  module: () => Promise<{ readonly command: Command.Command<Name, R, E, A> }>
) =>
(args: ReadonlyArray<string>) =>
  isNeeded(name, args)
    ? Effect.map(Effect.promise(module), ({ command }) => Command.withDescription(command, description))
    : Effect.succeed(Command.withDescription(Command.make(name), description))

/**
 * Returns all commands. Those that the arguments do not name have no options.
 *
 * @since 0.1.0
 * @category commands
 */
export const load = (args: ReadonlyArray<string>) =>
  Effect.all([
    command("emulator", "Run an emulator of Amazon Glacier", () => import("./EmulatorCommand.ts"))(args),
    command("tree-hash", "Print the tree hash of each file", () => import("./TreeHashCommand.ts"))(args)
  ])
