/**
 * The policies in use, for calls of another service, such as an object store. As `Transport` does for Glacier, it runs each
 * attempt within `Timeouts`, when the `RatePolicy` permits it, and retries by the `RetryPolicy` and the `RetryQuota`. A call
 * takes its policies from the caller's context, else from the context that `make` ran in, else the defaults.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { Bandwidth } from "../policy/Bandwidth.ts"
import type * as RatePolicy from "../policy/RatePolicy.ts"
import { Timeouts } from "../policy/Timeouts.ts"
import * as Waiting from "../policy/Waiting.ts"
import type { AttemptTimeout, GlacierError } from "../protocol/GlacierError.ts"
import * as Policies from "./internal/policies.ts"
import * as Retrying from "./internal/retrying.ts"
import * as TimeLimits from "./internal/timeLimits.ts"
import { whenPermitted } from "./internal/whenPermitted.ts"

/**
 * A call that is safe to repeat.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  /** The operation, such as `UploadPart`. */
  readonly operation: string
  /** The resource that the call is about, for spans and logs, such as `s3://bucket/a.txt`. */
  readonly about: string
  /** The class of its requests, for the `RatePolicy`. */
  readonly class: RatePolicy.Class
  /** The limit of `Timeouts` for one attempt. */
  readonly limit: "response" | "upload"
}

/**
 * The functions that apply the policies. Inside an attempt, `Bandwidth` and `Timeouts` are those of the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Makes a call, within a span and the limit `call` of `Timeouts`: `attempt`, repeated by `retry`. */
  readonly call: <A, E extends GlacierError, R>(
    call: Call,
    attempt: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | AttemptTimeout, R>
  /** Runs an attempt within its time limit, when the `RatePolicy` permits it. */
  readonly attempt: <A, E extends GlacierError, R>(
    call: Call,
    attempt: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | AttemptTimeout, R>
  /** Repeats an effect made of attempts until it succeeds, or the policies permit no more attempts. */
  readonly retry: <A, E extends GlacierError, R>(call: Call, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * Makes the policies of the calls of a service. The name of the service is the prefix of its spans.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { CallPolicies, GlacierError } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const send = Effect.fail(new GlacierError.ConnectionError({ operation: "PutItem", message: "no route", sent: false }))
 *
 * // Fails after the attempts of the RetryPolicy in use
 * const program = Effect.gen(function*() {
 *   const policies = yield* CallPolicies.make("Table")
 *   return yield* policies.call({ operation: "PutItem", about: "my-table", class: "write", limit: "response" }, send)
 * })
 */
export const make = (service: string): Effect.Effect<Service> =>
  Effect.map(Policies.make, (policiesInUse): Service => {
    const attemptUnder = <A, E extends GlacierError, R>(
      call: Call,
      { bandwidth, ratePolicy, timeouts }: Policies.Policies,
      attempt: Effect.Effect<A, E, R>
    ) => {
      const ofCall = Context.make(Bandwidth, bandwidth).pipe(Context.add(Timeouts, timeouts))
      return whenPermitted(
        TimeLimits.raced(Effect.provide(attempt, ofCall), {
          operation: { name: call.operation },
          limit: timeouts[call.limit]
        }),
        { subject: call.operation, class: call.class, ratePolicy }
      )
    }

    const retryUnder = <A, E extends GlacierError, R>(
      call: Call,
      { quota, retryPolicy, warnings }: Policies.Policies,
      effect: Effect.Effect<A, E, R>
    ) =>
      Effect.provideService(
        Retrying.repeating(effect, {
          operation: { name: call.operation, repeatable: true },
          policy: retryPolicy,
          quota
        }),
        Waiting.Warnings,
        warnings
      )

    return {
      attempt: (call, attempt) => Effect.flatMap(policiesInUse, (policies) => attemptUnder(call, policies, attempt)),
      retry: (call, effect) => Effect.flatMap(policiesInUse, (policies) => retryUnder(call, policies, effect)),
      call: (call, attempt) => {
        const attributes = { operation: call.operation, about: call.about }
        return Effect.flatMap(policiesInUse, (policies) =>
          TimeLimits.call(
            retryUnder(call, policies, attemptUnder(call, policies, attempt)),
            policies.timeouts.call,
            { name: call.operation },
            identity
          )).pipe(
            Effect.annotateLogs(attributes),
            Effect.withSpan(`${service}.${call.operation}`, { kind: "client", captureStackTrace: false, attributes })
          )
      }
    }
  })
