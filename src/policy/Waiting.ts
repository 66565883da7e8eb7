/**
 * Reports long waits, so that a program never waits silently. Each long wait is reported once: as a warning in the log,
 * and to the hook in use. All waits of this package go through this module.
 *
 * A client logs warnings of one kind (for instance, about retries of one operation in one vault) at most once a minute,
 * however many calls wait.
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
 * The longest wait that is not reported. (Retries are always reported.)
 *
 * @since 0.1.0
 * @category constants
 */
export const long: Duration.Duration = Duration.seconds(5)

/** The minimum time between two warnings of one kind (milliseconds). */
const warningInterval = 60_000

/**
 * Why a program waits:
 *
 * - `retry`: for the next attempt of a call
 * - `rate`: for the `RatePolicy` to allow a request
 * - `bandwidth`: for the `Bandwidth` to allow bytes
 * - `budget`: for room in the `RetrievalBudget` or in the account's data-retrieval policy
 * - `credentials`: for the provider of credentials
 * - `connection`: for a free connection to the service
 * - `job`: for the end of a job
 * - `inventory`: for the next inventory of a vault
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = "retry" | "rate" | "bandwidth" | "budget" | "credentials" | "connection" | "job" | "inventory"

/**
 * A long wait. The message says what the program waits for, and why. The duration is none when it is unknown.
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
 * A hook called once for each long wait, except for waits before retries: see `RetryPolicy.OnRetry`. It is read from the
 * context of the wait: provide it around calls, or to a whole program with `Layer.succeed`.
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
 * Calls a hook for each long wait in an effect, after the hooks provided around it.
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
  (hook: (wait: Wait) => Effect.Effect<void>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, hook: (wait: Wait) => Effect.Effect<void>): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, hook: (wait: Wait) => Effect.Effect<void>): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      OnWait,
      (outer) => Effect.provideService(self, OnWait, (wait) => Effect.zipRight(outer(wait), hook(wait)))
    )
)

/**
 * Logs warnings, at most one a minute of each kind.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limiter {
  /**
   * Logs a warning unless a warning of its kind was logged within the last minute. Returns 0 when it was logged, else the
   * milliseconds until a warning of the kind can be logged. With `hold`, no other warning of the kind is logged before
   * `release`.
   */
  readonly log: (kind: string, message: string, hold?: boolean) => Effect.Effect<number>
  /** Allows warnings of a kind again, from a minute from now. */
  readonly release: (kind: string) => Effect.Effect<void>
}

/**
 * Makes a limiter.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeLimiter = (): Limiter => {
  // The time before which no other warning of a kind is logged.
  const until = new Map<string, number>()
  return {
    log: (kind, message, hold = false) =>
      Effect.flatMap(now, (time) => {
        const left = (until.get(kind) ?? 0) - time
        if (left > 0) return Effect.succeed(Math.ceil(left))
        for (const [other, end] of until) if (end <= time) until.delete(other)
        until.set(kind, hold ? Number.POSITIVE_INFINITY : time + warningInterval)
        return Effect.as(Effect.logWarning(message), 0)
      }),
    release: (kind) => Effect.map(now, (time) => void until.set(kind, time + warningInterval))
  }
}

/**
 * The limiter in use. Each `GlacierClient` provides one to everything built with it. Without a limiter, each wait logs its
 * warning.
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
 * The kind of a warning. Warnings with the same reason about the same thing are of one kind.
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
 * Reports a wait that has become long and whose end is unknown.
 *
 * @since 0.1.0
 * @category waiting
 */
export const report = (kind: Kind, message: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    const hook = yield* OnWait
    const { log } = yield* Warnings
    yield* hook({ reason: kind.reason, message, duration: Option.none() })
    yield* log(keyOf(kind), message)
  })

/**
 * Sleeps, and logs a warning however short the sleep is. `message` gets the time that is left. If the limiter holds the
 * warning back, it is logged later during the sleep, unless the rest of the sleep is short by then.
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
    const heldBack = Duration.millis(yield* log(keyOf(kind), message(duration)))
    const left = Duration.subtract(duration, heldBack)
    if (Duration.equals(heldBack, Duration.zero) || Duration.lessThan(left, long)) return yield* Effect.sleep(duration)
    yield* Effect.sleep(heldBack)
    yield* log(keyOf(kind), message(left))
    yield* Effect.sleep(left)
  })

/**
 * Sleeps. Reports a long sleep before it begins, to the hook in use and as a warning. `message` gets the time that is left.
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
    : Effect.flatMap(OnWait, (hook) =>
      Effect.zipRight(
        hook({ reason: kind.reason, message: message(duration), duration: Option.some(duration) }),
        pause(kind, duration, message)
      ))

/**
 * Runs `use`, and reports the wait for it once it is long. `use` gets an effect that ends the wait early. While a wait that
 * logged a warning lasts, other waits of its kind log none.
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
      const hook = yield* OnWait
      const warn: Effect.Effect<void> = Effect.flatMap(
        Effect.suspend(() => limiter.log(key, message(), true)),
        (left) => {
          if (left === 0) return Effect.ensuring(Effect.interruptible(Effect.never), limiter.release(key))
          return Number.isFinite(left) ? Effect.zipRight(Effect.interruptible(Effect.sleep(left)), warn) : Effect.void
        }
      )
      const begin = Effect.suspend(() =>
        Effect.zipRight(hook({ reason: kind.reason, message: message(), duration: Option.none() }), warn)
      )
      const fiber = yield* Effect.fork(Effect.zipRight(Effect.interruptible(Effect.sleep(long)), begin))
      const end = Fiber.interruptAsFork(fiber, FiberId.none)
      return yield* Effect.ensuring(restore(use(end)), end)
    })
  )
