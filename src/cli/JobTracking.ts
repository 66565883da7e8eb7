/**
 * Waits for jobs, and reports how many run and when the next of them usually ends.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Waiting from "../policy/Waiting.ts"
import * as Jobs from "../protocol/Jobs.ts"
import * as JobWaiting from "../services/JobWaiting.ts"
import * as Vault from "../services/Vault.ts"

/**
 * Returns the ids of the archives that a job of the tier retrieves, or has retrieved within the last 24 hours.
 *
 * @since 0.1.0
 * @category getters
 */
export const retrieved = (tier: Jobs.Tier) =>
  Effect.flatMap(Vault.Vault, (vault) =>
    Stream.runFold(vault.jobs(), new Set<string>(), (ids, job) => {
      const archiveId = Option.getOrUndefined(job.archiveId)
      const isUsable = archiveId !== undefined && job.statusCode !== "Failed" &&
        Jobs.isRetrievalOf(job, { archiveId, tier })
      return isUsable ? ids.add(archiveId) : ids
    }))

/**
 * The jobs that run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Running {
  readonly count: number
  /** The time by which the next of them usually has ended. None before the first poll. */
  readonly next: Option.Option<DateTime.Utc>
}

/**
 * Waits for jobs within an effect, by one list for all of them, at most one page of it a second. `expected` is about the number
 * of jobs. Waits for jobs are reported to `onChange` only.
 *
 * @since 0.1.0
 * @category waiting
 */
export const track =
  (expected: number, onChange: (running: Running) => Effect.Effect<void>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.scoped(Effect.gen(function*() {
      const ends = new Map<string, DateTime.Utc | undefined>()
      const changed = Effect.suspend(() => {
        const known = Array.from(ends.values()).flatMap((end) => end === undefined ? [] : [end])
        const [first, ...others] = known
        const next = Option.map(Option.fromNullable(first), (first) => others.reduce(DateTime.min, first))
        return onChange({ count: ends.size, next })
      })
      const schedule = Schedule.tapInput(JobWaiting.usual, (job: Jobs.JobDescription) =>
        Effect.zipRight(
          Effect.sync(() => ends.has(job.jobId) && ends.set(job.jobId, JobWaiting.usualEnd(job).to)),
          changed
        ))
      // A page has 50 jobs.
      const seconds = Math.min(60, Math.max(1, Math.ceil(expected / 50)))
      const shared = yield* JobWaiting.shared({ schedule, every: `${seconds} seconds` })
      const policy: JobWaiting.Policy = (vault, jobId) =>
        Effect.acquireUseRelease(
          Effect.zipRight(Effect.sync(() => ends.set(jobId, undefined)), changed),
          () => shared(vault, jobId),
          () => Effect.zipRight(Effect.sync(() => ends.delete(jobId)), changed)
        )
      const onWait = yield* Waiting.OnWait
      const warnings = yield* Waiting.Warnings
      return yield* work.pipe(
        Effect.provideService(JobWaiting.JobWaiting, policy),
        Effect.provideService(Waiting.OnWait, (wait) => wait.reason === "job" ? Effect.void : onWait(wait)),
        Effect.provideService(Waiting.Warnings, {
          ...warnings,
          log: (kind, message, hold) => kind.startsWith("job ") ? Effect.succeed(0) : warnings.log(kind, message, hold)
        })
      )
    }))
