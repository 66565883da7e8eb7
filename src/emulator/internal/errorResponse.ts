/**
 * The error responses of the emulator, with the codes, statuses and texts of the service. See Error Responses (Amazon
 * Glacier API Reference).
 *
 * @internal
 */
import * as ServiceError from "../../protocol/ServiceError.ts"

/** An error response before it is encoded. */
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

/** The request is not a request of this API. */
export const badRequest = of(ServiceError.BadRequest, 400)

/** A parameter has an invalid value, or the state of the resource does not allow the operation. */
export const invalid = of(ServiceError.InvalidParameterValue, 400)

/** There is no such vault, archive, upload, job or setting. */
export const notFound = of(ServiceError.ResourceNotFound, 404)

/** A policy or the state of a vault lock denies the operation. */
export const accessDenied = of(ServiceError.AccessDenied, 403)

/** The account or vault has reached a limit. */
export const limitExceeded = of(ServiceError.LimitExceeded, 400)

/** The data-retrieval policy does not allow the retrieval. */
export const policyEnforced = of(ServiceError.PolicyEnforced, 400)

/** The Expedited retrieval needs provisioned capacity. */
export const insufficientCapacity: ErrorResponse = new ErrorResponse(
  ServiceError.InsufficientCapacity.code,
  503,
  "There is insufficient capacity to process this expedited request."
)

/** The body is not valid JSON. */
export const serialization = of(ServiceError.Serialization, 400)

/** The hash of the body differs from the signed hash. */
export const invalidSignature = of(ServiceError.InvalidSignature, 403)

/** A required header or field is missing. */
export const missing = (name: string): ErrorResponse =>
  new ErrorResponse(ServiceError.MissingParameterValue.code, 400, `Required parameter missing: ${name}`)

/** The caller may not use the account in the path. */
export const wrongAccount = (id: string): ErrorResponse =>
  new ErrorResponse(ServiceError.AccessDenied.code, 403, `Access denied for account ID: ${id}`)

/** The account has never stored anything, and the service no longer accepts such accounts. */
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
