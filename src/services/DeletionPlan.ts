/**
 * Deletes many archives of a vault. A plan lists the archives; running it deletes them, and resumes after an interruption.
 * The archives come from an inventory. A plan is kept in the `Checkpoint` in use, so it may have millions of archives.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { formatCount } from "../policy/Format.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import type { InvalidInput } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { operations } from "../protocol/Operations.ts"
import { ArchiveNotFound } from "../protocol/ServiceError.ts"
import { Checkpoint, type CheckpointError, type CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { Failure } from "../transport/Method.ts"
import type { Listed } from "./DecommissionEvent.ts"
import * as Tally from "./internal/decommissionTally.ts"
import { isMissing } from "./internal/isMissing.ts"
import * as PlanLog from "./internal/planLog.ts"
import * as PlanRun from "./internal/planRun.ts"
import * as PlanSegment from "./internal/planSegment.ts"
import { write } from "./internal/planWriting.ts"
import { Vault } from "./Vault.ts"

/**
 * A plan, which is kept in the `Checkpoint` in use: the archives to delete. Reading them fails with `CheckpointInUse` while
 * the plan runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  readonly name: string
  /** The time at which the plan was made. */
  readonly made: DateTime.Utc
  /** The number of archives. */
  readonly count: number
  /** The sum of their sizes. */
  readonly bytes: number
  /** The archives in the order of their selection, without repetitions. */
  readonly archives: Stream.Stream<Entry, CheckpointError | CheckpointInUse>
}

/** The purpose of a plan in its log. */
const Purpose = Schema.TaggedStruct("Deletion", {})

/** Makes the plan of what its log contains. */
const planOf = Effect.fnUntraced(function*(name: string, { date, segments }: PlanLog.Made<typeof Purpose.Type>) {
  const plan: Plan = {
    name,
    made: date,
    ...PlanLog.totalOf(segments),
    archives: Stream.map(PlanSegment.readAll(name, segments, yield* Checkpoint), ({ archive }) => archive)
  }
  return plan
})

/**
 * Makes the plan to delete the archives of a Stream, and keeps it in the checkpoint with this name. Sends no request.
 *
 * **A plan is made once.** If the checkpoint contains a plan, returns that plan and does not run the Stream: a program that
 * is started again continues its plan, even if the vault has changed. Use another name for another selection, or `clear`
 * the plan first. Fails with `CheckpointError` when the checkpoint belongs to other work.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { DeletionPlan, type JobInventory } from "effect-glacier"
 * import { Console, Effect, Stream } from "effect"
 *
 * const clear = Effect.fn(function*(inventory: JobInventory.JobInventory) {
 *   const old = Stream.filter(inventory.archives(), ({ description }) => description.startsWith("backup-2014"))
 *   const plan = yield* DeletionPlan.make("backups of 2014", old)
 *   yield* Console.log(DeletionPlan.format(plan))
 *   yield* Stream.runForEach(DeletionPlan.run(plan), (outcome) =>
 *     outcome._tag === "Failed" ? Console.error(outcome.error.message) : Effect.void)
 * })
 */
export const make = <E, R>(
  name: string,
  archives: Stream.Stream<Entry, E, R>
): Effect.Effect<Plan, E | CheckpointError | CheckpointInUse, R | Checkpoint> =>
  Effect.scoped(Effect.gen(function*() {
    const log = yield* PlanLog.open(name, Purpose)
    if (log.made !== undefined) return yield* planOf(name, log.made)
    const segments = yield* write(name, log, Stream.map(archives, (archive) => ({ archive, path: null })))
    return yield* planOf(name, yield* log.finish({ _tag: "Deletion" }, segments))
  }))

/**
 * Removes a plan from the checkpoint, with the record of what was deleted. Fails with `CheckpointInUse` while the plan is in
 * use.
 *
 * @since 0.1.0
 * @category removing
 */
export const clear = (name: string): Effect.Effect<void, CheckpointError | CheckpointInUse, Checkpoint> =>
  PlanLog.clear(name)

/**
 * Formats a plan as a line for a terminal.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = ({ bytes, count }: Plan): string =>
  `${formatCount(count, "archive")}, ${formatCount(bytes, "byte")} in all: to be deleted`

/**
 * Counts archives and their bytes, and those that are younger than 90 days, whose deletion AWS bills. `pricePerGiBMonth` is the
 * price of storage, to compute the cost.
 *
 * @since 0.1.0
 * @category getters
 */
export const tally = <E, R>(
  archives: Stream.Stream<Entry, E, R>,
  options: { readonly pricePerGiBMonth?: number | undefined } = {}
): Effect.Effect<Listed, E, R> =>
  Effect.map(Tally.count(archives, [], options.pricePerGiBMonth), ({ listed }) => listed)

/**
 * The errors of deleting an archive.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeleteError = Failure<(typeof operations)["deleteArchive"]>

/**
 * The outcome of an archive:
 *
 * - `Deleted`: now or `before`, by another program or by a run that could not record it
 * - `Failed`: the next run tries it again
 * - `Unproven`: `proof` returned false, and the archive was not deleted. The next run checks it again.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = Data.TaggedEnum<{
  readonly Deleted: { readonly archive: Entry; readonly before: boolean }
  readonly Failed: { readonly archive: Entry; readonly error: DeleteError }
  readonly Unproven: { readonly archive: Entry }
}>

const Outcome = Data.taggedEnum<Outcome>()

/**
 * Options for running a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions<E = never, R = never> {
  /** The number of concurrent requests. Default: 8. The `RatePolicy` in use paces them. */
  readonly concurrency?: number | undefined
  /**
   * Returns whether a verified copy of an archive exists. It runs immediately before the deletion of each archive. Only an
   * archive for which it returns true is deleted. If it fails, the Stream fails. Default: no archive needs a proof.
   */
  readonly proof?: ((archive: Entry) => Effect.Effect<boolean, E, R>) | undefined
  /**
   * Receives each archive after the service has deleted it, and before the checkpoint records this. So it may receive an archive
   * again, in the next run, but misses none. If it fails, the Stream fails.
   */
  readonly onDeleted?: ((archive: Entry) => Effect.Effect<void, E, R>) | undefined
}

/**
 * Deletes the archives of a plan that no earlier run has deleted, and emits an outcome for each. A failure of one archive
 * does not stop the others; the next run tries it again.
 *
 * The checkpoint of the plan records the deleted archives, so that the next run skips them. It remains until `clear`. The
 * Stream fails only when the checkpoint cannot be read or written, or `proof` fails.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <E = never, R = never>(
  plan: Plan,
  options: RunOptions<E, R> = {}
): Stream.Stream<Outcome, CheckpointError | CheckpointInUse | InvalidInput | E, Checkpoint | Vault | R> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const vault = yield* Vault
    const concurrency = yield* check("delete", "concurrency", Concurrency, options.concurrency ?? 8)
    const log = yield* PlanLog.open(plan.name, Purpose)
    const { segments } = yield* PlanLog.required(plan.name, log)
    const { attempt, left } = PlanRun.make(plan.name, log, segments)

    /** Deletes an archive. Returns whether it was deleted before. */
    const remove = ({ archiveId }: Entry) =>
      vault.deleteArchive(archiveId).pipe(
        Effect.as(false),
        Effect.catchIf(isMissing(ArchiveNotFound, archiveId), () => Effect.succeed(true)),
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
      )
    const isProven: (archive: Entry) => Effect.Effect<boolean, E, R> = options.proof ?? (() => Effect.succeed(true))
    const onDeleted: (archive: Entry) => Effect.Effect<void, E, R> = options.onDeleted ?? (() => Effect.void)
    const outcomeOf = ({ archive, finished }: PlanRun.Item) =>
      Effect.flatMap(isProven(archive), (proven): Effect.Effect<Outcome, CheckpointError | E, R> =>
        proven ?
          Effect.matchEffect(remove(archive), {
            onFailure: (error) => Effect.succeed(Outcome.Failed({ archive, error })),
            onSuccess: (before) =>
              Effect.as(Effect.zipRight(onDeleted(archive), finished()), Outcome.Deleted({ archive, before }))
          }) :
          Effect.succeed(Outcome.Unproven({ archive })))
    return Stream.mapEffect(left, (place) => attempt(place, outcomeOf), { concurrency, unordered: true })
  }))
