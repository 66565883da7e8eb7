/**
 * An HTTP client for Node.js, a thin adapter over undici's dispatcher. It can read a body into given memory (see `ResponseBody`)
 * and limit the time of an attempt (see `HttpHooks`).
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Waiting from "../policy/Waiting.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as HttpHooks from "../transport/HttpHooks.ts"
import * as Deadlines from "./internal/deadlines.ts"
import * as Dispatcher from "./internal/dispatcher.ts"
import { Exchange } from "./internal/exchange.ts"
import * as Environment from "./internal/httpEnvironment.ts"
import * as HttpResponse from "./internal/httpResponse.ts"
import { bodyOf } from "./internal/requestBody.ts"

/**
 * Proxies, in the format of the environment variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. `http` and `https` are the
 * URLs of the proxies for endpoints of that scheme. Without `https`, `http` is used for https endpoints, too. `except` is a
 * comma-separated list of hosts that are reached without a proxy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proxies extends Dispatcher.Proxies {}

/**
 * Options of connections: certificate authorities and proxies.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Dispatcher.Options {}

const unlimited: HttpHooks.Limits = {
  connect: Duration.seconds(10),
  response: Duration.infinity,
  until: "end"
}

const isRefusedInput = (error: unknown): boolean =>
  error instanceof HttpHooks.NotSent && Predicate.hasProperty(error.cause, "code") &&
  error.cause.code === "UND_ERR_INVALID_ARG"

/** Logs that a request has waited long for a connection. */
const reportWaiting = (origin: string): Effect.Effect<void> =>
  Waiting.report(
    { reason: "connection", about: origin },
    `A request to ${origin} waits for a connection: none could be made yet, or all ${Dispatcher.connections} are in use`
  )

type Client = HttpClient.HttpClient & HttpHooks.Hooks

/** Makes a client from valid options. */
const makeChecked: (options: Options) => Effect.Effect<Client, never, Scope.Scope> = Effect.fnUntraced(
  function*(options) {
    const addDeadline = yield* Deadlines.make
    // undici opens a connection while it dispatches a request, so this is the limit of that request.
    let { connect } = unlimited
    const dispatcher = yield* Dispatcher.make(options, () => connect, addDeadline)
    const unread = HttpResponse.makeUnread()

    const execute = Effect.fnUntraced(
      function*(request: HttpClientRequest.HttpClientRequest, limits: HttpHooks.Limits) {
        const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
        if (url === undefined || !/^https?:$/.test(url.protocol)) {
          return yield* new RequestError({ request, reason: "InvalidUrl" })
        }
        const body = yield* bodyOf(request)
        const runtime = yield* Effect.runtime<never>()
        return yield* Effect.async<HttpClientResponse.HttpClientResponse, RequestError>((resume) => {
          const endReport = addDeadline(Waiting.long, () => {
            endReport()
            Runtime.runFork(runtime)(reportWaiting(url.origin))
          })
          const exchange: Exchange = new Exchange({
            hasBody: request.method !== "HEAD",
            startLimit: (onReached) => {
              endReport()
              return Duration.isFinite(limits.response) ? addDeadline(limits.response, onReached) : () => {}
            },
            limitUntil: limits.until,
            onHead: (head) => resume(Effect.succeed(new HttpResponse.Response(request, head, exchange, unread))),
            onError: (cause) => {
              endReport()
              resume(new RequestError({ request, reason: isRefusedInput(cause) ? "Encode" : "Transport", cause }))
            }
          })
          connect = limits.connect
          dispatcher.dispatch(
            { ...body, origin: url.origin, path: url.pathname + url.search, method: request.method },
            exchange
          )
          return Effect.sync(() => {
            endReport()
            exchange.cancel()
          })
        })
      }
    )

    return Object.assign(
      HttpClient.makeWith(
        (request: Effect.Effect<HttpClientRequest.HttpClientRequest>) =>
          Effect.flatMap(request, (request) => execute(request, unlimited)),
        Effect.succeed
      ),
      { [HttpHooks.ExecuteWithin]: execute }
    )
  }
)

const checked = (options: Options): Effect.Effect<Options, EndpointError> =>
  Environment.checked(options, { ca: "The text in `ca`", http: "`proxies.http`", https: "`proxies.https`" })

/**
 * Makes a client whose connections close with the Scope. Fails with `EndpointError` when the URL of a proxy is invalid, or
 * when `ca` is not PEM text with certificates.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Client, EndpointError, Scope.Scope> =>
  Effect.flatMap(checked(options), makeChecked)

const layerOf = <E>(options: Effect.Effect<Options, E>): Layer.Layer<HttpClient.HttpClient, E> =>
  Layer.merge(
    Layer.scoped(HttpClient.HttpClient, Effect.flatMap(options, makeChecked)),
    Layer.succeed(HttpHooks.SendsShared, true)
  )

/**
 * The client without proxies, with the authorities that Node.js trusts (including `NODE_EXTRA_CA_CERTS`).
 *
 * - It opens at most 64 connections to an origin. They stay open for some seconds after their use, and close with the Scope
 *   of the layer.
 * - It sends bytes (also in shared memory), texts, and Streams of known length. It does not send forms.
 * - It uses HTTP/1.1 and does not follow redirects.
 * - A connection must be ready within 10 seconds. The caller sets the other time limits.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Endpoint, GlacierClient } from "effect-glacier"
 * import { NodeCredentials, NodeHttp } from "effect-glacier/node"
 * import { Layer } from "effect"
 *
 * const glacier = GlacierClient.layer.pipe(
 *   Layer.provide([NodeHttp.layer, NodeCredentials.layer, Endpoint.layer({ region: "eu-west-1" })])
 * )
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerOf(Effect.succeed({}))

/**
 * The client with additional authorities or proxies. Fails with `EndpointError` when the URL of a proxy is invalid, or when
 * `ca` is not PEM text with certificates.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { NodeHttp } from "effect-glacier/node"
 *
 * const http = NodeHttp.layerWith({ proxies: { https: "http://proxy.example.com:3128", except: "localhost" } })
 */
export const layerWith = (options: Options): Layer.Layer<HttpClient.HttpClient, EndpointError> =>
  layerOf(checked(options))

/**
 * The client configured by the `ConfigProvider`, by default the environment. Uses the proxies in `HTTPS_PROXY`, `HTTP_PROXY` and
 * `NO_PROXY`; names in lower case take precedence. Trusts the authorities in the PEM file `AWS_CA_BUNDLE` besides those that
 * Node.js trusts. Fails with `EndpointError` when the URL of a proxy is invalid, or when the file cannot be read.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<HttpClient.HttpClient, EndpointError> = layerOf(Environment.options)
