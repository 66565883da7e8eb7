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
import * as Profile from "./internal/profile.ts"

const relogin = "the session of its single sign-on is over: run `aws sso login`"

/** Advice for the errors of AWS's library that quote nothing secret, by a part of their text. */
const reasons: ReadonlyArray<readonly [piece: string, meaning: string]> = [
  ["The SSO session associated with this profile", relogin],
  ["Token is expired", relogin],
  ["please re-authenticate using aws login", "its login session is over: run `aws login`"],
  [
    "requires multi-factor authentication",
    "it needs a code of multi-factor authentication: use temporary keys instead"
  ],
  ["credential_process returned", "its credential_process printed no credentials that can be used"],
  ["Command failed", "its credential_process failed: run the command in a shell to see why"]
]

/** Why the chain gave no credentials. Its own text is not shown: it may quote a command line, or what a command printed. */
const explained = (cause: unknown) =>
  Effect.map(Profile.problem, (problem) => {
    const text = cause instanceof Error ? cause.message : ""
    const reason = reasons.find(([piece]) => text.includes(piece))?.[1]
    const why = problem ?? (reason === undefined ? undefined : `in the profile in use, ${reason}`)
    return new CredentialsError({
      message: `AWS's default provider chain gave no credentials${why === undefined ? "" : `: ${why}`}. ` +
        (problem === undefined
          ? "`aws sts get-caller-identity` may tell why."
          : "Correct AWS_PROFILE, or write that profile.")
    })
  })

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
    catch: (cause) => cause
  }).pipe(Effect.catchAll((cause) => Effect.flatMap(explained(cause), Effect.fail)))
  return {
    accessKeyId: identity.accessKeyId,
    secretAccessKey: Redacted.make(identity.secretAccessKey),
    sessionToken: identity.sessionToken === undefined ? undefined : Redacted.make(identity.sessionToken),
    expiration: Option.getOrUndefined(Option.flatMap(Option.fromNullable(identity.expiration), DateTime.make))
  }
})

/**
 * Credentials of AWS's default provider chain: environment, profiles in files (with their roles, SSO and processes),
 * web identity tokens, containers, instances. They are refreshed before they expire, and when the service
 * rejects them as expired. Needs the package `@aws-sdk/credential-provider-node`. Calls fail with `CredentialsError` when the
 * package is missing or no provider has credentials.
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
