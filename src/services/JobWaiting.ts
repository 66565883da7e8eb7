/**
 * The policy by which a program waits for jobs: it polls each job (`polling`), polls all jobs of a vault with one list
 * (`shared`), or waits for messages (`notified`). The default is `polling`. Replace it by a Layer below the vaults, or around
 * one call by `Effect.provideService(JobWaiting, policy)`.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as RcMap from "effect/RcMap"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../client/GlacierClient.ts"
import * as Pages from "../client/Pages.ts"
import * as Waiting from "../policy/Waiting.ts"
import { type JobExpired, JobRunning } from "../protocol/GlacierError.ts"
import type { JobDescription, Tier } from "../protocol/Jobs.ts"
import type { JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import type { Failure } from "../transport/Method.ts"
import { describe } from "./internal/describeJob.ts"

/**
 * The errors of waiting. `JobRunning` means that the policy stopped waiting before the job ended.
 *
 * @since 0.1.0
 * @category models
 */
export type WaitError = Failure<(typeof operations)["describeJob"]> | JobExpired | JobRunning

/**
 * A function that waits until a job ends, succeeded or failed, and returns its description. Interrupting it does not stop
 * the job.
 *
 * @since 0.1.0
 * @category models
 */
export type Policy = (
  vault: VaultAddress,
  jobId: JobId
) => Effect.Effect<JobDescription, WaitError, GlacierClient.GlacierClient>

/**
 * For each tier, the ages in milliseconds between which its jobs usually end, and the same as text: `3 to 5 hours`.
 *
 * @since 0.1.0
 * @category constants
 */
export const usualTimes: Readonly<
  Record<Tier, { readonly from: number; readonly to: number; readonly text: string }>
> = {
  Expedited: { from: 60_000, to: 5 * 60_000, text: "1 to 5 minutes" },
  Standard: { from: 3 * 3_600_000, to: 5 * 3_600_000, text: "3 to 5 hours" },
  Bulk: { from: 5 * 3_600_000, to: 12 * 3_600_000, text: "5 to 12 hours" }
}

/** The milliseconds between polls, from the age at which jobs usually end. */
const intervals: Readonly<Record<Tier, number>> = { Expedited: 15_000, Standard: 5 * 60_000, Bulk: 10 * 60_000 }

const tierOf = (job: JobDescription) => Option.getOrElse(job.tier, () => "Standard" as const)

/**
 * Returns the times between which jobs of this age and tier usually end: after 1 to 5 minutes (Expedited), 3 to 5 hours (Standard
 * and inventories), or 5 to 12 hours (Bulk).
 *
 * @since 0.1.0
 * @category getters
 */
export const usualEnd = (job: JobDescription): { readonly from: DateTime.Utc; readonly to: DateTime.Utc } => {
  const { from, to } = usualTimes[tierOf(job)]
  return { from: DateTime.add(job.creationDate, { millis: from }), to: DateTime.add(job.creationDate, { millis: to }) }
}

/**
 * The default polling schedule, by the tier of the job. It polls after a second, and then each time the job's age has grown
 * by half. From the age at which jobs of the tier usually end, it polls every 15 seconds (Expedited), 5 minutes (Standard
 * and inventories) or 10 minutes (Bulk). So a job of the emulator that takes seconds ends the wait soon, and a job that takes
 * hours costs few requests.
 *
 * Its input is the description of the job, so `Schedule.tapInput` sees each one.
 *
 * @since 0.1.0
 * @category schedules
 * @example
 * import { JobWaiting, Vault } from "effect-glacier"
 * import type { Jobs } from "effect-glacier/protocol"
 * import { Console, Effect, Schedule } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   const job = yield* vault.retrieveInventory()
 *   const print = ({ statusCode }: Jobs.JobDescription) => Console.log(statusCode)
 *   yield* job.wait(Schedule.tapInput(JobWaiting.usual, print))
 * })
 */
export const usual: Schedule.Schedule<unknown, JobDescription> = Schedule.identity<JobDescription>().pipe(
  Schedule.intersect(Schedule.elapsed),
  Schedule.addDelayEffect(([job, waited]) =>
    Effect.map(DateTime.now, (now) => {
      const tier = tierOf(job)
      const { from } = usualTimes[tier]
      // A slow clock can show a creation date in the future.
      const age = Math.max(DateTime.distance(job.creationDate, now), Duration.toMillis(waited))
      return age < from ? Math.max(1_000, Math.min(age / 2, from - age)) : intervals[tier]
    })
  )
)

/** Whether a job has ended, by its status: a status that contradicts `completed` must not make the wait endless. */
const isEnded = ({ statusCode }: JobDescription): boolean => statusCode !== "InProgress"

/** The last description of a job, and the time of the next poll (epoch milliseconds). */
interface Known {
  readonly job: JobDescription
  readonly next: number
}

const messageOf = (jobId: JobId, { vaultName }: VaultAddress, known: Known | undefined): string => {
  const subject = `Job ${jobId} of vault ${vaultName}`
  if (known === undefined) return `Waiting for job ${jobId} of vault ${vaultName}, whose status is not known yet`
  const { job, next } = known
  const tier = tierOf(job)
  return `${subject} is in progress since ${DateTime.formatIso(job.creationDate)}. ${tier} jobs usually take ` +
    `${usualTimes[tier].text}. The next poll is at ${new Date(next).toISOString()}`
}

/** Polls at once, and then by a schedule. Fails with `JobRunning` when the schedule ends before the job. */
const poll = <E, R>(
  describe: Effect.Effect<JobDescription, E, R>,
  vault: VaultAddress,
  jobId: JobId,
  schedule: Schedule.Schedule<unknown, JobDescription>
) =>
  Effect.suspend(() => {
    let known: Known | undefined
    const whileRunning = Schedule.zipRight(schedule, Schedule.identity<JobDescription>()).pipe(
      Schedule.untilInput(isEnded),
      Schedule.onDecision((job, decision) =>
        Effect.sync(() => {
          if (ScheduleDecision.isContinue(decision)) {
            known = { job, next: ScheduleIntervals.start(decision.intervals) }
          }
        })
      )
    )
    return Waiting.during(
      { reason: "job", about: vault.vaultName },
      () => messageOf(jobId, vault, known),
      () => Effect.repeat(describe, whileRunning)
    )
  }).pipe(Effect.filterOrFail(isEnded, () => new JobRunning({ jobId })))

/**
 * Polls each job by itself with DescribeJob: at once, and then by a schedule. Fails with `JobRunning` when the schedule ends
 * before the job.
 *
 * @since 0.1.0
 * @category policies
 * @example
 * import { JobWaiting } from "effect-glacier"
 * import { Effect, Schedule } from "effect"
 *
 * const hourly = Effect.provideService(JobWaiting.JobWaiting, JobWaiting.polling(Schedule.spaced("1 hour")))
 */
export const polling = (schedule: Schedule.Schedule<unknown, JobDescription> = usual): Policy => (vault, jobId) =>
  poll(describe(vault, jobId), vault, jobId, schedule)

/**
 * Options for polling all jobs of a vault with one list.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedOptions {
  /** The schedule of each job. Default: `usual`. */
  readonly schedule?: Schedule.Schedule<unknown, JobDescription> | undefined
  /** The minimum time between two lists of a vault. Default: 1 minute. */
  readonly every?: Duration.DurationInput | undefined
}

/** Lists the jobs of a vault. Callers that ask before a list starts share it. */
const listing = (vault: VaultAddress, glacier: GlacierClient.Service, every: number) =>
  Effect.map(Effect.makeSemaphore(1), (turns) => {
    let last: { readonly at: number; readonly jobs: ReadonlyMap<JobId, JobDescription> } | undefined
    const list = Effect.gen(function*() {
      const at = yield* Clock.currentTimeMillis
      const jobs = yield* Stream.runCollect(Pages.jobs(vault))
      last = { at, jobs: new Map(Chunk.map(jobs, (job) => [job.jobId, job])) }
      return last.jobs
    }).pipe(Effect.provideService(GlacierClient.GlacierClient, glacier))
    return Effect.flatMap(
      Clock.currentTimeMillis,
      (asked) =>
        turns.withPermits(1)(Effect.flatMap(Clock.currentTimeMillis, (now) => {
          if (last === undefined) return list
          return last.at >= asked ? Effect.succeed(last.jobs) : Effect.delay(list, Math.max(0, last.at + every - now))
        }))
    )
  })

/**
 * Polls all jobs of a vault together with ListJobs: one page for each 50 jobs of the vault, instead of one request for each
 * job. Sends requests only while a caller waits. Describes a job by itself if it is not in the list.
 *
 * @since 0.1.0
 * @category policies
 */
export const shared = ({ every = "1 minute", schedule = usual }: SharedOptions = {}): Effect.Effect<
  Policy,
  never,
  Scope.Scope
> =>
  Effect.map(
    RcMap.make({
      lookup: ({ glacier, ...vault }: VaultAddress & { readonly glacier: GlacierClient.Service }) =>
        listing(vault, glacier, Duration.toMillis(every))
    }),
    (listings): Policy => (vault, jobId) =>
      Effect.scoped(Effect.gen(function*() {
        const glacier = yield* GlacierClient.GlacierClient
        const { accountId, vaultName } = vault
        const list = yield* RcMap.get(listings, Data.struct({ glacier, accountId, vaultName }))
        const describeShared = Effect.flatMap(list, (jobs) => {
          const job = jobs.get(jobId)
          return job === undefined ? describe(vault, jobId) : Effect.succeed(job)
        })
        return yield* poll(describeShared, vault, jobId, schedule)
      }))
  )

/** The longest normal delay of a message. */
const late = Duration.minutes(1)

/**
 * Describes a job when a message says that it has ended. The messages can come from a queue or a web hook, and can be late,
 * repeated, about other jobs or wrong: only the response of the service counts. The policy `fallback` runs as well, for the
 * case that messages are missing or the Stream fails (which is logged). The Stream runs until the Scope closes.
 *
 * @since 0.1.0
 * @category policies
 */
export const notified = <E, R>(
  messages: Stream.Stream<{ readonly jobId: string }, E, R>,
  fallback: Policy = polling()
): Effect.Effect<Policy, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const warnings = yield* Waiting.Warnings
    const hub = yield* Effect.acquireRelease(PubSub.unbounded<string>(), PubSub.shutdown)
    yield* Stream.runForEach(messages, ({ jobId }) => PubSub.publish(hub, jobId)).pipe(
      Effect.catchAllCause((cause) => Effect.logWarning("The Stream of messages about jobs failed", cause)),
      Effect.forkScoped
    )
    return (vault, jobId) =>
      Effect.scoped(Effect.gen(function*() {
        const ids = yield* PubSub.subscribe(hub)
        const byMessage = Stream.fromQueue(ids).pipe(
          Stream.filter((id) => id === jobId),
          Stream.mapEffect(() => describe(vault, jobId)),
          Stream.filter(isEnded),
          Stream.runHead,
          Effect.flatMap(Option.match({ onNone: () => Effect.never, onSome: Effect.succeed }))
        )
        const began = yield* Clock.currentTimeMillis
        /** Warns about a job that ended a while ago without a message: probably other messages will be missing, too. */
        const warnIfMissed = (job: JobDescription) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const ended = Option.match(job.completionDate, { onNone: () => now, onSome: DateTime.toEpochMillis })
            return ended < began || now - ended < Duration.toMillis(late) ? Effect.void : warnings.log(
              `message ${vault.vaultName}`,
              `Job ${jobId} of vault ${vault.vaultName} ended at ${
                new Date(ended).toISOString()
              }, but no message said so. ` +
                "Check that its topic is set, that Glacier may publish to the topic, and that the queue is subscribed to it"
            )
          })
        return yield* Effect.raceFirst(Effect.tap(fallback(vault, jobId), warnIfMissed), byMessage)
      }))
  })

/**
 * Limits the wait to a duration, after which it fails with `JobRunning`.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { JobWaiting } from "effect-glacier"
 *
 * const withinADay = JobWaiting.within(JobWaiting.polling(), "1 day")
 */
export const within: {
  (duration: Duration.DurationInput): (self: Policy) => Policy
  (self: Policy, duration: Duration.DurationInput): Policy
} = dual(
  2,
  (self: Policy, duration: Duration.DurationInput): Policy => (vault, jobId) =>
    Effect.timeoutFail(self(vault, jobId), { duration, onTimeout: () => new JobRunning({ jobId }) })
)

/**
 * The policy in use. The default is `polling` by the `usual` schedule.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { JobWaiting } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A wait of 6 hours at most
 * const briefly = Effect.provideService(
 *   JobWaiting.JobWaiting,
 *   JobWaiting.within(JobWaiting.polling(), "6 hours")
 * )
 */
export class JobWaiting extends Context.Reference<JobWaiting>()("effect-glacier/JobWaiting", {
  defaultValue: (): Policy => polling()
}) {}

/**
 * Provides a policy to a whole program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { JobWaiting } from "effect-glacier"
 *
 * const withinADay = JobWaiting.layer(JobWaiting.within(JobWaiting.polling(), "1 day"))
 */
export const layer = (policy: Policy): Layer.Layer<never> => Layer.succeed(JobWaiting, policy)

/**
 * Polls all jobs of a vault together: see `shared`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { JobWaiting } from "effect-glacier"
 *
 * const shared = JobWaiting.layerShared({ every: "5 minutes" })
 */
export const layerShared = (options?: SharedOptions): Layer.Layer<never> => Layer.scoped(JobWaiting, shared(options))

/**
 * Describes jobs when a message says that they have ended: see `notified`. The policy that this Layer is provided with is the
 * fallback.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { JobWaiting } from "effect-glacier"
 * import { Layer, Stream } from "effect"
 *
 * declare const messages: Stream.Stream<{ readonly jobId: string }>
 *
 * const waiting = JobWaiting.layerNotified(messages).pipe(Layer.provide(JobWaiting.layerShared()))
 */
export const layerNotified = <E, R>(
  messages: Stream.Stream<{ readonly jobId: string }, E, R>
): Layer.Layer<never, never, R> =>
  Layer.scoped(JobWaiting, Effect.flatMap(JobWaiting, (fallback) => notified(messages, fallback)))
