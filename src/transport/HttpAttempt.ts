/**
 * One request of another service, such as an object store, through the `HttpClient` in use: to be sent in an attempt of
 * `CallPolicies`. As `Transport` does for Glacier, it paces bytes by `Bandwidth`, keeps the limits `connect` and `idle` of
 * `Timeouts`, follows no redirects, sends no trace headers, and shows no secret in an error or a span.
 *
 * @since 0.1.0
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { Bandwidth } from "../policy/Bandwidth.ts"
import { Timeouts } from "../policy/Timeouts.ts"
import type { AttemptTimeout, ConnectionError, ConnectionRejected } from "../protocol/GlacierError.ts"
import * as HttpHooks from "./HttpHooks.ts"
import { type BodyContext, scrubbing } from "./internal/attemptContext.ts"
import { toConnectionError } from "./internal/connectionError.ts"
import { paced } from "./internal/pacing.ts"
import { executePlainly, sendable } from "./internal/plainHttp.ts"
import { pacedBytes, toDefect } from "./internal/response.ts"
import { retryAfter } from "./internal/retryAfter.ts"
import * as Retrying from "./internal/retrying.ts"

/**
 * A signed request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  /** The operation, for errors. */
  readonly operation: string
  readonly method: "DELETE" | "GET" | "HEAD" | "POST" | "PUT"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/**
 * A response. Its body must be read, or the connection stays in use.
 *
 * @since 0.1.0
 * @category models
 */
export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The wait before the next attempt that the service asks for. */
  readonly retryAfter: Duration.Duration | undefined
  /** Removes the secrets of the request from a text of the response, which may quote the request. */
  readonly redact: (text: string) => string
  readonly body: Stream.Stream<Uint8Array, AttemptTimeout | ConnectionError>
}

/**
 * Makes a function that sends a request. It takes `Bandwidth` and `Timeouts` from the context in which it is run.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { HttpAttempt } from "effect-glacier"
 * import { Effect, Stream } from "effect"
 *
 * const size = Effect.gen(function*() {
 *   const send = yield* HttpAttempt.make
 *   const url = "https://bucket.s3.eu-west-1.amazonaws.com/a.txt"
 *   const { body } = yield* send({ operation: "GetObject", method: "GET", url, headers: {}, body: undefined })
 *   return yield* Stream.runFold(body, 0, (size, bytes) => size + bytes.length)
 * })
 */
export const make: Effect.Effect<
  (request: Request) => Effect.Effect<Response, AttemptTimeout | ConnectionError | ConnectionRejected>,
  never,
  HttpClient.HttpClient
> = Effect.gen(function*() {
  const http: HttpClient.HttpClient & HttpHooks.Hooks = yield* HttpClient.HttpClient
  const sendsShared = yield* HttpHooks.SendsShared
  const within = http[HttpHooks.ExecuteWithin]
  let isReached = false

  return Effect.fnUntraced(function*({ body, headers, method, operation, url }: Request) {
    const bandwidth = yield* Bandwidth
    const { connect, idle } = yield* Timeouts
    const context: BodyContext = {
      operation: { name: operation },
      // The attempt has its own limit: that of `CallPolicies`.
      limit: Duration.infinity,
      idle,
      lane: bandwidth.down,
      scrub: scrubbing(headers)
    }
    const execute: typeof http.execute = within === undefined
      ? executePlainly(http)
      : (request) => within(request, { connect, response: Duration.infinity, until: "head" })
    const response = yield* HttpClientRequest.make(method)(url).pipe(
      HttpClientRequest.setBody(
        body === undefined || body.length === 0 ? HttpBody.empty : paced(sendable(body, sendsShared), bandwidth.up)
      ),
      HttpClientRequest.setHeaders(headers),
      execute,
      Effect.mapError(toConnectionError(context)),
      Effect.mapError((error) => isReached ? error : Retrying.markUnreachable(error)),
      Effect.catchAllDefect(toDefect(context))
    )
    isReached = true
    return {
      status: response.status,
      headers: response.headers,
      redact: context.scrub,
      retryAfter: retryAfter(response.headers, yield* Clock.currentTimeMillis),
      body: pacedBytes(context, response)
    }
  })
})
