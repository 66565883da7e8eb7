import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { GlacierClient } from "../../src/client/GlacierClient.ts"
import { Emulator } from "../../src/emulator/Emulator.ts"
import { JobRunning } from "../../src/protocol/GlacierError.ts"
import type { Tier } from "../../src/protocol/Jobs.ts"
import * as Job from "../../src/services/Job.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Support from "../transfer/support.ts"
import { layer } from "./support.ts"
import { arn, asking, hour, retrieval, stored, timed } from "./waitingJobs.ts"

describe("JobWaiting.usual", () => {
  it.effect.each<[Tier, Duration.DurationInput, { early: number; window: number; late: number }]>([
    // `early`: polls before the usual time. `late`: the longest delay between the end of the job and its poll.
    ["Expedited", "3 minutes", { early: 12, window: 60_000, late: 15_000 }],
    ["Standard", "4 hours", { early: 26, window: 3 * hour, late: 5 * 60_000 }],
    ["Bulk", "8 hours", { early: 28, window: 5 * hour, late: 10 * 60_000 }]
  ])("polls a job of tier %s seldom before its usual time, and often after it", ([tier, jobDelay, rule]) => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { job } = yield* retrieval(tier)
      const fiber = yield* Effect.fork(timed(job.wait()))
      const done = Duration.toMillis(jobDelay)
      yield* TestClock.adjust(done + rule.late)
      const at = yield* Fiber.join(fiber)
      expect(at).toBeGreaterThanOrEqual(done)
      expect(at).toBeLessThanOrEqual(done + rule.late)
      expect(asked.filter(({ at }) => at < rule.window).length).toBeLessThan(rule.early)
      expect(asked.map(({ at }) => at)).toContain(rule.window)
      expect(asked.filter(({ at }) => at >= rule.window)).toHaveLength(1 + Math.ceil((at - rule.window) / rule.late))
    }).pipe(Effect.provide(layer(change, { jobDelay })))
  })

  it.effect.each<Duration.DurationInput>(["300 millis", "2 seconds", "1 minute", "1 hour"])(
    "ends the wait soon after a job that takes %s",
    (jobDelay) =>
      Effect.gen(function*() {
        const { job } = yield* retrieval("Bulk")
        const fiber = yield* Effect.fork(timed(job.wait()))
        const done = Duration.toMillis(jobDelay)
        yield* TestClock.adjust(done * 1.5 + 1_000)
        expect(yield* Fiber.join(fiber)).toBeLessThanOrEqual(done * 1.5 + 1_000)
      }).pipe(Effect.provide(layer(undefined, { jobDelay })))
  )

  it.effect("polls by the age of the job, also after a restart", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { job, vault } = yield* retrieval()
      yield* TestClock.adjust("2.5 hours")
      const again = yield* vault.job(job.id)
      const fiber = yield* Effect.fork(again.wait())
      yield* TestClock.adjust("1.5 hours")
      yield* Fiber.join(fiber)
      expect(asked.slice(0, 3).map(({ at }) => at / hour)).toEqual([2.5, 3, 3 + 1 / 12])
    }).pipe(Effect.provide(layer(change)))
  })

  it.effect("does not poll without pause when a slow clock puts the job in the future", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { job } = yield* retrieval()
      const ahead = yield* Job.attach(Support.address, job.id).pipe(Support.replacing((glacier) => ({
        describeJob: (input) =>
          Effect.map(glacier.describeJob(input), (job) => ({
            ...job,
            creationDate: DateTime.add(job.creationDate, { days: 1 })
          }))
      })))
      const fiber = yield* Effect.fork(ahead.wait())
      yield* TestClock.adjust("5 hours")
      yield* Fiber.join(fiber)
      expect(asked.length).toBeLessThan(60)
    }).pipe(Effect.provide(layer(change)))
  })
})

describe("JobWaiting", () => {
  const hourly = JobWaiting.polling(Schedule.spaced("1 hour"))
  const everyThree = JobWaiting.polling(Schedule.spaced("3 hours"))

  type Waiting = Effect.Effect<number, unknown, Vault.Vault | GlacierClient>

  it.effect.each<
    [string, number, (wait: Waiting) => Waiting]
  >([
    ["around the call", 6, Effect.provideService(JobWaiting.JobWaiting, everyThree)],
    [
      "below the vault",
      4,
      (wait) => Effect.provide(wait, Layer.provide(Vault.layer("photos"), JobWaiting.layer(hourly)))
    ],
    [
      "around the call and below the vault",
      6,
      (wait) =>
        wait.pipe(
          Effect.provideService(JobWaiting.JobWaiting, everyThree),
          Effect.provide(Layer.provide(Vault.layer("photos"), JobWaiting.layer(hourly)))
        )
    ]
  ])("follows the policy provided %s", ([, at, provide]) =>
    Effect.gen(function*() {
      const { job } = yield* retrieval()
      const waiting = Effect.flatMap(Vault.Vault, (vault) =>
        Effect.flatMap(vault.job(job.id), (job) => timed(job.wait())))
      const fiber = yield* Effect.fork(provide(waiting))
      yield* TestClock.adjust("6 hours")
      expect(yield* Fiber.join(fiber)).toBe(at * hour)
    }).pipe(Effect.provide(layer())))

  it.effect("prefers the schedule passed to the call", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval()
      const fiber = yield* Effect.fork(
        Effect.provideService(timed(job.wait(Schedule.spaced("5 hours"))), JobWaiting.JobWaiting, hourly)
      )
      yield* TestClock.adjust("5 hours")
      expect(yield* Fiber.join(fiber)).toBe(5 * hour)
    }).pipe(Effect.provide(layer())))

  it.effect("fails with JobRunning at its deadline, and leaves the job running", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval()
      const fiber = yield* Effect.fork(
        Effect.flip(job.wait()).pipe(
          Effect.provideService(JobWaiting.JobWaiting, JobWaiting.within(JobWaiting.polling(), "90 minutes"))
        )
      )
      yield* TestClock.adjust("89 minutes")
      expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(fiber)).toEqual(new JobRunning({ jobId: job.id }))
      yield* TestClock.adjust("3 hours")
      expect((yield* job.wait()).statusCode).toBe("Succeeded")
    }).pipe(Effect.provide(layer())))
})

describe("JobWaiting.shared", () => {
  const sharing = (options?: JobWaiting.SharedOptions) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, JobWaiting.layerShared(options))

  it.effect("polls all jobs of a vault with one list, and sends nothing when no job is waited for", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const jobs = yield* Effect.replicateEffect(vault.retrieveArchive(archiveId), 40)
      yield* Effect.gen(function*() {
        const fiber = yield* Effect.fork(Effect.forEach(jobs, (job) => job.wait(), { concurrency: "unbounded" }))
        yield* TestClock.adjust("4 hours")
        const ends = yield* Fiber.join(fiber)
        expect(new Set(ends.map(({ jobId }) => jobId))).toEqual(new Set(jobs.map(({ id }) => id)))
        expect(ends.every(({ statusCode }) => statusCode === "Succeeded")).toBe(true)
        expect(asked.filter(({ what }) => what === "job")).toEqual([])
        // As many requests as for one job, at least a minute apart.
        expect(asked.length).toBeLessThan(36)
        expect(asked.every(({ at }, index) => index === 0 || at - (asked[index - 1]?.at ?? 0) >= 60_000)).toBe(true)
        asked.length = 0
        yield* TestClock.adjust("4 hours")
        expect(asked).toEqual([])
      }).pipe(sharing())
    }).pipe(Effect.provide(layer(change)))
  })

  it.effect("finds jobs of several vaults on any page", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const photos = yield* stored
      const music = yield* Vault.make("music")
      yield* music.create
      const { archiveId } = yield* music.upload(Source.bytes(Support.pattern(2)))
      const jobs = [
        ...(yield* Effect.replicateEffect(photos.vault.retrieveArchive(photos.archiveId), 120)),
        yield* music.retrieveArchive(archiveId)
      ]
      const fiber = yield* Effect.fork(Effect.forEach(jobs, (job) => job.wait(), { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toHaveLength(121)
      // Three pages of one vault, one page of the other.
      expect(asked.map(({ what }) => what)).toEqual(["list", "list", "list", "list"])
    }).pipe(sharing(), Effect.provide(layer(change, { jobDelay: 0 })))
  })

  it.effect("includes later waits in the next list, and continues when a wait is interrupted", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { archiveId, job, vault } = yield* retrieval()
      const first = yield* Effect.fork(job.wait())
      yield* TestClock.adjust("1 second")
      const later = yield* vault.retrieveArchive(archiveId)
      const second = yield* Effect.fork(later.wait())
      yield* TestClock.adjust("1 second")
      // This fiber is the next to send the list request.
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("5 hours")
      expect((yield* Fiber.join(second)).jobId).toBe(later.id)
      expect(asked.slice(0, 2)).toEqual([{ at: 0, what: "list" }, { at: 60_000, what: "list" }])
    }).pipe(sharing(), Effect.provide(layer(change)))
  })

  it.effect("describes a job that is not in the list, and fails with JobExpired when it is gone", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { job } = yield* retrieval()
      yield* TestClock.adjust("28 hours")
      expect(yield* Effect.flip(job.wait())).toMatchObject({ _tag: "JobExpired", jobId: job.id })
      expect(asked.map(({ what }) => what)).toEqual(["list", "job"])
    }).pipe(sharing(), Effect.provide(layer(change)))
  })
})

describe("JobWaiting.notified", () => {
  const never = JobWaiting.layer(() => Effect.never)

  it.effect("describes a job as soon as its message arrives", () => {
    const { asked, change } = asking()
    return Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const { notifications } = yield* Emulator
      const notified = JobWaiting.layerNotified(Stream.map(notifications, ({ job }) => job))
      const times = yield* Effect.gen(function*() {
        const bulk = yield* vault.retrieveArchive(archiveId, { tier: "Bulk", snsTopic: arn })
        const standard = yield* vault.retrieveArchive(archiveId, { snsTopic: arn })
        const fiber = yield* Effect.fork(Effect.all([timed(bulk.wait()), timed(standard.wait())], { concurrency: 2 }))
        yield* TestClock.adjust("8 hours")
        return yield* Fiber.join(fiber)
      }).pipe(Effect.provide(Layer.provide(notified, never)))
      expect(times).toEqual([8 * hour, 4 * hour])
      expect(asked.map(({ at }) => at / hour)).toEqual([4, 8])
    }).pipe(Effect.provide(layer(change, { jobDelay: undefined })))
  })

  it.effect("ends the wait only when the service confirms a message", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval()
      const messages = yield* Queue.unbounded<{ readonly jobId: string }>()
      yield* Effect.gen(function*() {
        const fiber = yield* Effect.fork(timed(job.wait()))
        yield* TestClock.adjust("1 hour")
        yield* Queue.offerAll(messages, [{ jobId: "another" }, { jobId: job.id }])
        yield* TestClock.adjust("4 hours")
        expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
        yield* Queue.offer(messages, { jobId: job.id })
        expect(yield* Fiber.join(fiber)).toBe(5 * hour)
      }).pipe(Effect.provide(Layer.provide(JobWaiting.layerNotified(Stream.fromQueue(messages)), never)))
    }).pipe(Effect.provide(layer())))

  it.effect.each<[string, Stream.Stream<never, string>]>([
    ["no message comes", Stream.never],
    ["the Stream ends", Stream.empty],
    ["the Stream fails", Stream.fail("no queue")]
  ])("follows the policy below it when %s", ([, messages]) =>
    Effect.gen(function*() {
      const { job } = yield* retrieval()
      const net = JobWaiting.layer(JobWaiting.polling(Schedule.spaced("3 hours")))
      const fiber = yield* timed(job.wait()).pipe(
        Effect.provide(Layer.provide(JobWaiting.layerNotified(messages), net)),
        Effect.fork
      )
      yield* TestClock.adjust("6 hours")
      expect(yield* Fiber.join(fiber)).toBe(6 * hour)
    }).pipe(Effect.provide(layer())))

  it.effect("logs a failure of the Stream", () => {
    const logged: Array<string> = []
    return Effect.gen(function*() {
      yield* Effect.provide(TestClock.adjust("1 second"), JobWaiting.layerNotified(Stream.fail("no queue")))
      expect(logged).toEqual(["WARN The Stream of messages about jobs failed"])
    }).pipe(
      Effect.provide(Logger.add(Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${message}`))))
    )
  })

  it.effect("stops reading messages when its Scope closes", () =>
    Effect.gen(function*() {
      const ended = yield* Deferred.make<void>()
      const messages = Stream.ensuring(Stream.never, Deferred.succeed(ended, undefined))
      yield* Effect.provide(TestClock.adjust("1 second"), JobWaiting.layerNotified(messages))
      yield* Deferred.await(ended)
      expect(yield* Deferred.isDone(ended)).toBe(true)
    }))
})
