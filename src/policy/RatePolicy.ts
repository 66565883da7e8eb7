/**
 * Limits on how many requests a program sends: per second, and at once. The policy is a value in a `Reference`: without
 * one no request is delayed. Provide one to a whole program with a Layer, or around one call with
 * `Effect.provideService(RatePolicy, policy)`.
 *
 * @since 0.1.0
 */
import * as RateLimiter from "@effect/experimental/RateLimiter"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type { GlacierError, InvalidInput } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type * as Operation from "../protocol/Operation.ts"
import * as Cubic from "./internal/cubic.ts"
import { makeFairSemaphore } from "./internal/fairSemaphore.ts"
import { now, sleep } from "./internal/monotonicClock.ts"
import { awaitStart, makeStartLimit, PassedLimits, type StartLimit } from "./internal/startLimit.ts"
import * as Waiting from "./Waiting.ts"

/**
 * The class of a request:
 *
 * - `upload` sends the bytes of an archive
 * - `download` fetches the output of a job
 * - `retrieval` starts a job
 * - `read` is any other request that changes nothing
 * - `write` is any other request that changes something
 *
 * @since 0.1.0
 * @category models
 */
export type Class = "upload" | "download" | "retrieval" | "read" | "write"

/**
 * Decides when attempts start.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  /** Runs an attempt as soon as the policy allows it. */
  readonly pace: <A, E extends GlacierError, R>(
    attempt: Effect.Effect<A, E, R>,
    of: Class
  ) => Effect.Effect<A, E, R>
}

/**
 * Returns the class of an operation's requests.
 *
 * @since 0.1.0
 * @category getters
 */
export const classOf = (operation: Operation.Any): Class => {
  if (Object.values(operation.input).some((field) => field.in === "bytes")) return "upload"
  if (operation.body === "bytes") return "download"
  if (operation.name === "InitiateJob") return "retrieval"
  return operation.method === "GET" ? "read" : "write"
}

/**
 * A policy that delays nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Policy = { pace: (attempt) => attempt }

/**
 * The policy in use. Default: `none`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RatePolicy } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that is never delayed
 * const atOnce = Effect.provideService(RatePolicy.RatePolicy, RatePolicy.none)
 */
export class RatePolicy extends Context.Reference<RatePolicy>()("effect-glacier/RatePolicy", {
  defaultValue: (): Policy => none
}) {}

/**
 * Starts an attempt when both policies allow it. If one of them limits concurrency, make it the first: otherwise an
 * attempt may pass the rate, wait for concurrency, and then wait for the rate again.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RatePolicy } from "effect-glacier"
 * import { Effect, Layer } from "effect"
 *
 * // As fast as the service accepts, but at most 20 requests at once
 * const careful = Layer.effect(
 *   RatePolicy.RatePolicy,
 *   Effect.zipWith(RatePolicy.concurrent(20), RatePolicy.adaptive, RatePolicy.intersect)
 * )
 */
export const intersect: {
  (that: Policy): (self: Policy) => Policy
  (self: Policy, that: Policy): Policy
} = dual(2, (self: Policy, that: Policy): Policy => ({
  pace: (attempt, of) =>
    Effect.flatMap(PassedLimits, (outer) => {
      if (outer !== undefined) return self.pace(that.pace(attempt, of), of)
      const passed = new Set<StartLimit>()
      return attempt.pipe(
        Effect.provideService(PassedLimits, undefined),
        (attempt) => Effect.zipRight(Effect.suspend(() => awaitStart(passed)), attempt),
        (attempt) => self.pace(that.pace(attempt, of), of),
        Effect.provideService(PassedLimits, passed)
      )
    })
}))

/**
 * Makes a policy that allows this many requests at once and starts the others in the order of arrival. A request counts
 * until the service responds; reading the bytes of a job's output does not count. Fails with `InvalidInput` when the number
 * is not a whole number of 1 or more.
 *
 * @since 0.1.0
 * @category constructors
 */
export const concurrent = (requests: number): Effect.Effect<Policy, InvalidInput> =>
  Effect.map(check("RatePolicy", "concurrency", Concurrency, requests), (permits) => {
    const withPermit = makeFairSemaphore(permits)
    return { pace: (attempt) => withPermit(attempt) }
  })

const Rate = Schema.Number.pipe(
  Schema.filter((rate) => rate > 0 && rate <= 1000, { message: () => "must be more than 0 and at most 1000" })
)

/**
 * Makes a policy that starts attempts at least `1 / rate` seconds apart. The limiter has one token per window, because
 * with more tokens it would start a whole window of attempts at once. The window is in whole milliseconds, the finest
 * that Redis can count.
 */
const spaced = (limiter: RateLimiter.RateLimiter, key: string, rate: number): Policy => {
  const window = Math.ceil(1000 / rate)
  // One attempt at a time takes a slot, so that an interrupted attempt leaves its slot to the next.
  const withPermit = makeFairSemaphore(1)
  const starts = makeStartLimit(Math.ceil(rate), Math.max(window, 1000))
  const warnings = Waiting.makeLimiter()
  // The start of a slot that was taken and not used yet.
  let unused = Option.none<number>()

  const takeSlot = limiter.consume({ key, window, limit: 1, algorithm: "fixed-window", onExceeded: "delay" }).pipe(
    Effect.map(({ delay }) => Duration.toMillis(delay)),
    // Without the store each process keeps the rate by itself. That is better than to stop, or to ignore the rate.
    Effect.catchAll((error) =>
      Effect.as(
        warnings.log(
          "store",
          `Processes do not share their rate of requests, because the store failed: ${error.message}`
        ),
        window
      )
    ),
    Effect.zipWith(now, (delay, time) => time + delay)
  )

  const awaitSlot = Effect.gen(function*() {
    const time = yield* now
    const left = Option.filter(unused, (start) => time < start + window)
    const start = Option.isSome(left) ? left.value : yield* takeSlot
    unused = Option.some(start)
    yield* sleep(start - (yield* now))
    unused = Option.none()
  })

  return {
    pace: (attempt) =>
      Effect.flatMap(PassedLimits, (passed) => {
        if (passed === undefined) {
          return Effect.zipRight(withPermit(Effect.zipRight(awaitSlot, awaitStart([starts]))), attempt)
        }
        passed.add(starts)
        return Effect.zipRight(withPermit(awaitSlot), attempt)
      })
  }
}

/**
 * The limits of a class of requests, or of all.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  /**
   * More than 0, at most 1,000. Requests start evenly spaced, and within any second at most this many (rounded up) start.
   * The space between two is rounded up to whole milliseconds: a limit of 300 per second allows 250.
   */
  readonly requestsPerSecond?: number | undefined
  /** The most requests without a response yet: a whole number of 1 or more. */
  readonly concurrency?: number | undefined
}

/**
 * The options of `make`: limits of all requests together, and of each class. A request must keep both.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Limit, Partial<Readonly<Record<Class, Limit | undefined>>> {
  /**
   * The name under which the store counts requests. Policies with the same key share their rates. Use one for each account
   * and region. Default: `effect-glacier`.
   */
  readonly key?: string | undefined
}

/**
 * Makes a policy that keeps limits. It counts requests in the `RateLimiter` in use. Fails with `InvalidInput` when a limit
 * breaks its rule.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Policy, InvalidInput, RateLimiter.RateLimiter> =>
  Effect.gen(function*() {
    const limiter = yield* RateLimiter.RateLimiter
    const key = options.key ?? "effect-glacier"

    const limited = Effect.fnUntraced(function*(name: string, limit: Limit = {}) {
      const concurrency = limit.concurrency === undefined ? none : yield* concurrent(limit.concurrency)
      if (limit.requestsPerSecond === undefined) return concurrency
      const rate = yield* check("RatePolicy", "requestsPerSecond", Rate, limit.requestsPerSecond)
      return intersect(concurrency, spaced(limiter, `${key}/${name}`, rate))
    })

    const all = yield* limited("all", options)
    // The class comes first: a request that waits for its class must not hold a permit that other classes could use.
    const ofClass = (name: Class) => Effect.map(limited(name, options[name]), intersect(all))
    const classes: Record<Class, Policy> = {
      upload: yield* ofClass("upload"),
      download: yield* ofClass("download"),
      retrieval: yield* ofClass("retrieval"),
      read: yield* ofClass("read"),
      write: yield* ofClass("write")
    }
    return { pace: (attempt, of) => classes[of].pace(attempt, of) }
  })

const isThrottle = (exit: Exit.Exit<unknown, GlacierError>): boolean =>
  Exit.isFailure(exit) && Option.exists(Cause.failureOption(exit.cause), (error) => error.retry === "throttle")

/**
 * Makes a policy like AWS's adaptive mode, which finds the rate that the service accepts. It delays nothing until the first
 * throttle. From then on each throttle lowers the rate by 30 %, and every other end of an attempt lets it grow again.
 * Interrupted attempts do not count.
 *
 * @since 0.1.0
 * @category constructors
 */
export const adaptive: Effect.Effect<Policy> = Effect.gen(function*() {
  const seconds = Effect.map(now, (millis) => millis / 1000)
  const state = yield* Ref.make(Cubic.make(yield* seconds))
  const withPermit = makeFairSemaphore(1)

  const takeToken: Effect.Effect<void> = Effect.flatMap(seconds, (time) =>
    Effect.flatMap(
      Ref.modify(state, (before) => Cubic.take(before, time)),
      // The rate may change during the wait, so the token is not taken in advance.
      (wait) => wait > 0 ? Effect.zipRight(sleep(wait * 1000), takeToken) : Effect.void
    ))

  return {
    pace: (attempt) =>
      Effect.zipRight(
        withPermit(takeToken),
        Effect.onExit(attempt, (exit) =>
          Exit.isInterrupted(exit)
            ? Effect.void
            : Effect.flatMap(
              seconds,
              (time) => Ref.update(state, (before) => Cubic.afterResponse(before, isThrottle(exit), time))
            ))
      )
  }
})

/**
 * Provides limits that all processes with the same `RateLimiterStore` share. Each request asks the store once for each
 * limit, one request at a time. `concurrency` is counted by each process alone, and so is the rate while the store fails.
 * Fails with `InvalidInput` when a limit breaks its rule.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import * as RateLimiterRedis from "@effect/experimental/RateLimiter/Redis"
 * import { RatePolicy } from "effect-glacier"
 * import { Layer } from "effect"
 *
 * // 20 requests per second from all machines together
 * const fleet = RatePolicy.layerShared({ requestsPerSecond: 20, key: "123456789012/eu-central-1" }).pipe(
 *   Layer.provide(RateLimiterRedis.layerStore({ host: "redis.internal" }))
 * )
 */
export const layerShared = (
  options: Options
): Layer.Layer<never, InvalidInput, RateLimiter.RateLimiterStore> =>
  Layer.effect(RatePolicy, Effect.provideServiceEffect(make(options), RateLimiter.RateLimiter, RateLimiter.make))

/**
 * Provides a policy to a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (policy: Policy): Layer.Layer<never> => Layer.succeed(RatePolicy, policy)

/**
 * Provides limits to a whole program. Fails with `InvalidInput` when a limit breaks its rule.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RatePolicy } from "effect-glacier"
 *
 * // 5 requests per second, of which at most 2 start a job, and 4 uploads at once
 * const gentle = RatePolicy.layerWith({
 *   requestsPerSecond: 5,
 *   retrieval: { requestsPerSecond: 2 },
 *   upload: { concurrency: 4 }
 * })
 */
export const layerWith = (options: Options): Layer.Layer<never, InvalidInput> =>
  // `Layer.fresh`, because Effect builds a Layer once: two policies would share one store.
  Layer.provide(layerShared(options), Layer.fresh(RateLimiter.layerStoreMemory))

/**
 * Provides `adaptive` to a whole program, which then finds the rate that the service accepts.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RatePolicy, RetryPolicy } from "effect-glacier"
 * import { Layer } from "effect"
 *
 * // For a million deletes
 * const bulk = Layer.merge(RatePolicy.layerAdaptive, RetryPolicy.layer(RetryPolicy.patient))
 */
export const layerAdaptive: Layer.Layer<never> = Layer.effect(RatePolicy, adaptive)
