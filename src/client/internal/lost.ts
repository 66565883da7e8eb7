import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { GlacierError } from "../../protocol/GlacierError.ts"
import { isInventoryOf, isRetrievalOf, type JobDescription } from "../../protocol/Jobs.ts"
import type * as Operation from "../../protocol/Operation.ts"
import { operations } from "../../protocol/Operations.ts"
import type { Answer } from "../../transport/Method.ts"
import type { Service as Transport } from "../../transport/Transport.ts"
import { pages } from "./pages.ts"

const { listJobs } = operations

type InitiateJob = typeof operations.initiateJob

/** How far apart the clocks of two machines at the service may be (milliseconds). */
const tolerance = 60_000

const isSince = ({ creationDate }: { readonly creationDate: DateTime.Utc }, since: number): boolean =>
  DateTime.toEpochMillis(creationDate) >= since - tolerance

type JobInput = Operation.Input<InitiateJob>

const actions = { "archive-retrieval": "ArchiveRetrieval", "inventory-retrieval": "InventoryRetrieval" } as const

/** Finds the job that a call has started since then. */
const find = (
  transport: Transport,
  { accountId, parameters, vaultName }: JobInput,
  since: number,
  isAsked: (job: JobDescription) => boolean
): Effect.Effect<Option.Option<Answer<InitiateJob>>, GlacierError> =>
  pages(listJobs, (marker) => transport.execute(listJobs, { accountId, vaultName, marker }), ({ jobs }) => jobs).pipe(
    Stream.filter((job) =>
      isSince(job, since) && job.action === actions[parameters.type] &&
      Option.getOrElse(job.jobDescription, () => "").trim() === parameters.description?.trim() && isAsked(job)
    ),
    Stream.runHead,
    Effect.map(Option.map(({ jobId }) => ({ jobId, jobOutputPath: Option.none(), location: Option.none() })))
  )

/** Finds the job of a call whose description no other job has. */
export const markedJob = (transport: Transport, input: JobInput, since: number) =>
  find(
    transport,
    input,
    since,
    (job) => input.parameters.type === "inventory-retrieval" || isRetrievalOf(job, input.parameters)
  )

/**
 * Finds the job of a call whose description the caller chose, so that others may have used it too: the job must be equal in
 * all that its description tells (docs/design/identity.md says why it then does no harm if it is another's). Undefined for
 * an inventory with a limit or a marker, whose job does not tell them.
 */
export const job = (transport: Transport, input: JobInput, since: number) => {
  const { parameters } = input
  const { limit, marker } = parameters.type === "inventory-retrieval" ? parameters.selection ?? {} : {}
  if ((limit ?? marker) !== undefined) return undefined
  return find(
    transport,
    input,
    since,
    (job) =>
      Option.getOrUndefined(job.snsTopic) === parameters.snsTopic &&
      (parameters.type === "archive-retrieval" ? isRetrievalOf(job, parameters) : isInventoryOf(job, parameters))
  )
}
