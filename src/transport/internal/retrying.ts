import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { type Attempted, isUnknown, OnRetry, type Policy } from "../../policy/RetryPolicy.ts"
import type { Quota } from "../../policy/RetryQuota.ts"
import { type GlacierError, OutcomeUnknown } from "../../protocol/GlacierError.ts"
import { waited } from "./waits.ts"

/** How something is to be repeated. */
export interface Repeats {
  readonly operation: Attempted
  readonly policy: Policy
  readonly quota: Quota
}

/** The waits of a schedule one by one, without waiting: none when there are no more. */
const waitsOf = <Out>(schedule: Schedule.Schedule<Out, GlacierError>) => {
  let state: unknown = schedule.initial
  return (error: GlacierError): Effect.Effect<Option.Option<number>> =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const [next, , decision] = yield* schedule.step(now, error, state)
      state = next
      return ScheduleDecision.isDone(decision)
        ? Option.none()
        : Option.some(Math.max(0, ScheduleIntervals.start(decision.intervals) - now))
    })
}

/** The retries of one call: each decided by its policy and its quota. */
const retriesOf = ({ operation, policy, quota }: Repeats) => {
  const next = waitsOf(policy.schedule)
  // What the last retry took of the quota.
  let taken = 0
  let attempt = 0
  return {
    succeeded: Effect.suspend(() => quota.giveBack(taken)),
    /** Waits for the next attempt; false when there is to be no other. */
    next: (error: GlacierError, idempotent = operation.idempotent): Effect.Effect<boolean> =>
      Effect.gen(function*() {
        attempt++
        if (!policy.while(error, { ...operation, idempotent })) return false
        const wait = yield* next(error)
        if (Option.isNone(wait)) return false
        if (policy.metered) {
          taken = yield* quota.take(error)
          if (taken === 0) return false
        }
        yield* waited("retry", wait.value, { error: error._tag })
        const tell = yield* OnRetry
        const duration = Duration.millis(wait.value)
        const pause = Effect.zipRight(
          tell({ operation: operation.name, error, attempt, wait: duration }),
          Effect.sleep(duration)
        )
        // The retry of a call that is interrupted before it has cost nothing.
        yield* policy.metered ? Effect.onInterrupt(pause, () => quota.giveBack(taken)) : pause
        return true
      })
  }
}

/** Repeats what may be done twice until it succeeds, or the policy or the quota lets no more attempts be made. */
export const repeating = <A, E extends GlacierError, R>(
  effect: Effect.Effect<A, E, R>,
  repeats: Repeats
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const retries = retriesOf(repeats)
    const loop: Effect.Effect<A, E, R> = Effect.matchEffect(effect, {
      onFailure: (error) => Effect.flatMap(retries.next(error), (again) => again ? loop : Effect.fail(error)),
      onSuccess: (value) => Effect.as(retries.succeeded, value)
    })
    return loop
  })

/**
 * Makes a call until it succeeds, or the policy or the quota lets no more attempts be made. When the answer to a call
 * that must not be made twice is lost, it is made again only when it is found not to have been carried out.
 */
export const calling = <A, E extends GlacierError, R>(
  call: Effect.Effect<A, E, R>,
  { recover, ...repeats }: Repeats & { readonly recover: Effect.Effect<Option.Option<A>, GlacierError> | undefined }
): Effect.Effect<A, E | OutcomeUnknown, R> => {
  const { operation } = repeats
  if (operation.idempotent) return repeating(call, repeats)
  return Effect.suspend(() => {
    const retries = retriesOf(repeats)
    const onFailure = (error: E): Effect.Effect<A, E | OutcomeUnknown, R> =>
      Effect.gen(function*() {
        if (!isUnknown(error)) return (yield* retries.next(error)) ? yield* loop : yield* Effect.fail(error)
        const lost = new OutcomeUnknown({ operation: operation.name, message: error.message })
        if (recover === undefined) return yield* lost
        const again = yield* retries.next(error, true)
        // Looked up late, so that a request that was still under way has arrived.
        const found = yield* Effect.mapError(recover, () => lost)
        if (Option.isSome(found)) return yield* Effect.as(retries.succeeded, found.value)
        return again ? yield* loop : yield* Effect.fail(error)
      })
    const loop: Effect.Effect<A, E | OutcomeUnknown, R> = Effect.matchEffect(call, {
      onFailure,
      onSuccess: (value) => Effect.as(retries.succeeded, value)
    })
    return loop
  })
}
