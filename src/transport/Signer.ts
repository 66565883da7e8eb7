/**
 * Signs requests with AWS Signature Version 4. See Signing Requests (Amazon Glacier API Reference).
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
 * A request to sign. The body must be the exact text or bytes to send, unless the headers have its
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
 * A signed request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Signed {
  /** All headers to send except `host`, which every HTTP client adds itself. */
  readonly headers: Readonly<Record<string, string>>
  /** Refreshes the credentials of this signature. Run it when the service rejected them as expired. */
  readonly refresh: Effect.Effect<void, CredentialsError>
}

/**
 * Signs requests.
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
 * Makes a signer with the credentials and for the region in use.
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
        // The message of the library may quote its input.
        catch: () => new CredentialsError({ message: "The credentials cannot be used to sign" })
      })
      return { headers, refresh: Effect.asVoid(credentials.refreshed(keys)) }
    })
  }
})

/**
 * Provides a signer with the credentials and for the region in use.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Signer, never, Credentials | Endpoint> = Layer.effect(Signer, make)
