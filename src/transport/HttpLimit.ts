/**
 * What an HTTP client may do besides what the platform asks of it: give up by itself. To race each request with a timer
 * takes two fibers, which is much for a small archive.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/**
 * Marks what executes a request within a time: when the answer is not there to its end by then, the request, or who
 * reads the answer, fails with a cause that is `LimitReached`. It makes no span, sends no trace headers, and follows no
 * redirects.
 *
 * @since 0.1.0
 * @category type ids
 */
export const Within: unique symbol = Symbol.for("effect-glacier/HttpLimit/Within")

/**
 * Why a request, or the reading of its answer, has failed that took too long.
 *
 * @since 0.1.0
 * @category errors
 */
export class LimitReached extends Data.TaggedError("LimitReached") {}

/**
 * What an `HttpClient` may offer. One that does not, or that is wrapped in another, is raced with a timer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limited {
  readonly [Within]?: (
    request: HttpClientRequest.HttpClientRequest,
    limit: Duration.Duration
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
}
