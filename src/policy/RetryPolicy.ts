/**
 * When a failed attempt is made again, and after how long. A value in a `Reference`: a program needs none, and
 * replaces it for all calls by `layer` or round one call by `Effect.provideService(RetryPolicy, policy)`.
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
 * What a policy needs to know of the operation that failed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempted {
  readonly name: string
  readonly repeatable: boolean
}

/**
 * A retry policy: `while` says whether an error may be tried again at all, `schedule` how often and after which wait,
 * `metered` whether each retry draws on the `RetryQuota`, `logs` whether it logs each failure itself, so that no other
 * warning is needed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  readonly while: (error: GlacierError, operation: Attempted) => boolean
  readonly schedule: Schedule.Schedule<unknown, GlacierError>
  readonly metered: boolean
  readonly logs?: boolean | undefined
}

/**
 * Whether it is unknown if the service has acted: after its own failure, a proxy's, a lost connection, a timeout, or a
 * success that cannot be read. After a throttle, a signature that was too old, bytes that were damaged or came too slowly,
 * or when there was no connection at all, it has not. When it has stored other bytes (`ChecksumMismatch`), that is known.
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
 * Whether a second attempt can help and does no harm: where it is unknown if the service has acted, only repeatable
 * operations are tried again. The others would store or retrieve, and bill, twice.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSafe = (error: GlacierError, operation: Attempted): boolean =>
  error.retry !== "never" && (operation.repeatable || !isUnknown(error))

/** How long the service asked to wait (milliseconds). */
const hintOf = (error: GlacierError): number => "retryAfter" in error ? error.retryAfter ?? 0 : 0

/**
 * The options of `make`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The most attempts of a call, the first included. */
  readonly attempts: number
  /** The bound of the wait before the first retry. */
  readonly base: Duration.DurationInput
  /** The bound of the wait before the first retry when the error is a throttle. */
  readonly throttleBase: Duration.DurationInput
  /** The bound of every wait. */
  readonly cap: Duration.DurationInput
  /** The most that a wait is lengthened when the response says how long to wait. */
  readonly maxExtraWait: Duration.DurationInput
  /** Whether each retry draws on the `RetryQuota`. */
  readonly metered: boolean
}

/**
 * Repeats what is safe to repeat, up to `attempts` in all. The wait is random between nothing and a bound: `base`, after
 * a throttle `throttleBase`, doubled with each retry, but never more than `cap`. When the service says how long to wait,
 * the wait is that long, but at most `maxExtraWait` longer than it would have been.
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
 * AWS's "Retry behavior 2.1", as all its clients have it since November 2026: 3 attempts, waits bounded by 50 ms (after
 * a throttle by 1 s), doubled, at most 20 s, and drawing on the `RetryQuota`. Unlike theirs it never repeats what could
 * store or bill twice.
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
 * Never a second attempt.
 *
 * @since 0.1.0
 * @category policies
 */
export const none: Policy = { while: () => false, schedule: Schedule.stop, metered: false }

/**
 * Repeats what is safe to repeat, as often and after such waits as a schedule says, as far as the `RetryQuota` lets it.
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
 * No more than that many attempts of a call, the first included.
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

/** No retry later after the first failure of a call than its last error allows. */
const bounded = (self: Policy, boundOf: (error: GlacierError) => Duration.DurationInput): Policy => ({
  ...self,
  schedule: Schedule.identity<GlacierError>().pipe(
    Schedule.intersect(Schedule.delays(self.schedule)),
    Schedule.intersect(Schedule.elapsed),
    // `Schedule.upTo` would let the last wait end later.
    Schedule.whileOutput(([[error, wait], passed]) =>
      Duration.lessThanOrEqualTo(Duration.sum(wait, passed), boundOf(error))
    )
  )
})

/**
 * No retry of a call later than that after its first failure. An attempt that begins before may take as long as
 * `Timeouts` allows: `call` of `Timeouts` bounds the whole call.
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
 * Only what the policy repeats and the predicate is true of.
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
 * Logs, at the level of a warning, each error that is retried and the one after which the policy gives up. Without it,
 * calls log their retries as well, but at most once a minute: see `Waiting`.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const talkative = RetryPolicy.layer(RetryPolicy.log(RetryPolicy.patient))
 */
export const log = (self: Policy): Policy => ({
  ...self,
  logs: true,
  schedule: Schedule.intersect(Schedule.identity<GlacierError>(), self.schedule).pipe(
    Schedule.onDecision(([error], decision) =>
      Effect.logWarning(
        ScheduleDecision.isDone(decision)
          ? "Glacier call failed: no more attempts"
          : "Glacier call failed: trying again",
        error
      )
    )
  )
})

/**
 * Retries only what both retry, each time after the longer of their waits.
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
 * For bulk and for work of hours: retries for half an hour through throttling, slow responses and outages, with waits
 * bounded by half a second (after a throttle by 1 s), doubled, at most 30 s. As long as no request of the client has
 * reached the endpoint (`unreachable` of `ConnectionError`), it gives up after 2 minutes: the address is probably wrong.
 * It does not draw on the `RetryQuota`: it would give up the work of hours for a failure of a minute.
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
 * The policy in use. Where none is given, calls go by the `Default`.
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
 * What calls go by where no `RetryPolicy` is given: `standard`, but those of an upload, a download or the wait for a job
 * `patient`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // Work of your own that may take hours, unless a whole program has another policy
 * const long = Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
 */
export class Default extends Context.Reference<Default>()("effect-glacier/RetryPolicy/Default", {
  defaultValue: (): Policy => standard
}) {}

/**
 * Provides a retry policy for a whole program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RetryPolicy } from "effect-glacier"
 *
 * const stubborn = RetryPolicy.layer(RetryPolicy.patient)
 */
export const layer = (policy: Policy): Layer.Layer<never> => Layer.succeed(RetryPolicy, policy)

/**
 * Provides the retry policy of `make(options)` for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<never> => layer(make(options))

/**
 * A failed attempt that is to be made again: the operation, what it failed with, which attempt that was (1 the first),
 * and the wait before the next.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retry {
  readonly operation: string
  readonly error: GlacierError
  readonly attempt: number
  readonly wait: Duration.Duration
}

/**
 * Who is told of each retry, before its wait. It is no policy of the client's: looked up where a call is made, so that it
 * is to be provided round calls, or to a whole program by `Layer.succeed`. The next attempt waits for what it returns.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetryPolicy } from "effect-glacier"
 * import { Effect, Layer } from "effect"
 *
 * const audible = Layer.succeed(RetryPolicy.OnRetry, ({ error, operation }) => Effect.log(operation, error))
 */
export class OnRetry extends Context.Reference<OnRetry>()("effect-glacier/RetryPolicy/OnRetry", {
  defaultValue: (): (retry: Retry) => Effect.Effect<void> => () => Effect.void
}) {}

/**
 * Tells of the retries of all calls in an effect, besides whom they are told already.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { GlacierClient, RetryPolicy } from "effect-glacier"
 * import { Console, Effect } from "effect"
 *
 * const vaults = Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.listVaults({})).pipe(
 *   RetryPolicy.onRetry(({ attempt, error }) => Console.log(`Attempt ${attempt} has failed: ${error.message}`))
 * )
 */
export const onRetry: {
  (tell: (retry: Retry) => Effect.Effect<void>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, tell: (retry: Retry) => Effect.Effect<void>): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, tell: (retry: Retry) => Effect.Effect<void>): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      OnRetry,
      (told) => Effect.provideService(self, OnRetry, (retry) => Effect.zipRight(told(retry), tell(retry)))
    )
)
