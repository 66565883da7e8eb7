/**
 * The `effect-glacier` program with all its layers. `bin.ts` starts it.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { manifest } from "../node/OptionalPackages.ts"
import * as EmulatorCommand from "./EmulatorCommand.ts"
import * as Help from "./Help.ts"
import * as TreeHashCommand from "./TreeHashCommand.ts"

const name = "effect-glacier"

const program = Command.make(name).pipe(Command.withSubcommands([EmulatorCommand.command, TreeHashCommand.command]))

const run = Command.run(program, { name, version: manifest.version })

/** Prints an error in one line. Skips mistakes in the arguments, because `@effect/cli` has already printed them. */
const report = (error: Effect.Effect.Error<ReturnType<typeof run>>) =>
  ValidationError.isValidationError(error)
    ? Effect.void
    : Console.error(error._tag === "ServeError" && error.cause instanceof Error ? error.cause.message : error.message)

Effect.matchEffect(Help.wanted(program.descriptor, name, process.argv.slice(2)), {
  onSuccess: Console.log,
  onFailure: () => run(process.argv)
}).pipe(
  Effect.tapError(report),
  Effect.tapDefect(Effect.logFatal),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
