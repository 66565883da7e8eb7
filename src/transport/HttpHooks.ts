/**
 * Optional features of an HTTP client beyond the platform's interface: it keeps the time limits of an attempt itself, says
 * when nothing of a request was sent, and sends shared memory. Racing each request with a timer instead costs two fibers,
 * which is much for a small archive.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/**
 * The time limits of one attempt.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** The longest time until a connection is ready. */
  readonly connect: Duration.Duration
  /** The longest time from the start of the request to the response. */
  readonly response: Duration.Duration
  /** Whether `response` ends with the head of a successful response or with the last byte. */
  readonly until: "head" | "end"
}

/**
 * The key of the optional method that executes a request within time limits. When `response` has passed, the request or
 * the reading of its body fails with a cause that is `LimitReached`. When no connection is ready in time, the request
 * fails with `NotSent`. The method opens no span, sends no trace headers and follows no redirects.
 *
 * @since 0.1.0
 * @category type ids
 */
export const ExecuteWithin: unique symbol = Symbol.for("effect-glacier/HttpHooks/ExecuteWithin")

/**
 * The cause of a request, or of the reading of its response, that took longer than its limit.
 *
 * @since 0.1.0
 * @category errors
 */
export class LimitReached extends Data.TaggedError("LimitReached") {}

/**
 * The cause of a request that failed before any of it was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotSent extends Data.TaggedError("NotSent")<{ readonly cause: unknown }> {}

/**
 * An `HttpClient` may have this method. A client without it, or one that is wrapped in another, is raced with a timer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hooks {
  readonly [ExecuteWithin]?: (
    request: HttpClientRequest.HttpClientRequest,
    limits: Limits
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
}

/**
 * Whether the `HttpClient` in use sends bytes from shared memory (a `SharedArrayBuffer`), as a `Hasher` allocates it.
 * Where it does not, the bytes are copied first: `fetch` rejects them.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { HttpHooks } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const copying = Effect.provideService(HttpHooks.SendsShared, false)
 */
export class SendsShared extends Context.Reference<SendsShared>()("effect-glacier/HttpHooks/SendsShared", {
  defaultValue: () => false
}) {}
