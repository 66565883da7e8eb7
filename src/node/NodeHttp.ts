/**
 * An HTTP client for Node.js over undici, for many small and for large bodies: a thin adapter over undici's dispatcher
 * that receives a body into given memory (see `ResponseBody`) and keeps the time limits of an attempt (see `HttpHooks`).
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
 * Proxies, as the environment variables of the same names give them: `http` and `https` are URLs, each for endpoints of
 * that scheme (`http` also for https endpoints where there is no `https`); `except` lists the hosts, separated by commas,
 * that are reached without a proxy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proxies extends Dispatcher.Proxies {}

/**
 * How to connect.
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

/** Reports a request that has waited long for a connection. */
const unconnected = (origin: string): Effect.Effect<void> =>
  Waiting.report(
    { reason: "connection", about: origin },
    `A request to ${origin} waits for a connection: none could be made yet, or all ${Dispatcher.connections} are in use`
  )

type Client = HttpClient.HttpClient & HttpHooks.Hooks

/** A client with options that are checked. */
const makeChecked: (options: Options) => Effect.Effect<Client, never, Scope.Scope> = Effect.fnUntraced(
  function*(options) {
    const addDeadline = yield* Deadlines.make
    // Read when a connection is opened, which undici does while it takes the request.
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
            Runtime.runFork(runtime)(unconnected(url.origin))
          })
          const exchange: Exchange = new Exchange({
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
          Effect.flatMap(request, (one) => execute(one, unlimited)),
        Effect.succeed
      ),
      { [HttpHooks.ExecuteWithin]: execute }
    )
  }
)

const checked = (options: Options): Effect.Effect<Options, EndpointError> =>
  Environment.checked(options, { ca: "The text in `ca`", http: "`proxies.http`", https: "`proxies.https`" })

/**
 * Makes a client whose connections end with the Scope. Fails with `EndpointError` when a proxy is not the URL of one, or
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
 * The client without proxies, with the authorities that Node.js trusts (`NODE_EXTRA_CA_CERTS` among them). It keeps at
 * most 64 connections to an origin, which stay open for some seconds after their use and end with the layer's Scope. It
 * sends bytes, also in memory that threads share, texts, and Streams of known length, but no forms. It speaks HTTP/1.1 and
 * follows no redirects. A connection must be ready within 10 seconds; other time limits are given by the caller.
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
 * The client with the given authorities and proxies. Fails with `EndpointError` when a proxy is not the URL of one, or when
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
 * The client as the `ConfigProvider` has it, by default the environment: with the proxies of `HTTPS_PROXY`, `HTTP_PROXY`
 * and `NO_PROXY` (lower case goes first), and with the authorities in the PEM file `AWS_CA_BUNDLE` besides those that
 * Node.js trusts. Fails with `EndpointError` when a proxy is not the URL of one, or when the file cannot be read.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<HttpClient.HttpClient, EndpointError> = layerOf(Environment.options)
