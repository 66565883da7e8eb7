/**
 * A call of an operation, from its descriptor to the decoded response: attempts (`internal/attempt.ts`), retries
 * (`internal/retrying.ts`) and the time limit of the call (`internal/timeLimits.ts`), within a span. Retries see decoded
 * errors, because Glacier throttles with HTTP 400.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as Waiting from "../policy/Waiting.ts"
import type { GlacierError } from "../protocol/GlacierError.ts"
import * as Operation from "../protocol/Operation.ts"
import type { Credentials } from "./Credentials.ts"
import type { Endpoint } from "./Endpoint.ts"
import * as Attempt from "./internal/attempt.ts"
import * as Policies from "./internal/policies.ts"
import { typed } from "./internal/response.ts"
import * as Retrying from "./internal/retrying.ts"
import * as TimeLimits from "./internal/timeLimits.ts"
import type { Method, Response } from "./Method.ts"
import * as Signer from "./Signer.ts"

/**
 * The functions that call operations.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Calls an operation. When it is not repeatable and its response is lost, `recover` looks for the result. The call returns
   * what `recover` finds, and is made again when it finds nothing. Without `recover` the call fails with `OutcomeUnknown`.
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
  /** The time at the service in epoch milliseconds, corrected by the dates of its responses. */
  readonly time: Effect.Effect<number>
}

/**
 * The transport in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Transport extends Context.Tag("effect-glacier/Transport")<Transport, Service>() {}

/** Gives a call its span and its logs their annotations. */
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

/** The vault that an input is about. */
const vaultOf = (input: object): string | undefined =>
  "vaultName" in input && Predicate.isString(input.vaultName) ? input.vaultName : undefined

/** Says how to find out whether the service carried out a call, with the inputs of this call. */
const lookUpOf = ({ lookUp = "" }: Operation.Any, input: object): string =>
  lookUp.replace(/\{(\w+)\}/g, (_, name: string) => String(Reflect.get(input, name)))

/**
 * Makes a transport over the `HttpClient`, `Endpoint` and `Signer` in use. A call takes its policies from the caller's
 * context, else from the context that the transport was made in, else the defaults.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, HttpClient.HttpClient | Endpoint | Signer.Signer> = Effect.gen(
  function*() {
    const { attempt, time } = yield* Attempt.make
    const policiesInUse = yield* Policies.make

    const execute = <O extends Operation.Any>(
      operation: O,
      input: Operation.Input<O> & object,
      recover?: Effect.Effect<Option.Option<Response<O> & object>, GlacierError>
    ) => {
      const vaultName = vaultOf(input)
      return typed<O>(
        Effect.gen(function*() {
          const request = yield* Operation.encode(operation, input)
          const policies = yield* policiesInUse
          const call: Attempt.Call = { operation, vaultName, input, request, policies, mayHaveActed: false }
          const rules = {
            operation,
            vaultName,
            policy: policies.retryPolicy,
            quota: policies.quota,
            recover,
            lookUp: lookUpOf(operation, input)
          }
          const calling = Effect.provideService(
            Retrying.calling(attempt(call), rules),
            Waiting.Warnings,
            policies.warnings
          )
          const onTimeout = Retrying.onCallTimeout(rules, () => call.mayHaveActed)
          return yield* TimeLimits.call(calling, policies.timeouts.call, operation, onTimeout)
        }).pipe(inCall(operation, vaultName))
      )
    }

    return {
      execute,
      retry: (effect, operation, only) =>
        Effect.flatMap(policiesInUse, ({ quota, retryPolicy, warnings }) =>
          Effect.provideService(
            Retrying.repeating(effect, { operation, policy: RetryPolicy.when(retryPolicy, only), quota }),
            Waiting.Warnings,
            warnings
          )),
      time
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
