/**
 * Credentials as AWS's own tools find them.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { CredentialsError } from "../protocol/GlacierError.ts"
import * as Credentials from "../transport/Credentials.ts"

const provider = Effect.gen(function*() {
  // Not before it is needed: it is an optional package, and takes its time to load.
  const { defaultProvider } = yield* Effect.tryPromise({
    try: () => import("@aws-sdk/credential-provider-node"),
    catch: () =>
      new CredentialsError({
        message: "Credentials from profiles, SSO, processes, tokens, containers and instances need the package " +
          "@aws-sdk/credential-provider-node. Install it, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
      })
  })
  const identity = yield* Effect.tryPromise({
    // A chain of its own each time, and files read anew: what is kept, and for how long, is decided in Credentials.
    try: () => defaultProvider({ ignoreCache: true })(),
    // What a provider says might quote a command line, or what a command printed.
    catch: () =>
      new CredentialsError({
        message: "AWS's default provider chain gave no credentials. `aws sts get-caller-identity` may tell why."
      })
  })
  return {
    accessKeyId: identity.accessKeyId,
    secretAccessKey: Redacted.make(identity.secretAccessKey),
    sessionToken: identity.sessionToken === undefined ? undefined : Redacted.make(identity.sessionToken),
    expiration: Option.getOrUndefined(Option.flatMap(Option.fromNullable(identity.expiration), DateTime.make))
  }
})

/**
 * Credentials of AWS's default provider chain: environment, profiles in files (with their roles, SSO and processes),
 * web identity tokens, containers, instances. They are renewed before they expire, and when the service refuses them
 * as expired. Needs the package `@aws-sdk/credential-provider-node`; where it is missing, or nothing gives credentials,
 * calls fail with `CredentialsError`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Endpoint } from "effect-glacier"
 * import { NodeCredentials, NodeGlacier } from "effect-glacier/node"
 * import { Layer } from "effect"
 *
 * const glacier = NodeGlacier.layerClient.pipe(
 *   Layer.provide(Layer.merge(NodeCredentials.layer, Endpoint.layer({ region: "eu-west-1" })))
 * )
 */
export const layer: Layer.Layer<Credentials.Credentials> = Credentials.layerEffect(provider)
