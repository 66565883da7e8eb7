/**
 * Who signs the requests.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { CredentialsError } from "../protocol/GlacierError.ts"

/**
 * An access key, and the session token that temporary credentials come with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
}

/**
 * The credentials as an Effect. It is run for each attempt of each request, so that temporary ones can be renewed in
 * the middle of a transfer of many hours.
 *
 * @since 0.1.0
 * @category tags
 */
export class Credentials extends Context.Tag("effect-glacier/Credentials")<
  Credentials,
  Effect.Effect<Keys, CredentialsError>
>() {}

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
export const layer = (keys: Keys): Layer.Layer<Credentials> => Layer.succeed(Credentials, Effect.succeed(keys))

/**
 * Credentials from an Effect that is run for each attempt.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEffect = (keys: Effect.Effect<Keys, CredentialsError>): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, keys)

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
 */
export const layerConfig: Layer.Layer<Credentials, CredentialsError> = Layer.unwrapEffect(
  environment.pipe(
    Effect.mapBoth({
      onFailure: (error) => new CredentialsError({ message: `No credentials: ${String(error)}` }),
      onSuccess: (keys) => layer({ ...keys, sessionToken: Option.getOrUndefined(keys.sessionToken) })
    })
  )
)
