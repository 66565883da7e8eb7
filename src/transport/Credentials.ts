/**
 * The credentials that requests are signed with.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as equivalence from "effect/Equivalence"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Waiting from "../policy/Waiting.ts"
import { CredentialsError } from "../protocol/GlacierError.ts"
import { problemOf } from "./internal/configProblem.ts"

/**
 * An access key. Temporary credentials also have a session token, and a time at which they expire.
 *
 * @since 0.1.0
 * @category models
 */
export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
  readonly expiration?: DateTime.Utc | undefined
}

/**
 * Compares keys by their access key, secret key and session token. Ignores their expiration.
 *
 * @since 0.1.0
 * @category equivalence
 */
export const Equivalence: equivalence.Equivalence<Keys> = (self, that) =>
  self.accessKeyId === that.accessKeyId &&
  Equal.equals(self.secretAccessKey, that.secretAccessKey) &&
  Equal.equals(self.sessionToken, that.sessionToken)

/**
 * Provides the keys to sign with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Gets the current keys. Runs for each attempt of each request, because a transfer can outlive many keys. It must end by
   * itself: no time limit of a call covers it.
   */
  readonly keys: Effect.Effect<Keys, CredentialsError>
  /** Gets other keys than the ones that the service rejected as expired; the same ones if there are no others. */
  readonly refreshed: (stale: Keys) => Effect.Effect<Keys, CredentialsError>
}

/**
 * The credentials in use.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Credentials } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const accessKeyId = Effect.gen(function*() {
 *   const credentials = yield* Credentials.Credentials
 *   return (yield* credentials.keys).accessKeyId
 * })
 */
export class Credentials extends Context.Tag("effect-glacier/Credentials")<Credentials, Service>() {}

/** The time before their expiration at which keys are refreshed. */
const early = Duration.toMillis("5 minutes")

/** The minimum time between two refreshes while the current keys are valid. */
const pause = Duration.toMillis("30 seconds")

/** The longest wait for the provider. */
const limit = Duration.minutes(5)

const lifetime = (keys: Keys, now: number): number =>
  keys.expiration === undefined ? Infinity : DateTime.toEpochMillis(keys.expiration) - now

/**
 * Caches the keys of a provider, such as a call of AWS STS, until the Scope closes.
 *
 * - Runs the provider when keys are first needed. All callers share one run.
 * - Refreshes keys in the last 5 minutes before they expire, and retries every 30 seconds. The old keys stay in use
 *   meanwhile, so a failure of the provider shows only when they have expired.
 * - Keeps keys without an expiration.
 * - Fails with `CredentialsError` when the provider takes more than 5 minutes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (provider: Effect.Effect<Keys, CredentialsError>): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let held: Keys | undefined
    let refresh: Deferred.Deferred<Keys, CredentialsError> | undefined
    let pausedUntil = -Infinity

    const runProvider = Effect.gen(function*() {
      const keys = yield* provider
      if (lifetime(keys, yield* Clock.currentTimeMillis) <= 0) {
        const expiration = keys.expiration === undefined ? "" : ` (on ${DateTime.formatIso(keys.expiration)})`
        return yield* new CredentialsError({
          message: `The new credentials have expired already${expiration}. Is the clock right?`
        })
      }
      held = keys
      return keys
    }).pipe(
      Effect.ensuring(Effect.map(Clock.currentTimeMillis, (now) => {
        refresh = undefined
        pausedUntil = now + pause
      }))
    )

    // In a fiber of its own: the first caller may be interrupted while others wait.
    const startRefresh = Effect.uninterruptible(Effect.suspend(() => {
      if (refresh !== undefined) return Effect.succeed(refresh)
      const started = refresh = Deferred.unsafeMake<Keys, CredentialsError>(FiberId.none)
      return Effect.interruptible(runProvider).pipe(
        Effect.intoDeferred(started),
        Effect.forkIn(scope),
        Effect.as(started)
      )
    }))

    const refreshNow = Waiting.during(
      { reason: "credentials", about: "keys" },
      () => `The provider of credentials has not responded yet. The limit is ${Duration.format(limit)}`,
      () =>
        Effect.timeoutFail(Effect.flatMap(startRefresh, Deferred.await), {
          duration: limit,
          onTimeout: () =>
            new CredentialsError({
              message: `The provider of credentials did not respond within ${
                Duration.format(limit)
              }: check that it runs`
            })
        })
    )

    const keys = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (held === undefined || lifetime(held, now) <= 0) return refreshNow
      return lifetime(held, now) <= early && now >= pausedUntil ? Effect.as(startRefresh, held) : Effect.succeed(held)
    })

    return {
      keys,
      refreshed: (stale) => Effect.suspend(() => held === undefined || Equivalence(held, stale) ? refreshNow : keys)
    }
  })

/**
 * Provides fixed credentials.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Credentials } from "effect-glacier"
 * import { Redacted } from "effect"
 *
 * const credentials = Credentials.layer({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: Redacted.make("secret") })
 */
export const layer = (keys: Keys): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, { keys: Effect.succeed(keys), refreshed: () => Effect.succeed(keys) })

/**
 * Provides the credentials of a provider, cached and refreshed as `make` describes.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Credentials, GlacierError } from "effect-glacier"
 * import { Config, DateTime, Effect } from "effect"
 *
 * // Keys that expire in 15 minutes, as a store of secrets or AWS STS issues them
 * const provider = Effect.gen(function*() {
 *   const accessKeyId = yield* Config.string("AWS_ACCESS_KEY_ID")
 *   const secretAccessKey = yield* Config.redacted("AWS_SECRET_ACCESS_KEY")
 *   return { accessKeyId, secretAccessKey, expiration: DateTime.add(yield* DateTime.now, { minutes: 15 }) }
 * })
 *
 * const credentials = Credentials.layerEffect(
 *   Effect.mapError(provider, () => new GlacierError.CredentialsError({ message: "The store gave no keys" }))
 * )
 */
export const layerEffect = (provider: Effect.Effect<Keys, CredentialsError>): Layer.Layer<Credentials> =>
  Layer.scoped(Credentials, make(provider))

const environment = Config.all({
  accessKeyId: Config.nonEmptyString("AWS_ACCESS_KEY_ID"),
  secretAccessKey: Config.redacted(Config.nonEmptyString("AWS_SECRET_ACCESS_KEY")),
  sessionToken: Config.option(Config.redacted(Config.nonEmptyString("AWS_SESSION_TOKEN")))
})

/**
 * Provides credentials from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the `ConfigProvider`, by
 * default the environment. Fails with `CredentialsError` when they are missing.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Credentials } from "effect-glacier"
 * import { ConfigProvider, Layer } from "effect"
 *
 * // The same names from another source
 * const credentials = Credentials.layerConfig.pipe(
 *   Layer.provide(Layer.setConfigProvider(ConfigProvider.fromJson({
 *     AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
 *     AWS_SECRET_ACCESS_KEY: "secret"
 *   })))
 * )
 */
export const layerConfig: Layer.Layer<Credentials, CredentialsError> = Layer.unwrapEffect(
  environment.pipe(
    Effect.mapBoth({
      onFailure: (error) =>
        new CredentialsError({
          message: `No credentials: ${problemOf(error)}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`
        }),
      onSuccess: (keys) => layer({ ...keys, sessionToken: Option.getOrUndefined(keys.sessionToken) })
    })
  )
)
