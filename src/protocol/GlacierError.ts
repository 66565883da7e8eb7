/**
 * Everything a call can fail with: what the service answers (`ServiceError`), what happens on the way, and what is
 * refused before a byte is sent. All carry `retry` and none ever holds a request, a header or a secret.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { tagged } from "./internal/tagged.ts"
import * as Limits from "./Limits.ts"
import { JobId, PartSize, UploadId } from "./Names.ts"
import * as ServiceError from "./ServiceError.ts"

/**
 * No answer: the connection could not be made, or broke. Then whether the service did what was asked is not known.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionError extends tagged<ConnectionError>()("ConnectionError", {
  operation: Schema.String,
  message: Schema.String,
  /** Whether anything may have reached the service: not so when there was no connection at all. */
  sent: Schema.optionalWith(Schema.Boolean, { default: () => true }),
  /** Whether no request of this client has ever reached the endpoint, this one included. */
  unreachable: Schema.optionalWith(Schema.Boolean, { default: () => false })
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "transient"
}

/**
 * A connection was rejected, and would be again: the certificate of the other side is not trusted, it does not speak TLS,
 * or a proxy refuses to pass the request on. Nothing was sent. `message` says why.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionRejected
  extends tagged<ConnectionRejected>()("ConnectionRejected", { operation: Schema.String, message: Schema.String })
{
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * An attempt, or a call with all its attempts, took longer than `Timeouts` allows. Whether the service did what was asked is not known.
 *
 * @since 0.1.0
 * @category errors
 */
export class AttemptTimeout extends tagged<AttemptTimeout>()("AttemptTimeout", {
  operation: Schema.String,
  /** What was waited for: a `response`, the next bytes of a `body`, or the end of the `call`. */
  waiting: Schema.Literal("response", "body", "call"),
  /** How long, in milliseconds. */
  millis: Schema.Finite.pipe(Schema.nonNegative())
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "transient"
  override get message(): string {
    const missing = { response: "no response", body: "no more of the body", call: "no success" }
    return `${this.operation}: ${missing[this.waiting]} in ${this.millis} ms`
  }
}

/**
 * The response to a call was lost, and there is no way to find out whether the service acted. `message` says what was
 * lost and where to look; look before you call again.
 *
 * @since 0.1.0
 * @category errors
 */
export class OutcomeUnknown
  extends tagged<OutcomeUnknown>()("OutcomeUnknown", { operation: Schema.String, message: Schema.String })
{
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * The service answered with success but not with what the API promises.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedResponse extends tagged<MalformedResponse>()("MalformedResponse", {
  operation: Schema.String,
  status: Schema.Int,
  requestId: Schema.optional(Schema.String),
  /** What the schema found wrong. */
  problem: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    return `${this.operation} answered ${this.status} with something unexpected: ${this.problem}`
  }
}

/**
 * A piece of a job's output did not arrive whole, or with another tree hash than promised.
 *
 * @since 0.1.0
 * @category errors
 */
export class BrokenOutput extends tagged<BrokenOutput>()("BrokenOutput", {
  jobId: Schema.String,
  /** The first and last byte of the piece. */
  start: Schema.NonNegativeInt,
  end: Schema.NonNegativeInt,
  problem: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "transient"
  override get message(): string {
    return `Bytes ${this.start} to ${this.end} of job ${this.jobId}: ${this.problem}`
  }
}

/**
 * An entry of an inventory that cannot be read. Those behind it can.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedEntry extends tagged<MalformedEntry>()("MalformedEntry", {
  /** Which one: 1 is the first. */
  entry: Schema.NonNegativeInt,
  /** The byte of the document at which it begins. */
  offset: Schema.NonNegativeInt,
  /** All of it, as it stands in the document. */
  text: Schema.String,
  problem: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    return `Entry ${this.entry} of the inventory, at byte ${this.offset}: ${this.problem}`
  }
}

/**
 * A document that is no inventory, or is one only up to some byte: what is behind it cannot be told apart.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedInventory extends tagged<MalformedInventory>()("MalformedInventory", {
  /** The byte at which the piece begins that cannot be read: an entry, or what stands before or behind them all. */
  offset: Schema.NonNegativeInt,
  problem: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    return `The inventory, at byte ${this.offset}: ${this.problem}`
  }
}

/**
 * A source is not what it was when its upload began: it gave fewer or more bytes than it had, was written to, or the
 * service already has parts behind its end. No archive was made of it.
 *
 * @since 0.1.0
 * @category errors
 */
export class SourceChanged extends tagged<SourceChanged>()("SourceChanged", {
  message: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * A stream gave more bytes than 10,000 parts hold. Only a larger part size lets more in, and that is fixed when an
 * upload is opened.
 *
 * @since 0.1.0
 * @category errors
 */
export class SourceTooLarge extends tagged<SourceTooLarge>()("SourceTooLarge", {
  /** Bytes. */
  partSize: PartSize
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    const largest = this.partSize * Limits.maximumParts
    return `The source has more than the ${largest} bytes that 10,000 parts of ${this.partSize} bytes hold`
  }
}

/**
 * An upload that was to be resumed is not open, and what the source holds was not made an archive of it lately either: it
 * was aborted, nothing came for 24 hours, it was completed long ago or with other bytes, or there never was one of that
 * id. `message` is the service's.
 *
 * @since 0.1.0
 * @category errors
 */
export class UploadGone extends tagged<UploadGone>()("UploadGone", {
  uploadId: UploadId,
  message: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * A job has not ended yet: it has no output that could be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobRunning extends tagged<JobRunning>()("JobRunning", {
  jobId: JobId
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    return `Job ${this.jobId} is still in progress`
  }
}

/**
 * A job has ended without an output. The message is the service's reason.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobFailed extends tagged<JobFailed>()("JobFailed", {
  jobId: JobId,
  message: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * A job is gone, and with it what it retrieved, which can be read for 24 hours after the job is done. Or there never was
 * one of that id in the vault. `message` is the service's.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobExpired extends tagged<JobExpired>()("JobExpired", {
  jobId: JobId,
  /** When the job was done, where that was seen while it was there. */
  completionDate: Schema.optional(Schema.DateTimeUtc),
  message: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * There are no credentials, or their provider failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsError extends tagged<CredentialsError>()("CredentialsError", { message: Schema.String }) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * The region or endpoint is missing, unknown or not safe to send credentials to.
 *
 * @since 0.1.0
 * @category errors
 */
export class EndpointError extends tagged<EndpointError>()("EndpointError", { message: Schema.String }) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * Refused before anything was sent: which field, which value, which rule.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInput extends tagged<InvalidInput>()("InvalidInput", {
  /** What was to be done, for instance `CreateVault`. */
  operation: Schema.String,
  /** The field, for instance `vaultName`. */
  field: Schema.String,
  /** The value, shortened, as text. */
  value: Schema.String,
  /** What it must be. */
  rule: Schema.String
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    return `${this.operation}: ${this.field} ${this.rule}, but is ${this.value}`
  }
}

/** A duration in whole milliseconds. It is finite, because JSON has no infinity. */
const FiniteDuration = Schema.DurationFromMillis.pipe(
  Schema.filter(Duration.isFinite, { arbitrary: () => (fc) => fc.nat().map(Duration.millis) })
)

/**
 * A retrieval does not fit in the `RetrievalBudget` in use. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class BudgetExceeded extends tagged<BudgetExceeded>()("BudgetExceeded", {
  /** What was to be retrieved, where it has a name: the id of an archive, with the path that it gets if it has one. */
  archive: Schema.optional(Schema.String),
  /** The cap that it would break. */
  cap: Schema.Literal("bytesPerHour", "bytesPerDay", "cost"),
  /** The cap's value: bytes, or money in the currency of the prices. */
  allowed: Schema.Finite.pipe(Schema.nonNegative()),
  /** How much of it is left. */
  left: Schema.Finite.pipe(Schema.nonNegative()),
  /** How much the retrieval takes. */
  asked: Schema.Finite.pipe(Schema.nonNegative()),
  /** How long until there is room for it, at the earliest. Absent when there will never be room. */
  roomIn: Schema.optional(FiniteDuration)
}) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
  override get message(): string {
    const fit = this.roomIn === undefined
      ? "there will be no room for it"
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
export class LedgerError extends tagged<LedgerError>()("LedgerError", { message: Schema.String }) {
  readonly [ServiceError.TypeId]: ServiceError.TypeId = ServiceError.TypeId
  readonly retry = "never"
}

/**
 * What any call can fail with besides the answers of the service.
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
 * @since 0.1.0
 * @category groups
 */
export type GlacierError = typeof GlacierError.Type

/**
 * Whether a value is an error of this package.
 *
 * @since 0.1.0
 * @category guards
 */
export const isGlacierError = (value: unknown): value is GlacierError =>
  Predicate.hasProperty(value, ServiceError.TypeId)

/**
 * A value as an error may show it: short, and bytes only by their number.
 *
 * @since 0.1.0
 * @category formatting
 */
export const show = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value !== "string" && typeof value !== "object") return String(value)
  // Circular or nested without end: nothing that could be shown.
  const text = Either.getOrElse(Either.try(() => JSON.stringify(value)), () => "a value that cannot be shown")
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}
