/**
 * Runs the plans of the commands that make copies or check them: shows the rejected archives, the progress and the failures,
 * and keeps records.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { formatBytes, formatCount, formatNumber } from "../policy/Format.ts"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import type * as Destination from "../services/Destination.ts"
import * as RetrievalPlan from "../services/RetrievalPlan.ts"
import * as Explain from "./Explain.ts"
import { OverBudget, SomeFailed } from "./Failures.ts"
import * as JobTracking from "./JobTracking.ts"
import { Output } from "./Output.ts"
import * as Plans from "./Plans.ts"
import { printable } from "./Printable.ts"
import * as Records from "./Records.ts"
import type { VaultState } from "./State.ts"
import * as Work from "./Work.ts"

/**
 * The most lines about rejected or failed archives for people. `--json` prints all.
 *
 * @since 0.1.0
 * @category constants
 */
export const maximumLines = 20

const remedies = {
  unnamed: "--unnamed-by-id stores archives without a usable path as unnamed/ID",
  shared: "--all-versions stores all archives with the same path"
}

/**
 * Prints the archives that a plan rejects, and the options that help. Returns their number.
 *
 * @since 0.1.0
 * @category reporting
 */
export const reportRejected = Effect.fnUntraced(function*({ rejected }: RetrievalPlan.Plan) {
  const { error, isJson, result } = yield* Output
  let count = 0
  const help = new Set<string>()
  yield* Stream.runForEach(rejected, ({ archive, error: reason }) => {
    count++
    help.add(reason._tag === "NoPlace" && reason.reason === "shared" ? remedies.shared : remedies.unnamed)
    const { archiveId, description, size } = archive
    const { _tag: tag, message } = reason
    if (isJson) {
      const json = { type: "rejected", archiveId, description, bytes: size, error: tag, message }
      return result({ json, text: "" })
    }
    return count > maximumLines ? Effect.void : error(`Rejected: ${printable(message)} (${archiveId})`)
  })
  if (count > maximumLines && !isJson) yield* error(`... and ${formatNumber(count - maximumLines)} more`)
  yield* Effect.forEach(help, error)
  return count
})

/**
 * Options of a run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E, R> {
  readonly file: Plans.Plan
  readonly plan: RetrievalPlan.Plan
  readonly destination: Destination.Destination<E, R>
  /** The command with its arguments, without the name of the program. */
  readonly command: string
  /** The state of an archive with a proof. */
  readonly state: Records.State
  readonly budget?: RetrievalBudget.Budget | undefined
  /** Formats what is left of the budget. */
  readonly formatLeft?: ((left: RetrievalBudget.Left) => string | undefined) | undefined
}

interface Counts {
  archives: number
  bytes: number
  failed: number
  overBudget: number
  /** The failed archives in whose places there is something else. */
  taken: number
}

/** The errors about a file or object that is not the copy of the archive. */
const takenErrors = ["TargetRejected", "ObjectRejected", "ObjectWrong"]

/** The number of archives in work. The output of each must be read within 24 hours after its job. */
const concurrency = 1_000

const resultOf = (
  { before, ...outcome }: RetrievalPlan.Proven & { readonly before: boolean },
  state: Records.State
) => {
  const { archive: { archiveId, path }, proof: { location, size, treeHash } } = outcome
  return {
    json: { type: state, archiveId, path, location, bytes: size, treeHash, before },
    text: `${printable(path)}: ${formatBytes(size)}`
  }
}

/** Runs the plan, and counts what has a proof and what failed. */
const runAll = <E extends { readonly _tag: string; readonly message: string }, R>(
  vault: VaultState,
  { budget = RetrievalBudget.none, command, destination, file, formatLeft = () => undefined, plan, state }: Options<
    E,
    R
  >
) =>
  Work.run(vault, command, (work) =>
    Effect.scoped(Effect.gen(function*() {
      const counts: Counts = { archives: 0, bytes: 0, failed: 0, overBudget: 0, taken: 0 }
      const recordOf = ({ archive, proof }: RetrievalPlan.Proven): Records.Record => {
        counts.archives++
        counts.bytes += proof.size
        return { archiveId: archive.archiveId, state, date: proof.date, location: proof.location }
      }
      const record = yield* Records.writer(vault, file.name, Stream.map(plan.proofs, recordOf))
      yield* work.update(() => ({
        archives: { done: counts.archives, total: plan.count },
        bytes: { done: counts.bytes, total: plan.bytes }
      }))
      yield* Effect.flatMap(budget.left, (left) => work.update(() => ({ budget: formatLeft(left) }))).pipe(
        Effect.repeat(Schedule.spaced("1 second")),
        Effect.forkScoped
      )
      const onOutcome = (outcome: RetrievalPlan.Outcome<E>) => {
        if (outcome._tag === "Retrieved") {
          // The progress has counted the bytes.
          return Effect.zipRight(record(recordOf(outcome)), work.done(0, resultOf(outcome, state)))
        }
        const { archive: { archiveId, path }, error } = outcome
        counts.failed++
        if (error._tag === "BudgetExceeded") counts.overBudget++
        if (takenErrors.includes(error._tag)) counts.taken++
        const message = Explain.textOf(error)
        const json = { type: "failed", archiveId, path, error: error._tag, message }
        return work.failed({ json, text: `${printable(path)}: ${printable(message)}` }, counts.failed <= maximumLines)
      }
      const outcomes = RetrievalPlan.run(plan, destination, {
        concurrency,
        onProgress: ({ _tag, bytes }) =>
          _tag === "Waiting" || _tag === "Retried"
            ? Effect.void
            : work.update(({ bytes: { total } }) => ({ bytes: { done: bytes, total }, wait: undefined }))
      })
      yield* Stream.runForEach(outcomes, onOutcome).pipe(
        JobTracking.track(
          Math.min(plan.count, concurrency),
          ({ count, next }) => work.update(() => ({ jobs: count, next: Option.getOrUndefined(next) }))
        ),
        Effect.provideService(RetrievalBudget.RetrievalBudget, budget)
      )
      return counts
    })))

/**
 * Formats a number of copies: `1 copy`, `2 copies`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatCopies = (count: number): string => `${formatNumber(count)} ${count === 1 ? "copy" : "copies"}`

/**
 * What to do about missing and wrong copies.
 *
 * @since 0.1.0
 * @category constants
 */
export const repair = "The command that made them, get or move, makes them again with --overwrite"

/**
 * Says how many copies are missing.
 *
 * @since 0.1.0
 * @category formatting
 */
export const missing = (count: number): string =>
  `${formatCopies(count)} ${count === 1 ? "is" : "are"} missing or wrong`

/**
 * Runs a plan and prints its summary. Fails with `SomeFailed` when archives failed or are rejected, and with `OverBudget` when
 * they failed only because the budget has no room for them.
 *
 * @since 0.1.0
 * @category running
 */
export const run = Effect.fn("PlanRuns.run")(function*<
  E extends { readonly _tag: string; readonly message: string },
  R
>(vault: VaultState, options: Options<E, R>, rejected: number) {
  const { file, plan, state } = options
  const { result } = yield* Output
  const { archives, bytes, failed, overBudget, taken } = yield* runAll(vault, options)
  if (failed === 0 && file.finished === undefined) {
    yield* Plans.finish(vault, file)
  }
  yield* result({
    json: { type: "summary", plan: plan.name, archives, bytes, failed, rejected },
    text: [
      `${formatCount(archives, "archive")} ${state}, ${formatBytes(bytes)}`,
      ...(failed === 0 ? [] : [`${formatNumber(failed)} failed`]),
      ...(rejected === 0 ? [] : [`${formatNumber(rejected)} rejected`])
    ].join(", ")
  })
  if (failed > 0 && failed === overBudget) {
    return yield* new OverBudget({
      message: `${formatCount(failed, "archive")} did not fit in the budget. Raise it and run the same command again`
    })
  }
  if (failed > 0) {
    return yield* new SomeFailed({
      message: state === "verified"
        ? `${missing(failed)}. ${repair}`
        : `${formatCount(failed, "archive")} failed. Run the same command again to retry${
          taken === 0 ? "" : ", with --overwrite to replace what is not a copy"
        }`
    })
  }
  if (rejected > 0) {
    return yield* new SomeFailed({ message: `${formatCount(rejected, "archive")} rejected: see above` })
  }
})
