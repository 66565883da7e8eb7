/**
 * Finds the jobs that a retrieval can reuse instead of starting a new one.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as Pages from "../../client/Pages.ts"
import { byUse, isInventoryOf, isRetrievalOf, type JobDescription, type Tier } from "../../protocol/Jobs.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { ArchiveId, JobId } from "../../protocol/Names.ts"
import type * as Operation from "../../protocol/Operation.ts"
import type { operations } from "../../protocol/Operations.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import * as Job from "../Job.ts"

type Parameters = Operation.Input<(typeof operations)["initiateJob"]>["parameters"]

/** The conditions for reusing a job. */
export interface Terms {
  /** The minimum time until its output expires. */
  readonly lasts: Duration.Duration
  /** The maximum age of the list of an inventory, unless a new job would list the same. */
  readonly maxAge?: Duration.Duration | undefined
}

/** Whether a job is in progress, or its output does not expire for longer than `atLeast`. */
export const isLive = (atLeast: Duration.DurationInput) =>
  Effect.map(DateTime.now, (now) => {
    const from = DateTime.addDuration(DateTime.subtract(now, { millis: Limits.lifetimeMillis }), atLeast)
    return (job: JobDescription): boolean =>
      job.statusCode === "InProgress" ||
      job.statusCode === "Succeeded" && Option.exists(job.completionDate, DateTime.greaterThan(from))
  })

/** Whether the list of an inventory job is at most `maxAge` old, or the same that a new job would list. */
const isFresh = Effect.fnUntraced(function*(vault: VaultAddress, maxAge: Duration.Duration) {
  const { lastInventoryDate } = yield* Effect.flatMap(GlacierClient, (glacier) => glacier.describeVault(vault))
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  const last = Option.match(lastInventoryDate, { onNone: () => 0, onSome: DateTime.toEpochMillis })
  const oldest = Math.min(last, now - Duration.toMillis(maxAge))
  return ({ creationDate, jobId }: JobDescription) =>
    DateTime.toEpochMillis(creationDate) >= last ? Effect.succeed(true) : Job.attach(vault, jobId).pipe(
      Effect.flatMap(({ inventory }) => inventory),
      // Documents have dates to the second.
      Effect.map(({ inventoryDate }) =>
        Option.exists(inventoryDate, (date) => DateTime.toEpochMillis(date) >= Math.floor(oldest / 1_000) * 1_000)
      ),
      // The date of a list that cannot be read, or not yet, is unknown.
      Effect.orElseSucceed(() => false)
    )
})

/** Finds the best job to reuse for a retrieval. */
export const findReusable = (vault: VaultAddress, parameters: Parameters, { lasts, maxAge }: Terms) =>
  Effect.gen(function*() {
    const isUsable = yield* isLive(lasts)
    const jobs = yield* Stream.runCollect(
      Stream.filter(
        Pages.jobs(vault),
        (job) =>
          (parameters.type === "archive-retrieval" ? isRetrievalOf(job, parameters) : isInventoryOf(job, parameters)) &&
          isUsable(job)
      )
    )
    const inOrder = Arr.sort(jobs, Order.reverse(byUse))
    const found = maxAge === undefined || inOrder.length === 0
      ? Arr.head(inOrder)
      : yield* Effect.findFirst(inOrder, yield* isFresh(vault, maxAge))
    return Option.map(found, ({ jobId }) => jobId)
  })

/** Finds, for each archive, the best listed job that retrieves the whole archive with this tier. */
export const reusableJobs = <E, R>(
  jobs: Stream.Stream<JobDescription, E, R>,
  tier: Tier
): Effect.Effect<ReadonlyMap<ArchiveId, JobId>, E, R> =>
  Effect.map(
    Stream.runFold(jobs, new Map<ArchiveId, JobDescription>(), (best, job) => {
      const archiveId = Option.getOrUndefined(job.archiveId)
      if (archiveId === undefined || job.statusCode === "Failed") return best
      if (!isRetrievalOf(job, { archiveId, tier })) return best
      const other = best.get(archiveId)
      return best.set(archiveId, other === undefined ? job : Order.max(byUse)(other, job))
    }),
    (best) => new Map(Array.from(best, ([archiveId, { jobId }]) => [archiveId, jobId]))
  )

/** Makes a function that runs effects with the same key one at a time. */
export const makeTurnsByKey = () => {
  const all = new Map<string, { readonly turn: Effect.Semaphore; waiting: number }>()
  return (key: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const found = all.get(key) ?? { turn: Effect.unsafeMakeSemaphore(1), waiting: 0 }
        found.waiting += 1
        all.set(key, found)
        return found
      }),
      ({ turn }) => turn.withPermits(1)(effect),
      (found) =>
        Effect.sync(() => {
          found.waiting -= 1
          if (found.waiting === 0) all.delete(key)
        })
    )
}
