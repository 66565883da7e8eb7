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
import * as Schema from "effect/Schema"
import { tagged } from "./internal/tagged.ts"
import { ArchiveId } from "./Names.ts"

/**
 * The symbol that marks all errors of this package.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = Symbol.for("effect-glacier/GlacierError")

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Whether a retry can succeed:
 *
 * - `never`: it fails with the same error.
 * - `transient`: it can succeed.
 * - `throttle`: it can succeed after a longer wait.
 * - `clock`: it can succeed, because the client has corrected its clock.
 *
 * @since 0.1.0
 * @category models
 */
export type Retry = "never" | "transient" | "throttle" | "clock"

const response = {
  /** The operation that failed, for instance `InitiateJob`. */
  operation: Schema.String,
  /** The HTTP status of the response. */
  status: Schema.Int,
  /** The text of the service. Some classes add advice in parentheses. */
  message: Schema.String,
  /** The value of `x-amzn-RequestId`, which AWS support asks for. */
  requestId: Schema.optional(Schema.String),
  /** The wait before the next attempt that the service asks for, in milliseconds. */
  retryAfter: Schema.optional(Schema.Finite.pipe(Schema.nonNegative()))
}

/**
 * 403: IAM, an access policy or a vault lock denies the request, or the account is not the caller's. `VaultLockInProgress` and
 * `VaultLocked` report the state of a lock.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccessDenied extends tagged<AccessDenied>()("AccessDenied", response) {
  static readonly code = "AccessDeniedException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the request does not match the API.
 *
 * @since 0.1.0
 * @category errors
 */
export class BadRequest extends tagged<BadRequest>()("BadRequest", response) {
  static readonly code = "BadRequest"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 403: the session token of temporary credentials has expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class ExpiredToken extends tagged<ExpiredToken>()("ExpiredToken", response) {
  static readonly code = "ExpiredTokenException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 503 or 400: an Expedited retrieval cannot be served now. Another tier can.
 *
 * @since 0.1.0
 * @category errors
 */
export class InsufficientCapacity extends tagged<InsufficientCapacity>()("InsufficientCapacity", response) {
  static readonly code = "InsufficientCapacityException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 403: the signature or the clock is wrong.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSignature extends tagged<InvalidSignature>()("InvalidSignature", {
  ...response,
  /** The cause, if it is known: the `clock` of this machine, or a body so `slow` that the signature expired. */
  because: Schema.optional(Schema.Literal("clock", "slow"))
}) {
  static readonly code = "InvalidSignatureException"
  readonly [TypeId]: TypeId = TypeId
  /** With a known cause, the next signature is valid. */
  get retry(): Retry {
    return this.because === undefined ? "never" : this.because === "clock" ? "clock" : "transient"
  }
}

/**
 * 400: too many vaults, tags or capacity units in the account.
 *
 * @since 0.1.0
 * @category errors
 */
export class LimitExceeded extends tagged<LimitExceeded>()("LimitExceeded", response) {
  static readonly code = "LimitExceededException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the request carries no credentials.
 *
 * @since 0.1.0
 * @category errors
 */
export class MissingAuthenticationToken
  extends tagged<MissingAuthenticationToken>()("MissingAuthenticationToken", response)
{
  static readonly code = "MissingAuthenticationTokenException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: a required header or field is absent.
 *
 * @since 0.1.0
 * @category errors
 */
export class MissingParameterValue extends tagged<MissingParameterValue>()("MissingParameterValue", response) {
  static readonly code = "MissingParameterValueException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the account has no Glacier storage, and the service is closed to new customers.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoLongerSupported extends tagged<NoLongerSupported>()("NoLongerSupported", response) {
  static readonly code = "NoLongerSupportedException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the data-retrieval policy does not allow this retrieval now.
 *
 * @since 0.1.0
 * @category errors
 */
export class PolicyEnforced extends tagged<PolicyEnforced>()("PolicyEnforced", response) {
  static readonly code = "PolicyEnforcedException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 408: the body did not arrive in time. Nothing was stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestTimeout extends tagged<RequestTimeout>()("RequestTimeout", response) {
  static readonly code = "RequestTimeoutException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "transient"
}

/**
 * 400: the JSON body cannot be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class Serialization extends tagged<Serialization>()("Serialization", response) {
  static readonly code = "SerializationException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 500: the service failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServiceUnavailable extends tagged<ServiceUnavailable>()("ServiceUnavailable", response) {
  static readonly code = "ServiceUnavailableException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "transient"
}

/**
 * 400: too many requests. Glacier throttles with status 400, so only the code identifies it.
 *
 * @since 0.1.0
 * @category errors
 */
export class Throttling extends tagged<Throttling>()("Throttling", response) {
  static readonly code = "ThrottlingException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "throttle"
}

/**
 * 400: the access key is unknown, or the session token wrong.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnrecognizedClient extends tagged<UnrecognizedClient>()("UnrecognizedClient", response) {
  static readonly code = "UnrecognizedClientException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: there is no vault of this name in the region and the account of the request. Credentials that may not read the
 * vault may get `AccessDenied` instead.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultNotFound extends tagged<VaultNotFound>()("VaultNotFound", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /^Vault not found\b/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: the vault holds no archive with this id. An inventory lists archives that were deleted since it was taken.
 *
 * @since 0.1.0
 * @category errors
 */
export class ArchiveNotFound extends tagged<ArchiveNotFound>()("ArchiveNotFound", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /^The archive ID was not found\b/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: the vault has no job with this id. The service forgets a job, and its output, some time after 24 hours from its
 * completion.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobNotFound extends tagged<JobNotFound>()("JobNotFound", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /^The job ID was not found\b/
  static readonly advice = "the service keeps a job and its output for 24 hours after completion; start another job"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: the vault has no open multipart upload with this id. It was completed or aborted, or it got no part for 24 hours.
 * The service's text is a guess, modelled on the texts for jobs and archives.
 *
 * @since 0.1.0
 * @category errors
 */
export class UploadNotFound extends tagged<UploadNotFound>()("UploadNotFound", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /\bupload ID\b/i
  static readonly advice = "an upload is gone once it is completed or aborted, and after 24 hours without a part"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: InitiateJob for an inventory of a vault that exists, but has no inventory yet. The service's text is a guess: only its
 * meaning is known.
 *
 * @since 0.1.0
 * @category errors
 */
export class InventoryNotReady extends tagged<InventoryNotReady>()("InventoryNotReady", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /\b(initial|first|no) inventory\b/i
  static readonly advice =
    "the service takes the first inventory of a vault about a day after the first upload; try again then"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: the vault has no notification configuration.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotificationsNotSet extends tagged<NotificationsNotSet>()("NotificationsNotSet", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /^No notification configuration is set\b/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: the vault has no access policy.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccessPolicyNotSet extends tagged<AccessPolicyNotSet>()("AccessPolicyNotSet", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /^No vault access policy is set\b/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: the vault has no lock: none was initiated, or it was aborted, or it was not completed within 24 hours. The
 * service's text is a guess, modelled on the text for access policies.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultLockNotSet extends tagged<VaultLockNotSet>()("VaultLockNotSet", response) {
  static readonly code = "ResourceNotFoundException"
  static readonly text = /^No vault lock\b/i
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 404: a resource is missing, and this version does not know the text of the response. Each known cause has a
 * class of its own: `VaultNotFound`, `ArchiveNotFound`, `JobNotFound`, `UploadNotFound`, `InventoryNotReady`,
 * `NotificationsNotSet`, `AccessPolicyNotSet` and `VaultLockNotSet`.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResourceNotFound extends tagged<ResourceNotFound>()("ResourceNotFound", response) {
  static readonly code = "ResourceNotFoundException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 403: InitiateVaultLock, and another lock of the vault is in progress. Complete it, abort it, or wait until it expires. The
 * service's text is a guess: where the words differ, this is `AccessDenied`, and GetVaultLock returns the state.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultLockInProgress extends tagged<VaultLockInProgress>()("VaultLockInProgress", response) {
  static readonly code = "AccessDeniedException"
  static readonly text = /\block\b.* in[ -]progress\b/i
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 403: the lock of the vault is final, so it can neither be replaced nor aborted. The service's text is a guess: where the
 * words differ, this is `AccessDenied`, and GetVaultLock returns the state.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultLocked extends tagged<VaultLocked>()("VaultLocked", response) {
  static readonly code = "AccessDeniedException"
  static readonly text = /\b(is|already) locked\b/i
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * The archive with this id is in another vault of the account and region.
 *
 * @since 0.1.0
 * @category errors
 */
export class ArchiveInOtherVault extends tagged<ArchiveInOtherVault>()("ArchiveInOtherVault", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^Invalid vault name\b/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * The service has other bytes than were sent. `status` says which check failed:
 * - 403: the bytes were damaged on their way. Their SHA-256 is not the signed one, so nothing was stored.
 * - 400: the bytes arrived as they were sent, but their tree hash is not the one sent with them. Nothing was stored.
 * - 201 or 204: the service reports success with another tree hash than the one sent. The archive or part is stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class ChecksumMismatch extends tagged<ChecksumMismatch>()("ChecksumMismatch", {
  ...response,
  /** The archive that was stored with the wrong tree hash. Delete it, and upload again. */
  archiveId: Schema.optional(ArchiveId)
}) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^(Checksum mismatch|Invalid x-amz-sha256-tree-hash)/
  static readonly alias = {
    code: "InvalidSignatureException",
    text: /x-amz-content-sha256 does not match the computed payload hash/i
  }
  readonly [TypeId]: TypeId = TypeId
  /** Damaged bytes, and a part (204), are sent again. An archive that is stored is not, nor is a wrong tree hash. */
  get retry(): Retry {
    return this.status === 403 || this.status === 204 ? "transient" : "never"
  }
}

/**
 * 400: the archive or part is empty.
 *
 * @since 0.1.0
 * @category errors
 */
export class EmptyArchive extends tagged<EmptyArchive>()("EmptyArchive", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^Invalid Content-Length: 0\b/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the part size is not 1 MiB times a power of two, up to 4 GiB.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidPartSize extends tagged<InvalidPartSize>()("InvalidPartSize", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^Invalid part size/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the service rejects GetJobOutput, because the job is in progress or failed. This package checks the job first, so its
 * own methods raise `JobRunning` or `JobFailed` instead.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobNotReady extends tagged<JobNotReady>()("JobNotReady", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^The job is not currently available/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the range does not start and end on a MiB, or the part does not start on a multiple of the part size.
 *
 * @since 0.1.0
 * @category errors
 */
export class RangeNotAligned extends tagged<RangeNotAligned>()("RangeNotAligned", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^(?!Invalid vault name).*align/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the range of a job's output starts after its end.
 *
 * @since 0.1.0
 * @category errors
 */
export class RangeNotSatisfiable extends tagged<RangeNotSatisfiable>()("RangeNotSatisfiable", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^The start of the range is larger/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: the vault contains archives, or was written to since its last inventory.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultNotEmpty extends tagged<VaultNotEmpty>()("VaultNotEmpty", response) {
  static readonly code = "InvalidParameterValueException"
  static readonly text = /^Vault not empty or recently written to/
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

/**
 * 400: a value is invalid, for a cause without a class of its own.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidParameterValue extends tagged<InvalidParameterValue>()("InvalidParameterValue", response) {
  static readonly code = "InvalidParameterValueException"
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
}

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
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "TooManyRequestsException",
  "TransactionInProgressException"
])

const transientCodes: ReadonlySet<string> = new Set(["RequestTimeout", "RequestTimeoutException"])

const transientStatus: ReadonlySet<number> = new Set([408, 500, 502, 503, 504])

/**
 * A code that this version does not know, or that the operation does not list.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownServiceError
  extends tagged<UnknownServiceError>()("UnknownServiceError", { ...response, code: Schema.String })
{
  readonly [TypeId]: TypeId = TypeId
  /** By the code, else by the status, as in AWS's clients. */
  get retry(): Retry {
    if (this.status === 429 || throttlingCodes.has(this.code)) return "throttle"
    return transientStatus.has(this.status) || transientCodes.has(this.code) ? "transient" : "never"
  }
}

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
export interface Known<E> {
  readonly code: string
  readonly text?: RegExp
  /** Advice that is added to the message, where the service's text has none. */
  readonly advice?: string
  /** Another code with the same meaning when its text matches. */
  readonly alias?: { readonly code: string; readonly text: RegExp }
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
  readonly retryAfter?: number | undefined
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
