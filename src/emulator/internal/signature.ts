/**
 * Verifies AWS Signature Version 4 on the server: computes the signature again with the secret of the key and compares
 * the two. It shares no code with the client, so that an error of the client's signer cannot hide here. It never throws:
 * any header or path gives an `Either`. See Signing Requests (Amazon Glacier API Reference).
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Sha256 from "../../protocol/Sha256.ts"
import type { Key } from "./key.ts"

/** A request as received: undecoded path, undecoded query without `?`, header names in lower case. */
export interface SignedRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
}

/** Finds an access key by its id. */
export interface Keys {
  (accessKeyId: string): Option.Option<Pick<Key, "secretAccessKey" | "sessionToken" | "expiration">>
}

/** A verified signature: its key and region, and the `x-amz-content-sha256` (64 hex digits) that the body must have. */
export interface Verified {
  readonly accessKeyId: string
  readonly region: string
  readonly payloadHash: Option.Option<string>
}

/** Why a request is rejected: the code, status and message of the error response. */
export interface Rejection {
  readonly code:
    | "MissingAuthenticationTokenException"
    | "UnrecognizedClientException"
    | "ExpiredTokenException"
    | "InvalidSignatureException"
  readonly status: 400 | 403
  readonly message: string
}

const missing: Rejection = {
  code: "MissingAuthenticationTokenException",
  status: 400,
  message: "Missing Authentication Token"
}

const unrecognized: Rejection = {
  code: "UnrecognizedClientException",
  status: 400,
  message: "The security token included in the request is invalid."
}

const expired: Rejection = {
  code: "ExpiredTokenException",
  status: 403,
  message: "The security token included in the request is expired"
}

const invalid = (message: string): Rejection => ({ code: "InvalidSignatureException", status: 403, message })

const check = (holds: boolean, otherwise: string): Either.Either<void, Rejection> =>
  holds ? Either.void : Either.left(invalid(otherwise))

const utf8 = new TextEncoder()

const percentByte = (byte: number): string => "%" + byte.toString(16).toUpperCase().padStart(2, "0")

const percentEncode = (text: string): string =>
  text.replace(/[^A-Za-z0-9\-_.~]/gu, (character) => Array.from(utf8.encode(character), percentByte).join(""))

// Decodes and encodes token by token, so that escapes of invalid UTF-8 stay. A `%` without two hex digits is a plain `%`.
const percentRecode = (text: string): string =>
  text.replace(/%([0-9a-f]{2})|\+|[^%+]+|%/giu, (token, hex: string | undefined) => {
    if (token === "+") return "%20"
    if (hex === undefined) return percentEncode(token)
    const byte = Number.parseInt(hex, 16)
    return byte < 0x80 ? percentEncode(String.fromCharCode(byte)) : percentByte(byte)
  })

const canonicalPath = (path: string): string => {
  const segments: Array<string> = []
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop()
    else if (segment !== "" && segment !== ".") segments.push(percentEncode(segment))
  }
  return "/" + segments.join("/") + (path.endsWith("/") && segments.length > 0 ? "/" : "")
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const canonicalQuery = (query: string): string =>
  query.split("&").filter((pair) => pair !== "").map((pair) => {
    const [name = "", ...value] = pair.split("=")
    return { name: percentRecode(name), value: percentRecode(value.join("=")) }
  }).sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`).join("&")

// `Record.get` reads own properties only: a signed header may have the name `constructor`.
const header = (request: SignedRequest, name: string): Option.Option<string> => Record.get(request.headers, name)

/** Returns the canonical request. A signed header that was not sent counts as empty. */
export const canonicalRequest = (
  request: SignedRequest,
  signedHeaders: ReadonlyArray<string>,
  payloadHash: string
): string => {
  const names = [...signedHeaders].sort(compare)
  const lines = names.map((name) => {
    const value = Option.getOrElse(header(request, name), () => "")
    return `${name}:${value.trim().replace(/\s+/g, " ")}\n`
  })
  const target = [request.method, canonicalPath(request.path), canonicalQuery(request.query)]
  return [...target, lines.join(""), names.join(";"), payloadHash].join("\n")
}

/** Returns the string to sign. `date` has the form 20150830T123600Z, `scope` is `date/region/service/aws4_request`. */
export const stringToSign = (sha256: Sha256.Create, date: string, scope: string, canonical: string): string =>
  `AWS4-HMAC-SHA256\n${date}\n${scope}\n${Sha256.hex(sha256, utf8.encode(canonical))}`

/** Returns the HMAC-SHA-256 of a text: 32 bytes. */
export const hmac = (sha256: Sha256.Create, key: Uint8Array, text: string): Uint8Array => {
  const running = sha256(key)
  running.update(utf8.encode(text))
  return running.digest()
}

/** Returns the signing key of a scope: 32 bytes, the key of the HMAC over the string to sign. */
export const signingKey = (sha256: Sha256.Create, secret: Redacted.Redacted<string>, scope: string): Uint8Array =>
  scope.split("/").reduce<Uint8Array>(
    (key, part) => hmac(sha256, key, part),
    utf8.encode("AWS4" + Redacted.value(secret))
  )

/** The last scope of each secret, with its key: most requests have the scope of the request before. */
const lastScopes = new WeakMap<Redacted.Redacted<string>, { readonly scope: string; readonly key: Uint8Array }>()

const knownSigningKey = (sha256: Sha256.Create, secret: Redacted.Redacted<string>, scope: string): Uint8Array => {
  const last = lastScopes.get(secret)
  if (last?.scope === scope) return last.key
  const key = signingKey(sha256, secret, scope)
  lastScopes.set(secret, { scope, key })
  return key
}

// Compares in constant time: it does not stop at the first difference.
const same = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

const authorizationForm = new RegExp(
  String.raw`^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/([^/,\s]+(?:/[^/,\s]+){3})\s*,` +
    String.raw`\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([^,\s]+)$`
)

const signedIfSent = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]

const windowMillis = 5 * 60 * 1000

const basicIso = (millis: number): string =>
  Option.match(DateTime.make(millis), {
    onNone: () => String(millis),
    onSome: (date) => DateTime.formatIso(date).replace(/[-:]|\.\d+/g, "")
  })

// Rejects dates that do not exist, such as February 30: the parsed time must print as the same text.
const readBasicIso = (text: string): Option.Option<number> =>
  DateTime.make(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")).pipe(
    Option.map(DateTime.toEpochMillis),
    Option.filter((millis) => basicIso(millis) === text)
  )

/** The parts of the signature in a request's headers, checked for their form only. */
interface SignatureHeaders {
  readonly accessKeyId: string
  readonly scope: string
  readonly region: string
  readonly signedHeaders: ReadonlyArray<string>
  readonly signature: string
  readonly payloadHash: Option.Option<string>
  readonly date: string
  readonly time: number
}

const parseHeaders = (request: SignedRequest): Either.Either<SignatureHeaders, Rejection> =>
  Either.gen(function*() {
    const sent = (name: string) => header(request, name)

    const authorization = (yield* Either.fromOption(sent("authorization"), () => missing)).trim()
    const [, accessKeyId = "", scope = "", names = "", signature = ""] = yield* Either.fromNullable(
      authorizationForm.exec(authorization),
      () => invalid("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.")
    )
    const [scopeDate = "", region = "", , terminator = ""] = scope.split("/")
    yield* check(
      terminator === "aws4_request",
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`
    )
    const signedHeaders = names.split(";")
    const unsigned = ["host", ...signedIfSent.filter((name) => Option.isSome(sent(name)))]
      .filter((name) => !signedHeaders.includes(name))
    yield* check(unsigned.length === 0, `'${unsigned.join("', '")}' must be among the SignedHeaders.`)
    const payloadHash = sent("x-amz-content-sha256")
    yield* check(
      Option.match(payloadHash, { onNone: () => true, onSome: (value) => /^[0-9a-f]{64}$/.test(value) }),
      "x-amz-content-sha256 must be a SHA-256 as 64 lower-case hex digits."
    )
    const date = yield* Either.fromOption(
      Option.orElse(sent("x-amz-date"), () => sent("date")),
      () => invalid("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    )
    const time = yield* Either.fromOption(
      readBasicIso(date),
      () => invalid(`Date must be in ISO-8601 'basic format'. Got '${date}'.`)
    )
    yield* check(
      scopeDate === date.slice(0, 8),
      `Date in Credential scope does not match: '${scopeDate}', from '${date}'.`
    )
    return { accessKeyId, scope, region, signedHeaders, signature, payloadHash, date, time }
  })

// Returns the secret of the key. Fails when the key is unknown or expired, or when the session token is another.
const secretOf = (
  request: SignedRequest,
  keys: Keys,
  accessKeyId: string,
  now: number
): Either.Either<Redacted.Redacted<string>, Rejection> =>
  Either.gen(function*() {
    const { expiration, secretAccessKey, sessionToken } = yield* Either.fromOption(
      keys(accessKeyId),
      () => unrecognized
    )
    const sentToken = header(request, "x-amz-security-token")
    const tokenMatches = sessionToken === undefined
      ? Option.isNone(sentToken)
      : Option.exists(sentToken, (value) => same(value, Redacted.value(sessionToken)))
    if (!tokenMatches) return yield* Either.left(unrecognized)
    if (expiration !== undefined && DateTime.toEpochMillis(expiration) <= now) return yield* Either.left(expired)
    return secretAccessKey
  })

const checkClock = ({ date, time }: SignatureHeaders, now: number): Either.Either<void, Rejection> => {
  const [earliest, latest] = [now - windowMillis, now + windowMillis]
  if (time < earliest) {
    return Either.left(invalid(
      `Signature expired: ${date} is now earlier than ${basicIso(earliest)} (${basicIso(now)} - 5 min.)`
    ))
  }
  return check(
    time <= latest,
    `Signature not yet current: ${date} is still later than ${basicIso(latest)} (${basicIso(now)} + 5 min.)`
  )
}

/**
 * Verifies the signature of a request. Checks, in this order, the form of the header, the key, the date and the
 * signature. `now` is in epoch milliseconds. `bodySha256` (64 hex digits, by default the hash of no bytes) is used when
 * the request has no `x-amz-content-sha256`.
 *
 * Any region and service in the scope are accepted, because boto 2 derives them from the host name. The caller must
 * compare the hash of the body with `payloadHash`.
 */
export const verify = (options: {
  readonly sha256: Sha256.Create
  readonly now: number
  readonly request: SignedRequest
  readonly keys: Keys
  readonly bodySha256?: string | undefined
}): Either.Either<Verified, Rejection> =>
  Either.gen(function*() {
    const { keys, now, request, sha256 } = options
    const headers = yield* parseHeaders(request)
    const { accessKeyId, date, payloadHash, region, scope, signature, signedHeaders } = headers
    const secret = yield* secretOf(request, keys, accessKeyId, now)
    yield* checkClock(headers, now)

    const bodySha256 = Option.getOrElse(payloadHash, () => options.bodySha256 ?? Sha256.hex(sha256))
    const canonical = canonicalRequest(request, signedHeaders, bodySha256)
    const toSign = stringToSign(sha256, date, scope, canonical)
    const computed = Encoding.encodeHex(hmac(sha256, knownSigningKey(sha256, secret, scope), toSign))
    yield* check(
      same(computed, signature),
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access " +
        "Key and signing method. Consult the service documentation for details.\n\n" +
        `The Canonical String for this request should have been\n'${canonical}'\n\n` +
        `The String-to-Sign should have been\n'${toSign}'\n`
    )
    return { accessKeyId, region, payloadHash }
  })
