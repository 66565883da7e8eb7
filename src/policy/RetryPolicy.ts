/**
 * When a failed attempt is made again, and after how long. A value in a `Reference`: a program needs none, and
 * replaces it for all calls by `layer` or round one call by `Effect.provideService(RetryPolicy, policy)`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { GlacierError } from "../protocol/GlacierError.ts"

/**
 * What a policy needs to know of the operation that failed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempted {
  readonly name: string
  readonly idempotent: boolean
}

/**
 * A retry policy: `while` says whether an error may be tried again at all, `schedule` how often and after which wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  readonly while: (error: GlacierError, operation: Attempted) => boolean
  readonly schedule: Schedule.Schedule<unknown, GlacierError>
}

/**
 * Whether a second attempt can help and does no harm. After a throttle, or a body that came too slowly, the service has
 * done nothing. After its own failure, a proxy's, a lost connection or a timeout nobody knows whether it acted, so only
 * idempotent operations are tried again: the others would store or retrieve, and bill, twice.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSafe = (error: GlacierError, operation: Attempted): boolean => {
  if (error.retry === "throttle") return true
  if (error.retry !== "transient") return false
  return operation.idempotent || error._tag === "RequestTimeout"
}

/**
 * Up to `times` further attempts of what is safe to repeat. The wait is random between nothing and a bound that
 * doubles from half a second (after a throttle from 1 s) up to 20 s.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const stubborn = RetryPolicy.layer(RetryPolicy.backoff(20))
 */
export const backoff = (times: number): Policy => ({
  while: isSafe,
  schedule: Schedule.identity<GlacierError>().pipe(
    Schedule.intersect(Schedule.recurs(times)),
    Schedule.addDelayEffect(([error, attempt]) =>
      Effect.map(
        Random.next,
        (fraction) =>
          Duration.millis(
            Math.round(fraction * Math.min((error.retry === "throttle" ? 1_000 : 500) * 2 ** attempt, 20_000))
          )
      )
    )
  )
})

/**
 * Never a second attempt.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Policy = { while: () => false, schedule: Schedule.stop }

/**
 * The policy in use: without a Layer, `backoff(9)`.
 *
 * @since 0.1.0
 * @category tags
 */
export class RetryPolicy extends Context.Reference<RetryPolicy>()("effect-glacier/RetryPolicy", {
  defaultValue: (): Policy => backoff(9)
}) {}

/**
 * Replaces the policy for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (policy: Policy): Layer.Layer<never> => Layer.succeed(RetryPolicy, policy)
