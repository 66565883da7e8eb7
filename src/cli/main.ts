#!/usr/bin/env node
/**
 * The `effect-glacier` program. `scripts/bundle-program.ts` bundles it with everything that it imports.
 *
 * @since 0.1.0
 */
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import { manifest } from "../node/OptionalPackages.ts"
import { programName as name } from "./CliCommand.ts"
import { commands, type Entry } from "./Commands.ts"
import * as Completions from "./Completions.ts"
import * as Explain from "./Explain.ts"
import { exitCodeOf, type Failure, Usage } from "./Failures.ts"
import * as Help from "./Help.ts"
import * as Suggestion from "./Suggestion.ts"

const [first = "", ...rest] = process.argv.slice(2)

const load = ({ load }: Entry) => Effect.map(Effect.promise(load), ({ program }) => program)

const run = Effect.gen(function*() {
  if (first === "" || first === "--help" || first === "-h") return yield* Console.log(Help.ofProgram(name, commands))
  if (first === "--version") return yield* Console.log(manifest.version)
  if (first === "--completions") {
    const programs = yield* Effect.forEach(commands, load)
    return yield* Effect.flatMap(Completions.script(name, programs, rest[0]), Console.log)
  }
  const entry = commands.find(({ name }) => name === first)
  if (entry === undefined) {
    const names = commands.map(({ name }) => name)
    return yield* new Usage({
      message: `There is no command ${first}. ${Suggestion.of(first, names)}${name} --help lists the commands`
    })
  }
  const { descriptor, run } = yield* load(entry)
  if (rest.includes("--help") || rest.includes("-h")) return yield* Console.log(Help.ofCommand(name, descriptor))
  yield* Help.checkOptions(name, descriptor, rest)
  yield* run(process.argv)
})

/** Skips mistakes in the arguments, because `@effect/cli` has already printed them. */
const report = (error: Failure | ValidationError.ValidationError) =>
  ValidationError.isValidationError(error) ? Effect.void : Console.error(Explain.message(error))

// The options of the command may be the mistake, so this reads the option itself.
const isVerbose = process.argv.includes("--verbose") ||
  /^(true|yes|on|1)$/.test(process.env["EFFECT_GLACIER_VERBOSE"] ?? "")

/** The exit code of the process. */
const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.isInterruptedOnly(exit.cause)) return 130
  return Option.match(Cause.failureOption(exit.cause), {
    onNone: () => 1,
    onSome: (error) => ValidationError.isValidationError(error) ? 2 : exitCodeOf(error)
  })
}

// The program prints errors itself. The log of a fiber that fails would repeat them, and all of their text.
FiberRef.set(FiberRef.unhandledErrorLogLevel, Option.none()).pipe(
  Effect.zipRight(run),
  Effect.tapError(report),
  Effect.tapErrorCause((cause) => isVerbose || Cause.isDie(cause) ? Console.error(Explain.trace(cause)) : Effect.void),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(codeOf(exit))
  })
)
