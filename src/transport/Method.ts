/**
 * An operation as a function. Its input, output and errors follow from its descriptor.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { GlacierError, OutcomeUnknown, TransportError } from "../protocol/GlacierError.ts"
import type * as Operation from "../protocol/Operation.ts"
import type * as ServiceError from "../protocol/ServiceError.ts"
import type { Body } from "./ResponseBody.ts"

/**
 * The response to a call of an operation.
 *
 * @since 0.1.0
 * @category models
 */
export type Response<O extends Operation.Any> = O["body"] extends "bytes" ?
  Operation.Output<O> & { readonly body: Body }
  : Operation.Output<O>

/**
 * The errors of a call: the service errors that the operation lists, the errors of any call, and `OutcomeUnknown` unless
 * the operation is always repeatable.
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
