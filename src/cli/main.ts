#!/usr/bin/env node
/**
 * The `effect-glacier` program. `scripts/bundle-program.ts` bundles it with everything that it imports.
 *
 * @since 0.1.0
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
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
import { ReaderEnded } from "./Output.ts"
import * as Suggestion from "./Suggestion.ts"

const [first = "", ...rest] = process.argv.slice(2)

const load = ({ load }: Entry) => Effect.map(Effect.promise(load), ({ program }) => program)

/** Whether the help of the command is asked for. After `--` there are only arguments. */
const isHelp = Arr.takeWhile(rest, (argument) => argument !== "--").some((argument) => /^(--help|-h)$/.test(argument))

const run = Effect.gen(function*() {
  if (first === "" || first === "--help" || first === "-h") return yield* Console.log(Help.ofProgram(name, commands))
  if (first === "--version") return yield* Console.log(manifest.version)
  if (first === "--completions") {
    const programs = yield* Effect.forEach(commands, load)
    return yield* Effect.flatMap(Completions.script(name, programs, rest[0]), Console.log)
  }
  const entry = commands.find(({ name }) => name === first)
  if (entry === undefined) {
    const next = first.startsWith("-")
      ? "Write the command first, then its options. "
      : Suggestion.of(first, commands.map(({ name }) => name))
    return yield* new Usage({ message: `There is no command ${first}. ${next}${name} --help lists the commands` })
  }
  const { descriptor, run } = yield* load(entry)
  yield* isHelp ? Console.log(Help.ofCommand(name, descriptor)) : run(rest)
})

// The options of the command may be the mistake, so this reads the option itself.
const isVerbose = process.argv.includes("--verbose") ||
  /^(true|yes|on|1)$/.test(process.env["EFFECT_GLACIER_VERBOSE"] ?? "")

const isReaderEnded = (cause: Cause.Cause<unknown>) =>
  Chunk.some(Cause.defects(cause), (defect) => defect instanceof ReaderEnded)

/** The exit code of the process. As in shells, 128 and the number of the signal that would have ended another program. */
const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (isReaderEnded(exit.cause)) return 141
  if (Cause.isInterruptedOnly(exit.cause)) return 130
  return Option.match(Cause.failureOption(exit.cause), { onNone: () => 1, onSome: exitCodeOf })
}

// The program prints errors itself. The log of a fiber that fails would repeat them, and all of their text.
FiberRef.set(FiberRef.unhandledErrorLogLevel, Option.none()).pipe(
  Effect.zipRight(run),
  Effect.tapError((error: Failure) => Console.error(Explain.message(error))),
  Effect.tapErrorCause((cause) =>
    (isVerbose || Cause.isDie(cause)) && !isReaderEnded(cause) ? Console.error(Explain.trace(cause)) : Effect.void
  ),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(codeOf(exit))
  })
)
