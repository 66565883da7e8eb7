/**
 * How many requests a program makes. A value in a `Reference`: without one nothing is held back; it is replaced for a
 * program by a Layer, or round one call by `Effect.provideService(RatePolicy, policy)`.
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
 * Paces attempts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  /** Runs one attempt when its turn has come. */
  readonly pace: <A, E extends GlacierError, R>(
    attempt: Effect.Effect<A, E, R>,
    operation: Operation.Any
  ) => Effect.Effect<A, E, R>
}

/**
 * What kind of request an operation makes: `upload` sends bytes, `download` gets them, `retrieval` starts a job, `read`
 * asks for something else, `write` changes something else.
 *
 * @since 0.1.0
 * @category models
 */
export type Class = "upload" | "download" | "retrieval" | "read" | "write"

/**
 * The class of an operation.
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
 * Nothing is held back.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Policy = { pace: (attempt) => attempt }

/**
 * The policy in use: without a Layer `none`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RatePolicy } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that need not wait for others
 * const atOnce = Effect.provideService(RatePolicy.RatePolicy, RatePolicy.none)
 */
export class RatePolicy extends Context.Reference<RatePolicy>()("effect-glacier/RatePolicy", {
  defaultValue: (): Policy => none
}) {}

/**
 * An attempt goes when both policies let it. Where one of them limits concurrency it is best the first: then nothing that
 * the second let through is held back again.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { RatePolicy } from "effect-glacier"
 * import { Effect, Layer } from "effect"
 *
 * // As fast as the service likes, but never more than 20 requests at once
 * const careful = Layer.effect(
 *   RatePolicy.RatePolicy,
 *   Effect.zipWith(RatePolicy.concurrent(20), RatePolicy.adaptive, RatePolicy.intersect)
 * )
 */
export const intersect: {
  (that: Policy): (self: Policy) => Policy
  (self: Policy, that: Policy): Policy
} = dual(2, (self: Policy, that: Policy): Policy => ({
  pace: (attempt, operation) =>
    Effect.flatMap(PassedLimits, (outer) => {
      if (outer !== undefined) return self.pace(that.pace(attempt, operation), operation)
      const passed = new Set<StartLimit>()
      return attempt.pipe(
        Effect.provideService(PassedLimits, undefined),
        (alone) => Effect.zipRight(Effect.suspend(() => awaitStart(passed)), alone),
        (last) => self.pace(that.pace(last, operation), operation),
        Effect.provideService(PassedLimits, passed)
      )
    })
}))

/**
 * At most so many requests that the service has not answered yet, in the order in which they came. (The bytes of a job's
 * output come after the answer.) Fails with `InvalidInput` when the number is not a whole one of 1 or more.
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
 * Requests begin at least `1 / rate` apart, in whole milliseconds: what Redis can count. A limiter of one token a window
 * does that exactly; with more tokens it lets a whole window go at once, and then the next.
 */
const spaced = (limiter: RateLimiter.RateLimiter, key: string, rate: number): Policy => {
  const window = Math.ceil(1000 / rate)
  // Only one at a time asks for a place: so that the others lose none when they are interrupted.
  const withPermit = makeFairSemaphore(1)
  const starts = makeStartLimit(Math.ceil(rate), Math.max(window, 1000))
  const warnings = Waiting.makeLimiter()
  // When a place begins that nobody has used yet.
  let place = Option.none<number>()

  const takePlace = limiter.consume({ key, window, limit: 1, algorithm: "fixed-window", onExceeded: "delay" }).pipe(
    Effect.map(({ delay }) => Duration.toMillis(delay)),
    // Without the store each process keeps the rate for itself, which is better than to stop or to rush.
    Effect.catchAll((error) =>
      Effect.as(warnings.log("store", `The requests' rate is not shared: ${error.message}`), window)
    ),
    Effect.zipWith(now, (delay, time) => time + delay)
  )

  const ready = Effect.gen(function*() {
    const time = yield* now
    const left = Option.filter(place, (start) => time < start + window)
    const start = Option.isSome(left) ? left.value : yield* takePlace
    place = Option.some(start)
    yield* sleep(start - (yield* now))
    place = Option.none()
  })

  return {
    pace: (attempt) =>
      Effect.flatMap(PassedLimits, (passed) => {
        if (passed === undefined) {
          return Effect.zipRight(withPermit(Effect.zipRight(ready, awaitStart([starts]))), attempt)
        }
        passed.add(starts)
        return Effect.zipRight(withPermit(ready), attempt)
      })
  }
}

/**
 * Limits of requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  /**
   * More than 0, at most 1,000. Requests begin evenly spaced, and in no second more of them than this, rounded up. The
   * space is a whole number of milliseconds, rounded up: of 300 per second it makes 250.
   */
  readonly requestsPerSecond?: number | undefined
  /** Requests that the service has not answered yet: a whole number of 1 or more. */
  readonly concurrency?: number | undefined
}

/**
 * Limits of all requests together, and of those of a class.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Limit, Partial<Readonly<Record<Class, Limit | undefined>>> {
  /**
   * The name under which the rates are counted in the store. Policies with the same one share their rates; give one to
   * each account and region. Default: `effect-glacier`.
   */
  readonly key?: string | undefined
}

/**
 * A policy that keeps limits, counting requests in the `RateLimiter` in use. Fails with `InvalidInput` when a limit
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
      const places = limit.concurrency === undefined ? none : yield* concurrent(limit.concurrency)
      if (limit.requestsPerSecond === undefined) return places
      const rate = yield* check("RatePolicy", "requestsPerSecond", Rate, limit.requestsPerSecond)
      return intersect(places, spaced(limiter, `${key}/${name}`, rate))
    })

    const all = yield* limited("all", options)
    // A class comes before all: what waits for the limit of its class takes no place from the others.
    const ofClass = (name: Class) => Effect.map(limited(name, options[name]), intersect(all))
    const classes: Record<Class, Policy> = {
      upload: yield* ofClass("upload"),
      download: yield* ofClass("download"),
      retrieval: yield* ofClass("retrieval"),
      read: yield* ofClass("read"),
      write: yield* ofClass("write")
    }
    return { pace: (attempt, operation) => classes[classOf(operation)].pace(attempt, operation) }
  })

const isThrottle = (exit: Exit.Exit<unknown, GlacierError>): boolean =>
  Exit.isFailure(exit) && Option.exists(Cause.failureOption(exit.cause), (error) => error.retry === "throttle")

/**
 * AWS's adaptive mode: nothing is held back until the service throttles; from then on the rate falls by 30 % at each
 * throttle and grows again between them, to find what the service takes. Every attempt that ends is counted, and any but
 * a throttle lets the rate grow.
 *
 * @since 0.1.0
 * @category constructors
 */
export const adaptive: Effect.Effect<Policy> = Effect.gen(function*() {
  const seconds = Effect.map(now, (millis) => millis / 1000)
  const state = yield* Ref.make(Cubic.make(yield* seconds))
  const withPermit = makeFairSemaphore(1)

  const token: Effect.Effect<void> = Effect.flatMap(seconds, (time) =>
    Effect.flatMap(
      Ref.modify(state, (before) => Cubic.take(before, time)),
      // The rate may have changed meanwhile, so the wait only says when to ask again.
      (wait) => wait > 0 ? Effect.zipRight(sleep(wait * 1000), token) : Effect.void
    ))

  return {
    pace: (attempt) =>
      Effect.zipRight(
        withPermit(token),
        Effect.onExit(attempt, (exit) =>
          Exit.isInterrupted(exit)
            ? Effect.void
            : Effect.flatMap(
              seconds,
              (time) => Ref.update(state, (before) => Cubic.answered(before, isThrottle(exit), time))
            ))
      )
  }
})

/**
 * Limits that hold for all processes which share the `RateLimiterStore` in use: for each place the store is asked, one
 * after the other. Fails with `InvalidInput` when a limit breaks its rule. Concurrency is each process's own, and so is
 * the rate while the store fails.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import * as RateLimiterRedis from "@effect/experimental/RateLimiter/Redis"
 * import { RatePolicy } from "effect-glacier"
 * import { Layer } from "effect"
 *
 * // 20 requests per second by all machines together
 * const fleet = RatePolicy.layerShared({ requestsPerSecond: 20, key: "123456789012/eu-central-1" }).pipe(
 *   Layer.provide(RateLimiterRedis.layerStore({ host: "redis.internal" }))
 * )
 */
export const layerShared = (
  options: Options
): Layer.Layer<never, InvalidInput, RateLimiter.RateLimiterStore> =>
  Layer.effect(RatePolicy, Effect.provideServiceEffect(make(options), RateLimiter.RateLimiter, RateLimiter.make))

/**
 * Provides a rate policy for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (policy: Policy): Layer.Layer<never> => Layer.succeed(RatePolicy, policy)

/**
 * Limits for a whole program. Fails with `InvalidInput` when one breaks its rule.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RatePolicy } from "effect-glacier"
 *
 * // 5 requests per second, of which not more than 2 start a retrieval, and 4 uploads at once
 * const gentle = RatePolicy.layerWith({
 *   requestsPerSecond: 5,
 *   retrieval: { requestsPerSecond: 2 },
 *   upload: { concurrency: 4 }
 * })
 */
export const layerWith = (options: Options): Layer.Layer<never, InvalidInput> =>
  // A store of its own: Layers that stand in a program twice are else built once.
  Layer.provide(layerShared(options), Layer.fresh(RateLimiter.layerStoreMemory))

/**
 * `adaptive` for a whole program: the program finds by itself how many requests the service takes.
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
