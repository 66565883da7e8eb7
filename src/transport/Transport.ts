/**
 * One request from descriptor to decoded answer. Round a call, inside to outside: sign, send, decode and translate,
 * attempt timeout, rate, retry, call timeout, span. So each attempt waits for its turn, is signed afresh behind it and
 * timed without it, and retries look at decoded errors: Glacier throttles with HTTP 400.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as RatePolicy from "../policy/RatePolicy.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as Waiting from "../policy/Waiting.ts"
import { AttemptTimeout, ConnectionError, type GlacierError, OutcomeUnknown } from "../protocol/GlacierError.ts"
import * as Operation from "../protocol/Operation.ts"
import { InvalidSignature } from "../protocol/ServiceError.ts"
import type { Credentials } from "./Credentials.ts"
import { Endpoint } from "./Endpoint.ts"
import * as HttpHooks from "./HttpHooks.ts"
import { scrubbing } from "./internal/attempt.ts"
import { timedOut, toRequestError } from "./internal/connectionError.ts"
import * as Echoes from "./internal/echoes.ts"
import { paced } from "./internal/pacing.ts"
import * as Policies from "./internal/policies.ts"
import { decode, toDefect, typed } from "./internal/response.ts"
import { calling, repeating, subjectOf } from "./internal/retrying.ts"
import * as Skew from "./internal/skew.ts"
import { waited } from "./internal/waits.ts"
import type { Method, Response } from "./Method.ts"
import * as Metrics from "./Metrics.ts"
import * as Signer from "./Signer.ts"

/**
 * What calls operations.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Calls an operation. When it is not repeatable and its response is lost, `recover` may find out whether it was carried
   * out: what it finds is the response, and the call is made again if it finds nothing. Without `recover` the call fails
   * with `OutcomeUnknown`.
   */
  readonly execute: <O extends Operation.Any>(
    operation: O,
    input: Operation.Input<O> & object,
    recover?: Effect.Effect<Option.Option<Response<O> & object>, GlacierError>
  ) => ReturnType<Method<O>>
  /**
   * Retries an effect built from calls of a repeatable operation, by the policies of its calls, but only on errors that
   * match `only`. The calls have retried the other errors already.
   */
  readonly retry: <A, E extends GlacierError, R>(
    effect: Effect.Effect<A, E, R>,
    operation: Operation.Any & { readonly repeatable: true },
    only: (error: GlacierError) => boolean
  ) => Effect.Effect<A, E, R>
  /** The time at the service, as far as its answers have told, in epoch milliseconds. */
  readonly time: Effect.Effect<number>
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

const sentBytes = Metric.tagged(Metrics.bytes, "direction", "up")

/** A call has a span, and its logs say which it is. */
const inCall = (operation: Operation.Any, vaultName: string | undefined) => {
  const attributes = {
    "glacier.operation": operation.name,
    ...(vaultName === undefined ? {} : { "glacier.vault": vaultName })
  }
  return <A, E, R>(call: Effect.Effect<A, E, R>) =>
    call.pipe(
      Effect.annotateLogs(attributes),
      Effect.withSpan(`Glacier.${operation.name}`, { kind: "client", captureStackTrace: false, attributes })
    )
}

/** `fetch`, where it is used, is told to follow no redirects, as other HTTP clients never do. */
const noRedirects = (context: Context.Context<never>) =>
  Context.add(context, FetchHttpClient.RequestInit, {
    ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
    redirect: "manual"
  })

/** Bytes as the HTTP client can send them. */
const sendable = (bytes: Uint8Array, sendsShared: boolean): Uint8Array =>
  sendsShared || bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes)

/** A call on its way to the service. */
interface Sending {
  readonly operation: Operation.Any
  readonly vaultName: string | undefined
  readonly input: object
  readonly request: Operation.Request
  /** Whether the service may have acted on an attempt. */
  mayHaveActed: boolean
}

/** The vault that an input is about. */
const vaultOf = (input: object): string | undefined =>
  "vaultName" in input && Predicate.isString(input.vaultName) ? input.vaultName : undefined

/** How to find out what became of a call, with the inputs of this one. */
const lookUpOf = ({ lookUp = "" }: Operation.Any, input: object): string =>
  lookUp.replace(/\{(\w+)\}/g, (_, name: string) => String(Reflect.get(input, name)))

/** A body that took longer than this to arrive may have outlived its signature (milliseconds). */
const slow = 240_000

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
    const policies = yield* Policies.make
    const skew = Skew.make()
    let isReached = false
    const markUnreachable = (error: GlacierError) =>
      error._tag === "ConnectionError" && !error.sent && !isReached
        ? new ConnectionError({ operation: error.operation, message: error.message, sent: false, unreachable: true })
        : error
    const sendsShared = yield* HttpHooks.SendsShared
    const http: HttpClient.HttpClient & HttpHooks.Hooks = yield* HttpClient.HttpClient

    /** To find a counter by its labels takes longer than to count. */
    const counters = new Map<string, Metric.Metric.Counter<number>>()
    const counter = (operation: string, outcome: string) => {
      const key = `${operation} ${outcome}`
      const known = counters.get(key) ?? Metric.taggedWithLabels(Metrics.requests, [
        MetricLabel.make("operation", operation),
        MetricLabel.make("outcome", outcome)
      ])
      counters.set(key, known)
      return known
    }

    const send = Effect.fnUntraced(function*(
      { input, operation, request }: Sending,
      { bandwidth, timeouts }: Policies.Policies,
      limit: Duration.Duration,
      execute: HttpClient.HttpClient["execute"]
    ) {
      const query = request.query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")
      const [body, contentType] = typeof request.body === "string"
        ? [HttpBody.text(request.body, "application/json"), { "content-type": "application/json" }]
        : [request.body === undefined ? HttpBody.empty : paced(sendable(request.body, sendsShared), bandwidth.up), {}]
      const sentAt = yield* Clock.currentTimeMillis
      const offset = yield* skew.offset
      const { headers, renew } = yield* signer.sign({
        ...request,
        method: operation.method,
        headers: { "x-amz-glacier-version": "2012-06-01", ...contentType, ...request.headers },
        at: sentAt + offset
      })
      const attempt = { operation, limit, idle: timeouts.idle, lane: bandwidth.down, scrub: scrubbing(headers) }
      const response = yield* HttpClientRequest.make(operation.method)(
        `${endpoint.url}${request.path}${query === "" ? "" : `?${query}`}`
      ).pipe(
        HttpClientRequest.setBody(body),
        HttpClientRequest.setHeaders(headers),
        execute,
        Effect.mapError(toRequestError(attempt)),
        Effect.mapError(markUnreachable),
        Effect.catchAllDefect(toDefect(attempt))
      )
      isReached = true
      yield* skew.learn(response.headers, sentAt)
      const origin = { operation, input, status: response.status, requestId: response.headers["x-amzn-requestid"] }
      return yield* Effect.tapErrorTag(decode(attempt, response), "ExpiredToken", () => renew).pipe(
        Effect.flatMap((output) => Echoes.check(origin, output)),
        Effect.catchTag("InvalidSignature", ({ message, operation, requestId, status }) =>
          Effect.gen(function*() {
            const took = (yield* Clock.currentTimeMillis) - sentAt
            const because = (yield* skew.offset) !== offset ? "clock" : took > slow ? "slow" : undefined
            return yield* new InvalidSignature({ operation, status, message, requestId, because })
          }))
      )
    })

    // A signed request goes to nobody but whom it was signed for, AWS gets no trace headers, and no span shows a signature
    // or a token.
    const untraced: typeof http.execute = (request) =>
      http.execute(request).pipe(Effect.mapInputContext(noRedirects), Effect.withTracerEnabled(false))

    /** One attempt within its limit, which the HTTP client keeps itself if it can. */
    const within = (
      limit: Duration.Duration,
      sending: Sending,
      policies: Policies.Policies
    ) => {
      const { operation } = sending
      const execute = http[HttpHooks.ExecuteWithin]
      const limits: HttpHooks.Limits = {
        connect: policies.timeouts.connect,
        response: limit,
        // The bytes of an output are read later, at the pace of the reader.
        until: operation.body === "bytes" ? "head" : "end"
      }
      return execute === undefined
        ? Effect.timeoutFail(
          // The limit also ends an attempt in an uninterruptible region, as in the abort of an upload.
          Effect.interruptible(send(sending, policies, limit, untraced)),
          { duration: limit, onTimeout: () => timedOut({ operation, limit }) }
        )
        : send(sending, policies, limit, (request) => execute(request, limits))
    }

    const attempt = (sending: Sending, policies: Policies.Policies) => {
      const { operation, request } = sending
      const uploaded = Predicate.isUint8Array(request.body) ? request.body.length : 0
      const { response, upload } = policies.timeouts
      const timed = Effect.suspend(() => {
        sending.mayHaveActed = true
        return within(uploaded > 0 ? upload : response, sending, policies)
      }).pipe(
        Effect.tapError((error) => Effect.sync(() => void (sending.mayHaveActed = RetryPolicy.isUnknown(error)))),
        Effect.onExit((exit) =>
          Effect.zipRight(
            Metric.increment(counter(operation.name, outcome(exit))),
            uploaded > 0 ? Metric.incrementBy(sentBytes, uploaded) : Effect.void
          )
        )
      )
      const subject = subjectOf(sending)
      // Each attempt pays the gate, and is signed behind it.
      const gated = policies.ratePolicy === RatePolicy.none ?
        timed :
        Effect.flatMap(Clock.currentTimeMillis, (asked) =>
          Waiting.during(
            { reason: "rate", about: subject },
            () => `${subject} waits for its turn: the RatePolicy in use does not let it begin yet`,
            (end) =>
              policies.ratePolicy.pace(
                Effect.flatMap(
                  Clock.currentTimeMillis,
                  (now) => now > asked ? waited("rate", now - asked) : Effect.void
                )
                  .pipe(Effect.zipRight(end), Effect.zipRight(timed)),
                operation
              )
          ))
      // By then it is signed with other keys.
      return Effect.catchTag(gated, "ExpiredToken", () => gated)
    }

    return {
      execute: <O extends Operation.Any>(
        operation: O,
        input: Operation.Input<O> & object,
        recover?: Effect.Effect<Option.Option<Response<O> & object>, GlacierError>
      ) =>
        typed<O>(
          Effect.gen(function*() {
            const request = yield* Operation.encode(operation, input)
            const current = yield* policies
            const sending: Sending = { operation, vaultName: vaultOf(input), input, request, mayHaveActed: false }
            const lookUp = lookUpOf(operation, input)
            const call = calling(attempt(sending, current), {
              operation,
              vaultName: sending.vaultName,
              policy: current.retryPolicy,
              quota: current.quota,
              recover,
              lookUp
            }).pipe(Effect.provideService(Waiting.Warnings, current.warnings))
            const duration = current.timeouts.call
            return yield* !Duration.isFinite(duration) ? call : Effect.timeoutFail(call, {
              duration,
              onTimeout: (): GlacierError => {
                const { name, repeatable } = operation
                const timeout = new AttemptTimeout({
                  operation: name,
                  waiting: "call",
                  millis: Duration.toMillis(duration)
                })
                return repeatable === false && sending.mayHaveActed
                  ? new OutcomeUnknown({ operation: name, message: `${timeout.message} (${lookUp})` })
                  : timeout
              }
            })
          }).pipe(inCall(operation, vaultOf(input)))
        ),
      retry: (effect, operation, only) =>
        Effect.flatMap(
          policies,
          ({ quota, retryPolicy, warnings }) =>
            repeating(effect, { operation, policy: RetryPolicy.when(retryPolicy, only), quota }).pipe(
              Effect.provideService(Waiting.Warnings, warnings)
            )
        ),
      time: Effect.zipWith(Clock.currentTimeMillis, skew.offset, (now, offset) => now + offset)
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
