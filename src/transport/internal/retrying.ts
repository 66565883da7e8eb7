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
import { type GlacierError, OutcomeUnknown } from "../../protocol/GlacierError.ts"
import type { Repeatable } from "../../protocol/Operation.ts"
import { waited } from "./waits.ts"

/** How something is to be repeated. */
export interface Repeats {
  readonly operation: { readonly name: string; readonly repeatable: Repeatable }
  /** The vault that the call is about, if there is one. */
  readonly vaultName?: string | undefined
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

/** What a call is about, as warnings name it. */
export const subjectOf = ({ operation, vaultName }: Pick<Repeats, "operation" | "vaultName">): string =>
  vaultName === undefined ? operation.name : `${operation.name} of vault ${vaultName}`

/** An error in a line of a log: what a proxy responds may be a page. */
const shown = ({ _tag, message }: GlacierError): string =>
  `${_tag}: ${message.replace(/\s+/g, " ").slice(0, 300).replace(/\.$/, "")}`

/** The retries of one call: each decided by its policy and its quota. */
const retriesOf = (repeats: Repeats) => {
  const { operation, policy, quota } = repeats
  const subject = subjectOf(repeats)
  const next = waitsOf(policy.schedule)
  // What the last retry took of the quota.
  let taken = 0
  let attempt = 0
  return {
    succeeded: Effect.suspend(() => quota.giveBack(taken)),
    /** Waits for the next attempt; false when there is to be no other. */
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
        const tell = yield* OnRetry
        const duration = Duration.millis(wait.value)
        const following = attempt + 1
        const pause = Effect.zipRight(
          tell({ operation: operation.name, error, attempt, wait: duration }),
          policy.logs === true ? Effect.sleep(duration) : Waiting.pause(
            { reason: "retry", about: subject },
            duration,
            (left) => `${subject} failed with ${shown(error)}. Attempt ${following} starts in ${Duration.format(left)}`
          )
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

/** Whether a refusal tells that an earlier attempt, whose response was lost, was refused as well. */
const isDecisive = (error: GlacierError): boolean =>
  error._tag === "InvalidParameterValue" || error._tag === "ChecksumMismatch"

/** A call of an operation, and what may be done when its response is lost. */
export interface Call<out A> extends Repeats {
  /** Finds out whether a call that must not be repeated was carried out. */
  readonly recover: Effect.Effect<Option.Option<A>, GlacierError> | undefined
  /** How to find out what became of the call, for the message of `OutcomeUnknown`. */
  readonly lookUp: string
}

/**
 * Makes a call until it succeeds, or the policy or the quota permits no more attempts. When the response is lost:
 * - a repeatable call is made again;
 * - a call that is repeatable for a while is made again, but a refusal does not tell whether the lost attempt was carried
 *   out;
 * - any other call is made again only when `recover` finds that it was not carried out.
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
        // Looked up late, so that a request that was still under way has arrived.
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
