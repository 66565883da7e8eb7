/**
 * Decides what is retried, and why. These are all the rules, in the order in which they apply:
 *
 * 1. An attempt that fails with `ExpiredToken` is repeated once with refreshed credentials (`withRefreshedCredentials`). This
 *    repeat is part of the attempt: it costs no retry.
 * 2. Each error has a class, its `retry`: "never", "transient", "throttle" or "clock" (`ServiceError`, `GlacierError`). A
 *    rejected signature is of class "clock" only when the time explains the rejection (`explainSignature`).
 * 3. `RetryPolicy.isSafe`: errors of class "never" are not retried. When the service may have acted
 *    (`RetryPolicy.isUnknown`), only repeatable operations are retried.
 * 4. The `RetryPolicy` in use may forbid more, and decides how often and after which delay to retry.
 * 5. The `RetryQuota` must have enough tokens, if the policy is metered.
 * 6. When the response of a call that is not repeatable is lost, `calling` finds out what it can, or fails with
 *    `OutcomeUnknown`.
 *
 * A transfer retries a damaged window by the same rules, through `repeating`.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { isUnknown, OnRetry, type Policy } from "../../policy/RetryPolicy.ts"
import type { Quota } from "../../policy/RetryQuota.ts"
import * as Waiting from "../../policy/Waiting.ts"
import {
  type AttemptTimeout,
  ConnectionError,
  type ConnectionRejected,
  type GlacierError,
  OutcomeUnknown
} from "../../protocol/GlacierError.ts"
import type { Repeatable } from "../../protocol/Operation.ts"
import { type ExpiredToken, InvalidSignature } from "../../protocol/ServiceError.ts"
import { waited } from "./waits.ts"

/** Repeats an attempt once if its token had expired: the failure has refreshed the credentials by then. */
export const withRefreshedCredentials = <A, E extends GlacierError, R>(
  attempt: Effect.Effect<A, E | ExpiredToken, R>
): Effect.Effect<A, E | ExpiredToken, R> => Effect.catchTag(attempt, "ExpiredToken", () => attempt)

/** A body that took longer than this may have outlived its signature, which is valid for 5 minutes (milliseconds). */
const slow = 240_000

/**
 * Adds why a signature was rejected, if the time explains it: the clock of this machine was found to be wrong, or the body
 * arrived too slowly. Then a new signature can succeed. Otherwise the secret key is wrong.
 */
export const explainSignature = (
  { message, operation, requestId, status }: InvalidSignature,
  { isSkewed, took }: { readonly isSkewed: boolean; readonly took: number }
): InvalidSignature =>
  new InvalidSignature({
    operation,
    status,
    message,
    requestId,
    because: isSkewed ? "clock" : took > slow ? "slow" : undefined
  })

/** Marks a connection that failed before the service was ever reached: `RetryPolicy.patient` gives up on it sooner. */
export const markUnreachable = <E extends AttemptTimeout | ConnectionError | ConnectionRejected>(
  error: E
): E | ConnectionError =>
  error._tag === "ConnectionError" && !error.sent
    ? new ConnectionError({ operation: error.operation, message: error.message, sent: false, unreachable: true })
    : error

/** How to repeat a call. */
export interface Repeats {
  readonly operation: { readonly name: string; readonly repeatable: Repeatable }
  /** The vault that the call is about, if there is one. */
  readonly vaultName?: string | undefined
  readonly policy: Policy
  readonly quota: Quota
}

/** Returns a function that steps a schedule without waiting. It returns the next delay, or none at the schedule's end. */
const delaysOf = <Out>(schedule: Schedule.Schedule<Out, GlacierError>) => {
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

/** The name of a call in warnings. */
export const subjectOf = ({ operation, vaultName }: Pick<Repeats, "operation" | "vaultName">): string =>
  vaultName === undefined ? operation.name : `${operation.name} of vault ${vaultName}`

/** An error in one line of a log. The text can be a whole page when a proxy responds. */
const shown = ({ _tag, message }: GlacierError): string =>
  `${_tag}: ${message.replace(/\s+/g, " ").slice(0, 300).replace(/\.$/, "")}`

const formatDelay = (delay: Duration.Duration): string =>
  Duration.toMillis(delay) === 0 ? "now" : `in ${Duration.format(delay)}`

/** Decides each retry of one call by its policy and its quota. */
const retriesOf = (repeats: Repeats) => {
  const { operation, policy, quota } = repeats
  const subject = subjectOf(repeats)
  const next = delaysOf(policy.schedule)
  // The tokens that the last retry took from the quota.
  let taken = 0
  let attempt = 0
  return {
    succeeded: Effect.suspend(() => quota.giveBack(taken)),
    /** Waits until the next attempt may start. Returns false when no other attempt is permitted. */
    next: (error: GlacierError, repeatable = operation.repeatable !== false): Effect.Effect<boolean> =>
      Effect.gen(function*() {
        attempt++
        if (!policy.while(error, { ...operation, repeatable })) return false
        const wait = yield* next(error)
        if (Option.isNone(wait)) return false
        if (policy.metered) {
          taken = yield* quota.take(error)
          if (taken === 0) return false
        }
        yield* waited("retry", wait.value, { error: error._tag })
        const onRetry = yield* OnRetry
        const duration = Duration.millis(wait.value)
        const following = attempt + 1
        const pause = Effect.zipRight(
          onRetry({ operation: operation.name, error, attempt, wait: duration }),
          policy.logs === true ? Effect.sleep(duration) : Waiting.pause(
            { reason: "retry", about: subject },
            duration,
            (left) => `${subject} failed with ${shown(error)}. Attempt ${following} starts ${formatDelay(left)}`
          )
        )
        // An interrupted delay has sent nothing, so it costs nothing.
        yield* policy.metered ? Effect.onInterrupt(pause, () => quota.giveBack(taken)) : pause
        return true
      })
  }
}

/** Repeats an effect that is safe to repeat until it succeeds, or the policy or the quota permits no more attempts. */
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

/** Whether an error shows that an earlier attempt, whose response was lost, was rejected as well. */
const isDecisive = (error: GlacierError): boolean =>
  error._tag === "InvalidParameterValue" || error._tag === "ChecksumMismatch"

/** A call of an operation, and what to do when its response is lost. */
export interface Call<out A> extends Repeats {
  /** Finds the result of a call that must not be repeated, if the service carried it out. */
  readonly recover: Effect.Effect<Option.Option<A>, GlacierError> | undefined
  /** Says how to find out whether the service carried out the call, for the message of `OutcomeUnknown`. */
  readonly lookUp: string
}

/**
 * Makes a call until it succeeds, or the policy or the quota permits no more attempts. When the response is lost:
 * - a repeatable call is made again;
 * - a call that is repeatable for a while is made again, but a later rejection does not show whether the service carried
 *   out the lost attempt;
 * - any other call is made again only when `recover` finds that the service did not carry it out.
 */
export const calling = <A, E extends GlacierError, R>(
  call: Effect.Effect<A, E, R>,
  { lookUp, recover, ...repeats }: Call<A>
): Effect.Effect<A, E | OutcomeUnknown, R> => {
  const { operation } = repeats
  if (operation.repeatable === true) return repeating(call, repeats)
  return Effect.suspend(() => {
    const retries = retriesOf(repeats)
    let lost = Option.none<OutcomeUnknown>()
    const onFailure = (error: E): Effect.Effect<A, E | OutcomeUnknown, R> =>
      Effect.gen(function*() {
        if (!isUnknown(error)) {
          const failure = isDecisive(error) ? error : Option.getOrElse(lost, () => error)
          return (yield* retries.next(error)) ? yield* loop : yield* Effect.fail(failure)
        }
        const unknown = new OutcomeUnknown({ operation: operation.name, message: `${error.message} (${lookUp})` })
        if (operation.repeatable === "briefly") {
          lost = Option.some(unknown)
          return (yield* retries.next(error)) ? yield* loop : yield* Effect.fail(error)
        }
        if (recover === undefined) return yield* unknown
        const again = yield* retries.next(error, true)
        // After the delay, so that a request that was still on its way has arrived.
        const found = yield* Effect.mapError(recover, () => unknown)
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

/** The error of a call that took longer than its limit. */
export const onCallTimeout =
  ({ operation, lookUp }: Pick<Call<unknown>, "lookUp" | "operation">, mayHaveActed: () => boolean) =>
  (timeout: AttemptTimeout): AttemptTimeout | OutcomeUnknown =>
    operation.repeatable === false && mayHaveActed()
      ? new OutcomeUnknown({ operation: operation.name, message: `${timeout.message} (${lookUp})` })
      : timeout
