import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { type Attempted, isUnknown, type Policy } from "../../policy/RetryPolicy.ts"
import type { Quota } from "../../policy/RetryQuota.ts"
import { type GlacierError, OutcomeUnknown } from "../../protocol/GlacierError.ts"
import { waited } from "./waits.ts"

/** How a call is to be retried. */
export interface Retries<A> {
  readonly operation: Attempted
  readonly policy: Policy
  readonly quota: Quota
  /** For an operation that is not idempotent: finds out whether a call whose answer was lost was carried out. */
  readonly recover: Option.Option<Effect.Effect<Option.Option<A>, GlacierError>>
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

/**
 * Makes attempts until one succeeds, the policy or the quota lets no more be made, or another could do harm.
 */
export const retrying = <A, E extends GlacierError, R>(
  attempt: Effect.Effect<A, E, R>,
  { operation, policy, quota, recover }: Retries<A>
): Effect.Effect<A, E | OutcomeUnknown, R> =>
  Effect.suspend(() => {
    const next = waitsOf(policy.schedule)
    // What the last retry took of the quota.
    let taken = 0

    /** How long to wait before the next attempt; none when there is to be no other. */
    const decide = (error: GlacierError, isRepeatable: boolean): Effect.Effect<Option.Option<number>> =>
      Effect.gen(function*() {
        if (!policy.while(error, isRepeatable ? { ...operation, idempotent: true } : operation)) return Option.none()
        const wait = yield* next(error)
        if (Option.isNone(wait) || !policy.metered) return wait
        taken = yield* quota.take(error)
        return taken > 0 ? wait : Option.none()
      })

    const loop: Effect.Effect<A, E | OutcomeUnknown, R> = Effect.flatMap(Effect.either(attempt), (result) =>
      Effect.gen(function*() {
        if (Either.isRight(result)) {
          yield* quota.giveBack(taken)
          return result.right
        }
        const error = result.left
        const unknown = !operation.idempotent && isUnknown(error)
        const lost = new OutcomeUnknown({ operation: operation.name, message: error.message })
        if (unknown && Option.isNone(recover)) return yield* Effect.fail(lost)
        const wait = yield* decide(error, unknown)
        if (Option.isSome(wait)) {
          yield* waited("retry", wait.value, { error: error._tag })
          yield* Effect.sleep(Duration.millis(wait.value))
        }
        if (unknown && Option.isSome(recover)) {
          // Late, so that what was under way has arrived.
          const found = yield* Effect.mapError(recover.value, () => lost)
          if (Option.isSome(found)) return found.value
        }
        return Option.isSome(wait) ? yield* loop : yield* Effect.fail(error)
      }))
    return loop
  })
