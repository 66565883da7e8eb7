/**
 * One attempt of a call, from top to bottom: wait for the rate, sign, send, decode the response and compare it with the
 * request. The attempt is signed and timed only after its wait, so no signature grows old while a call is paced.
 *
 * @internal
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Predicate from "effect/Predicate"
import * as RatePolicy from "../../policy/RatePolicy.ts"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import type { GlacierError } from "../../protocol/GlacierError.ts"
import type * as Operation from "../../protocol/Operation.ts"
import { Endpoint } from "../Endpoint.ts"
import * as HttpHooks from "../HttpHooks.ts"
import * as Metrics from "../Metrics.ts"
import * as Signer from "../Signer.ts"
import { scrubbing } from "./attemptContext.ts"
import * as ClockSkew from "./clockSkew.ts"
import { toConnectionError } from "./connectionError.ts"
import * as Echoes from "./echoes.ts"
import { paced } from "./pacing.ts"
import { executePlainly, sendable } from "./plainHttp.ts"
import type { Policies } from "./policies.ts"
import { decode, toDefect } from "./response.ts"
import * as Retrying from "./retrying.ts"
import * as TimeLimits from "./timeLimits.ts"
import { whenPermitted } from "./whenPermitted.ts"

/** A call whose attempts are made here. */
export interface Call {
  readonly operation: Operation.Any
  /** The vault that the call is about, if there is one. */
  readonly vaultName: string | undefined
  readonly input: object
  readonly request: Operation.Request
  readonly policies: Policies
  /** Whether the service may have acted on an attempt. */
  mayHaveActed: boolean
}

/** The path and query of a request, percent-encoded. */
const pathOf = ({ path, query }: Operation.Request): string =>
  query.length === 0
    ? path
    : `${path}?${query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`

/** The body of a request and its media type. */
const bodyOf = ({ body }: Operation.Request, { bandwidth }: Policies, sendsShared: boolean) => {
  if (body === undefined) return { body: HttpBody.empty, contentType: {} }
  if (typeof body === "string") {
    return { body: HttpBody.text(body, "application/json"), contentType: { "content-type": "application/json" } }
  }
  return { body: paced(sendable(body, sendsShared), bandwidth.up), contentType: {} }
}

const outcomeOf = (exit: Exit.Exit<unknown, GlacierError>): string =>
  Exit.match(exit, {
    onSuccess: () => "ok",
    onFailure: (cause) => cause._tag === "Fail" ? cause.error._tag : cause._tag
  })

const sentBytes = Metric.tagged(Metrics.bytes, "direction", "up")

/** Returns a function that counts an attempt. It keeps the counters: looking one up by its labels takes longer than counting. */
const makeCount = () => {
  const counters = new Map<string, Metric.Metric.Counter<number>>()
  return (operation: string, exit: Exit.Exit<unknown, GlacierError>) => {
    const outcome = outcomeOf(exit)
    const key = `${operation} ${outcome}`
    const counter = counters.get(key) ??
      Metrics.requests.pipe(Metric.tagged("operation", operation), Metric.tagged("outcome", outcome))
    counters.set(key, counter)
    return Metric.increment(counter)
  }
}

/** Makes what attempts share: the connection to the endpoint, and the clock of the service. */
export const make = Effect.gen(function*() {
  const endpoint = yield* Endpoint
  const signer = yield* Signer.Signer
  const sendsShared = yield* HttpHooks.SendsShared
  const http: HttpClient.HttpClient & HttpHooks.Hooks = yield* HttpClient.HttpClient
  const skew = ClockSkew.make()
  const count = makeCount()
  let isReached = false

  const execute = executePlainly(http)

  const send = Effect.fnUntraced(function*(
    { input, operation, policies, request }: Call,
    limit: Duration.Duration,
    executeWithin: typeof http.execute = execute
  ) {
    const { body, contentType } = bodyOf(request, policies, sendsShared)
    const sentAt = yield* Clock.currentTimeMillis
    const offset = yield* skew.offset
    const { headers, refresh } = yield* signer.sign({
      ...request,
      method: operation.method,
      headers: { "x-amz-glacier-version": "2012-06-01", ...contentType, ...request.headers },
      at: sentAt + offset
    })
    const { bandwidth, timeouts } = policies
    const context = { operation, limit, idle: timeouts.idle, lane: bandwidth.down, scrub: scrubbing(headers) }
    const response = yield* HttpClientRequest.make(operation.method)(`${endpoint.url}${pathOf(request)}`).pipe(
      HttpClientRequest.setBody(body),
      HttpClientRequest.setHeaders(headers),
      executeWithin,
      Effect.mapError(TimeLimits.orTimeout(context, toConnectionError(context))),
      Effect.mapError((error) => isReached ? error : Retrying.markUnreachable(error)),
      Effect.catchAllDefect(toDefect(context))
    )
    isReached = true
    yield* skew.learn(response.headers, sentAt)
    const origin = { operation, input, status: response.status, requestId: response.headers["x-amzn-requestid"] }
    return yield* Effect.tapErrorTag(decode(context, response), "ExpiredToken", () => refresh).pipe(
      Effect.flatMap((output) => Echoes.check(origin, output)),
      Effect.catchTag("InvalidSignature", (error) =>
        Effect.gen(function*() {
          const took = (yield* Clock.currentTimeMillis) - sentAt
          return yield* Retrying.explainSignature(error, { isSkewed: (yield* skew.offset) !== offset, took })
        }))
    )
  })

  /** Runs an attempt, within its time limit, and counts it. */
  const timed = (call: Call) => {
    const { operation, policies, request } = call
    const limit = TimeLimits.ofAttempt(request, policies.timeouts)
    const context = { operation, limit, connect: policies.timeouts.connect }
    const uploaded = Predicate.isUint8Array(request.body) ? request.body.length : 0
    return Effect.suspend(() => {
      call.mayHaveActed = true
      return TimeLimits.attempt(http, context, (execute) => send(call, limit, execute))
    }).pipe(
      Effect.tapError((error) => Effect.sync(() => void (call.mayHaveActed = RetryPolicy.isUnknown(error)))),
      Effect.onExit((exit) =>
        Effect.zipRight(
          count(operation.name, exit),
          uploaded > 0 ? Metric.incrementBy(sentBytes, uploaded) : Effect.void
        )
      )
    )
  }

  return {
    /** Makes an attempt of a call. */
    attempt: (call: Call) =>
      Retrying.withRefreshedCredentials(
        whenPermitted(timed(call), {
          subject: Retrying.subjectOf(call),
          class: RatePolicy.classOf(call.operation),
          ratePolicy: call.policies.ratePolicy
        })
      ),
    /** The time at the service in epoch milliseconds, corrected by the dates of its responses. */
    time: Effect.zipWith(Clock.currentTimeMillis, skew.offset, (now, offset) => now + offset)
  }
})
