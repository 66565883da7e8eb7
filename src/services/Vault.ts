/**
 * A vault: uploads, deletions, retrievals and lists. Most programs need only this module and `Job`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { flow } from "effect/Function"
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
import type { VaultAddress, VaultDescription } from "../protocol/Vaults.ts"
import type { Checkpoint } from "../transfer/Checkpoint.ts"
import type { Source, StreamSource } from "../transfer/Source.ts"
import * as Upload from "../transfer/Upload.ts"
import * as Uploader from "../transfer/Uploader.ts"
import type { Kept, OnFailure } from "../transfer/UploadKept.ts"
import type { Failure } from "../transport/Method.ts"
import { capture } from "./internal/builtContext.ts"
import { findReusable, makeTurnsByKey, type Terms } from "./internal/jobReuse.ts"
import * as Job from "./Job.ts"

/**
 * The errors of starting a retrieval: those of InitiateJob and of the `RetrievalBudget` in use.
 *
 * @since 0.1.0
 * @category models
 */
export type RetrieveError = Failures<"initiateJob"> | RetrievalBudget.SpendError

type Failures<Name extends keyof typeof operations> = Failure<(typeof operations)[Name]>

/**
 * The conditions for reusing an inventory job.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReuseInventory {
  /** The output must not expire for longer than this. Must be less than 24 hours. */
  readonly lasts: Duration.DurationInput
  /**
   * The maximum time since the service took the inventory (not the age of the job). An older list is reused only when the
   * vault has no newer inventory, because a new job would list the same. Default: any age.
   *
   * The date of a list is in its JSON document. A CSV document has no date, so a CSV job is reused only when the vault has
   * had no newer inventory since the job started.
   */
  readonly maxAge?: Duration.DurationInput | undefined
}

/**
 * Options for retrieving an archive.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetrieveArchive {
  /**
   * Reuses a job that retrieves the same archive, range and tier, if it is in progress or its output does not expire for
   * longer than this. Starts a new job only if there is none. Ignores description and topic. Must be less than 24 hours.
   * Default: always starts a new job.
   *
   * Among several jobs, prefers a succeeded job to a job in progress, and then the newest. A program also reuses the jobs
   * that it starts itself at the same time.
   */
  readonly reuse?: Duration.DurationInput | undefined
  /** Default: Standard. */
  readonly tier?: Tier | undefined
  /** The bytes to retrieve; the range must start and end on a MiB. Default: the whole archive. */
  readonly range?: ByteRange.ByteRange | undefined
  /**
   * The size of the archive in bytes, as its inventory entry has it: 1 or more. A `RetrievalBudget` with caps requires it,
   * unless there is a range.
   */
  readonly size?: number | undefined
  readonly description?: string | undefined
  /** The ARN of an SNS topic that receives a message when the job ends. */
  readonly snsTopic?: string | undefined
}

type Parameters = Operation.Input<(typeof operations)["initiateJob"]>["parameters"]

/**
 * Options for retrieving an inventory.
 *
 * - `format`: JSON or CSV.
 * - `selection`: the dates between which archives were created, the maximum number of archives, and the marker to continue
 *   from.
 * - `description`, and an `snsTopic` that receives a message when the job ends.
 * - `reuse`: reuses a job as that of `RetrieveArchive` does, and can also limit the age of the list. A job with a `limit` or
 *   `marker` is never reused: DescribeJob does not report which page it lists.
 *
 * @since 0.1.0
 * @category models
 */
export type RetrieveInventory =
  & Omit<Extract<Parameters, { readonly type: "inventory-retrieval" }>, "type">
  & { readonly reuse?: Duration.DurationInput | ReuseInventory | undefined }

/**
 * The operations of a vault.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly name: VaultName
  /** Creates the vault. Does nothing if it exists. See CreateVault (Amazon Glacier API Reference). */
  readonly create: Effect.Effect<void, Failures<"createVault">>
  /** Describes the vault as of its last inventory, which is about a day old. See DescribeVault. */
  readonly describe: Effect.Effect<VaultDescription, Failures<"describeVault">>
  /** Deletes the vault. It must be empty in an inventory that was taken after the last write. See DeleteVault. */
  readonly delete: Effect.Effect<void, Failures<"deleteVault">>
  /**
   * Uploads a source as one archive: in parts if it is large, otherwise in one request. See UploadArchive and
   * InitiateMultipartUpload.
   */
  readonly upload: <E, R, Chosen extends OnFailure = "discard">(
    source: Source<E, R> | StreamSource<E, R>,
    options?: Upload.Options<Chosen>
  ) => Effect.Effect<
    Upload.UploadedArchive,
    Upload.UploadError | E | Kept<Chosen, Upload.UploadError | E>,
    Exclude<R, GlacierClient>
  >
  /** Resumes a multipart upload that was kept. Sends only the parts that are missing or different. See ListParts. */
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
   * Uploads a source as one archive, in parts, and records its state in the checkpoint with this name. Running it again after
   * a failure, an interruption or a crash resumes the upload. `onStored` receives the archive before the checkpoint is
   * cleared, so that its id is not lost.
   */
  readonly uploadWithCheckpoint: <E, R, E2 = never, R2 = never>(
    name: string,
    source: Source<E, R> | StreamSource<E, R>,
    options?: Upload.UploadWithCheckpointOptions<E2, R2>
  ) => Effect.Effect<
    Upload.UploadedArchive,
    Upload.UploadWithCheckpointError | E | E2 | Kept<"keep", Upload.UploadWithCheckpointError | E>,
    Exclude<R | R2, GlacierClient> | Checkpoint
  >
  /**
   * Aborts the upload that the checkpoint with this name has recorded, and clears the checkpoint. If that upload became an
   * archive before, passes the archive to `onStored` and returns it.
   */
  readonly discardUpload: <E = never, R = never>(
    name: string,
    options?: Upload.StoredHook<E, R>
  ) => Effect.Effect<
    Option.Option<Upload.UploadedArchive>,
    Upload.DiscardError | E,
    Exclude<R, GlacierClient> | Checkpoint
  >
  /**
   * Starts an archive that the caller writes piece by piece. If it is not closed when the Scope closes, discards or keeps it
   * as `onFailure` says.
   */
  readonly uploader: <Chosen extends OnFailure = "discard">(
    options?: Upload.Options<Chosen>
  ) => Effect.Effect<
    Uploader.Uploader<Upload.UploadError | Kept<Chosen, Upload.UploadError>>,
    InvalidInput,
    Scope.Scope
  >
  /** Makes a Sink that uploads all its bytes as one archive. */
  readonly sink: <Chosen extends OnFailure = "discard">(
    options?: Upload.Options<Chosen>
  ) => Sink.Sink<
    Upload.UploadedArchive,
    Uint8Array,
    never,
    Upload.UploadError | Kept<Chosen, Upload.UploadError>
  >
  /** Deletes an archive. Does nothing if it was deleted before. See DeleteArchive. */
  readonly deleteArchive: (archiveId: string) => Effect.Effect<void, Failures<"deleteArchive">>
  /**
   * Starts a job that retrieves an archive, which costs money, or reuses one. Waits until the `RetrievalBudget` in use permits
   * the retrieval. See InitiateJob.
   */
  readonly retrieveArchive: (
    archiveId: string,
    options?: RetrieveArchive
  ) => Effect.Effect<Job.Service, RetrieveError>
  /** Starts a job that retrieves the vault's last inventory, or reuses one. See InitiateJob. */
  readonly retrieveInventory: (options?: RetrieveInventory) => Effect.Effect<Job.Service, RetrieveError>
  /** Attaches to a job by its id, without a request: for a program that was restarted. */
  readonly job: (jobId: string) => Effect.Effect<Job.Service, InvalidInput>
  /** Lists the jobs that are in progress or whose output has not expired. See ListJobs. */
  readonly jobs: (
    filter?: Omit<Operation.Input<(typeof operations)["listJobs"]>, "vaultName" | "accountId" | "limit" | "marker">
  ) => Stream.Stream<JobDescription, Failures<"listJobs">>
  /** Lists the open multipart uploads. See ListMultipartUploads. */
  readonly uploads: Stream.Stream<UploadDescription, Failures<"listMultipartUploads">>
  /**
   * Lists the open multipart uploads that were opened at least this long ago. Their programs may be gone. (The service
   * discards an upload that receives no part for 24 hours.)
   */
  readonly abandonedUploads: (
    age: Duration.DurationInput
  ) => Stream.Stream<UploadDescription, Failures<"listMultipartUploads">>
  /** Aborts a multipart upload and discards its parts. See AbortMultipartUpload. */
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

/** Decodes and checks the conditions for reusing a job. An output lasts 24 hours, so no job could last longer. */
const termsOf = (reuse: Exclude<RetrieveInventory["reuse"], undefined>): Effect.Effect<Terms, InvalidInput> => {
  const { lasts, maxAge }: ReuseInventory = Predicate.hasProperty(reuse, "lasts") ? reuse : { lasts: reuse }
  const terms = { lasts: Duration.decode(lasts), maxAge: maxAge === undefined ? undefined : Duration.decode(maxAge) }
  return Duration.toMillis(terms.lasts) < Limits.lifetimeMillis ? Effect.succeed(terms) : new InvalidInput({
    operation: "retrieve",
    field: "reuse",
    value: Duration.format(terms.lasts),
    rule: "must be less than the 24 hours for which an output can be read"
  })
}

/** Checks the size of an archive, and that the service can retrieve a range of it. */
const checkSize = (
  range: ByteRange.ByteRange | undefined,
  size: number | undefined
): Either.Either<void, InvalidInput> =>
  // A budget treats 0 as the size of an inventory.
  Either.flatMap(check("retrieveArchive", "size", Schema.UndefinedOr(Bytes), size), (size) =>
    range === undefined || size === undefined || ByteRange.isMebibyteAligned(range, size) ? Either.void : Either.left(
      new InvalidInput({
        operation: "retrieveArchive",
        field: "range",
        value: show(range),
        rule: `must start on a MiB, and end before one or at the end of the archive, which has ${size} bytes`
      })
    ))

/** Makes a function that starts a job, or returns one that can be reused. */
const makeRetrieve = (address: VaultAddress) => {
  const inTurn = makeTurnsByKey()
  return Effect.fnUntraced(function*(
    parameters: Parameters,
    retrieval: RetrievalBudget.Retrieval,
    reuse: RetrieveInventory["reuse"]
  ) {
    // Checks the input before waiting for the budget or the list of jobs.
    yield* Operation.encode(operations.initiateJob, { ...address, parameters })
    const budget = yield* RetrievalBudget.RetrievalBudget
    const glacier = yield* GlacierClient
    const started = Effect.suspend(() => budget.spend(retrieval, glacier.initiateJob({ ...address, parameters }))).pipe(
      Effect.map(({ jobId }) => jobId)
    )
    if (reuse === undefined) return yield* Job.attach(address, yield* started)
    const terms = yield* termsOf(reuse)
    // Callers of the same archive take turns, so that the second one finds the job of the first.
    const jobId = yield* inTurn(parameters.type === "archive-retrieval" ? parameters.archiveId : "")(Effect.flatMap(
      findReusable(address, parameters, terms),
      Option.match({ onNone: () => started, onSome: Effect.succeed })
    ))
    return yield* Job.attach(address, jobId)
  })
}

/**
 * Makes a vault with this name, whether or not it exists. `accountId` is its owner's, if that is not the account of the
 * credentials. Fails with `InvalidInput` when the name or the account id is invalid. Sends no request.
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
  const retrieve = flow(makeRetrieve(address), run.effect)
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
    discardUpload: (name, options) => run.effect(Upload.discard(address, name, options)),
    uploader,
    sink: (options) => Uploader.toSink(uploader(options)),
    deleteArchive: (archiveId) => run.effect(Effect.asVoid(glacier.deleteArchive({ ...address, archiveId }))),
    retrieveArchive: (archiveId, { description, reuse, range, size, snsTopic, tier } = {}) =>
      Effect.zipRight(
        checkSize(range, size),
        retrieve(
          { type: "archive-retrieval", archiveId, retrievalByteRange: range, description, snsTopic, tier },
          { archive: archiveId, bytes: range === undefined ? size : ByteRange.length(range), tier },
          reuse
        )
      ),
    retrieveInventory: ({ description, format, reuse, selection, snsTopic } = {}) =>
      retrieve({ type: "inventory-retrieval", description, format, selection, snsTopic }, { bytes: 0 }, reuse),
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
 * Provides the vault with this name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  name: string,
  options?: { readonly accountId?: string | undefined }
): Layer.Layer<Vault, InvalidInput, GlacierClient> => Layer.effect(Vault, make(name, options))
