import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Pages from "../../client/Pages.ts"
import { isInventoryOf, isRetrievalOf, type JobDescription, type Tier } from "../../protocol/Jobs.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { ArchiveId, JobId } from "../../protocol/Names.ts"
import type * as Operation from "../../protocol/Operation.ts"
import type { operations } from "../../protocol/Operations.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"

type Parameters = Operation.Input<(typeof operations)["initiateJob"]>["parameters"]

/** Whether a job runs, or its output can be read for longer than that from now on. */
export const isLive = (atLeast: Duration.DurationInput) =>
  Effect.map(DateTime.now, (now) => {
    const from = DateTime.addDuration(DateTime.subtract(now, { millis: Limits.lifetimeMillis }), atLeast)
    return (job: JobDescription): boolean =>
      job.statusCode === "InProgress" ||
      job.statusCode === "Succeeded" && Option.exists(job.completionDate, DateTime.greaterThan(from))
  })

const doneAt = ({ completionDate }: JobDescription): number =>
  Option.match(completionDate, { onNone: () => 0, onSome: DateTime.toEpochMillis })

/** A job that retrieves the same and runs, or better, whose output can be read for longer than that. */
export const joinable = (vault: VaultAddress, parameters: Parameters, join: Duration.Duration) =>
  Effect.gen(function*() {
    const isUsable = yield* isLive(join)
    const jobs = yield* Stream.runCollect(
      Stream.filter(
        Pages.jobs(vault),
        (job) =>
          (parameters.type === "archive-retrieval" ? isRetrievalOf(job, parameters) : isInventoryOf(job, parameters)) &&
          isUsable(job)
      )
    )
    return Option.map(
      Option.orElse(Arr.findFirst(jobs, ({ completed }) => completed), () => Arr.head(Arr.fromIterable(jobs))),
      ({ jobId }) => jobId
    )
  })

/** For each of these archives the job of those listed that has its whole output, for the longest time; or one that runs. */
export const jobsOf = <E, R>(
  jobs: Stream.Stream<JobDescription, E, R>,
  archives: ReadonlySet<ArchiveId>,
  tier: Tier
): Effect.Effect<ReadonlyMap<ArchiveId, JobId>, E, R> =>
  Effect.map(
    Stream.runFold(jobs, new Map<ArchiveId, JobDescription>(), (best, job) => {
      const archiveId = Option.getOrUndefined(job.archiveId)
      if (archiveId === undefined || !archives.has(archiveId) || job.statusCode === "Failed") return best
      if (!isRetrievalOf(job, { archiveId, tier })) return best
      const other = best.get(archiveId)
      return other === undefined || doneAt(other) < doneAt(job) ? best.set(archiveId, job) : best
    }),
    (best) => new Map(Array.from(best, ([archiveId, { jobId }]) => [archiveId, jobId]))
  )

/** Lets only one at a time do something for the same key. */
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
