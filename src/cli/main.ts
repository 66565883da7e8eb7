#!/usr/bin/env node
/**
 * The `effect-glacier` program with all its layers. `scripts/bundle-program.ts` bundles it with everything that it imports.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { manifest } from "../node/OptionalPackages.ts"
import * as Commands from "./Commands.ts"
import * as Help from "./Help.ts"

const name = "effect-glacier"

const run = Effect.gen(function*() {
  const args = process.argv.slice(2)
  const program = Command.make(name).pipe(Command.withSubcommands(yield* Commands.load(args)))
  const help = Help.wanted(program.descriptor, name, args)
  yield* Option.match(help, {
    onSome: Console.log,
    onNone: () => Command.run(program, { name, version: manifest.version })(process.argv)
  })
})

/** Prints an error in one line. Skips mistakes in the arguments, because `@effect/cli` has already printed them. */
const report = (error: Effect.Effect.Error<typeof run>) =>
  ValidationError.isValidationError(error)
    ? Effect.void
    : Console.error(error._tag === "ServeError" && error.cause instanceof Error ? error.cause.message : error.message)

run.pipe(
  Effect.tapError(report),
  Effect.tapDefect(Effect.logFatal),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
