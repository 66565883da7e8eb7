/**
 * A vault by its name: what most programs need of Glacier.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../client/GlacierClient.ts"
import * as Pages from "../client/Pages.ts"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { InvalidInput, show } from "../protocol/GlacierError.ts"
import { Bytes, check } from "../protocol/InputCheck.ts"
import type { JobDescription, Tier } from "../protocol/Jobs.ts"
import * as Limits from "../protocol/Limits.ts"
import { AccountId, VaultName } from "../protocol/Names.ts"
import * as Operation from "../protocol/Operation.ts"
import { operations } from "../protocol/Operations.ts"
import type { UploadDescription } from "../protocol/Uploads.ts"
import type { VaultDescription } from "../protocol/Vaults.ts"
import type { Checkpoint } from "../transfer/Checkpoint.ts"
import type { Source, StreamSource } from "../transfer/Source.ts"
import * as Upload from "../transfer/Upload.ts"
import * as Uploader from "../transfer/Uploader.ts"
import type { Kept, OnFailure } from "../transfer/UploadKept.ts"
import type { Failure } from "../transport/Method.ts"
import { capture } from "./internal/capture.ts"
import { joinable, makeTurnsByKey, type Terms } from "./internal/joinable.ts"
import * as Job from "./Job.ts"

/**
 * What the start of a retrieval can fail with: what the service raises, and what the `RetrievalBudget` in use does.
 *
 * @since 0.1.0
 * @category models
 */
export type RetrieveError = Failures<"initiateJob"> | RetrievalBudget.SpendError

type Failures<Name extends keyof typeof operations> = Failure<(typeof operations)[Name]>

/**
 * Which inventory jobs may be joined.
 *
 * @since 0.1.0
 * @category models
 */
export interface JoinInventory {
  /** The output must be readable for longer than that: less than 24 hours. */
  readonly lasts: Duration.DurationInput
  /**
   * How old the list may be: the time since the service took the inventory, not the age of the job. An older list is
   * joined only when the vault has no newer inventory, so that a new job would list the same. Default: any age.
   *
   * The date of a list is in its JSON document. A document in CSV has none, so a CSV job is joined only when the vault
   * had no newer inventory since the job was started.
   */
  readonly maxAge?: Duration.DurationInput | undefined
}

/**
 * How an archive is to be retrieved.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetrieveArchive {
  /**
   * Joins a job that retrieves the same archive, range and tier, if its output can be read for longer than that or it is
   * still in progress. Starts a new job only if there is none. Description and topic do not count. Must be less than 24
   * hours. Default: always starts a new job.
   *
   * If several jobs can be joined, a job that has succeeded is preferred to a job in progress, and then the newest is
   * joined. A program also joins the jobs that it starts itself at the same time.
   */
  readonly join?: Duration.DurationInput | undefined
  /** Default: the account's, which is Standard. */
  readonly tier?: Tier | undefined
  /** A part of the archive, on MiBs. Default: all of it. */
  readonly range?: ByteRange.ByteRange | undefined
  /**
   * The bytes of the archive, as the inventory tells them: 1 or more. A `RetrievalBudget` with caps must know them, unless
   * there is a range.
   */
  readonly size?: number | undefined
  readonly description?: string | undefined
  /** The ARN of an SNS topic to be told when the job has ended. */
  readonly snsTopic?: string | undefined
}

type Parameters = Operation.Input<(typeof operations)["initiateJob"]>["parameters"]

/**
 * Which inventory is to be retrieved: its `format`, JSON or CSV; in `selection` the dates between which archives were
 * created, at most how many, and the marker of the job that ended where this one is to go on; a `description`, and an
 * `snsTopic` to be told when the job has ended.
 *
 * `join` joins a job as that of `RetrieveArchive` does, and can also say how old the list may be. An inventory with
 * `limit` or `marker` is never joined: a job does not show which page it lists.
 *
 * @since 0.1.0
 * @category models
 */
export type RetrieveInventory =
  & Omit<Extract<Parameters, { readonly type: "inventory-retrieval" }>, "type">
  & { readonly join?: Duration.DurationInput | JoinInventory | undefined }

/**
 * What can be done with a vault.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly name: VaultName
  /** Creates the vault. Creating it again changes nothing. */
  readonly create: Effect.Effect<void, Failures<"createVault">>
  /** The vault as of its last inventory, about a day old. */
  readonly describe: Effect.Effect<VaultDescription, Failures<"describeVault">>
  /** Deletes the vault: it must be empty, by an inventory made after the last write. */
  readonly delete: Effect.Effect<void, Failures<"deleteVault">>
  /** Uploads a source as one archive, in parts where it is large. */
  readonly upload: <E, R, Chosen extends OnFailure = "discard">(
    source: Source<E, R> | StreamSource<E, R>,
    options?: Upload.Options<Chosen>
  ) => Effect.Effect<
    Upload.UploadedArchive,
    Upload.UploadError | E | Kept<Chosen, Upload.UploadError | E>,
    Exclude<R, GlacierClient>
  >
  /** Goes on with a multipart upload that was kept: sends what is missing or different. */
  readonly resumeUpload: <E, R, Chosen extends OnFailure = "keep">(
    uploadId: string,
    source: Source<E, R> | StreamSource<E, R>,
    options?: Upload.ResumeOptions<Chosen>
  ) => Effect.Effect<
    Upload.UploadedArchive,
    Upload.ResumeError | E | Kept<Chosen, Upload.ResumeError | E>,
    Exclude<R, GlacierClient>
  >
  /**
   * Uploads a source as one archive, in parts, and keeps in the checkpoint of that name what the service has: run again
   * after whatever ended it, it goes on where it was.
   */
  readonly uploadWithCheckpoint: <E, R>(
    name: string,
    source: Source<E, R> | StreamSource<E, R>,
    options?: Upload.UploadWithCheckpointOptions
  ) => Effect.Effect<
    Upload.UploadedArchive,
    Upload.UploadWithCheckpointError | E | Kept<"keep", Upload.UploadWithCheckpointError | E>,
    Exclude<R, GlacierClient> | Checkpoint
  >
  /**
   * Begins an archive that is written piece by piece. What was not closed when the Scope ends is dropped or kept, as
   * `onFailure` says.
   */
  readonly uploader: <Chosen extends OnFailure = "discard">(
    options?: Upload.Options<Chosen>
  ) => Effect.Effect<
    Uploader.Uploader<Upload.UploadError | Kept<Chosen, Upload.UploadError>>,
    InvalidInput,
    Scope.Scope
  >
  /** A Sink that makes one archive of all it is given. */
  readonly sink: <Chosen extends OnFailure = "discard">(
    options?: Upload.Options<Chosen>
  ) => Sink.Sink<
    Upload.UploadedArchive,
    Uint8Array,
    never,
    Upload.UploadError | Kept<Chosen, Upload.UploadError>
  >
  /** Deletes an archive. Deleting it again changes nothing. */
  readonly deleteArchive: (archiveId: string) => Effect.Effect<void, Failures<"deleteArchive">>
  /** Starts a job that retrieves an archive, which costs money, when the `RetrievalBudget` in use has room for it; or joins one. */
  readonly retrieveArchive: (
    archiveId: string,
    options?: RetrieveArchive
  ) => Effect.Effect<Job.Service, RetrieveError>
  /** Starts a job that retrieves the inventory, or joins one: which archives the vault held when it was last taken. */
  readonly retrieveInventory: (options?: RetrieveInventory) => Effect.Effect<Job.Service, RetrieveError>
  /** A job by its id, without asking the service: how a program that was restarted finds its job again. */
  readonly job: (jobId: string) => Effect.Effect<Job.Service, InvalidInput>
  /** The jobs that run or whose output can still be read: all, or those of a status. */
  readonly jobs: (
    filter?: Omit<Operation.Input<(typeof operations)["listJobs"]>, "vaultName" | "accountId" | "limit" | "marker">
  ) => Stream.Stream<JobDescription, Failures<"listJobs">>
  /** The multipart uploads that are open. */
  readonly uploads: Stream.Stream<UploadDescription, Failures<"listMultipartUploads">>
  /**
   * The multipart uploads that were opened at least so long ago and are still open: nobody may be at work on them. (One
   * that gets no part for 24 hours is dropped by the service.)
   */
  readonly abandonedUploads: (
    age: Duration.DurationInput
  ) => Stream.Stream<UploadDescription, Failures<"listMultipartUploads">>
  /** Drops a multipart upload and its parts. */
  readonly abortUpload: (uploadId: string) => Effect.Effect<void, Failures<"abortMultipartUpload">>
}

/**
 * The vault in use.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Source, Vault } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   const archive = yield* vault.upload(Source.file("holiday.tar"), { description: "holiday.tar" })
 *   const job = yield* vault.retrieveArchive(archive.archiveId)
 *   yield* job.wait()
 *   yield* job.outputToFile("holiday-again.tar")
 * }).pipe(Effect.provide(Vault.layer("photos")))
 */
export class Vault extends Context.Tag("effect-glacier/Vault")<Vault, Service>() {}

/** What a job must have to be joined. An output that must last as long as outputs do would never be joined. */
const termsOf = (join: Exclude<RetrieveInventory["join"], undefined>): Effect.Effect<Terms, InvalidInput> => {
  const { lasts, maxAge }: JoinInventory = Predicate.hasProperty(join, "lasts") ? join : { lasts: join }
  const terms = { lasts: Duration.decode(lasts), maxAge: maxAge === undefined ? undefined : Duration.decode(maxAge) }
  return Duration.toMillis(terms.lasts) < Limits.lifetimeMillis ? Effect.succeed(terms) : new InvalidInput({
    operation: "retrieve",
    field: "join",
    value: Duration.format(terms.lasts),
    rule: "must be less than the 24 hours for which an output can be read"
  })
}

/** Checks the size of an archive, and that a range of it is one that the service retrieves. */
const checkSize = (
  range: ByteRange.ByteRange | undefined,
  size: number | undefined
): Either.Either<void, InvalidInput> =>
  // A budget would take 0 for the size of an inventory.
  Either.flatMap(check("retrieveArchive", "size", Schema.UndefinedOr(Bytes), size), (size) =>
    range === undefined || size === undefined || ByteRange.isMebibyteAligned(range, size) ? Either.void : Either.left(
      new InvalidInput({
        operation: "retrieveArchive",
        field: "range",
        value: show(range),
        rule: `must start on a MiB, and end before one or at the end of the archive, which has ${size} bytes`
      })
    ))

/**
 * The vault of that name, whether or not it exists yet; `accountId` is its owner's when that is not the account of the
 * credentials. Fails when it cannot be a name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (
  name: string,
  options?: { readonly accountId?: string | undefined }
) => Effect.Effect<Service, InvalidInput, GlacierClient> = Effect.fnUntraced(function*(name, options = {}) {
  const glacier = yield* GlacierClient
  const run = yield* capture
  const address = {
    vaultName: yield* check("vault", "vaultName", VaultName, name),
    accountId: yield* check("vault", "accountId", Schema.UndefinedOr(AccountId), options.accountId)
  }
  const inTurn = makeTurnsByKey()
  const start = (parameters: Parameters, retrieval: RetrievalBudget.Retrieval) =>
    RetrievalBudget.RetrievalBudget.pipe(
      Effect.flatMap((budget) => budget.spend(retrieval, glacier.initiateJob({ ...address, parameters }))),
      Effect.map(({ jobId }) => jobId)
    )
  const retrieve = (
    parameters: Parameters,
    retrieval: RetrievalBudget.Retrieval,
    join: RetrieveInventory["join"]
  ) =>
    // A rule that is broken should show before the budget, or the list of jobs, is waited for.
    Effect.zipRight(
      Operation.encode(operations.initiateJob, { ...address, parameters }),
      join === undefined
        ? start(parameters, retrieval)
        : Effect.flatMap(termsOf(join), (terms) =>
          // Of two callers that ask for the same, the second finds the job of the first, which may wait for its budget.
          inTurn(parameters.type === "archive-retrieval" ? parameters.archiveId : "")(Effect.flatMap(
            joinable(address, parameters, terms),
            Option.match({ onNone: () => start(parameters, retrieval), onSome: Effect.succeed })
          )))
    ).pipe(
      Effect.flatMap((jobId) => Job.attach(address, jobId)),
      run.effect
    )
  const uploader: Service["uploader"] = (options) =>
    Effect.map(run.effect(Uploader.make(address, options)), (made) => ({
      ...made,
      write: (piece) => run.effect(made.write(piece)),
      treeHash: run.effect(made.treeHash),
      close: run.effect(made.close)
    }))
  const uploads = run.stream(Pages.uploads(address))
  return {
    name: address.vaultName,
    create: run.effect(Effect.asVoid(glacier.createVault(address))),
    describe: run.effect(glacier.describeVault(address)),
    delete: run.effect(Effect.asVoid(glacier.deleteVault(address))),
    upload: (source, options) => run.effect(Upload.upload(address, source, options)),
    resumeUpload: (uploadId, source, options) => run.effect(Upload.resume(address, uploadId, source, options)),
    uploadWithCheckpoint: (name, source, options) =>
      run.effect(Upload.uploadWithCheckpoint(address, name, source, options)),
    uploader,
    sink: (options) => Uploader.toSink(uploader(options)),
    deleteArchive: (archiveId) => run.effect(Effect.asVoid(glacier.deleteArchive({ ...address, archiveId }))),
    retrieveArchive: (archiveId, { description, join, range, size, snsTopic, tier } = {}) =>
      Effect.zipRight(
        checkSize(range, size),
        retrieve(
          { type: "archive-retrieval", archiveId, retrievalByteRange: range, description, snsTopic, tier },
          { archive: archiveId, bytes: range === undefined ? size : ByteRange.length(range), tier },
          join
        )
      ),
    retrieveInventory: ({ description, format, join, selection, snsTopic } = {}) =>
      retrieve({ type: "inventory-retrieval", description, format, selection, snsTopic }, { bytes: 0 }, join),
    job: (jobId) => run.effect(Job.attach(address, jobId)),
    jobs: (filter) => run.stream(Pages.jobs({ ...address, ...filter })),
    uploads,
    abandonedUploads: (age) =>
      Stream.unwrap(Effect.map(DateTime.now, (now) => {
        const limit = DateTime.subtractDuration(now, age)
        return Stream.filter(uploads, ({ creationDate }) => DateTime.lessThanOrEqualTo(creationDate, limit))
      })),
    abortUpload: (uploadId) => run.effect(Effect.asVoid(glacier.abortMultipartUpload({ ...address, uploadId })))
  }
})

/**
 * The vault of that name as a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  name: string,
  options?: { readonly accountId?: string | undefined }
): Layer.Layer<Vault, InvalidInput, GlacierClient> => Layer.effect(Vault, make(name, options))
