/** Signs requests for the tests of signatures, also in invalid ways. */
import { expect } from "@effect/vitest"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Signature from "../../src/emulator/internal/signature.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }

export const accessKeyId = "AKIAIOSFODNN7EXAMPLE"
export const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
export const scope = "20120525/us-east-1/glacier/aws4_request"
export const now = Date.UTC(2012, 4, 25, 0, 24, 53)
export const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

export const utf8 = new TextEncoder()
export const sha256 = Context.get(Context.empty(), Sha256.Sha256)
export const hashOf = (text: string) => Sha256.hex(sha256, utf8.encode(text))

export const keysWith =
  (sessionToken: Option.Option<string>, expiration: Option.Option<DateTime.Utc> = Option.none()): Signature.Keys =>
  (id) =>
    id === accessKeyId
      ? Option.some({
        secretAccessKey: Redacted.make(secret),
        sessionToken: Option.getOrUndefined(Option.map(sessionToken, (token) => Redacted.make(token))),
        expiration: Option.getOrUndefined(expiration)
      })
      : Option.none()

interface Options {
  readonly now?: number
  readonly keys?: Signature.Keys
  readonly bodySha256?: string
}

export const verify = (request: Signature.SignedRequest, options: Options = {}) =>
  Signature.verify({ sha256, now, keys: keysWith(Option.none()), request, ...options })

export const authorization = (options: {
  readonly id?: string
  readonly scope?: string
  readonly names: string
  readonly signature: string
}) =>
  `AWS4-HMAC-SHA256 Credential=${options.id ?? accessKeyId}/${options.scope ?? scope}, ` +
  `SignedHeaders=${options.names}, Signature=${options.signature}`

export const base: Signature.SignedRequest = {
  method: "GET",
  path: "/-/vaults",
  query: "limit=2&marker=arn%3Aaws%3Aglacier%3Aus-west-2%3A012345678901%3Avaults%2Fexamplevault1",
  headers: {
    host: "glacier.us-east-1.amazonaws.com",
    "x-amz-date": "20120525T002453Z",
    "x-amz-archive-description": "my  archive",
    "x-amz-glacier-version": "2012-06-01"
  }
}

export const withHeaders = (headers: Record<string, string>, request = base): Signature.SignedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers }
})

export const without = (name: string, request = base): Signature.SignedRequest => {
  const { [name]: _, ...headers } = request.headers
  return { ...request, headers }
}

/** Signs a request without any checks, with all headers or those in `names`. */
export const sign = (
  request: Signature.SignedRequest,
  options: { id?: string; scope?: string; names?: string; date?: string; payloadHash?: string } = {}
): Signature.SignedRequest => {
  const names = options.names ?? Object.keys(request.headers).sort().join(";")
  const date = options.date ?? request.headers["x-amz-date"] ?? request.headers["date"] ?? ""
  const hash = options.payloadHash ?? request.headers["x-amz-content-sha256"] ?? emptyHash
  const canonical = Signature.canonicalRequest(request, names.split(";"), hash)
  const toSign = Signature.stringToSign(sha256, date, options.scope ?? scope, canonical)
  const key = Signature.signingKey(sha256, Redacted.make(secret), options.scope ?? scope)
  const signature = Encoding.encodeHex(Signature.hmac(sha256, key, toSign))
  return withHeaders({ authorization: authorization({ ...options, names, signature }) }, request)
}

const rejection = (request: Signature.SignedRequest, options: Options = {}): Signature.Rejection =>
  Either.match(verify(request, options), {
    onLeft: (rejected) => rejected,
    onRight: () => expect.fail("was accepted")
  })

export const expectRejection = (
  code: Signature.Rejection["code"],
  request: Signature.SignedRequest,
  options: Options = {}
): string => {
  const rejected = rejection(request, options)
  expect(rejected).toMatchObject({ code, status: code === "InvalidSignatureException" ? 403 : 400 })
  return rejected.message
}

export const accepted = (request: Signature.SignedRequest, options: Options = {}): Signature.Verified =>
  Either.getOrThrowWith(verify(request, options), (rejected) => new Error(rejected.message))

export const examples = model.signed_examples.examples.map((example) => {
  const [path = "", query = ""] = example.target.split("?")
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(example.headers)) headers[name] = String(value)
  headers["authorization"] = authorization({ names: example.signed_headers, signature: example.signature })
  return { ...example, request: { method: example.method, path, query, headers } }
})
