/**
 * Publishes a notification when a job ends. The topics are those of that moment, not of the job's start. See
 * Configuring Vault Notifications in Amazon Glacier (Developer Guide).
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Jobs from "../../protocol/Jobs.ts"
import type { JobId } from "../../protocol/Names.ts"
import { type Notification, Topics } from "../Topics.ts"
import { dayMillis } from "./delays.ts"
import { describe, type OnJobInitiated } from "./handlers/jobs.ts"
import * as HttpResponse from "./httpResponse.ts"
import type { Step, Store } from "./store.ts"

export interface JobNotifications {
  readonly onJobInitiated: OnJobInitiated
  /** The notifications that are published while the stream runs. */
  readonly notifications: Stream.Stream<Notification>
}

// Sleeps a day at most: timers of JavaScript do not last a month. They may also fire early.
const sleepUntil = (time: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    now < time
      ? Effect.zipRight(Effect.sleep(Math.min(time - now, dayMillis)), sleepUntil(time))
      : Effect.void)

/** Returns the notifications of a job that has ended. There are none when its vault was deleted. */
const notificationsOf = (step: Step, arn: string, id: JobId): ReadonlyArray<Notification> => {
  const vault = Either.getOrUndefined(step.vault(arn))
  const found = vault?.jobs.get(id)
  if (vault === undefined || found === undefined) return []
  const job = describe(found, arn, step.now)
  const message = HttpResponse.printJson(Either.getOrThrow(Jobs.DescribeJob.body.encode(job)))
  const { notifications } = vault.settings
  const isEnabled = notifications?.events.some((event) => event === `${job.action}Completed`)
  return [found.snsTopic, isEnabled ? notifications?.snsTopic : undefined].flatMap((topic) =>
    topic === undefined ? [] : [{ topic, job, message }]
  )
}

/**
 * Publishes the notifications of the jobs in a store, except those that ended before its last event: an
 * earlier process has published them.
 */
export const make = (store: Store): Effect.Effect<JobNotifications, never, Scope.Scope> =>
  Effect.gen(function*() {
    const deliver = yield* Topics
    const published = yield* Effect.acquireRelease(PubSub.unbounded<Notification>(), PubSub.shutdown)
    const run = yield* FiberSet.makeRuntime()
    /** The running jobs by the time at which they end. */
    const pending = new Map<number, Array<readonly [vault: string, id: JobId]>>()

    const publish = Effect.fnUntraced(function*(time: number) {
      yield* sleepUntil(time)
      const notifications = yield* Effect.orDie(store.run((step) => {
        const jobs = pending.get(time) ?? []
        pending.delete(time)
        return Either.right(jobs.flatMap(([vault, id]) => notificationsOf(step, vault, id)))
      }))
      yield* PubSub.publishAll(published, notifications)
      yield* Effect.forEach(notifications, deliver, { concurrency: "unbounded", discard: true })
    })

    const onJobInitiated: OnJobInitiated = (vault, { completesAt, id }) => {
      const jobs = pending.get(completesAt)
      if (jobs !== undefined) {
        jobs.push([vault, id])
        return
      }
      pending.set(completesAt, [[vault, id]])
      // The fiber must not run before the step that initiates the job has ended.
      run(publish(completesAt), { immediate: false })
    }

    yield* Effect.orDie(store.run(({ state }) => {
      for (const { arn, jobs } of state.vaults.values()) {
        for (const job of jobs.values()) if (job.completesAt > state.lastAt) onJobInitiated(arn, job)
      }
      return Either.void
    }))
    return { onJobInitiated, notifications: Stream.fromPubSub(published) }
  })
