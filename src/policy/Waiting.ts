/**
 * Reports long waits, so that no program is silent for long: each once, as a warning in the log and to the hook in use,
 * such as the progress of a transfer. Everything of this package that waits does it through this module.
 *
 * Warnings of one kind (say, about one operation of one vault that fails with one error) are logged at most once a minute
 * by a client, however many calls wait.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { now } from "./internal/monotonicClock.ts"

/**
 * The time from which on a wait is long enough to be reported. (A retry is reported however short its wait is.)
 *
 * @since 0.1.0
 * @category constants
 */
export const long: Duration.Duration = Duration.seconds(5)

/** How long after a warning no other of its kind is logged (milliseconds). */
const quiet = 60_000

/**
 * What is waited for:
 *
 * - `retry`: the next attempt of a call
 * - `rate`: the turn of a request in the `RatePolicy`
 * - `bandwidth`: the turn of bytes in the `Bandwidth`
 * - `budget`: room in the `RetrievalBudget`, or in the data-retrieval policy of the account
 * - `credentials`: keys of their provider
 * - `connection`: a free connection to the service
 * - `job`: the end of a job
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = "retry" | "rate" | "bandwidth" | "budget" | "credentials" | "connection" | "job"

/**
 * A long wait. The message says what is waited for, and why. The duration is absent when it is not known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wait {
  readonly reason: Reason
  readonly message: string
  readonly duration: Option.Option<Duration.Duration>
}

/**
 * A hook that is called once for each long wait, except for the waits before retries: see `RetryPolicy.OnRetry`. It is
 * looked up where the wait begins, so provide it around calls, or to a whole program by `Layer.succeed`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Waiting } from "effect-glacier"
 * import { Console, Layer } from "effect"
 *
 * const shown = Layer.succeed(Waiting.OnWait, ({ message }) => Console.log(message))
 */
export class OnWait extends Context.Reference<OnWait>()("effect-glacier/Waiting/OnWait", {
  defaultValue: (): (wait: Wait) => Effect.Effect<void> => () => Effect.void
}) {}

/**
 * Calls a hook for each long wait in an effect, after the hooks that are called already.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { Vault, Waiting } from "effect-glacier"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   const job = yield* vault.retrieveInventory()
 *   yield* job.wait().pipe(Waiting.onWait(({ message }) => Console.log(message)))
 * })
 */
export const onWait: {
  (tell: (wait: Wait) => Effect.Effect<void>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, tell: (wait: Wait) => Effect.Effect<void>): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, tell: (wait: Wait) => Effect.Effect<void>): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      OnWait,
      (told) => Effect.provideService(self, OnWait, (wait) => Effect.zipRight(told(wait), tell(wait)))
    )
)

/**
 * Logs warnings, but of each kind no more than one a minute.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limiter {
  /**
   * Logs a warning unless one of its kind was logged in the last minute. Returns the milliseconds until the next one of
   * the kind can be logged, 0 if this one was. With `hold` no other of the kind is logged before `release`.
   */
  readonly log: (kind: string, message: string, hold?: boolean) => Effect.Effect<number>
  readonly release: (kind: string) => Effect.Effect<void>
}

/**
 * Makes a limiter of its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeLimiter = (): Limiter => {
  // Until when nothing of a kind is logged.
  const until = new Map<string, number>()
  return {
    log: (kind, message, hold = false) =>
      Effect.flatMap(now, (time) => {
        const left = (until.get(kind) ?? 0) - time
        if (left > 0) return Effect.succeed(Math.ceil(left))
        for (const [other, end] of until) if (end <= time) until.delete(other)
        until.set(kind, hold ? Number.POSITIVE_INFINITY : time + quiet)
        return Effect.as(Effect.logWarning(message), 0)
      }),
    release: (kind) => Effect.map(now, (time) => void until.set(kind, time + quiet))
  }
}

/**
 * The limiter in use: `GlacierClient.layer` provides one to all that is built with the client. Without one, each wait logs
 * its warning.
 *
 * @since 0.1.0
 * @category tags
 */
export class Warnings extends Context.Reference<Warnings>()("effect-glacier/Waiting/Warnings", {
  defaultValue: (): Limiter => ({
    log: (_, message) => Effect.as(Effect.logWarning(message), 0),
    release: () => Effect.void
  })
}) {}

/**
 * Which warnings are of one kind: those with the same reason, about the same thing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Kind {
  readonly reason: Reason
  readonly about: string
}

const keyOf = ({ about, reason }: Kind): string => `${reason} ${about}`

/**
 * Reports a wait that has become long. Use it when the end of the wait is not known.
 *
 * @since 0.1.0
 * @category waiting
 */
export const report = (kind: Kind, message: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    const tell = yield* OnWait
    const { log } = yield* Warnings
    yield* tell({ reason: kind.reason, message, duration: Option.none() })
    yield* log(keyOf(kind), message)
  })

/**
 * Sleeps and logs a warning, however short the sleep is. `message` gets the time that is left. Where the limiter does not
 * log the warning at once but would during a long sleep, it is logged then.
 *
 * @since 0.1.0
 * @category waiting
 */
export const pause = (
  kind: Kind,
  duration: Duration.Duration,
  message: (left: Duration.Duration) => string
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { log } = yield* Warnings
    const quiet = Duration.millis(yield* log(keyOf(kind), message(duration)))
    const left = Duration.subtract(duration, quiet)
    if (Duration.equals(quiet, Duration.zero) || Duration.lessThan(left, long)) return yield* Effect.sleep(duration)
    yield* Effect.sleep(quiet)
    yield* log(keyOf(kind), message(left))
    yield* Effect.sleep(left)
  })

/**
 * Sleeps. If that is long, reports it first: to the hook in use and as a warning. `message` gets the time that is left.
 *
 * @since 0.1.0
 * @category waiting
 */
export const sleep = (
  kind: Kind,
  duration: Duration.Duration,
  message: (left: Duration.Duration) => string
): Effect.Effect<void> =>
  Duration.lessThanOrEqualTo(duration, long)
    ? Effect.sleep(duration)
    : Effect.flatMap(OnWait, (tell) =>
      Effect.zipRight(
        tell({ reason: kind.reason, message: message(duration), duration: Option.some(duration) }),
        pause(kind, duration, message)
      ))

/**
 * Runs `use` and reports the wait for it once that is long. `use` gets an effect that ends the wait early. Until the wait
 * that logged a warning has ended, other waits of the same kind log no warning.
 *
 * @since 0.1.0
 * @category waiting
 */
export const during = <A, E, R>(
  kind: Kind,
  message: () => string,
  use: (end: Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const key = keyOf(kind)
      const limiter = yield* Warnings
      const tell = yield* OnWait
      const warn: Effect.Effect<void> = Effect.flatMap(
        Effect.suspend(() => limiter.log(key, message(), true)),
        (left) => {
          if (left === 0) return Effect.ensuring(Effect.interruptible(Effect.never), limiter.release(key))
          return Number.isFinite(left) ? Effect.zipRight(Effect.interruptible(Effect.sleep(left)), warn) : Effect.void
        }
      )
      const begin = Effect.suspend(() =>
        Effect.zipRight(tell({ reason: kind.reason, message: message(), duration: Option.none() }), warn)
      )
      const fiber = yield* Effect.fork(Effect.zipRight(Effect.interruptible(Effect.sleep(long)), begin))
      const end = Fiber.interruptAsFork(fiber, FiberId.none)
      return yield* Effect.ensuring(restore(use(end)), end)
    })
  )
