/**
 * The errors of HTTP clients as those of a call. The platform's error holds the request with its signature and token: it
 * ends here.
 *
 * @internal
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import { AttemptTimeout, ConnectionError, ConnectionRejected } from "../../protocol/GlacierError.ts"
import { LimitReached, NotSent } from "../HttpHooks.ts"
import type { Attempt } from "./attempt.ts"

/** Codes of a connection that was never made. */
const unconnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EMFILE|ENFILE|UND_ERR_CONNECT_TIMEOUT)$/

/** Codes of a certificate that is not trusted (Node.js, "X509 certificate error codes"). */
const untrusted =
  /^(ERR_TLS_CERT_|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_)/

/** Codes of a side that does not speak TLS as this one does, or of a proxy that does not let the request through. */
const incompatible = /^(EPROTO|ERR_SSL_|ERR_TLS_|ERR_PROXY_REFUSED$)/

/** The error and its causes. */
const chainOf = (error: unknown): ReadonlyArray<Error> => {
  const chain: Array<Error> = []
  for (let cause = error; cause instanceof Error && chain.length < 5; cause = cause.cause) chain.push(cause)
  return chain
}

const codeOf = (error: Error): string => "code" in error ? String(error.code) : ""

/** The text of an error. An error of several addresses has none of its own: it has one for each. */
const textOf = (error: Error): string =>
  error instanceof AggregateError
    ? error.errors.map((one) => one instanceof Error ? one.message : one).join("; ")
    : error.message

/** The error of an attempt that took longer than it may. */
export const timedOut = ({ limit, operation }: Pick<Attempt, "limit" | "operation">): AttemptTimeout =>
  new AttemptTimeout({ operation: operation.name, waiting: "response", millis: Duration.toMillis(limit) })

const lost = (
  { operation, scrub }: Attempt,
  what: string,
  chain: ReadonlyArray<Error>,
  sent: boolean
): ConnectionError =>
  new ConnectionError({
    operation: operation.name,
    message: scrub([what, ...chain.map(textOf).filter((text) => text !== "")].join(": ")),
    sent
  })

const isLimit = (cause: Error): boolean => cause instanceof LimitReached

/** The error of reading a body. */
export const toBodyError =
  (attempt: Attempt) => (error: HttpClientError.ResponseError): AttemptTimeout | ConnectionError => {
    const chain = chainOf(error.cause)
    return chain.some(isLimit) ? timedOut(attempt) : lost(attempt, `${error.reason} of the response`, chain, true)
  }

/** The error of a request: a limit that was reached, a connection that would be rejected again, or any other. */
export const toRequestError =
  (attempt: Attempt) =>
  (error: HttpClientError.HttpClientError): AttemptTimeout | ConnectionError | ConnectionRejected => {
    if (error._tag === "ResponseError") return toBodyError(attempt)(error)
    const chain = chainOf(error.cause)
    if (chain.some(isLimit)) return timedOut(attempt)
    const has = (codes: RegExp) => chain.some((cause) => codes.test(codeOf(cause)))
    const isUnsent = chain.some((cause) => cause instanceof NotSent)
    const connectionError = lost(attempt, `${error.reason} error`, chain, !isUnsent && !has(unconnected))
    if (!has(untrusted) && !(isUnsent && has(incompatible))) return connectionError
    return new ConnectionRejected({ operation: connectionError.operation, message: connectionError.message })
  }
