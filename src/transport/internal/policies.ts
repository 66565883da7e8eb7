/**
 * Resolves the policies of a call: the caller's context first, then the context that the transport was made in, then the
 * default.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Bandwidth from "../../policy/Bandwidth.ts"
import * as RatePolicy from "../../policy/RatePolicy.ts"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as RetryQuota from "../../policy/RetryQuota.ts"
import * as Timeouts from "../../policy/Timeouts.ts"
import * as Waiting from "../../policy/Waiting.ts"

/** The policies of a call. */
export interface Policies {
  readonly retryPolicy: RetryPolicy.Policy
  readonly quota: RetryQuota.Quota
  readonly ratePolicy: RatePolicy.Policy
  readonly bandwidth: Bandwidth.Lanes
  readonly timeouts: Timeouts.Limits
  readonly warnings: Waiting.Limiter
}

/** Whether a context provides a policy. `Context.getOption` is no test: it returns the default. */
const has = (context: Context.Context<never>, reference: { readonly key: string }) =>
  context.unsafeMap.has(reference.key)

/** Makes an effect that resolves the policies of a call. The context of `make` is the context of the transport. */
export const make: Effect.Effect<Effect.Effect<Policies>> = Effect.gen(function*() {
  const quota = yield* RetryQuota.make()
  const warnings = Waiting.makeLimiter()
  const built = yield* Effect.context<never>()
  return Effect.map(Effect.context<never>(), (now): Policies => {
    const given = (reference: { readonly key: string }) => has(now, reference) ? now : built
    const isGiven = (reference: { readonly key: string }) => has(given(reference), reference)
    const of = <Self, A>(reference: Context.Reference<Self, A>): A => Context.get(given(reference), reference)
    return {
      retryPolicy: isGiven(RetryPolicy.RetryPolicy)
        ? of(RetryPolicy.RetryPolicy)
        : Context.get(now, RetryPolicy.Default),
      quota: isGiven(RetryQuota.RetryQuota) ? of(RetryQuota.RetryQuota) : quota,
      ratePolicy: of(RatePolicy.RatePolicy),
      bandwidth: of(Bandwidth.Bandwidth),
      timeouts: of(Timeouts.Timeouts),
      warnings: isGiven(Waiting.Warnings) ? of(Waiting.Warnings) : warnings
    }
  })
})
