/**
 * The command `effect-glacier doctor`: checks everything that the other commands need, and says what to do.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Checks from "../Checks.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Explain from "../Explain.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"

/**
 * The error of the command when something is bad. It has already printed what.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unhealthy extends Data.TaggedError("Unhealthy")<{ readonly message: string }> {}

const failed = (problem: string, next?: string): Checks.Finding => ({ verdict: "bad", found: problem, next })

/** Runs a check. A check that fails has found something bad. */
const run = ({ find, subject }: Checks.Check) =>
  find.pipe(
    Effect.catchAll((error) => {
      const { happened, next } = Explain.explain(error)
      return Effect.succeed(failed(happened.replaceAll("\n", " "), next))
    }),
    Effect.catchAllDefect((defect) => Effect.succeed(failed(String(defect)))),
    Effect.map((finding) => ({ subject, ...finding }))
  )

const examine = Effect.gen(function*() {
  const { result } = yield* Output
  const { vault } = yield* Globals.Globals
  const checks = yield* Checks.all(vault)
  const bad = yield* Stream.fromIterable(checks).pipe(
    // They run together, but are printed in their order.
    Stream.mapEffect(run, { concurrency: checks.length }),
    Stream.tap(({ found, next, subject, verdict }) =>
      result({
        json: { subject, verdict, found, ...(next !== undefined && { next }) },
        text: `${verdict.padEnd(4)}  ${subject.padEnd(16)}  ${found}${next === undefined ? "" : `. ${next}`}`
      })
    ),
    Stream.filter(({ verdict }) => verdict === "bad"),
    Stream.runCount
  )
  if (bad > 0) return yield* new Unhealthy({ message: `${bad} of ${checks.length} checks found something bad` })
}).pipe(Effect.scoped)

/**
 * The command. It prints a line for each check: `ok`, `note` or `bad`, the subject, what was found, and what to do.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "doctor",
  { globals: Globals.options },
  ({ globals }) => CliCommand.withGlobals(globals)(examine)
).pipe(CliCommand.toProgram({
  description:
    "Check credentials, clock, region, endpoint, proxy, connection, retrieval policy and disk; with --vault " +
    "also the vault, its lock, its open uploads and the checkpoints",
  examples: ["effect-glacier doctor", "effect-glacier doctor --vault photos --region eu-west-1"]
}))
