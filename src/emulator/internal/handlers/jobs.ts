/**
 * The operations on jobs, except their output.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Iterable from "effect/Iterable"
import * as Option from "effect/Option"
import * as ByteRange from "../../../protocol/ByteRange.ts"
import * as Jobs from "../../../protocol/Jobs.ts"
import { JobId } from "../../../protocol/Names.ts"
import * as Access from "../access.ts"
import * as Account from "../account.ts"
import * as ArchiveBytes from "../archiveBytes.ts"
import type { Delays } from "../delays.ts"
import * as ErrorResponse from "../errorResponse.ts"
import type * as Event from "../event.ts"
import * as Ids from "../ids.ts"
import * as InventoryDocument from "../inventoryDocument.ts"
import * as JobRequest from "../jobRequest.ts"
import * as Page from "../page.ts"
import * as ParameterError from "../parameterError.ts"
import * as RetrievalPolicy from "../retrievalPolicy.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { Step, Store } from "../store.ts"
import { rejectArchiveOfOtherVault } from "./archives.ts"

type Task = (typeof Event.JobInitiated.Type)["task"]

/** Finds a job that has not expired. */
export const find = (
  step: Step,
  call: Router.Call,
  arn: string,
  id: JobId
): Either.Either<State.Job, ErrorResponse.ErrorResponse> =>
  Either.flatMap(
    Access.authorize(step, call, arn),
    ({ jobs }) => Either.fromNullable(jobs.get(id), () => ErrorResponse.notFound(`The job ID was not found: ${id}`))
  )

const date = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)

const dateOption = (millis: number | undefined): Option.Option<DateTime.Utc> =>
  Option.map(Option.fromNullable(millis), date)

// The fields of every job. The fields of one kind of job only are empty.
const describeCommon = (job: State.Job, vaultArn: string, now: number) => {
  const statusCode = State.statusOf(job, now)
  const isCompleted = statusCode !== "InProgress"
  return {
    archiveId: Option.none(),
    archiveTreeHash: Option.none(),
    archiveSizeInBytes: Option.none(),
    completed: isCompleted,
    completionDate: isCompleted ? Option.some(date(job.completesAt)) : Option.none(),
    creationDate: date(job.createdAt),
    inventoryRetrievalParameters: Option.none(),
    inventorySizeInBytes: Option.none(),
    jobDescription: Option.fromNullable(job.description),
    jobId: job.id,
    jobOutputPath: Option.none(),
    outputLocation: Option.none(),
    retrievalByteRange: Option.none(),
    selectParameters: Option.none(),
    treeHash: Option.none(),
    snsTopic: Option.fromNullable(job.snsTopic),
    statusCode,
    statusMessage: isCompleted ? Option.some(statusCode) : Option.none(),
    tier: Option.none(),
    vaultArn
  }
}

/** Returns a job in the form of DescribeJob at the time `now`. */
export const describe = (job: State.Job, vaultArn: string, now: number): Jobs.JobDescription => {
  const common = describeCommon(job, vaultArn, now)
  if (job.task._tag === "Archive") {
    const { archive, retrieval } = job.task
    return {
      ...common,
      action: "ArchiveRetrieval",
      archiveId: Option.some(archive.id),
      archiveTreeHash: Option.some(archive.treeHash),
      archiveSizeInBytes: Option.some(archive.size),
      retrievalByteRange: Option.some({ start: retrieval.start, end: retrieval.end }),
      treeHash: Option.fromNullable(retrieval.treeHash),
      tier: Option.some(retrieval.tier)
    }
  }
  const { endDate, format, limit, next, size, startDate } = job.task.retrieval
  const isSucceeded = common.statusCode === "Succeeded"
  return {
    ...common,
    action: "InventoryRetrieval",
    inventoryRetrievalParameters: Option.some({
      endDate: dateOption(endDate),
      format: Option.some(format),
      limit: Option.fromNullable(limit),
      marker: isSucceeded ? Option.fromNullable(next) : Option.none(),
      startDate: dateOption(startDate)
    }),
    inventorySizeInBytes: isSucceeded ? Option.some(size) : Option.none()
  }
}

// Makes the task of an archive retrieval. Fails when the archive does not exist or the range is invalid.
const archiveTask = (
  step: Step,
  call: Router.Call,
  arn: string,
  { archiveId, retrievalByteRange, tier = "Standard" }: typeof Jobs.ArchiveRetrieval.Type
): Either.Either<Task, ErrorResponse.ErrorResponse> =>
  Either.gen(function*() {
    const archive = State.archiveOf(yield* Access.authorize(step, call, arn, archiveId), archiveId)
    if (archive === undefined) {
      yield* rejectArchiveOfOtherVault(step, call, arn, archiveId)
      return yield* Either.left(ErrorResponse.notFound(`The archive ID was not found: ${archiveId}`))
    }
    const range = retrievalByteRange ?? { start: 0, end: archive.size - 1 }
    const text = `${range.start}-${range.end}`
    if (range.end >= archive.size) {
      return yield* Either.left(
        ErrorResponse.invalid(`Invalid RetrievalByteRange: ${text}. The archive has ${archive.size} bytes.`)
      )
    }
    if (!ByteRange.isMebibyteAligned(range, archive.size)) {
      return yield* Either.left(
        ErrorResponse.invalid(`Invalid RetrievalByteRange: ${text}. It must be megabyte aligned.`)
      )
    }
    const treeHash = Option.getOrUndefined(ArchiveBytes.treeHash(call.sha256, archive, range))
    return { _tag: "ArchiveRetrieval", archiveId, start: range.start, end: range.end, tier, treeHash }
  })

// Writes the output of an inventory job from the last inventory into a blob. Returns a function that makes the task and
// keeps the blob.
const inventoryTask = (store: Store, call: Router.Call, arn: string, parameters: typeof Jobs.InventoryRetrieval.Type) =>
  Effect.gen(function*() {
    const { format = "JSON", selection = {} } = parameters
    const { endDate, limit, marker, startDate } = selection
    const after = marker === undefined ? Option.some(0) : InventoryDocument.readMarker(marker)
    if (Option.isNone(after)) return yield* Effect.fail(ParameterError.invalid("Marker", marker ?? ""))
    const filter = {
      startDate: startDate && DateTime.toEpochMillis(startDate),
      endDate: endDate && DateTime.toEpochMillis(endDate),
      limit
    }
    const { archives, at, next } = yield* store.run((step) =>
      Either.flatMap(Access.authorize(step, call, arn), (vault) => {
        if (vault.inventory === undefined) {
          return Either.left(ErrorResponse.notFound(
            `The job cannot be initiated yet, because no initial inventory exists for the vault: ${arn}`
          ))
        }
        const selected = InventoryDocument.select(State.inventoriedArchives(vault), { ...filter, after: after.value })
        return Either.right({ ...selected, at: vault.inventory.at })
      })
    )
    const { id, keep, write } = yield* store.blobs.create
    let size = 0
    yield* InventoryDocument.write({ format, vaultArn: arn, at, archives }, (bytes) => {
      size += bytes.length
      return write(bytes)
    })
    return (step: Step): Either.Either<Task, ErrorResponse.ErrorResponse> =>
      Either.map(Access.authorize(step, call, arn), () => {
        keep()
        return { _tag: "InventoryRetrieval", ...filter, format, next, blob: id, size }
      })
  })

// Rejects an Expedited retrieval of an archive that is larger than `limit`, unless the account has provisioned capacity.
const checkCapacity = (
  step: Step,
  call: Router.Call,
  arn: string,
  { archiveId, tier }: typeof Event.ArchiveRetrieval.Type,
  limit: number
): Either.Either<void, ErrorResponse.ErrorResponse> => {
  const size = step.state.vaults.get(arn)?.archives.get(archiveId)?.size ?? 0
  if (tier !== "Expedited" || size <= limit) return Either.void
  const units = Account.unitsOf(State.accountOf(step.state, call.accountId), step.now)
  return units.length > 0 ? Either.void : Either.left(ErrorResponse.insufficientCapacity)
}

/** A function that is called for each job in the step that initiates it. */
export type OnJobInitiated = (vault: string, job: Pick<State.Job, "id" | "completesAt">) => void

const initiateJob = (
  store: Store,
  delays: Delays,
  expeditedLimit: number,
  onJobInitiated: OnJobInitiated
): Router.Route =>
  Router.route(Jobs.InitiateJob, ["parameters"], ({ vaultName }, call) =>
    Effect.gen(function*() {
      const arn = call.arnPrefix + vaultName
      const parameters = yield* JobRequest.parse(call)
      const makeTask = parameters.type === "inventory-retrieval"
        ? yield* inventoryTask(store, call, arn, parameters)
        : (step: Step) => archiveTask(step, call, arn, parameters)
      const tail = yield* Ids.tail
      const jobId = yield* store.run((step) =>
        Either.gen(function*() {
          const task = yield* makeTask(step)
          yield* RetrievalPolicy.check(step, call.arnPrefix, task)
          if (task._tag === "ArchiveRetrieval") yield* checkCapacity(step, call, arn, task, expeditedLimit)
          const jobId = JobId.make(Ids.ordered(step.now, step.state.events, tail))
          const kind = task._tag === "ArchiveRetrieval" ? task.tier : "Inventory"
          const completesAt = delays.completesAt(step.now, kind)
          step.commit({
            _tag: "JobInitiated",
            at: step.now,
            vault: arn,
            jobId,
            completesAt,
            expiresAt: delays.expiresAt(completesAt, "Job"),
            description: parameters.description || undefined,
            snsTopic: parameters.snsTopic || undefined,
            task
          })
          onJobInitiated(arn, { id: jobId, completesAt })
          return jobId
        })
      )
      const location = Router.location(Jobs.DescribeJob, call, { vaultName, jobId })
      return { output: { jobId, jobOutputPath: Option.none(), location: Option.some(location) } }
    }))

const describeJob = (store: Store): Router.Route =>
  Router.route(Jobs.DescribeJob, [], ({ jobId, vaultName }, call) =>
    store.run((step) => {
      const arn = call.arnPrefix + vaultName
      return Either.map(find(step, call, arn, jobId), (job) => ({ output: describe(job, arn, step.now) }))
    }))

const listJobs = (store: Store): Router.Route =>
  Router.route(
    Jobs.ListJobs,
    [],
    ({ completed, limit, marker, statusCode, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const before = yield* Page.idMarker(marker)
          const { jobs } = yield* Access.authorize(step, call, arn)
          // Ids sort by time: the newest job is first.
          const matching = Iterable.filter(jobs.before(before), ([, job]) => {
            const status = State.statusOf(job, step.now)
            return Option.match(statusCode, { onNone: () => true, onSome: (wanted) => status === wanted }) &&
              Option.match(completed, { onNone: () => true, onSome: (wanted) => (status !== "InProgress") === wanted })
          })
          const page = Page.take(matching, Page.size(limit))
          const next = Option.map(page.next, ([id]) => id)
          return { output: { jobs: page.items.map(([, job]) => describe(job, arn, step.now)), marker: next } }
        })
      )
  )

export const routes = (
  store: Store,
  delays: Delays,
  expeditedLimit: number,
  onJobInitiated: OnJobInitiated
): ReadonlyArray<Router.Route> => [
  initiateJob(store, delays, expeditedLimit, onJobInitiated),
  describeJob(store),
  listJobs(store)
]
