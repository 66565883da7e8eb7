/**
 * Finds the job of an InitiateJob call whose response was lost, so that it is not started, and paid for, twice. See
 * docs/design/identity.md for what identifies a job.
 *
 * A job to reuse (`services/internal`) is compared by other rules: there any job with the same output will do, here only
 * the job of this call.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { GlacierError } from "../../protocol/GlacierError.ts"
import { isInventoryOf, isRetrievalOf, type JobDescription } from "../../protocol/Jobs.ts"
import type * as Operation from "../../protocol/Operation.ts"
import { operations } from "../../protocol/Operations.ts"
import type { Response } from "../../transport/Method.ts"
import type { Service as Transport } from "../../transport/Transport.ts"
import { pages } from "./pages.ts"

const { listJobs } = operations

type InitiateJob = typeof operations.initiateJob

/**
 * The largest error of a job's creation date against the time at the service as this machine knows it (milliseconds). That
 * time is corrected only when it is off by more than 4 minutes, and the machines of the service differ, too.
 */
const tolerance = 300_000

/** Starts a stopwatch. The effect that it returns measures the elapsed milliseconds. */
export const stopwatch: Effect.Effect<Effect.Effect<number>> = Effect.gen(function*() {
  const times = Effect.zip(Clock.currentTimeMillis, Clock.currentTimeNanos)
  const [millis, nanos] = yield* times
  // The wall clock can be set back; the monotonic clock can stop while the machine is suspended.
  return Effect.map(times, ([nowMillis, nowNanos]) => Math.max(nowMillis - millis, Number(nowNanos - nanos) / 1e6))
})

/** Whether a job can have been started within the elapsed time, by the time at the service. */
const isSince = (transport: Transport, elapsed: Effect.Effect<number>, { creationDate }: JobDescription) =>
  Effect.zipWith(
    transport.time,
    elapsed,
    (time, elapsed) => DateTime.toEpochMillis(creationDate) >= time - elapsed - tolerance
  )

type JobInput = Operation.Input<InitiateJob>

const actions = { "archive-retrieval": "ArchiveRetrieval", "inventory-retrieval": "InventoryRetrieval" } as const

/** Finds the job that a call has started within the elapsed time. */
const find = (
  transport: Transport,
  { accountId, parameters, vaultName }: JobInput,
  elapsed: Effect.Effect<number>,
  isAsked: (job: JobDescription) => boolean
): Effect.Effect<Option.Option<Response<InitiateJob>>, GlacierError> =>
  pages(listJobs, (marker) => transport.execute(listJobs, { accountId, vaultName, marker }), ({ jobs }) => jobs).pipe(
    Stream.filter((job) =>
      job.action === actions[parameters.type] &&
      Option.getOrElse(job.jobDescription, () => "").trim() === parameters.description?.trim() && isAsked(job)
    ),
    // Last, because the responses of ListJobs may have corrected the time at the service.
    Stream.filterEffect((job) => isSince(transport, elapsed, job)),
    Stream.runHead,
    Effect.map(Option.map(({ jobId }) => ({ jobId, jobOutputPath: Option.none(), location: Option.none() })))
  )

/** Finds the job of a call with a unique description. */
export const markedJob = (transport: Transport, input: JobInput, elapsed: Effect.Effect<number>) =>
  find(
    transport,
    input,
    elapsed,
    (job) => input.parameters.type === "inventory-retrieval" || isRetrievalOf(job, input.parameters)
  )

/**
 * Finds the job of a call whose description the caller chose. Other calls may have used the same description, so all
 * parameters that DescribeJob reports must be equal, too. Undefined for an inventory with a limit or a marker, which
 * DescribeJob does not report.
 */
export const job = (transport: Transport, input: JobInput, elapsed: Effect.Effect<number>) => {
  const { parameters } = input
  const { limit, marker } = parameters.type === "inventory-retrieval" ? parameters.selection ?? {} : {}
  if ((limit ?? marker) !== undefined) return undefined
  return find(
    transport,
    input,
    elapsed,
    (job) =>
      Option.getOrUndefined(job.snsTopic) === parameters.snsTopic &&
      (parameters.type === "archive-retrieval" ? isRetrievalOf(job, parameters) : isInventoryOf(job, parameters))
  )
}
