import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type GlacierError, OutcomeUnknown } from "../../protocol/GlacierError.ts"
import { isRetrievalOf, type JobDescription } from "../../protocol/Jobs.ts"
import type { UploadId } from "../../protocol/Names.ts"
import type * as Operation from "../../protocol/Operation.ts"
import { operations } from "../../protocol/Operations.ts"
import type { Answer } from "../../transport/Method.ts"
import type { Service as Transport } from "../../transport/Transport.ts"
import { pages } from "./pages.ts"

const { initiateMultipartUpload, listJobs, listMultipartUploads, listParts } = operations

type InitiateJob = typeof operations.initiateJob

/** How far apart the clocks of two machines at the service may be (milliseconds). */
const tolerance = 60_000

const isSince = ({ creationDate }: { readonly creationDate: DateTime.Utc }, since: number): boolean =>
  DateTime.toEpochMillis(creationDate) >= since - tolerance

const actions = { "archive-retrieval": "ArchiveRetrieval", "inventory-retrieval": "InventoryRetrieval" } as const

type JobInput = Operation.Input<InitiateJob>

/** Whether a job is what was asked for: a description of the caller's may be that of other jobs. */
const isAsked = (job: JobDescription, { parameters }: JobInput): boolean => {
  if (job.action !== actions[parameters.type]) return false
  if (Option.getOrUndefined(job.jobDescription) !== parameters.description) return false
  if (parameters.type === "archive-retrieval") return isRetrievalOf(job, parameters)
  const format = Option.flatMap(job.inventoryRetrievalParameters, ({ format }) => format)
  return Option.getOrElse(format, () => "JSON") === (parameters.format ?? "JSON")
}

/** The job that a call since then has started, by its description. */
export const job = (
  transport: Transport,
  input: JobInput,
  since: number
): Effect.Effect<Option.Option<Answer<InitiateJob>>, GlacierError> => {
  const { accountId, vaultName } = input
  return pages((marker) => transport.execute(listJobs, { accountId, vaultName, marker }), ({ jobs }) => jobs).pipe(
    Stream.filter((job) => isSince(job, since) && isAsked(job, input)),
    Stream.runHead,
    Effect.map(Option.map(({ jobId }) => ({ jobId, jobOutputPath: Option.none(), location: Option.none() })))
  )
}

type UploadInput = Operation.Input<typeof initiateMultipartUpload>

/** Whether the uploads that two calls open cannot be told apart. */
export const isAlike = (one: UploadInput, other: UploadInput): boolean =>
  one.vaultName === other.vaultName && one.partSize === other.partSize &&
  (one.description ?? "").trim() === (other.description ?? "").trim()

/**
 * The upload that a call since then has opened. Uploads have no name of their own: it is the one that looks as it would,
 * has no parts and is not one of those whose answers have arrived. Of several nobody knows which; nor of one that is
 * contested, because another call for one like it is under way.
 */
export const upload = (
  transport: Transport,
  input: UploadInput,
  since: number,
  known: ReadonlySet<UploadId>,
  contested: () => boolean
): Effect.Effect<Option.Option<Answer<typeof initiateMultipartUpload>>, GlacierError> => {
  const { accountId, description = "", partSize, vaultName } = input
  const vault = { accountId, vaultName }
  return pages(
    (marker) => transport.execute(listMultipartUploads, { ...vault, marker }),
    ({ uploads }) => uploads
  ).pipe(
    Stream.filter((upload) =>
      isSince(upload, since) && !known.has(upload.uploadId) && upload.partSize === partSize &&
      Option.getOrElse(upload.archiveDescription, () => "") === description.trim()
    ),
    Stream.filterEffect(({ uploadId }) =>
      Effect.map(transport.execute(listParts, { ...vault, uploadId, limit: 1 }), ({ parts }) => parts.length === 0)
    ),
    Stream.runCollect,
    Effect.flatMap((candidates) => {
      // Meanwhile more answers may have arrived.
      const [found, other] = Chunk.filter(candidates, ({ uploadId }) => !known.has(uploadId))
      if (found === undefined) return Effect.succeed(Option.none())
      return other !== undefined || contested()
        ? new OutcomeUnknown({ operation: initiateMultipartUpload.name, message: "Several uploads could be the one" })
        : Effect.succeed(Option.some({ uploadId: found.uploadId, location: Option.none() }))
    })
  )
}
