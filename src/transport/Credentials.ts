/**
 * Who signs the requests.
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
 * An access key, and what temporary credentials have besides: a session token, and a time from which on the service
 * refuses them.
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
 * Whether keys sign alike. When they expire does not matter.
 *
 * @since 0.1.0
 * @category equivalence
 */
export const Equivalence: equivalence.Equivalence<Keys> = (self, that) =>
  self.accessKeyId === that.accessKeyId &&
  Equal.equals(self.secretAccessKey, that.secretAccessKey) &&
  Equal.equals(self.sessionToken, that.sessionToken)

/**
 * What gives the keys to sign with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The keys of now. It is run for each attempt of each request, as a transfer may outlive many of them, and must come to
   * an end by itself.
   */
  readonly keys: Effect.Effect<Keys, CredentialsError>
  /** For keys that the service refused as expired, others; or the same again if there are no others. */
  readonly renewed: (stale: Keys) => Effect.Effect<Keys, CredentialsError>
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

/** How long before they expire keys are renewed. */
const early = Duration.toMillis("5 minutes")

/** How long keys that are still good are not renewed again after a renewal, be it that it failed or brought no better. */
const pause = Duration.toMillis("30 seconds")

/** How long keys are waited for. */
const patience = Duration.minutes(5)

const lifetime = (keys: Keys, now: number): number =>
  keys.expiration === undefined ? Infinity : DateTime.toEpochMillis(keys.expiration) - now

/**
 * Keeps the keys of a provider, such as a call of AWS STS. It is asked for the first ones when they are needed. In the
 * last 5 minutes of their life it is asked for the next ones, while the old ones serve on, every 30 seconds until it has
 * some; its failure shows only when the old ones have expired. Keys that do not expire are kept. It is asked once at a
 * time, however many wait for its answer, and as long as the scope lasts. Who waits for 5 minutes gets `CredentialsError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (provider: Effect.Effect<Keys, CredentialsError>): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let held: Keys | undefined
    let renewal: Deferred.Deferred<Keys, CredentialsError> | undefined
    let pausedUntil = -Infinity

    const ask = Effect.gen(function*() {
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
        renewal = undefined
        pausedUntil = now + pause
      }))
    )

    // Its own fiber, as whoever was first to want it may be interrupted while others wait.
    const renewing = Effect.uninterruptible(Effect.suspend(() => {
      if (renewal !== undefined) return Effect.succeed(renewal)
      const started = renewal = Deferred.unsafeMake<Keys, CredentialsError>(FiberId.none)
      return Effect.interruptible(ask).pipe(Effect.intoDeferred(started), Effect.forkIn(scope), Effect.as(started))
    }))

    const renew = Waiting.during(
      { reason: "credentials", about: "keys" },
      () => `The provider of credentials has not responded yet. It is waited for ${Duration.format(patience)}`,
      () =>
        Effect.timeoutFail(Effect.flatMap(renewing, Deferred.await), {
          duration: patience,
          onTimeout: () =>
            new CredentialsError({
              message: `The provider of credentials did not respond within ${
                Duration.format(patience)
              }: check that it runs`
            })
        })
    )

    const keys = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (held === undefined || lifetime(held, now) <= 0) return renew
      return lifetime(held, now) <= early && now >= pausedUntil ? Effect.as(renewing, held) : Effect.succeed(held)
    })

    return {
      keys,
      renewed: (stale) => Effect.suspend(() => held === undefined || Equivalence(held, stale) ? renew : keys)
    }
  })

/**
 * Always the same credentials.
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
  Layer.succeed(Credentials, { keys: Effect.succeed(keys), renewed: () => Effect.succeed(keys) })

/**
 * Credentials of a provider, kept and renewed as `make` does.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Credentials, GlacierError } from "effect-glacier"
 * import { Config, DateTime, Effect } from "effect"
 *
 * // Keys for a quarter of an hour, as a store of secrets or AWS STS gives them
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
 * Credentials from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the `ConfigProvider`, by
 * default the environment. Fails with `CredentialsError` when they are missing.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Credentials } from "effect-glacier"
 * import { ConfigProvider, Layer } from "effect"
 *
 * // The same names, from elsewhere
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
