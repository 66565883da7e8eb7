/**
 * Signature Version 4 (spec section 4): turns the headers of a request into signed ones.
 *
 * @since 0.1.0
 */
import { SignatureV4 } from "@smithy/signature-v4"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { CredentialsError } from "../protocol/GlacierError.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import { Credentials } from "./Credentials.ts"
import { Endpoint } from "./Endpoint.ts"

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
}

/**
 * What signs requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** All headers to send but `host`, which every HTTP client adds itself. */
  readonly sign: (request: Unsigned) => Effect.Effect<Readonly<Record<string, string>>, CredentialsError>
}

/**
 * The signer in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Signer extends Context.Tag("effect-glacier/Signer")<Signer, Service>() {}

/**
 * Signs with the credentials and for the region in use, at the time of `Clock`.
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
      const keys = yield* credentials
      const signingDate = new Date(yield* Clock.currentTimeMillis)
      const { host: _, ...headers } = yield* Effect.tryPromise({
        try: () =>
          new SignatureV4({
            credentials: {
              accessKeyId: keys.accessKeyId,
              secretAccessKey: Redacted.value(keys.secretAccessKey),
              ...(keys.sessionToken === undefined ? {} : { sessionToken: Redacted.value(keys.sessionToken) })
            },
            region: endpoint.region,
            service: "glacier",
            sha256,
            // It would send a hash with every request. Uploads bring their own; the other operations need none.
            applyChecksum: false
          }).sign({
            method: request.method,
            protocol: "https:",
            hostname: endpoint.host,
            path: request.path,
            query: Object.fromEntries(request.query),
            headers: { ...request.headers, host: endpoint.host },
            body: request.body
          }, { signingDate }),
        // What the library says might quote what it was given.
        catch: () => new CredentialsError({ message: "The credentials cannot be used to sign" })
      }).pipe(Effect.map((signed) => signed.headers))
      return headers
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
