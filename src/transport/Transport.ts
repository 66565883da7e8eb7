/**
 * One request from descriptor to decoded answer. Round a call, inside to outside: sign, send, decode and translate,
 * attempt timeout, retry, span. So each attempt is signed afresh, and retries look at decoded errors: Glacier
 * throttles with HTTP 400.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { RetryPolicy } from "../policy/RetryPolicy.ts"
import * as Timeouts from "../policy/Timeouts.ts"
import { AttemptTimeout, type GlacierError } from "../protocol/GlacierError.ts"
import * as Operation from "../protocol/Operation.ts"
import type { Credentials } from "./Credentials.ts"
import { Endpoint } from "./Endpoint.ts"
import { decode, scrubbing, toConnectionError, typed } from "./internal/answer.ts"
import { current } from "./internal/current.ts"
import type { Method } from "./Method.ts"
import * as Metrics from "./Metrics.ts"
import * as Signer from "./Signer.ts"

/**
 * What calls operations.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Calls an operation. */
  readonly execute: <O extends Operation.Any>(
    operation: O,
    input: Operation.Input<O> & object
  ) => ReturnType<Method<O>>
}

/**
 * The transport in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Transport extends Context.Tag("effect-glacier/Transport")<Transport, Service>() {}

const outcome = (exit: Exit.Exit<unknown, GlacierError>): string =>
  Exit.match(exit, {
    onSuccess: () => "ok",
    onFailure: (cause) => cause._tag === "Fail" ? cause.error._tag : cause._tag
  })

/**
 * A transport over the `HttpClient`, `Endpoint` and `Signer` in use, with the policies in use now or round a call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, HttpClient.HttpClient | Endpoint | Signer.Signer> = Effect.gen(
  function*() {
    const endpoint = yield* Endpoint
    const signer = yield* Signer.Signer
    const builtRetryPolicy = yield* RetryPolicy
    const builtTimeouts = yield* Timeouts.Timeouts
    const http = (yield* HttpClient.HttpClient).pipe(
      // AWS gets no trace headers, and no span shows a signature or a token.
      HttpClient.withTracerPropagation(false),
      HttpClient.withTracerDisabledWhen(() => true)
    )

    const send = Effect.fnUntraced(
      function*(operation: Operation.Any, request: Operation.Request, idle: Duration.Duration) {
        const query = request.query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")
        const [body, contentType] = typeof request.body === "string"
          ? [HttpBody.text(request.body, "application/json"), { "content-type": "application/json" }]
          : [request.body === undefined ? HttpBody.empty : HttpBody.uint8Array(request.body, ""), {}]
        const headers = yield* signer.sign({
          ...request,
          method: operation.method,
          headers: { "x-amz-glacier-version": "2012-06-01", ...contentType, ...request.headers }
        })
        const attempt = { operation, idle, scrub: scrubbing(headers) }
        // A signed request goes to nobody but whom it was signed for: where fetch is used it follows no redirects. (The
        // other HTTP clients never do.)
        const fetchOptions = yield* Effect.serviceOption(FetchHttpClient.RequestInit)
        const response = yield* HttpClientRequest.make(operation.method)(
          `${endpoint.url}${request.path}${query === "" ? "" : `?${query}`}`
        ).pipe(
          HttpClientRequest.setBody(body),
          HttpClientRequest.setHeaders(headers),
          http.execute,
          Effect.provideService(FetchHttpClient.RequestInit, {
            ...Option.getOrUndefined(fetchOptions),
            redirect: "manual"
          }),
          Effect.mapError(toConnectionError(attempt))
        )
        return yield* decode(attempt, response)
      }
    )

    const attempt = (operation: Operation.Any, request: Operation.Request, limits: Timeouts.Limits) => {
      const uploaded = Predicate.isUint8Array(request.body) ? request.body.length : 0
      const duration = uploaded > 0 ? limits.upload : limits.answer
      return send(operation, request, limits.idle).pipe(
        // Also where the call must not be interrupted, as in the abort of an upload, time may end an attempt.
        Effect.interruptible,
        Effect.timeoutFail({
          duration,
          onTimeout: () =>
            new AttemptTimeout({ operation: operation.name, waiting: "answer", millis: Duration.toMillis(duration) })
        }),
        Effect.onExit((exit) =>
          Effect.tagMetrics(Metric.increment(Metrics.requests), {
            operation: operation.name,
            outcome: outcome(exit)
          })
        ),
        Effect.ensuring(Metric.incrementBy(Metric.tagged(Metrics.bytes, "direction", "up"), uploaded))
      )
    }

    return {
      execute: <O extends Operation.Any>(operation: O, input: Operation.Input<O> & object) =>
        typed<O>(
          Effect.gen(function*() {
            const request = yield* Operation.encode(operation, input)
            const retryPolicy = yield* current(RetryPolicy, builtRetryPolicy)
            const timeouts = yield* current(Timeouts.Timeouts, builtTimeouts)
            return yield* attempt(operation, request, timeouts).pipe(
              Effect.retry({ while: (error) => retryPolicy.while(error, operation), schedule: retryPolicy.schedule })
            )
          }).pipe(
            Effect.withSpan(`Glacier.${operation.name}`, {
              kind: "client",
              captureStackTrace: false,
              attributes: {
                "glacier.operation": operation.name,
                "glacier.vault": "vaultName" in input ? input.vaultName : undefined
              }
            })
          )
        )
    }
  }
)

/**
 * A transport that signs with the `Credentials` in use.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transport, never, HttpClient.HttpClient | Credentials | Endpoint> = Layer.provide(
  Layer.effect(Transport, make),
  Signer.layer
)
