/**
 * An answer that refuses, on its way to the wire: code, status and text as the service has them (spec section 6).
 *
 * @internal
 */
import * as ServiceError from "../../protocol/ServiceError.ts"

/** Why a request is refused. */
export class ErrorResponse {
  readonly _tag = "ErrorResponse"
  readonly code: string
  readonly status: number
  readonly message: string

  constructor(code: string, status: number, message: string) {
    this.code = code
    this.status = status
    this.message = message
  }
}

const of = (error: { readonly code: string }, status: number) => (message: string): ErrorResponse =>
  new ErrorResponse(error.code, status, message)

/** The request is none of this API. */
export const badRequest = of(ServiceError.BadRequest, 400)

/** A value is there but wrong, or the state does not allow it. */
export const invalid = of(ServiceError.InvalidParameterValue, 400)

/** No such vault, archive, upload or job. */
export const notFound = of(ServiceError.ResourceNotFound, 404)

/** A policy or the state of a lock forbids it. */
export const accessDenied = of(ServiceError.AccessDenied, 403)

/** There are too many already. */
export const limitExceeded = of(ServiceError.LimitExceeded, 400)

/** The data-retrieval policy does not allow it. */
export const policyEnforced = of(ServiceError.PolicyEnforced, 400)

/** An Expedited retrieval cannot be served now. */
export const insufficientCapacity: ErrorResponse = new ErrorResponse(
  ServiceError.InsufficientCapacity.code,
  503,
  "There is insufficient capacity to process this expedited request."
)

/** The JSON cannot be read. */
export const serialization = of(ServiceError.Serialization, 400)

/** The body is not the one that was signed. */
export const invalidSignature = of(ServiceError.InvalidSignature, 403)

/** A required header or field is absent. */
export const missing = (name: string): ErrorResponse =>
  new ErrorResponse(ServiceError.MissingParameterValue.code, 400, `Required parameter missing: ${name}`)

/** The account in the path is not the caller's. */
export const wrongAccount = (id: string): ErrorResponse =>
  new ErrorResponse(ServiceError.AccessDenied.code, 403, `Access denied for account ID: ${id}`)

/** The account has no storage, and the service is closed to new customers. */
export const noLongerSupported: ErrorResponse = new ErrorResponse(
  ServiceError.NoLongerSupported.code,
  400,
  "The service is no longer supported for accounts without Amazon Glacier storage."
)

/** The body did not arrive in time. */
export const timedOut: ErrorResponse = new ErrorResponse(ServiceError.RequestTimeout.code, 408, "Request timed out.")

/** The emulator itself failed. */
export const unavailable: ErrorResponse = new ErrorResponse(
  ServiceError.ServiceUnavailable.code,
  500,
  "The service is unavailable. Please try again later."
)
