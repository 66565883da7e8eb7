/** Signers, requests to sign, and a verifier of signatures. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Signature from "../../src/emulator/internal/signature.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Signer from "../../src/transport/Signer.ts"
import type { examples } from "./support.ts"
import { keys, secret, signedAt } from "./support.ts"

export const token = "FwoGZXIvYXdzEXAMPLE//session+token=="

export const temporary: Credentials.Keys = { ...keys, sessionToken: Redacted.make(token) }

export const vaultName = "examplevault"

export const sign = (
  request: Omit<Signer.Unsigned, "at">,
  credentials: Layer.Layer<Credentials.Credentials> = Credentials.layer(keys),
  endpoint: Endpoint.Options = { region: "us-east-1" }
) =>
  Effect.gen(function*() {
    const signer = yield* Signer.Signer
    return (yield* signer.sign({ ...request, at: yield* Clock.currentTimeMillis })).headers
  }).pipe(
    Effect.provide(Signer.layer),
    Effect.provide(credentials),
    Effect.provide(Layer.orDie(Endpoint.layer(endpoint)))
  )

export const version = { "x-amz-glacier-version": "2012-06-01" }

export const listVaults: Omit<Signer.Unsigned, "at"> = {
  method: "GET",
  path: "/-/vaults",
  query: [["limit", "2"]],
  headers: version
}

export const unsigned = (example: (typeof examples)[number]): Omit<Signer.Unsigned, "at"> => {
  const url = new URL(example.target, "https://glacier.us-east-1.amazonaws.com")
  const { "content-length": _length, host: _host, "x-amz-date": _date, ...headers } = example.headers
  return { method: example.method, path: url.pathname, query: [...url.searchParams], headers, body: example.body }
}

export const sha256 = Effect.runSync(Sha256.Sha256)

/** Verifies a signed request with the code of the emulator, which is independent of the signer. */
export const verify = (request: Signature.SignedRequest, bodySha256?: string): string =>
  Either.match(
    Signature.verify({
      sha256,
      now: signedAt,
      keys: () => Option.some({ secretAccessKey: Redacted.make(secret) }),
      request,
      bodySha256
    }),
    { onLeft: () => "rejected", onRight: () => "signed" }
  )
