/**
 * An operation as a function: what it takes, gives and fails with follows from its descriptor.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { GlacierError, OutcomeUnknown, TransportError } from "../protocol/GlacierError.ts"
import type * as Operation from "../protocol/Operation.ts"
import type * as ServiceError from "../protocol/ServiceError.ts"
import type { Body } from "./ResponseBody.ts"

/**
 * What a call of an operation gives.
 *
 * @since 0.1.0
 * @category models
 */
export type Response<O extends Operation.Any> = O["body"] extends "bytes" ?
  Operation.Output<O> & { readonly body: Body }
  : Operation.Output<O>

/**
 * What a call of an operation can fail with: the service errors it lists, what can happen to any call, and
 * `OutcomeUnknown` unless it can always be repeated.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure<O extends Operation.Any> =
  | Extract<Operation.Errors<O>, GlacierError>
  | ServiceError.UnknownServiceError
  | TransportError
  | (O["repeatable"] extends true ? never : OutcomeUnknown)

/**
 * An operation as a function.
 *
 * @since 0.1.0
 * @category models
 */
export type Method<O extends Operation.Any> = (
  input: Operation.Input<O> & object
) => Effect.Effect<Response<O>, Failure<O>>
