/**
 * How many retries a client may make before it must succeed again: a bucket of tokens that all its calls draw on, so that
 * in an outage they do not all hammer the service (AWS "Retry behavior 2.1").
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { GlacierError } from "../protocol/GlacierError.ts"

/**
 * A bucket of tokens.
 *
 * @since 0.1.0
 * @category models
 */
export interface Quota {
  /** Takes what a retry after that error costs, and says how much that was; 0 when it is not there: then none is made. */
  readonly take: (error: GlacierError) => Effect.Effect<number>
  /** Called after a success with what its last retry took, 0 if it had none. */
  readonly giveBack: (taken: number) => Effect.Effect<void>
  /** The tokens in the bucket. */
  readonly tokens: Effect.Effect<number>
}

/**
 * The options of `make`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly capacity?: number | undefined
  readonly cost?: number | undefined
  readonly throttleCost?: number | undefined
}

/**
 * A bucket, by default as the standard has it: 500 tokens, of which a retry takes 14 and one after a throttle 5. A success
 * gives back what its last retry took, or else one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Quota> => {
  const { capacity = 500, cost = 14, throttleCost = 5 } = options
  return Effect.map(Ref.make(capacity), (tokens) => ({
    take: (error) => {
      const asked = error.retry === "throttle" ? throttleCost : cost
      return Ref.modify(tokens, (left) => left < asked ? [0, left] : [asked, left - asked])
    },
    giveBack: (taken) => Ref.update(tokens, (left) => Math.min(left + Math.max(taken, 1), capacity)),
    tokens: Ref.get(tokens)
  }))
}

/**
 * Never empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unlimited: Quota = {
  take: () => Effect.succeed(Number.POSITIVE_INFINITY),
  giveBack: () => Effect.void,
  tokens: Effect.succeed(Number.POSITIVE_INFINITY)
}

/**
 * The bucket in use. Where none is given each client has one of its own, of `make()`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryQuota } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that may be retried though others have emptied the bucket
 * const important = Effect.provideService(RetryQuota.RetryQuota, RetryQuota.unlimited)
 */
export class RetryQuota extends Context.Reference<RetryQuota>()("effect-glacier/RetryQuota", {
  defaultValue: (): Quota => unlimited
}) {}

/**
 * Provides a quota that all clients of a program share.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (quota: Quota): Layer.Layer<never> => Layer.succeed(RetryQuota, quota)

/**
 * Provides a new quota of `make(options)` that all clients of a program share.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RetryQuota } from "effect-glacier"
 *
 * const large = RetryQuota.layerWith({ capacity: 5_000 })
 */
export const layerWith = (options: Options = {}): Layer.Layer<never> => Layer.effect(RetryQuota, make(options))
