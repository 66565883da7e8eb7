/**
 * Credentials from the places in which AWS's own tools look for them.
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
import * as Profile from "./internal/profile.ts"

const signInAgain = "the session of its single sign-on has expired: run `aws sso login`"

/** Explanations of errors of AWS's library, by a part of their text. They quote nothing that could be secret. */
const explanations: ReadonlyArray<readonly [part: string, explanation: string]> = [
  ["The SSO session associated with this profile", signInAgain],
  ["Token is expired", signInAgain],
  ["please re-authenticate using aws login", "its login session has expired: run `aws login`"],
  [
    "requires multi-factor authentication",
    "it requires a multi-factor authentication code: use temporary keys instead"
  ],
  ["credential_process returned", "its credential_process printed no valid credentials"],
  ["Command failed", "its credential_process failed: run the command in a shell to see why"]
]

/** Explains why the chain found no credentials. The text of `cause` may quote a command line or its output, so it is not shown. */
const explain = (cause: unknown) =>
  Effect.map(Profile.problem, (problem) => {
    const text = cause instanceof Error ? cause.message : ""
    const explanation = explanations.find(([part]) => text.includes(part))?.[1]
    const why = problem ?? (explanation === undefined ? undefined : `in the profile in use, ${explanation}`)
    return new CredentialsError({
      message: `AWS's default provider chain found no credentials${why === undefined ? "" : `: ${why}`}. ` +
        (problem === undefined
          ? "Run `aws sts get-caller-identity` to see more."
          : "Correct AWS_PROFILE, or add that profile.")
    })
  })

const provider = Effect.gen(function*() {
  // Imported when it is needed, because the package is optional and slow to load.
  const { defaultProvider } = yield* Effect.tryPromise({
    try: () => import("@aws-sdk/credential-provider-node"),
    catch: () =>
      new CredentialsError({
        message: "Credentials from profiles, SSO, processes, tokens, containers and instances need the package " +
          "@aws-sdk/credential-provider-node. Install it, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
      })
  })
  const identity = yield* Effect.tryPromise({
    // A new chain each time, without its cache: `Credentials` caches the keys and decides when to refresh them.
    try: () => defaultProvider({ ignoreCache: true })(),
    catch: (cause) => cause
  }).pipe(Effect.catchAll((cause) => Effect.flatMap(explain(cause), Effect.fail)))
  return {
    accessKeyId: identity.accessKeyId,
    secretAccessKey: Redacted.make(identity.secretAccessKey),
    sessionToken: identity.sessionToken === undefined ? undefined : Redacted.make(identity.sessionToken),
    expiration: Option.getOrUndefined(Option.flatMap(Option.fromNullable(identity.expiration), DateTime.make))
  }
})

/**
 * Credentials of AWS's default provider chain: the environment, profiles in files (with roles, SSO and processes), web
 * identity tokens, containers and instances. They are refreshed before they expire, and when the service rejects them as
 * expired. Requires the package `@aws-sdk/credential-provider-node`. If it is missing, or the chain finds no credentials,
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
