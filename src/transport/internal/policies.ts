import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Bandwidth from "../../policy/Bandwidth.ts"
import * as RatePolicy from "../../policy/RatePolicy.ts"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as RetryQuota from "../../policy/RetryQuota.ts"
import * as Timeouts from "../../policy/Timeouts.ts"

/** The policies of a call. */
export interface Policies {
  readonly retryPolicy: RetryPolicy.Policy
  readonly quota: RetryQuota.Quota
  readonly ratePolicy: RatePolicy.Policy
  readonly bandwidth: Bandwidth.Lanes
  readonly timeouts: Timeouts.Limits
}

/** A policy, if the fiber has been given one. `Context.getOption` would not do: it makes up the default. */
const provided = <Self, A>(reference: Context.Reference<Self, A>): Effect.Effect<Option.Option<A>> =>
  Effect.map(Effect.context<never>(), (context) =>
    context.unsafeMap.has(reference.key)
      // The map holds what was provided under this very key.
      ? Option.some(context.unsafeMap.get(reference.key) as A)
      : Option.none())

/** A policy as it is given round the call, else as it was when this was made, else as `otherwise` says. */
const resolve = <Self, A>(reference: Context.Reference<Self, A>, otherwise: Effect.Effect<A>) =>
  Effect.map(
    provided(reference),
    (built) =>
      Effect.flatMap(provided(reference), (now) =>
        Option.match(Option.orElse(now, () => built), { onNone: () => otherwise, onSome: Effect.succeed }))
  )

/** What finds the policies of each call: made when the transport is. */
export const make: Effect.Effect<Effect.Effect<Policies>> = Effect.gen(function*() {
  const quota = yield* RetryQuota.make()
  return Effect.all({
    retryPolicy: yield* resolve(RetryPolicy.RetryPolicy, RetryPolicy.Fallback),
    quota: yield* resolve(RetryQuota.RetryQuota, Effect.succeed(quota)),
    ratePolicy: yield* resolve(RatePolicy.RatePolicy, RatePolicy.RatePolicy),
    bandwidth: yield* resolve(Bandwidth.Bandwidth, Bandwidth.Bandwidth),
    timeouts: yield* resolve(Timeouts.Timeouts, Timeouts.Timeouts)
  })
})
