/**
 * The time limits of a call, all in one place: for an attempt, for a pause in a body, and for the call with all its
 * attempts. `Timeouts` has the durations. Exceeding a limit ends in `AttemptTimeout`; exceeding the time to connect ends in
 * a `ConnectionError`, because nothing was sent.
 *
 * @internal
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Timeouts from "../../policy/Timeouts.ts"
import { AttemptTimeout } from "../../protocol/GlacierError.ts"
import type * as Operation from "../../protocol/Operation.ts"
import * as HttpHooks from "../HttpHooks.ts"
import type { BodyContext } from "./attemptContext.ts"
import { causesOf } from "./connectionError.ts"

/** The limit from the start of an attempt to the response: longer when the request has bytes. */
export const ofAttempt = (request: Operation.Request, { response, upload }: Timeouts.Limits): Duration.Duration =>
  Predicate.isUint8Array(request.body) && request.body.length > 0 ? upload : response

type Context = Pick<BodyContext, "limit" | "operation">

const attemptTimeout = ({ limit, operation }: Context): AttemptTimeout =>
  new AttemptTimeout({ operation: operation.name, waiting: "response", limit })

/** Returns a function that turns the error of an HTTP client into an `AttemptTimeout` if the client reached the limit. */
export const orTimeout =
  <X extends HttpClientError.HttpClientError, E>(context: Context, otherwise: (error: X) => E) =>
  (error: X): E | AttemptTimeout =>
    causesOf(error).some((cause) => cause instanceof HttpHooks.LimitReached)
      ? attemptTimeout(context)
      : otherwise(error)

/** Runs an attempt within a limit. The limit also ends an attempt in an uninterruptible region, as in the abort of an upload. */
export const raced = <A, E, R>(
  attempt: Effect.Effect<A, E, R>,
  context: Context
): Effect.Effect<A, E | AttemptTimeout, R> =>
  Effect.timeoutFail(Effect.interruptible(attempt), {
    duration: context.limit,
    onTimeout: () => attemptTimeout(context)
  })

/**
 * Runs an attempt within its limits. An HTTP client with `ExecuteWithin` keeps them itself; any other is raced with a timer.
 */
export const attempt = <A, E, R>(
  http: HttpClient.HttpClient & HttpHooks.Hooks,
  context: Context & { readonly operation: Operation.Any; readonly connect: Duration.Duration },
  send: (execute: HttpClient.HttpClient["execute"] | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | AttemptTimeout, R> => {
  const { connect, limit, operation } = context
  const execute = http[HttpHooks.ExecuteWithin]
  if (execute === undefined) return raced(send(undefined), context)
  const limits: HttpHooks.Limits = {
    connect,
    response: limit,
    // The bytes of an output are read later, as fast as the caller takes them.
    until: operation.body === "bytes" ? "head" : "end"
  }
  return send((request) => execute(request, limits))
}

/** The error of a pause in a body that is too long. */
export const idleTimeout = ({ idle, operation }: BodyContext): AttemptTimeout =>
  new AttemptTimeout({ operation: operation.name, waiting: "body", limit: idle })

/** Runs a call with all its attempts and waits within its limit. */
export const call = <A, E, R, E1>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Duration,
  operation: Context["operation"],
  onTimeout: (timeout: AttemptTimeout) => E1
): Effect.Effect<A, E | E1, R> =>
  !Duration.isFinite(duration) ? effect : Effect.timeoutFail(effect, {
    duration,
    onTimeout: () =>
      onTimeout(
        new AttemptTimeout({ operation: operation.name, waiting: "call", limit: duration })
      )
  })
