/**
 * Which failed attempts are retried, how often, and after what wait. The policy is a value in a `Reference` with a
 * default. Replace it for a whole program with `layer`, or around one call with
 * `Effect.provideService(RetryPolicy, policy)`.
 *
 * A policy only decides. `transport/internal/retrying.ts` applies it: there a call is retried, draws on the `RetryQuota`,
 * and is looked up when its response was lost.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import type { GlacierError } from "../protocol/GlacierError.ts"

/**
 * The operation of a failed attempt, as a policy sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempted {
  readonly name: string
  /** Whether a second attempt does no harm when the first was carried out. */
  readonly repeatable: boolean
}

/**
 * A retry policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  /** Returns whether an error may be retried at all. */
  readonly while: (error: GlacierError, operation: Attempted) => boolean
  /** How often a call is retried, and after what waits. */
  readonly schedule: Schedule.Schedule<unknown, GlacierError>
  /** Whether each retry draws on the `RetryQuota`. */
  readonly metered: boolean
  /** Whether the policy logs each failure itself, so that the call logs no warning of its own. */
  readonly logs?: boolean | undefined
}

/**
 * Returns whether the outcome of the attempt is unknown: the service may or may not have carried out the request.
 *
 * - Unknown: after a failure of the service or of a proxy, a lost connection, a timeout, or an unreadable success.
 * - Not carried out: after a throttle, an expired signature, bytes that arrived damaged or too slowly, or when no
 *   connection was made.
 * - Carried out, with other bytes: after a `ChecksumMismatch` in a successful response.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isUnknown = (error: GlacierError): boolean => {
  switch (error._tag) {
    case "ChecksumMismatch":
    case "InvalidSignature":
    case "RequestTimeout":
      return false
    case "MalformedResponse":
      return true
    case "ConnectionError":
      return error.sent
    case "UnknownServiceError":
      return error.retry === "transient" || (error.retry === "never" && (error.status >= 500 || error.status < 300))
    default:
      return error.retry === "transient"
  }
}

/**
 * Returns whether a retry can help and does no harm. When the outcome of the attempt is unknown, only repeatable
 * operations are safe to retry: the others might store or retrieve twice, and be billed twice.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSafe = (error: GlacierError, operation: Attempted): boolean =>
  error.retry !== "never" && (operation.repeatable || !isUnknown(error))

/** The wait that the response asks for, in milliseconds; 0 when it asks for none. */
const hintOf = (error: GlacierError): number =>
  "retryAfter" in error && error.retryAfter !== undefined ? Duration.toMillis(error.retryAfter) : 0

/**
 * The options of `make`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The most attempts of a call, the first included. */
  readonly attempts: number
  /** The longest wait before the first retry. */
  readonly base: Duration.DurationInput
  /** The longest wait before the first retry after a throttle. */
  readonly throttleBase: Duration.DurationInput
  /** The longest wait before any retry, unless the response asks for more. */
  readonly cap: Duration.DurationInput
  /** The most by which a wait is extended when the response asks for a longer one. */
  readonly maxExtraWait: Duration.DurationInput
  /** Whether each retry draws on the `RetryQuota`. */
  readonly metered: boolean
}

/**
 * Makes a policy that retries what is safe to retry, with at most `attempts` attempts in all. Each wait is random between
 * 0 and a bound. The bound is `base` (`throttleBase` after a throttle), doubles with each retry, and never exceeds `cap`.
 * When the response asks for a longer wait, the wait is extended to it, by at most `maxExtraWait`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Policy => {
  const maxExtraWait = Duration.toMillis(options.maxExtraWait)
  const bound = (error: GlacierError, retries: number) =>
    Math.min(
      Duration.toMillis(error.retry === "throttle" ? options.throttleBase : options.base) * 2 ** retries,
      Duration.toMillis(options.cap)
    )
  return {
    while: isSafe,
    metered: options.metered,
    schedule: Schedule.identity<GlacierError>().pipe(
      Schedule.intersect(Schedule.recurs(options.attempts - 1)),
      Schedule.addDelayEffect(([error, retries]) =>
        Effect.map(Random.next, (fraction) => {
          const wait = fraction * bound(error, retries)
          return Duration.millis(Math.round(Math.max(wait, Math.min(hintOf(error), wait + maxExtraWait))))
        })
      )
    )
  }
}

/**
 * AWS's "Retry behavior 2.1", which all its clients follow since November 2026: 3 attempts, waits of up to 50 ms (1 s
 * after a throttle), doubled with each retry up to 20 s, and each retry draws on the `RetryQuota`. Unlike AWS's clients,
 * it never retries what might store or bill twice.
 *
 * @since 0.1.0
 * @category policies
 */
export const standard: Policy = make({
  attempts: 3,
  base: "50 millis",
  throttleBase: "1 second",
  cap: "20 seconds",
  maxExtraWait: "5 seconds",
  metered: true
})

/**
 * A policy that never retries.
 *
 * @since 0.1.0
 * @category policies
 */
export const none: Policy = { while: () => false, schedule: Schedule.stop, metered: false }

/**
 * Makes a policy that retries what is safe to retry. The schedule decides how often and after what waits. Each retry draws
 * on the `RetryQuota`.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Schedule } from "effect"
 *
 * const eachMinute = RetryPolicy.fromSchedule(Schedule.spaced("1 minute"))
 */
export const fromSchedule = (schedule: Schedule.Schedule<unknown, GlacierError>): Policy => ({
  while: isSafe,
  schedule,
  metered: true
})

/**
 * Limits a policy to a number of attempts for each call, the first included.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const twice = RetryPolicy.attempts(RetryPolicy.patient, 2)
 */
export const attempts: {
  (attempts: number): (self: Policy) => Policy
  (self: Policy, attempts: number): Policy
} = dual(2, (self: Policy, attempts: number): Policy => ({
  ...self,
  schedule: Schedule.intersect(self.schedule, Schedule.recurs(attempts - 1))
}))

/** Retries only within a time after the first failure of the call, which may depend on the last error. */
const bounded = (self: Policy, boundOf: (error: GlacierError) => Duration.DurationInput): Policy => ({
  ...self,
  schedule: Schedule.identity<GlacierError>().pipe(
    Schedule.intersect(Schedule.delays(self.schedule)),
    Schedule.intersect(Schedule.elapsed),
    // `Schedule.upTo` does not count the last wait, so it would allow a retry after the limit.
    Schedule.whileOutput(([[error, wait], passed]) =>
      Duration.lessThanOrEqualTo(Duration.sum(wait, passed), boundOf(error))
    )
  )
})

/**
 * Retries a call only within a time after its first failure. The last attempt starts within that time, and may then take
 * as long as `Timeouts` allows. To limit the whole call, use `call` of `Timeouts`.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const brief = RetryPolicy.within(RetryPolicy.patient, "1 minute")
 */
export const within: {
  (elapsed: Duration.DurationInput): (self: Policy) => Policy
  (self: Policy, elapsed: Duration.DurationInput): Policy
} = dual(2, (self: Policy, elapsed: Duration.DurationInput): Policy => bounded(self, () => elapsed))

/**
 * Retries only what the policy retries and the predicate accepts.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const throttlesOnly = RetryPolicy.when(RetryPolicy.patient, (error) => error.retry === "throttle")
 */
export const when: {
  (predicate: Policy["while"]): (self: Policy) => Policy
  (self: Policy, predicate: Policy["while"]): Policy
} = dual(2, (self: Policy, predicate: Policy["while"]): Policy => ({
  ...self,
  while: (error, operation) => self.while(error, operation) && predicate(error, operation)
}))

/**
 * Logs a warning for each error that is retried, and for the error after which the policy gives up. Without it, calls
 * still log their retries, but at most once a minute: see `Waiting`.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const logging = RetryPolicy.layer(RetryPolicy.log(RetryPolicy.patient))
 */
export const log = (self: Policy): Policy => ({
  ...self,
  logs: true,
  schedule: Schedule.intersect(Schedule.identity<GlacierError>(), self.schedule).pipe(
    Schedule.onDecision(([error], decision) =>
      Effect.logWarning(
        ScheduleDecision.isDone(decision)
          ? "Glacier call failed: it will not be retried"
          : "Glacier call failed: it will be retried",
        error
      )
    )
  )
})

/**
 * Retries only what both policies retry, after the longer of their waits.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Schedule } from "effect"
 *
 * const slowly = RetryPolicy.intersect(RetryPolicy.standard, RetryPolicy.fromSchedule(Schedule.spaced("10 seconds")))
 */
export const intersect: {
  (that: Policy): (self: Policy) => Policy
  (self: Policy, that: Policy): Policy
} = dual(2, (self: Policy, that: Policy): Policy => ({
  while: (error, operation) => self.while(error, operation) && that.while(error, operation),
  schedule: Schedule.intersect(self.schedule, that.schedule),
  metered: self.metered || that.metered,
  logs: self.logs === true || that.logs === true
}))

const isUnreachable = (error: GlacierError): boolean => error._tag === "ConnectionError" && error.unreachable

/**
 * A policy for bulk work and for work that takes hours. It retries for half an hour through throttling, slow responses
 * and outages, with waits of up to half a second (1 s after a throttle), doubled with each retry up to 30 s. While no
 * request of the client has ever reached the endpoint (`unreachable` of `ConnectionError`), it gives up after 2 minutes:
 * the address is probably wrong. It does not draw on the `RetryQuota`, which would end hours of work for a short failure.
 *
 * @since 0.1.0
 * @category policies
 */
export const patient: Policy = bounded(
  make({
    attempts: Number.POSITIVE_INFINITY,
    base: "500 millis",
    throttleBase: "1 second",
    cap: "30 seconds",
    maxExtraWait: "15 minutes",
    metered: false
  }),
  (error) => isUnreachable(error) ? "2 minutes" : "30 minutes"
)

/**
 * The policy in use. Where none is provided, calls use the `Default`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that fails at the first error
 * const once = Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)
 */
export class RetryPolicy extends Context.Reference<RetryPolicy>()("effect-glacier/RetryPolicy", {
  defaultValue: (): Policy => standard
}) {}

/**
 * The policy of calls for which no `RetryPolicy` is provided: `standard`, or `patient` in uploads, downloads and waits for
 * jobs.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // For your own work of hours, unless the program provides a RetryPolicy
 * const long = Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
 */
export class Default extends Context.Reference<Default>()("effect-glacier/RetryPolicy/Default", {
  defaultValue: (): Policy => standard
}) {}

/**
 * Provides a retry policy to a whole program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const patient = RetryPolicy.layer(RetryPolicy.patient)
 */
export const layer = (policy: Policy): Layer.Layer<never> => Layer.succeed(RetryPolicy, policy)

/**
 * Provides the retry policy of `make(options)` to a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<never> => layer(make(options))

/**
 * A failed attempt that will be retried.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retry {
  readonly operation: string
  readonly error: GlacierError
  /** The number of the failed attempt: 1 for the first. */
  readonly attempt: number
  /** The wait before the next attempt. */
  readonly wait: Duration.Duration
}

/**
 * A hook called before the wait of each retry; the wait starts when the hook has ended. It is read from the context of
 * the call, not of the client: provide it around calls, or to a whole program with `Layer.succeed`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Effect, Layer } from "effect"
 *
 * const logged = Layer.succeed(RetryPolicy.OnRetry, ({ error, operation }) => Effect.log(operation, error))
 */
export class OnRetry extends Context.Reference<OnRetry>()("effect-glacier/RetryPolicy/OnRetry", {
  defaultValue: (): (retry: Retry) => Effect.Effect<void> => () => Effect.void
}) {}

/**
 * Calls a hook for the retries of all calls in an effect, after the hooks provided around it.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { GlacierClient, RetryPolicy } from "effect-glacier"
 * import { Console, Effect } from "effect"
 *
 * const vaults = Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.listVaults({})).pipe(
 *   RetryPolicy.onRetry(({ attempt, error }) => Console.log(`Attempt ${attempt} failed: ${error.message}`))
 * )
 */
export const onRetry: {
  (hook: (retry: Retry) => Effect.Effect<void>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, hook: (retry: Retry) => Effect.Effect<void>): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, hook: (retry: Retry) => Effect.Effect<void>): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      OnRetry,
      (outer) => Effect.provideService(self, OnRetry, (retry) => Effect.zipRight(outer(retry), hook(retry)))
    )
)
