/**
 * The parts that all commands have in common: their help, and the services that they run with.
 *
 * @since 0.1.0
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as CommandDirective from "@effect/cli/CommandDirective"
import * as HelpDoc from "@effect/cli/HelpDoc"
import type * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Arguments from "./Arguments.ts"
import { type Failure, Usage } from "./Failures.ts"
import * as Globals from "./Globals.ts"
import * as Help from "./Help.ts"
import * as Output from "./Output.ts"

/**
 * The name of the program.
 *
 * @since 0.1.0
 * @category constants
 */
export const programName = "effect-glacier"

/**
 * A command that can be run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Program {
  readonly descriptor: CommandDescriptor.Command<unknown>
  /** Parses the arguments, and runs the command. */
  readonly run: (args: ReadonlyArray<string>) => Effect.Effect<void, Failure, NodeContext.NodeContext>
}

/**
 * The texts of a command's help.
 *
 * @since 0.1.0
 * @category models
 */
export interface About {
  readonly description: string
  /** Lines that a user could type, such as `effect-glacier ls --vault photos '2014/**'`. */
  readonly examples: readonly [string, ...ReadonlyArray<string>]
}

/**
 * Makes the program of a command.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toProgram = ({ description, examples }: About) =>
<Name extends string, E extends Failure, A>(
  command: Command.Command<Name, NodeContext.NodeContext, E, A>
): Program => {
  const help = HelpDoc.blocks([HelpDoc.p(description), ...examples.map((line) => HelpDoc.p(line))])
  const { descriptor, handler } = Command.withDescription(command, help)
  const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
    const read = yield* Arguments.read(programName, descriptor, args, process.env)
    const directive = yield* Effect.mapError(
      CommandDescriptor.parse(descriptor, read, CliConfig.defaultConfig),
      ({ error }) => new Usage({ message: Help.paragraphs(error).join(". ") })
    )
    // The built-in options of `@effect/cli` are unknown options here.
    if (CommandDirective.isUserDefined(directive)) yield* handler(directive.value)
  })
  return { descriptor, run }
}

/**
 * Runs the work of a command with the values of the options that all commands have.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withGlobals =
  (globals: Globals.Values) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Globals.Globals | Output.Output>> =>
    Effect.suspend(() => {
      Globals.toEnvironment(globals, process.env)
      return Effect.provide(work, Layer.merge(Layer.succeed(Globals.Globals, globals), Output.layer(globals)))
    })
