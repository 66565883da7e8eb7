/**
 * The errors of the service as tagged classes, named after their wire code without "Exception". See Error Responses (Amazon
 * Glacier API Reference).
 *
 * Four codes have several causes: InvalidParameterValueException, ResourceNotFoundException, AccessDeniedException and
 * InvalidSignatureException. Causes that a program handles differently have classes of their own, recognized by the text of
 * the response. A response with an unknown text becomes the class of its code. No class holds a request, a header or a secret.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { errorClass, response, serviceErrorClass, type Wire } from "./internal/errorClass.ts"
import { ArchiveId } from "./Names.ts"

export { type AnyError, type Retry, TypeId } from "./internal/errorClass.ts"

/**
 * 403: IAM, an access policy or a vault lock denies the request, or the account is not the caller's. `VaultLockInProgress` and
 * `VaultLocked` report the state of a lock.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccessDenied extends serviceErrorClass<AccessDenied>()("AccessDenied", {
  code: "AccessDeniedException"
}) {}

/**
 * 400: the request does not match the API.
 *
 * @since 0.1.0
 * @category errors
 */
export class BadRequest extends serviceErrorClass<BadRequest>()("BadRequest", {
  code: "BadRequest"
}) {}

/**
 * 403: the session token of temporary credentials has expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class ExpiredToken extends serviceErrorClass<ExpiredToken>()("ExpiredToken", {
  code: "ExpiredTokenException"
}) {}

/**
 * 503 or 400: an Expedited retrieval cannot be served now. Another tier can.
 *
 * @since 0.1.0
 * @category errors
 */
export class InsufficientCapacity extends serviceErrorClass<InsufficientCapacity>()("InsufficientCapacity", {
  code: "InsufficientCapacityException"
}) {}

/**
 * 403: the signature or the clock is wrong.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSignature extends serviceErrorClass<InvalidSignature>()("InvalidSignature", {
  code: "InvalidSignatureException",
  fields: {
    /** The cause, if it is known: the `clock` of this machine, or a body so `slow` that the signature expired. */
    because: Schema.optional(Schema.Literal("clock", "slow"))
  },
  // With a known cause, the next signature is valid.
  retry: ({ because }) => because === undefined ? "never" : because === "clock" ? "clock" : "transient"
}) {}

/**
 * 400: too many vaults, tags or capacity units in the account.
 *
 * @since 0.1.0
 * @category errors
 */
export class LimitExceeded extends serviceErrorClass<LimitExceeded>()("LimitExceeded", {
  code: "LimitExceededException"
}) {}

/**
 * 400: the request carries no credentials.
 *
 * @since 0.1.0
 * @category errors
 */
export class MissingAuthenticationToken
  extends serviceErrorClass<MissingAuthenticationToken>()("MissingAuthenticationToken", {
    code: "MissingAuthenticationTokenException"
  })
{}

/**
 * 400: a required header or field is absent.
 *
 * @since 0.1.0
 * @category errors
 */
export class MissingParameterValue extends serviceErrorClass<MissingParameterValue>()("MissingParameterValue", {
  code: "MissingParameterValueException"
}) {}

/**
 * 400: the account has no Glacier storage, and the service is closed to new customers.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoLongerSupported extends serviceErrorClass<NoLongerSupported>()("NoLongerSupported", {
  code: "NoLongerSupportedException"
}) {}

/**
 * 400: the data-retrieval policy does not allow this retrieval now.
 *
 * @since 0.1.0
 * @category errors
 */
export class PolicyEnforced extends serviceErrorClass<PolicyEnforced>()("PolicyEnforced", {
  code: "PolicyEnforcedException"
}) {}

/**
 * 408: the body did not arrive in time. Nothing was stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestTimeout extends serviceErrorClass<RequestTimeout>()("RequestTimeout", {
  code: "RequestTimeoutException",
  retry: "transient"
}) {}

/**
 * 400: the JSON body cannot be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class Serialization extends serviceErrorClass<Serialization>()("Serialization", {
  code: "SerializationException"
}) {}

/**
 * 500: the service failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServiceUnavailable extends serviceErrorClass<ServiceUnavailable>()("ServiceUnavailable", {
  code: "ServiceUnavailableException",
  retry: "transient"
}) {}

/**
 * 400: too many requests. Glacier throttles with status 400, so only the code identifies it.
 *
 * @since 0.1.0
 * @category errors
 */
export class Throttling extends serviceErrorClass<Throttling>()("Throttling", {
  code: "ThrottlingException",
  retry: "throttle"
}) {}

/**
 * 400: the access key is unknown, or the session token wrong.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnrecognizedClient extends serviceErrorClass<UnrecognizedClient>()("UnrecognizedClient", {
  code: "UnrecognizedClientException"
}) {}

/**
 * 404: there is no vault of this name in the region and the account of the request. Credentials that may not read the
 * vault may get `AccessDenied` instead.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultNotFound extends serviceErrorClass<VaultNotFound>()("VaultNotFound", {
  code: "ResourceNotFoundException",
  text: /^Vault not found\b/
}) {}

/**
 * 404: the vault holds no archive with this id. An inventory lists archives that were deleted since it was taken.
 *
 * @since 0.1.0
 * @category errors
 */
export class ArchiveNotFound extends serviceErrorClass<ArchiveNotFound>()("ArchiveNotFound", {
  code: "ResourceNotFoundException",
  text: /^The archive ID was not found\b/
}) {}

/**
 * 404: the vault has no job with this id. The service forgets a job, and its output, some time after 24 hours from its
 * completion.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobNotFound extends serviceErrorClass<JobNotFound>()("JobNotFound", {
  code: "ResourceNotFoundException",
  text: /^The job ID was not found\b/,
  advice: "the service keeps a job and its output for 24 hours after completion; start another job"
}) {}

/**
 * 404: the vault has no open multipart upload with this id. It was completed or aborted, or it got no part for 24 hours.
 * The service's text is a guess, modelled on the texts for jobs and archives.
 *
 * @since 0.1.0
 * @category errors
 */
export class UploadNotFound extends serviceErrorClass<UploadNotFound>()("UploadNotFound", {
  code: "ResourceNotFoundException",
  text: /\bupload ID\b/i,
  advice: "an upload is gone once it is completed or aborted, and after 24 hours without a part"
}) {}

/**
 * 404: InitiateJob for an inventory of a vault that exists, but has no inventory yet. The service's text is a guess: only its
 * meaning is known.
 *
 * @since 0.1.0
 * @category errors
 */
export class InventoryNotReady extends serviceErrorClass<InventoryNotReady>()("InventoryNotReady", {
  code: "ResourceNotFoundException",
  text: /\b(initial|first|no) inventory\b/i,
  advice: "the service takes the first inventory of a vault about a day after the first upload; try again then"
}) {}

/**
 * 404: the vault has no notification configuration.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotificationsNotSet extends serviceErrorClass<NotificationsNotSet>()("NotificationsNotSet", {
  code: "ResourceNotFoundException",
  text: /^No notification configuration is set\b/
}) {}

/**
 * 404: the vault has no access policy.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccessPolicyNotSet extends serviceErrorClass<AccessPolicyNotSet>()("AccessPolicyNotSet", {
  code: "ResourceNotFoundException",
  text: /^No vault access policy is set\b/
}) {}

/**
 * 404: the vault has no lock: none was initiated, or it was aborted, or it was not completed within 24 hours. The
 * service's text is a guess, modelled on the text for access policies.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultLockNotSet extends serviceErrorClass<VaultLockNotSet>()("VaultLockNotSet", {
  code: "ResourceNotFoundException",
  text: /^No vault lock\b/i
}) {}

/**
 * 404: a resource is missing, and this version does not know the text of the response. Each known cause has a
 * class of its own: `VaultNotFound`, `ArchiveNotFound`, `JobNotFound`, `UploadNotFound`, `InventoryNotReady`,
 * `NotificationsNotSet`, `AccessPolicyNotSet` and `VaultLockNotSet`.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResourceNotFound extends serviceErrorClass<ResourceNotFound>()("ResourceNotFound", {
  code: "ResourceNotFoundException"
}) {}

/**
 * 403: InitiateVaultLock, and another lock of the vault is in progress. Complete it, abort it, or wait until it expires. The
 * service's text is a guess: where the words differ, this is `AccessDenied`, and GetVaultLock returns the state.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultLockInProgress extends serviceErrorClass<VaultLockInProgress>()("VaultLockInProgress", {
  code: "AccessDeniedException",
  text: /\block\b.* in[ -]progress\b/i
}) {}

/**
 * 403: the lock of the vault is final, so it can neither be replaced nor aborted. The service's text is a guess: where the
 * words differ, this is `AccessDenied`, and GetVaultLock returns the state.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultLocked extends serviceErrorClass<VaultLocked>()("VaultLocked", {
  code: "AccessDeniedException",
  text: /\b(is|already) locked\b/i
}) {}

/**
 * The archive with this id is in another vault of the account and region.
 *
 * @since 0.1.0
 * @category errors
 */
export class ArchiveInOtherVault extends serviceErrorClass<ArchiveInOtherVault>()("ArchiveInOtherVault", {
  code: "InvalidParameterValueException",
  text: /^Invalid vault name\b/
}) {}

/**
 * The service has other bytes than were sent. `status` says which check failed:
 * - 403: the bytes were damaged on their way. Their SHA-256 is not the signed one, so nothing was stored.
 * - 400: the bytes arrived as they were sent, but their tree hash is not the one sent with them. Nothing was stored.
 * - 201 or 204: the service reports success with another tree hash than the one sent. The archive or part is stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class ChecksumMismatch extends serviceErrorClass<ChecksumMismatch>()("ChecksumMismatch", {
  code: "InvalidParameterValueException",
  text: /^(Checksum mismatch|Invalid x-amz-sha256-tree-hash)/,
  alias: {
    code: "InvalidSignatureException",
    text: /x-amz-content-sha256 does not match the computed payload hash/i
  },
  fields: {
    /** The archive that was stored with the wrong tree hash. Delete it, and upload again. */
    archiveId: Schema.optional(ArchiveId)
  },
  // Damaged bytes, and a part (204), are sent again. An archive that is stored is not, nor is a wrong tree hash.
  retry: ({ status }) => status === 403 || status === 204 ? "transient" : "never"
}) {}

/**
 * 400: the archive or part is empty.
 *
 * @since 0.1.0
 * @category errors
 */
export class EmptyArchive extends serviceErrorClass<EmptyArchive>()("EmptyArchive", {
  code: "InvalidParameterValueException",
  text: /^Invalid Content-Length: 0\b/
}) {}

/**
 * 400: the part size is not 1 MiB times a power of two, up to 4 GiB.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidPartSize extends serviceErrorClass<InvalidPartSize>()("InvalidPartSize", {
  code: "InvalidParameterValueException",
  text: /^Invalid part size/
}) {}

/**
 * 400: the service rejects GetJobOutput, because the job is in progress or failed. This package checks the job first, so its
 * own methods raise `JobRunning` or `JobFailed` instead.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobNotReady extends serviceErrorClass<JobNotReady>()("JobNotReady", {
  code: "InvalidParameterValueException",
  text: /^The job is not currently available/
}) {}

/**
 * 400: the range does not start and end on a MiB, or the part does not start on a multiple of the part size.
 *
 * @since 0.1.0
 * @category errors
 */
export class RangeNotAligned extends serviceErrorClass<RangeNotAligned>()("RangeNotAligned", {
  code: "InvalidParameterValueException",
  text: /^(?!Invalid vault name).*align/
}) {}

/**
 * 400: the range of a job's output starts after its end.
 *
 * @since 0.1.0
 * @category errors
 */
export class RangeNotSatisfiable extends serviceErrorClass<RangeNotSatisfiable>()("RangeNotSatisfiable", {
  code: "InvalidParameterValueException",
  text: /^The start of the range is larger/
}) {}

/**
 * 400: the vault contains archives, or was written to since its last inventory.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultNotEmpty extends serviceErrorClass<VaultNotEmpty>()("VaultNotEmpty", {
  code: "InvalidParameterValueException",
  text: /^Vault not empty or recently written to/
}) {}

/**
 * 400: a value is invalid, for a cause without a class of its own.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidParameterValue extends serviceErrorClass<InvalidParameterValue>()("InvalidParameterValue", {
  code: "InvalidParameterValueException"
}) {}

/**
 * The codes of throttling in other AWS services (AWS "Retry behavior 2.1"). That list also has LimitExceededException. In
 * Glacier it is not throttling: it means too many vaults, tags or units.
 */
const throttlingCodes: ReadonlySet<string> = new Set([
  "BandwidthLimitExceeded",
  "EC2ThrottledException",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "ServiceUnavailable",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "TooManyRequestsException",
  "TransactionInProgressException"
])

/** Some of S3: they can come with another status. */
const transientCodes: ReadonlySet<string> = new Set([
  "ConditionalRequestConflict",
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "RequestTimeoutException"
])

const transientStatus: ReadonlySet<number> = new Set([408, 500, 502, 503, 504])

/**
 * A code that this version does not know, or that the operation does not list.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownServiceError extends errorClass<UnknownServiceError>()(
  "UnknownServiceError",
  { ...response, code: Schema.String },
  // By the code, else by the status, as in AWS's clients.
  ({ code, status }) => {
    if (status === 429 || throttlingCodes.has(code)) return "throttle"
    if (code === "RequestTimeTooSkewed") return "clock"
    return transientStatus.has(status) || transientCodes.has(code) ? "transient" : "never"
  }
) {}

/**
 * The errors of every operation on a vault, when the vault is not found.
 *
 * @since 0.1.0
 * @category groups
 */
export const vaultMissing = [VaultNotFound, ResourceNotFound] as const

/**
 * The errors of every operation.
 *
 * @since 0.1.0
 * @category groups
 */
export const common = [
  AccessDenied,
  BadRequest,
  ExpiredToken,
  InvalidParameterValue,
  InvalidSignature,
  MissingAuthenticationToken,
  MissingParameterValue,
  NoLongerSupported,
  ServiceUnavailable,
  Throttling,
  UnrecognizedClient
] as const

/**
 * Any of the classes above except `UnknownServiceError`: its wire code, and for a cause of a split code its text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Known<E> extends Wire {
  new(response: Response): E
}

/**
 * The values of an error response.
 *
 * @since 0.1.0
 * @category models
 */
export interface Response {
  readonly operation: string
  readonly status: number
  readonly message: string
  readonly requestId?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * Translates an error response to one of the classes that an operation lists, else to `UnknownServiceError`: a new error of
 * the service must not become a defect.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromResponse = <E>(
  known: ReadonlyArray<Known<E>>,
  code: string,
  response: Response
): E | UnknownServiceError => {
  const isText = (one: { readonly code: string; readonly text?: RegExp | undefined } | undefined) =>
    one?.code === code && one.text?.test(response.message) === true
  const Class = known.find((one) => isText(one) || isText(one.alias)) ??
    known.find((one) => one.code === code && one.text === undefined)
  if (Class === undefined) return new UnknownServiceError({ ...response, code })
  return new Class(
    Class.advice === undefined ? response : { ...response, message: `${response.message} (${Class.advice})` }
  )
}
