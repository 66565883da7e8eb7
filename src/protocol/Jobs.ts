/**
 * The operations on jobs. Every retrieval is a job: start it, wait for minutes to hours, then read its output within 24
 * hours.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as ByteRange from "./ByteRange.ts"
import { GivenSeconds, nullable, oneOf, optional, required, Seconds } from "./internal/wire.ts"
import { mebibyte } from "./Limits.ts"
import { ArchiveId, Description, JobId, SnsTopic } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"
import { TreeHash } from "./TreeHash.ts"

/**
 * The speed and price of a retrieval: Expedited takes minutes, Standard (the default) 3 to 5 hours, Bulk 5 to 12 hours.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Tier = oneOf("Expedited", "Standard", "Bulk")

/**
 * @since 0.1.0
 * @category schemas
 */
export type Tier = typeof Tier.Type

/**
 * The status of a job.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StatusCode = oneOf("InProgress", "Succeeded", "Failed")

/**
 * The format of an inventory document.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InventoryFormat = oneOf("JSON", "CSV")

/** Sent as text; boto 2 and others send a number, which the service reads too. */
const InventoryLimit = Schema.Union(Operation.Decimal, Schema.Number).pipe(Schema.compose(Operation.Limit))

/**
 * The archives that an inventory lists: created at or after `startDate` and before `endDate`, at most `limit`, starting at
 * `marker`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InventorySelection = Schema.Struct({
  startDate: optional("StartDate", GivenSeconds),
  endDate: optional("EndDate", GivenSeconds),
  limit: optional("Limit", InventoryLimit),
  marker: optional("Marker", Schema.String)
}).pipe(
  Schema.filter(({ endDate, startDate }) => !(startDate && endDate && DateTime.lessThan(endDate, startDate)), {
    message: () => "must have a startDate that is not after its endDate"
  })
)

/**
 * A retrieval of an archive, or of a range of it that starts and ends on a MiB.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ArchiveRetrieval = Schema.Struct({
  type: Schema.propertySignature(Schema.Literal("archive-retrieval")).pipe(Schema.fromKey("Type")),
  archiveId: required("ArchiveId", ArchiveId),
  description: optional("Description", Description),
  retrievalByteRange: optional("RetrievalByteRange", ByteRange.Plain),
  snsTopic: optional("SNSTopic", SnsTopic),
  tier: optional("Tier", Tier)
})

/**
 * A retrieval of a vault's inventory.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InventoryRetrieval = Schema.Struct({
  type: Schema.propertySignature(Schema.Literal("inventory-retrieval")).pipe(Schema.fromKey("Type")),
  description: optional("Description", Description),
  format: optional("Format", InventoryFormat),
  selection: optional("InventoryRetrievalParameters", InventorySelection),
  snsTopic: optional("SNSTopic", SnsTopic)
})

/**
 * The parameters of InitiateJob.
 *
 * @since 0.1.0
 * @category schemas
 */
export const JobParameters = Schema.Union(ArchiveRetrieval, InventoryRetrieval)

/**
 * @since 0.1.0
 * @category schemas
 */
export type JobParameters = typeof JobParameters.Type

const Retired = Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({
  // JSON cannot carry every unknown value.
  arbitrary: () => (fc) => fc.dictionary(fc.string(), fc.string())
})

/**
 * The description of a job, as DescribeJob and ListJobs return it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const JobDescription = Schema.Struct({
  action: required("Action", Schema.Literal("ArchiveRetrieval", "InventoryRetrieval", "Select")),
  archiveId: nullable("ArchiveId", ArchiveId),
  /** The tree hash of the whole archive, also when the job retrieves a range. */
  archiveTreeHash: nullable("ArchiveSHA256TreeHash", TreeHash),
  /** The size of the whole archive, also when the job retrieves a range. */
  archiveSizeInBytes: nullable("ArchiveSizeInBytes", Schema.NonNegativeInt),
  /** True for both `Succeeded` and `Failed`. */
  completed: required("Completed", Schema.Boolean),
  completionDate: nullable("CompletionDate", Schema.DateTimeUtc),
  creationDate: required("CreationDate", Schema.DateTimeUtc),
  inventoryRetrievalParameters: nullable(
    "InventoryRetrievalParameters",
    Schema.Struct({
      endDate: nullable("EndDate", Seconds),
      format: nullable("Format", InventoryFormat),
      limit: nullable("Limit", Schema.Union(Schema.NumberFromString, Schema.Number)),
      /** Once the job has succeeded: the marker for the next inventory job, none after the last archive. */
      marker: nullable("Marker", Schema.String),
      startDate: nullable("StartDate", Seconds)
    })
  ),
  /** The size of the inventory document, once the job has succeeded. */
  inventorySizeInBytes: nullable("InventorySizeInBytes", Schema.NonNegativeInt),
  jobDescription: nullable("JobDescription", Schema.String),
  jobId: required("JobId", JobId),
  jobOutputPath: nullable("JobOutputPath", Schema.String),
  retrievalByteRange: nullable("RetrievalByteRange", ByteRange.Plain),
  /** The tree hash of the retrieved range; none when the range is not tree-hash aligned. */
  treeHash: nullable("SHA256TreeHash", TreeHash),
  /** The location of the results of a select job. The service has retired select jobs. */
  outputLocation: nullable("OutputLocation", Retired),
  /** The query of a select job. The service has retired select jobs. */
  selectParameters: nullable("SelectParameters", Retired),
  snsTopic: nullable("SNSTopic", Schema.String),
  statusCode: required("StatusCode", StatusCode),
  statusMessage: nullable("StatusMessage", Schema.String),
  tier: nullable("Tier", Tier),
  vaultArn: required("VaultARN", Schema.String)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type JobDescription = typeof JobDescription.Type

/**
 * Whether a job retrieves this archive, or this range of it, in this tier. Without a range: the whole archive. Without a
 * tier: Standard.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isRetrievalOf = (job: JobDescription, archive: {
  readonly archiveId: string
  readonly retrievalByteRange?: ByteRange.ByteRange | undefined
  readonly tier?: Tier | undefined
}): boolean => {
  const { archiveId, retrievalByteRange: range, tier = "Standard" } = archive
  return Option.exists(job.archiveId, (id) => id === archiveId) &&
    Option.getOrElse(job.tier, () => tier) === tier &&
    Option.match(job.retrievalByteRange, {
      onNone: () => range === undefined,
      onSome: ({ end, start }) =>
        range === undefined
          ? start === 0 && Option.contains(job.archiveSizeInBytes, end + 1)
          : start === range.start && end === range.end
    })
}

/** Compares dates to the second, as the wire has them. */
const isSameSecond = (one: Option.Option<DateTime.Utc>, other: DateTime.Utc | undefined): boolean => {
  const second = (date: DateTime.Utc) => Math.floor(DateTime.toEpochMillis(date) / 1_000)
  return Option.getOrUndefined(Option.map(one, second)) === (other && second(other))
}

/**
 * Whether a job retrieves this inventory. False for a selection with a limit or a marker: the description of a succeeded job
 * no longer has the marker of its start.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isInventoryOf = (job: JobDescription, inventory: {
  readonly format?: typeof InventoryFormat.Type | undefined
  readonly selection?: typeof InventorySelection.Type | undefined
}): boolean => {
  const { format = "JSON", selection = {} } = inventory
  if (job.action !== "InventoryRetrieval" || (selection.limit ?? selection.marker) !== undefined) return false
  return Option.match(job.inventoryRetrievalParameters, {
    onNone: () => format === "JSON" && (selection.startDate ?? selection.endDate) === undefined,
    onSome: (its) =>
      Option.getOrElse(its.format, () => "JSON") === format && Option.isNone(its.limit) && Option.isNone(its.marker) &&
      isSameSecond(its.startDate, selection.startDate) && isSameSecond(its.endDate, selection.endDate)
  })
}

/**
 * Orders jobs with the same output. The greatest is the best one to use: a succeeded job is greater than one in progress, and
 * a newer job is greater than an older one, because its output expires later.
 *
 * @since 0.1.0
 * @category orders
 */
export const byUse: Order.Order<JobDescription> = Order.mapInput(
  Order.tuple(Order.boolean, Order.number, Order.string),
  (job): readonly [boolean, number, string] => [
    job.statusCode === "Succeeded",
    DateTime.toEpochMillis(Option.getOrElse(job.completionDate, () => job.creationDate)),
    job.jobId
  ]
)

/**
 * A page of ListJobs. `marker` is the start of the next page.
 *
 * @since 0.1.0
 * @category schemas
 */
export const JobPage = Schema.Struct({
  jobs: required("JobList", Schema.Array(JobDescription)),
  marker: nullable("Marker", Schema.String)
})

const job = { ...Operation.vault, jobId: Operation.path("jobId", JobId) }

/**
 * Starts a retrieval. Each call starts a job and costs money. See InitiateJob (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const InitiateJob = Operation.make({
  name: "InitiateJob",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/jobs",
  input: { ...Operation.vault, parameters: Operation.json(JobParameters) },
  success: [202],
  headers: {
    jobId: Operation.header("x-amz-job-id", JobId),
    jobOutputPath: Operation.optionalHeader("x-amz-job-output-path", Schema.String),
    location: Operation.optionalHeader("location", Schema.String)
  },
  body: "none",
  errors: [
    ServiceError.ArchiveInOtherVault,
    ServiceError.ArchiveNotFound,
    ServiceError.InsufficientCapacity,
    ServiceError.InventoryNotReady,
    ServiceError.PolicyEnforced,
    ServiceError.RangeNotAligned,
    ServiceError.Serialization,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: false,
  lookUp: "look for the job among those of vault {vaultName} (ListJobs)"
}, ({ parameters }) => {
  const range = parameters.type === "archive-retrieval" ? parameters.retrievalByteRange : undefined
  return range === undefined || range.start % mebibyte === 0 ? undefined : {
    field: "parameters.retrievalByteRange",
    value: range,
    rule: "must start on a MiB, and end before one or at the end of the archive"
  }
})

/**
 * Describes a job. See DescribeJob (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const DescribeJob = Operation.make({
  name: "DescribeJob",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/jobs/{jobId}",
  input: job,
  success: [200],
  headers: {},
  body: Operation.jsonBody(JobDescription),
  errors: [ServiceError.JobNotFound, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true,
  echoes: ["jobId"]
})

/**
 * Lists the jobs of a vault that are in progress or whose output has not expired, at most 50 at a time. See ListJobs (Amazon
 * Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const ListJobs = Operation.make({
  name: "ListJobs",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/jobs",
  input: {
    ...Operation.vault,
    statusCode: Operation.query("statuscode", StatusCode),
    completed: Operation.query("completed", Schema.BooleanFromString),
    ...Operation.paging
  },
  success: [200],
  headers: {},
  body: Operation.jsonBody(JobPage),
  errors: [...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Reads a job's output, or a range of it. `treeHash` is present when the range is tree-hash aligned. See GetJobOutput (Amazon
 * Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const GetJobOutput = Operation.make({
  name: "GetJobOutput",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/jobs/{jobId}/output",
  input: { ...job, range: Operation.optionalHeader("range", ByteRange.RangeHeader) },
  success: [200, 206],
  headers: {
    acceptRanges: Operation.optionalHeader("accept-ranges", Schema.String),
    archiveDescription: Operation.optionalHeader("x-amz-archive-description", Schema.String),
    contentRange: Operation.optionalHeader("content-range", ByteRange.OutputRange),
    contentType: Operation.optionalHeader("content-type", Schema.String),
    treeHash: Operation.optionalHeader("x-amz-sha256-tree-hash", TreeHash)
  },
  body: "bytes",
  errors: [
    ServiceError.JobNotFound,
    ServiceError.JobNotReady,
    ServiceError.RangeNotSatisfiable,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: true
})
