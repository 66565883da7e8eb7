/**
 * All errors of a call: those of the service (`ServiceError`), of the connection, and of invalid input. Each has `retry`. No
 * error holds a request, a header or a secret.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type AnyError, errorClass, FiniteDuration } from "./internal/errorClass.ts"
import * as Limits from "./Limits.ts"
import { JobId, PartSize, UploadId } from "./Names.ts"
import * as ServiceError from "./ServiceError.ts"

/**
 * The connection failed or broke before the response was complete. Unless `sent` is false, it is unknown whether the service
 * carried out the request.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionError extends errorClass<ConnectionError>()("ConnectionError", {
  operation: Schema.String,
  message: Schema.String,
  /** Whether any bytes can have reached the service. False when no connection was made. */
  sent: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  /** Whether no request of this client has ever reached the endpoint, this one included. */
  unreachable: Schema.optionalWith(Schema.Boolean, { default: () => false })
}, "transient") {}

/**
 * A connection that would be rejected again: the certificate of the server is not trusted, the server does not support TLS, or
 * a proxy rejects the request. Nothing was sent. `message` says why.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionRejected
  extends errorClass<ConnectionRejected>()("ConnectionRejected", { operation: Schema.String, message: Schema.String })
{}

/**
 * An attempt, or a call with all its attempts, took longer than `Timeouts` permits. It is unknown whether the service carried
 * out the request.
 *
 * @since 0.1.0
 * @category errors
 */
export class AttemptTimeout extends errorClass<AttemptTimeout>()("AttemptTimeout", {
  operation: Schema.String,
  /** The event that was missing: a `response`, the next bytes of a `body`, or the end of the `call`. */
  waiting: Schema.Literal("response", "body", "call"),
  /** The time limit. */
  limit: FiniteDuration
}, "transient") {
  override get message(): string {
    const missing = { response: "no response", body: "no more of the body", call: "no success" }
    return `${this.operation}: ${missing[this.waiting]} in ${Duration.format(this.limit)}`
  }
}

/**
 * The response to a call was lost, and the client cannot find out whether the service carried it out. `message` says where to
 * look. Look there before you repeat the call.
 *
 * @since 0.1.0
 * @category errors
 */
export class OutcomeUnknown
  extends errorClass<OutcomeUnknown>()("OutcomeUnknown", { operation: Schema.String, message: Schema.String })
{}

/**
 * A successful response whose headers or body do not match the API.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedResponse extends errorClass<MalformedResponse>()("MalformedResponse", {
  operation: Schema.String,
  status: Schema.Int,
  requestId: Schema.optional(Schema.String),
  /** The first mismatch with the schema. */
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.operation}: malformed response (${this.status}): ${this.problem}`
  }
}

/**
 * A window of a job's output arrived incomplete or with the wrong tree hash.
 *
 * @since 0.1.0
 * @category errors
 */
export class BrokenOutput extends errorClass<BrokenOutput>()("BrokenOutput", {
  jobId: Schema.String,
  /** The first and last byte of the window. */
  start: Schema.NonNegativeInt,
  end: Schema.NonNegativeInt,
  problem: Schema.String
}, "transient") {
  override get message(): string {
    return `Bytes ${this.start} to ${this.end} of job ${this.jobId}: ${this.problem}`
  }
}

/**
 * An entry of an inventory that cannot be decoded. The entries after it can be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedEntry extends errorClass<MalformedEntry>()("MalformedEntry", {
  /** The number of the entry, from 1. */
  entry: Schema.NonNegativeInt,
  /** The byte of the document at which the entry starts. */
  offset: Schema.NonNegativeInt,
  /** The whole entry as text. */
  text: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `Entry ${this.entry} of the inventory, at byte ${this.offset}: ${this.problem}`
  }
}

/**
 * A document that is not an inventory, or is damaged so that the rest cannot be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedInventory extends errorClass<MalformedInventory>()("MalformedInventory", {
  /** The byte at which the unreadable part starts. */
  offset: Schema.NonNegativeInt,
  problem: Schema.String
}) {
  override get message(): string {
    return `The inventory, at byte ${this.offset}: ${this.problem}`
  }
}

/**
 * A source changed during its upload: it has fewer or more bytes than at the start, was written to, or ends before parts that
 * the service already has. No archive was stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class SourceChanged extends errorClass<SourceChanged>()("SourceChanged", {
  message: Schema.String
}) {}

/**
 * A stream has more bytes than 10,000 parts can hold. Start a new upload with a larger part size: the part size of an open
 * upload cannot change.
 *
 * @since 0.1.0
 * @category errors
 */
export class SourceTooLarge extends errorClass<SourceTooLarge>()("SourceTooLarge", {
  /** The part size in bytes. */
  partSize: PartSize
}) {
  override get message(): string {
    const largest = this.partSize * Limits.maximumParts
    return `The source has more than the ${largest} bytes that 10,000 parts of ${this.partSize} bytes hold`
  }
}

/**
 * The upload to resume is not open, and was not recently completed with the bytes of the source. It was aborted, received no
 * part for 24 hours, was completed long ago or with other bytes, or never existed. `message` is the service's.
 *
 * @since 0.1.0
 * @category errors
 */
export class UploadGone extends errorClass<UploadGone>()("UploadGone", {
  uploadId: UploadId,
  message: Schema.String
}) {}

/**
 * A job is still in progress. Raised by this package after DescribeJob, or when waiting has stopped. When the service itself
 * rejects GetJobOutput, the error is `JobNotReady`.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobRunning extends errorClass<JobRunning>()("JobRunning", {
  jobId: JobId
}) {
  override get message(): string {
    return `Job ${this.jobId} is still in progress`
  }
}

/**
 * A job failed, so it has no output. `message` is the service's reason.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobFailed extends errorClass<JobFailed>()("JobFailed", {
  jobId: JobId,
  message: Schema.String
}) {}

/**
 * A job and its output have expired, 24 hours after the completion of the job, or the vault never had a job with this id.
 * `message` is the service's.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobExpired extends errorClass<JobExpired>()("JobExpired", {
  jobId: JobId,
  /** The completion date, if the job was described before it expired. */
  completionDate: Schema.optional(Schema.DateTimeUtc),
  message: Schema.String
}) {}

/**
 * The credentials are missing, or their provider failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsError extends errorClass<CredentialsError>()("CredentialsError", { message: Schema.String }) {}

/**
 * The region or endpoint is missing, unknown or not safe to send credentials to.
 *
 * @since 0.1.0
 * @category errors
 */
export class EndpointError extends errorClass<EndpointError>()("EndpointError", { message: Schema.String }) {}

/**
 * Input that breaks a rule. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInput extends errorClass<InvalidInput>()("InvalidInput", {
  /** The operation, for instance `CreateVault`. */
  operation: Schema.String,
  /** The field, for instance `vaultName`. */
  field: Schema.String,
  /** The value, shortened, as text. */
  value: Schema.String,
  /** The rule that the value breaks. */
  rule: Schema.String
}) {
  override get message(): string {
    return `${this.operation}: ${this.field} ${this.rule}, but is ${this.value}`
  }
}

/**
 * A retrieval does not fit in the `RetrievalBudget` in use. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class BudgetExceeded extends errorClass<BudgetExceeded>()("BudgetExceeded", {
  /** The id of the archive, and its path if it has one. Absent for an inventory. */
  archive: Schema.optional(Schema.String),
  /** The cap that the retrieval would exceed. */
  cap: Schema.Literal("bytesPerHour", "bytesPerDay", "cost"),
  /** The value of the cap: bytes, or money in the currency of the prices. */
  allowed: Schema.Finite.pipe(Schema.nonNegative()),
  /** The part of the cap that is left. */
  left: Schema.Finite.pipe(Schema.nonNegative()),
  /** The part that the retrieval needs. */
  asked: Schema.Finite.pipe(Schema.nonNegative()),
  /** The minimum time until the retrieval fits. Absent when it never fits. */
  roomIn: Schema.optional(FiniteDuration)
}) {
  override get message(): string {
    const fit = this.roomIn === undefined
      ? "it will never fit"
      : `it fits in ${Duration.format(this.roomIn)}`
    const what = this.archive === undefined ? "A retrieval" : `The retrieval of archive ${this.archive}`
    return `${what} takes ${this.asked} of the budget's ${this.cap} of ${this.allowed}, of which ${this.left} is left: ${fit}`
  }
}

/**
 * The ledger of a `RetrievalBudget` cannot be read or written, or is in use elsewhere. Without it nothing is retrieved.
 * `message` says what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class LedgerError extends errorClass<LedgerError>()("LedgerError", {
  message: Schema.String,
  /** The process that uses the ledger, for instance `process 4711`. Absent if it is not in use. */
  owner: Schema.optional(Schema.String)
}) {}

/**
 * The errors of any call, except those of the service.
 *
 * @since 0.1.0
 * @category groups
 */
export type TransportError =
  | AttemptTimeout
  | ConnectionError
  | ConnectionRejected
  | CredentialsError
  | InvalidInput
  | MalformedResponse

/**
 * Every error of a call, as a Schema: for logs, queues and journals.
 *
 * @since 0.1.0
 * @category groups
 */
export const GlacierError = Schema.Union(
  ServiceError.AccessDenied,
  ServiceError.BadRequest,
  ServiceError.ExpiredToken,
  ServiceError.InsufficientCapacity,
  ServiceError.InvalidSignature,
  ServiceError.LimitExceeded,
  ServiceError.MissingAuthenticationToken,
  ServiceError.MissingParameterValue,
  ServiceError.NoLongerSupported,
  ServiceError.PolicyEnforced,
  ServiceError.RequestTimeout,
  ServiceError.Serialization,
  ServiceError.ServiceUnavailable,
  ServiceError.Throttling,
  ServiceError.UnrecognizedClient,
  ServiceError.VaultNotFound,
  ServiceError.ArchiveNotFound,
  ServiceError.JobNotFound,
  ServiceError.UploadNotFound,
  ServiceError.InventoryNotReady,
  ServiceError.NotificationsNotSet,
  ServiceError.AccessPolicyNotSet,
  ServiceError.VaultLockNotSet,
  ServiceError.ResourceNotFound,
  ServiceError.VaultLockInProgress,
  ServiceError.VaultLocked,
  ServiceError.ArchiveInOtherVault,
  ServiceError.ChecksumMismatch,
  ServiceError.EmptyArchive,
  ServiceError.InvalidPartSize,
  ServiceError.JobNotReady,
  ServiceError.RangeNotAligned,
  ServiceError.RangeNotSatisfiable,
  ServiceError.VaultNotEmpty,
  ServiceError.InvalidParameterValue,
  ServiceError.UnknownServiceError,
  ConnectionError,
  ConnectionRejected,
  AttemptTimeout,
  OutcomeUnknown,
  MalformedResponse,
  BrokenOutput,
  MalformedEntry,
  MalformedInventory,
  SourceChanged,
  SourceTooLarge,
  UploadGone,
  JobRunning,
  JobFailed,
  JobExpired,
  CredentialsError,
  EndpointError,
  InvalidInput,
  BudgetExceeded,
  LedgerError
)

/**
 * Every error of a call.
 *
 * @since 0.1.0
 * @category groups
 */
export type GlacierError = typeof GlacierError.Type

/**
 * Whether a value is an error of this package: of a call, a transfer or a plan.
 *
 * @since 0.1.0
 * @category guards
 */
export const isGlacierError = (value: unknown): value is AnyError => Predicate.hasProperty(value, ServiceError.TypeId)

/**
 * Formats a value for an error message: shortened, and bytes only by their number.
 *
 * @since 0.1.0
 * @category formatting
 */
export const show = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value !== "string" && typeof value !== "object") return String(value)
  // A circular value has no JSON.
  const text = Either.getOrElse(Either.try(() => JSON.stringify(value)), () => "a value that cannot be shown")
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}
