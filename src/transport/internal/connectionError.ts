/**
 * Translates the errors of HTTP clients. The platform's error holds the request with its signature and token, so it never
 * leaves the transport.
 *
 * @internal
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import { ConnectionError, ConnectionRejected } from "../../protocol/GlacierError.ts"
import { NotSent } from "../HttpHooks.ts"
import type { ErrorContext } from "./attemptContext.ts"

/** The codes of errors before a connection is made. */
const unconnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EMFILE|ENFILE|UND_ERR_CONNECT_TIMEOUT)$/

/** The codes of a certificate that is not trusted (Node.js, "X509 certificate error codes"). */
const untrusted =
  /^(ERR_TLS_CERT_|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_)/

/** The codes of a server whose TLS is incompatible, and of a proxy that rejects the request. */
const incompatible = /^(EPROTO|ERR_SSL_|ERR_TLS_|ERR_PROXY_REFUSED$)/

/** The causes of an error, outermost first. */
export const causesOf = ({ cause }: { readonly cause?: unknown }): ReadonlyArray<Error> => {
  const causes: Array<Error> = []
  for (let next = cause; next instanceof Error && causes.length < 5; next = next.cause) causes.push(next)
  return causes
}

const codeOf = (error: Error): string => "code" in error ? String(error.code) : ""

/** The text of an error. An error about several addresses has a text for each of them, but none of its own. */
const textOf = (error: Error): string =>
  error instanceof AggregateError
    ? error.errors.map((inner) => inner instanceof Error ? inner.message : inner).join("; ")
    : error.message

const lostConnection = (
  { operation, scrub }: ErrorContext,
  problem: string,
  causes: ReadonlyArray<Error>,
  sent: boolean
): ConnectionError =>
  new ConnectionError({
    operation: operation.name,
    message: scrub([problem, ...causes.map(textOf).filter((text) => text !== "")].join(": ")),
    sent
  })

/** Returns a function that translates an error of reading a response. */
export const toBodyError = (context: ErrorContext) => (error: HttpClientError.ResponseError): ConnectionError =>
  lostConnection(context, `${error.reason} of the response`, causesOf(error), true)

/** Returns a function that translates an error of a request or of its response. */
export const toConnectionError =
  (context: ErrorContext) => (error: HttpClientError.HttpClientError): ConnectionError | ConnectionRejected => {
    if (error._tag === "ResponseError") return toBodyError(context)(error)
    const causes = causesOf(error)
    const has = (codes: RegExp) => causes.some((cause) => codes.test(codeOf(cause)))
    const isUnsent = causes.some((cause) => cause instanceof NotSent)
    const connectionError = lostConnection(context, `${error.reason} error`, causes, !isUnsent && !has(unconnected))
    if (!has(untrusted) && !(isUnsent && has(incompatible))) return connectionError
    return new ConnectionRejected({ operation: connectionError.operation, message: connectionError.message })
  }
