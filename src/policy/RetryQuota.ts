/**
 * How many retries a client may make before a call must succeed again. All calls of the client draw on one bucket of
 * tokens, so that they do not all hammer the service during an outage (AWS "Retry behavior 2.1").
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { GlacierError } from "../protocol/GlacierError.ts"

/**
 * A bucket of tokens for retries.
 *
 * @since 0.1.0
 * @category models
 */
export interface Quota {
  /** Takes the tokens for a retry after this error and returns their number. Returns 0 when there are too few: no retry. */
  readonly take: (error: GlacierError) => Effect.Effect<number>
  /** Puts back the tokens that the last retry of a successful call took, 1 token if it had none. */
  readonly giveBack: (taken: number) => Effect.Effect<void>
  /** The tokens in the bucket. */
  readonly tokens: Effect.Effect<number>
}

/**
 * The options of `make`, in tokens.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The tokens of a full bucket. Default: 500. */
  readonly capacity?: number | undefined
  /** The tokens that a retry takes. Default: 14. */
  readonly cost?: number | undefined
  /** The tokens that a retry after a throttle takes. Default: 5. */
  readonly throttleCost?: number | undefined
}

/**
 * Makes a full bucket. The defaults are those of AWS's standard. A success returns the tokens that the last retry of the
 * call took, or 1 token if there was no retry.
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
 * A bucket that is never empty.
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
 * The bucket in use. Where none is provided, each client has its own bucket of `make()`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryQuota } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that is retried even when other calls have emptied the bucket
 * const important = Effect.provideService(RetryQuota.RetryQuota, RetryQuota.unlimited)
 */
export class RetryQuota extends Context.Reference<RetryQuota>()("effect-glacier/RetryQuota", {
  defaultValue: (): Quota => unlimited
}) {}

/**
 * Provides one bucket to all clients of a program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (quota: Quota): Layer.Layer<never> => Layer.succeed(RetryQuota, quota)

/**
 * Provides one new bucket of `make(options)` to all clients of a program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RetryQuota } from "effect-glacier"
 *
 * const large = RetryQuota.layerWith({ capacity: 5_000 })
 */
export const layerWith = (options: Options = {}): Layer.Layer<never> => Layer.effect(RetryQuota, make(options))
