/**
 * Deletes many archives of a vault. A plan lists the archives; running it deletes them, and resumes after an interruption.
 * The archives come from an inventory.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { formatNumber } from "../policy/Format.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import type { InvalidInput } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import { ArchiveId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import { ArchiveNotFound } from "../protocol/ServiceError.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { Failure } from "../transport/Method.ts"
import { isMissing } from "./internal/isMissing.ts"
import { bytesOf, collectOnce, openLog } from "./internal/manyArchives.ts"
import { Vault } from "./Vault.ts"

/**
 * The archives to delete. Each takes less than 1 KiB of memory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  /** The archives in the order of their selection, without repetitions. */
  readonly archives: ReadonlyArray<Entry>
  /** The sum of their sizes. */
  readonly bytes: number
}

/**
 * Makes the plan to delete the archives of a Stream. Sends no request.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { Checkpoint, DeletionPlan, type JobInventory } from "effect-glacier"
 * import { Console, Effect, Stream } from "effect"
 *
 * const clear = Effect.fn(function*(inventory: JobInventory.JobInventory) {
 *   const old = Stream.filter(inventory.archives(), ({ description }) => description.startsWith("backup-2014"))
 *   const plan = yield* DeletionPlan.make(old)
 *   yield* Console.log(DeletionPlan.format(plan))
 *   yield* Stream.runForEach(DeletionPlan.run("backups of 2014", plan), (outcome) =>
 *     outcome._tag === "Failed" ? Console.error(outcome.error.message) : Effect.void)
 * }, Effect.provide(Checkpoint.layerMemory))
 */
export const make = <E, R>(archives: Stream.Stream<Entry, E, R>): Effect.Effect<Plan, E, R> =>
  Effect.map(collectOnce(archives), (archives) => ({ archives, bytes: bytesOf(archives) }))

/**
 * Formats a plan as a line for a terminal.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = ({ archives, bytes }: Plan): string =>
  `${formatNumber(archives.length)} archives of ${formatNumber(bytes)} bytes are to be deleted`

/**
 * The errors of deleting an archive.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeleteError = Failure<(typeof operations)["deleteArchive"]>

/**
 * The outcome of an archive: `Deleted`, now or `before`, by an earlier run or another program; or `Failed`.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = Data.TaggedEnum<{
  readonly Deleted: { readonly archive: Entry; readonly before: boolean }
  readonly Failed: { readonly archive: Entry; readonly error: DeleteError }
}>

const Outcome = Data.taggedEnum<Outcome>()

/**
 * Options for running a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions {
  /** The number of concurrent requests. Default: 8. The `RatePolicy` in use paces them. */
  readonly concurrency?: number | undefined
}

const Recorded = Schema.parseJson(Schema.TaggedStruct("Deleted", { archiveId: ArchiveId }))

/**
 * Deletes the archives of a plan and emits an outcome for each. A failure of one archive does not stop the others; the next
 * run tries it again.
 *
 * The checkpoint with this name records the deleted archives, so that the next run skips them. It remains until
 * `Checkpoint.clear`. The Stream fails only when the checkpoint cannot be read or written.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (
  name: string,
  plan: Plan,
  options: RunOptions = {}
): Stream.Stream<Outcome, CheckpointError | CheckpointInUse | InvalidInput, Checkpoint | Vault> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const vault = yield* Vault
    const concurrency = yield* check("delete", "concurrency", Concurrency, options.concurrency ?? 8)
    const done = new Set<ArchiveId>()
    const append = yield* openLog(name, Recorded, ({ archiveId }) => done.add(archiveId))

    const remove = ({ archiveId }: Entry) =>
      vault.deleteArchive(archiveId).pipe(
        Effect.as(false),
        Effect.catchIf(isMissing(ArchiveNotFound, archiveId), () => Effect.succeed(true)),
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
      )

    const [left, before] = Arr.partition(plan.archives, ({ archiveId }) => done.has(archiveId))
    return Stream.concat(
      Stream.map(Stream.fromIterable(before), (archive) => Outcome.Deleted({ archive, before: true })),
      Stream.mapEffect(
        Stream.fromIterable(left),
        (archive) =>
          Effect.matchEffect(remove(archive), {
            onFailure: (error) => Effect.succeed(Outcome.Failed({ archive, error })),
            onSuccess: (before) =>
              Effect.as(
                append({ _tag: "Deleted", archiveId: archive.archiveId }),
                Outcome.Deleted({ archive, before })
              )
          }),
        { concurrency, unordered: true }
      )
    )
  }))
