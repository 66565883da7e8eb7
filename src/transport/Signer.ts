/**
 * Signature Version 4 (spec section 4): turns the headers of a request into signed ones.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CredentialsError } from "../protocol/GlacierError.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import { Credentials } from "./Credentials.ts"
import { Endpoint } from "./Endpoint.ts"
import { sign } from "./internal/signature.ts"

/**
 * A request as it is signed. A body must be the text or bytes that are sent, unless the headers carry its
 * `x-amz-content-sha256`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unsigned {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  /** The time at the service, in epoch milliseconds. */
  readonly at: number
}

/**
 * A request that is signed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Signed {
  /** All headers to send but `host`, which every HTTP client adds itself. */
  readonly headers: Readonly<Record<string, string>>
  /** To be run when the service refused the keys as expired: the next request is signed with others, if there are any. */
  readonly renew: Effect.Effect<void, CredentialsError>
}

/**
 * What signs requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly sign: (request: Unsigned) => Effect.Effect<Signed, CredentialsError>
}

/**
 * The signer in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Signer extends Context.Tag("effect-glacier/Signer")<Signer, Service>() {}

/**
 * Signs with the credentials and for the region in use.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, Credentials | Endpoint> = Effect.gen(function*() {
  const credentials = yield* Credentials
  const endpoint = yield* Endpoint
  const sha256 = Sha256.hashClass(yield* Sha256.Sha256)
  return {
    sign: Effect.fnUntraced(function*(request) {
      const keys = yield* credentials.keys
      const date = new Date(request.at)
      const { host: _, ...headers } = yield* Effect.tryPromise({
        try: () =>
          sign({ keys, region: endpoint.region, service: "glacier", host: endpoint.host, date, sha256, request }),
        // What the library says might quote what it was given.
        catch: () => new CredentialsError({ message: "The credentials cannot be used to sign" })
      })
      return { headers, renew: Effect.asVoid(credentials.renewed(keys)) }
    })
  }
})

/**
 * A signer with the credentials and for the region in use.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Signer, never, Credentials | Endpoint> = Layer.effect(Signer, make)
