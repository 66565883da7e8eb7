/**
 * How a job is waited for: by asking now and then, by one question for all jobs of a vault, or until a message says that
 * it has ended. A value in a `Reference`: a program needs none, and replaces it by a Layer under its vaults, or round
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
import type { JobDescription } from "../protocol/Jobs.ts"
import type { JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import type { Failure } from "../transport/Method.ts"
import { describe } from "./internal/describe.ts"

/**
 * What waiting can fail with: `JobRunning` when it was given up before the job has ended.
 *
 * @since 0.1.0
 * @category models
 */
export type WaitError = Failure<(typeof operations)["describeJob"]> | JobExpired | JobRunning

/**
 * Waits until a job has ended, well or not, and gives it as it is then. To interrupt it leaves the job running.
 *
 * @since 0.1.0
 * @category models
 */
export type Policy = (
  vault: VaultAddress,
  jobId: JobId
) => Effect.Effect<JobDescription, WaitError, GlacierClient.GlacierClient>

/** From which age on jobs end as a rule, how often to ask then (milliseconds), and when most have ended. */
const rules = {
  Expedited: { from: 60_000, every: 15_000, usual: "1 to 5 minutes" },
  Standard: { from: 3 * 3_600_000, every: 5 * 60_000, usual: "3 to 5 hours" },
  Bulk: { from: 5 * 3_600_000, every: 10 * 60_000, usual: "5 to 12 hours" }
}

const tierOf = (job: JobDescription) => Option.getOrElse(job.tier, () => "Standard" as const)

/**
 * When to ask for a job by its tier: once the time has come that such jobs usually take, every 15 seconds for an Expedited
 * one, every 5 minutes for Standard and inventories, every 10 for Bulk. Before that after a second and then ever more
 * rarely, each time when the job has grown half as old again: so one of a few seconds (of an emulator) is not waited for
 * long, nor one of hours asked about all the time.
 *
 * Its input is the job as it stands, so `Schedule.tapInput` sees each answer.
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
 *   const tell = ({ statusCode }: Jobs.JobDescription) => Console.log(statusCode)
 *   yield* job.wait(Schedule.tapInput(JobWaiting.usual, tell))
 * })
 */
export const usual: Schedule.Schedule<unknown, JobDescription> = Schedule.identity<JobDescription>().pipe(
  Schedule.intersect(Schedule.elapsed),
  Schedule.addDelayEffect(([job, waited]) =>
    Effect.map(DateTime.now, (now) => {
      const { every, from } = rules[tierOf(job)]
      // By a clock that is slow a job may be of the future.
      const age = Math.max(DateTime.distance(job.creationDate, now), Duration.toMillis(waited))
      return age < from ? Math.max(1_000, Math.min(age / 2, from - age)) : every
    })
  )
)

/** Whether a job has ended. By its status: one that contradicts `completed` must not be waited for without end. */
const isEnded = ({ statusCode }: JobDescription): boolean => statusCode !== "InProgress"

/** What is known of a job that is waited for: how it is, and when it is asked about again (milliseconds). */
interface Known {
  readonly job: JobDescription
  readonly next: number
}

const messageOf = (jobId: JobId, { vaultName }: VaultAddress, known: Known | undefined): string => {
  const subject = `Job ${jobId} of vault ${vaultName}`
  if (known === undefined) return `${subject} is waited for: its status is not known yet`
  const { job, next } = known
  const tier = tierOf(job)
  return `${subject} is in progress since ${DateTime.formatIso(job.creationDate)}. ${tier} jobs usually take ` +
    `${rules[tier].usual}. It is asked about again at ${new Date(next).toISOString()}`
}

/** Asks at once, and then as a schedule says. */
const asking = <E, R>(
  ask: Effect.Effect<JobDescription, E, R>,
  vault: VaultAddress,
  jobId: JobId,
  schedule: Schedule.Schedule<unknown, JobDescription>
) =>
  Effect.suspend(() => {
    let known: Known | undefined
    const looking = Schedule.zipRight(schedule, Schedule.identity<JobDescription>()).pipe(
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
      () => Effect.repeat(ask, looking)
    )
  }).pipe(Effect.filterOrFail(isEnded, () => new JobRunning({ jobId })))

/**
 * Asks for each job by itself: at once, and then as a schedule says. Fails with `JobRunning` when the schedule has ended
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
  asking(describe(vault, jobId), vault, jobId, schedule)

/**
 * How many jobs share a question.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedOptions {
  /** When each job is to be asked for. Default: `usual`. */
  readonly schedule?: Schedule.Schedule<unknown, JobDescription> | undefined
  /** How long after the list of a vault's jobs was asked for it is asked for again, at the earliest. Default: a minute. */
  readonly every?: Duration.DurationInput | undefined
}

/** Lists the jobs of a vault for all who ask: one list for all that have asked before it was begun. */
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
 * Asks for all jobs of a vault that are waited for at once, by ListJobs: one question, of a page for each 50 jobs that the
 * vault has, in place of one for each that is waited for. It is asked only while somebody waits. A job that is not in the
 * list is asked for by itself.
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
        const ask = Effect.flatMap(list, (jobs) => {
          const job = jobs.get(jobId)
          return job === undefined ? describe(vault, jobId) : Effect.succeed(job)
        })
        return yield* asking(ask, vault, jobId, schedule)
      }))
  )

/** How late a message may be. */
const late = Duration.minutes(1)

/**
 * Asks for a job when a message says that it has ended: whatever makes these, a queue or a web hook. Messages may be late,
 * twice, of other jobs or wrong, as only the service's answer counts; should they stay away, or the Stream fail, which is
 * logged, there is another policy as a net below them. The Stream is run until the Scope ends.
 *
 * @since 0.1.0
 * @category policies
 */
export const notified = <E, R>(
  messages: Stream.Stream<{ readonly jobId: string }, E, R>,
  net: Policy = polling()
): Effect.Effect<Policy, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const warnings = yield* Waiting.Warnings
    const told = yield* Effect.acquireRelease(PubSub.unbounded<string>(), PubSub.shutdown)
    yield* Stream.runForEach(messages, ({ jobId }) => PubSub.publish(told, jobId)).pipe(
      Effect.catchAllCause((cause) => Effect.logWarning("No more messages of jobs that have ended", cause)),
      Effect.forkScoped
    )
    return (vault, jobId) =>
      Effect.scoped(Effect.gen(function*() {
        const ids = yield* PubSub.subscribe(told)
        const woken = Stream.fromQueue(ids).pipe(
          Stream.filter((id) => id === jobId),
          Stream.mapEffect(() => describe(vault, jobId)),
          Stream.filter(isEnded),
          Stream.runHead,
          Effect.flatMap(Option.match({ onNone: () => Effect.never, onSome: Effect.succeed }))
        )
        const began = yield* Clock.currentTimeMillis
        /** A job that has ended for a while without a message: probably there will be none for others either. */
        const missed = (job: JobDescription) =>
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
        return yield* Effect.raceFirst(Effect.tap(net(vault, jobId), missed), woken)
      }))
  })

/**
 * Waits no longer than that: then it fails with `JobRunning`.
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
 * The policy in use: without a Layer `polling` by the `usual` schedule.
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
 * Replaces the policy for a whole program.
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
 * One question for all jobs of a vault: see `shared`.
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
 * Jobs are asked for when a message says so: see `notified`. The policy that this Layer is provided with, if there is one,
 * is the net below the messages.
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
  Layer.scoped(JobWaiting, Effect.flatMap(JobWaiting, (net) => notified(messages, net)))
