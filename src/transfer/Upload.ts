/**
 * Uploads archives to a vault: in one request when the bytes fit in a part, otherwise in parts that are sent concurrently.
 * Memory holds the parts being sent, at most `concurrency` of them, and one more for a Stream.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { OutcomeUnknown, show, SourceChanged, type SourceTooLarge, UploadGone } from "../protocol/GlacierError.ts"
import type { ArchiveId, UploadId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import type * as TreeHash from "../protocol/TreeHash.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import type { Failure } from "../transport/Method.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "./Checkpoint.ts"
import * as AdaptiveConcurrency from "./internal/adaptiveConcurrency.ts"
import * as DiscardedUpload from "./internal/discardedUpload.ts"
import * as Multipart from "./internal/multipart.ts"
import * as ProgressReporter from "./internal/progressReporter.ts"
import * as ResumedUpload from "./internal/resumedUpload.ts"
import { sendPart, sendSingle } from "./internal/sendPart.ts"
import * as UploadLog from "./internal/uploadLog.ts"
import * as Writer from "./internal/writer.ts"
import type { OnProgress } from "./Progress.ts"
import type * as Source from "./Source.ts"
import type { Kept, OnFailure } from "./UploadKept.ts"
import * as UploadPlan from "./UploadPlan.ts"

/**
 * The options of an upload. All have defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Chosen extends OnFailure = OnFailure> extends UploadPlan.Options {
  /**
   * Describes the archive in the inventory, which has no other name for it. At most 1,024 characters of printable ASCII.
   */
  readonly description?: string | undefined
  /**
   * The fate of the parts when the upload fails or is interrupted: `discard` (the default) aborts the upload, `keep`
   * leaves it open for 24 hours, and the error is `UploadKept`.
   */
  readonly onFailure?: Chosen | undefined
  /** Receives the id of a multipart upload as soon as it is open. A later resume needs it, also after an interruption. */
  readonly onInitiated?: ((uploadId: UploadId) => Effect.Effect<void>) | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * An archive that the service has confirmed.
 *
 * @since 0.1.0
 * @category models
 */
export interface UploadedArchive {
  readonly archiveId: ArchiveId
  readonly treeHash: TreeHash.TreeHash
  /** The size in bytes. */
  readonly size: number
  /** The number of parts that the archive was sent in: 1 for a single request. */
  readonly parts: number
  /** The path of the archive at the service. */
  readonly location: Option.Option<string>
}

/**
 * The errors of `upload`.
 *
 * @since 0.1.0
 * @category models
 */
export type UploadError =
  | Failure<
    (typeof operations)[
      "uploadArchive" | "initiateMultipartUpload" | "uploadMultipartPart" | "completeMultipartUpload"
    ]
  >
  | SourceChanged
  | SourceTooLarge

/**
 * The options of `resume`. Description and part size are those of the upload.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResumeOptions<Chosen extends OnFailure = OnFailure> extends Omit<UploadPlan.Options, "partSize"> {
  /** The fate of the parts when the upload fails again or is interrupted. Default: `keep`. */
  readonly onFailure?: Chosen | undefined
  /** Parts that the service already has are reported as `Kept` once they have been read. */
  readonly onProgress?: OnProgress | undefined
}

/**
 * The errors of `resume`.
 *
 * @since 0.1.0
 * @category models
 */
export type ResumeError = UploadError | Failure<(typeof operations)["listParts"]> | UploadGone

/**
 * An archive that was uploaded with a checkpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredArchive extends UploadedArchive {
  /** The version of the source whose bytes the archive has. None if the source has no version. */
  readonly version: Option.Option<string>
}

/**
 * A hook that receives the archive of an upload with a checkpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredHook<out E = never, out R = never> {
  /**
   * Receives the archive once the service has confirmed it, before the checkpoint is cleared. Use it to record the archive's
   * id durably. It runs at least once for each archive: if it fails, or the process dies before the checkpoint is cleared,
   * the next run calls it with the same archive. So it must not matter whether it runs twice.
   */
  readonly onStored?: ((archive: StoredArchive) => Effect.Effect<void, E, R>) | undefined
}

/**
 * The options of `uploadWithCheckpoint`. It always keeps the parts, and the checkpoint records the id of the upload.
 *
 * @since 0.1.0
 * @category models
 */
export interface UploadWithCheckpointOptions<out E = never, out R = never>
  extends Omit<Options, "onFailure" | "onInitiated">, StoredHook<E, R>
{}

/**
 * The errors of `uploadWithCheckpoint`.
 *
 * @since 0.1.0
 * @category models
 */
export type UploadWithCheckpointError =
  | UploadError
  | Failure<(typeof operations)["listParts"]>
  | CheckpointError
  | CheckpointInUse

/**
 * The errors of `discard`.
 *
 * @since 0.1.0
 * @category models
 */
export type DiscardError =
  | Failure<(typeof operations)["abortMultipartUpload" | "completeMultipartUpload"]>
  | CheckpointError
  | CheckpointInUse

/** Cuts a Stream into parts while it is read. */
const uploadStream = Effect.fnUntraced(function*<E, R>(
  { stream }: Source.StreamSource<E, R>,
  multipart: Multipart.Multipart,
  options: UploadPlan.Options
) {
  const writer = yield* Writer.make(multipart, yield* UploadPlan.unsized(options))
  const written = Stream.runForEach(stream, (piece) => Writer.write(writer, piece))
  // A failed part ends the upload at once, even while the Stream has no bytes to give.
  return yield* Effect.raceFirst(Effect.zipRight(written, Writer.close(writer)), Writer.failed(writer))
})

/** Reads a range of a source. The service would store too few or too many bytes as they are, because their hashes fit. */
const readRange = <E, R>(source: Source.Source<E, R>, range: ByteRange.ByteRange) =>
  Effect.filterOrFail(
    source.read(range),
    (body) => body.length === ByteRange.length(range),
    (body) =>
      new SourceChanged({
        message: `The source gave ${body.length} bytes for the ${ByteRange.length(range)} from ${range.start} on`
      })
  )

/** Reads each part of a source when it is about to be sent. */
const uploadRanges = Effect.fnUntraced(function*<E, R>(
  source: Source.Source<E, R>,
  multipart: Multipart.Multipart,
  options: UploadPlan.Options
) {
  const version = source.version ?? Effect.succeed("")
  const before = yield* version
  const { concurrency, partSize, parts, size } = yield* UploadPlan.make(yield* source.size, options, source.name)
  multipart.reporter.setTotal(size)
  const verifyVersion = Effect.filterOrFail(
    version,
    (after) => after === before,
    () => new SourceChanged({ message: "The source was written to while it was read" })
  )

  const [first] = parts
  if (parts.length === 1 && first !== undefined && !Multipart.isInParts(multipart)) {
    const body = yield* readRange(source, first)
    yield* verifyVersion
    return yield* sendSingle(multipart, body)
  }
  // The first parts are read and hashed while the service opens the upload.
  const opening = yield* Effect.forkScoped(Multipart.initiate(multipart, partSize))
  const uploadId = Effect.flatten(Fiber.await(opening))
  const { onRetry, permits } = yield* AdaptiveConcurrency.make(concurrency)
  const hashes = yield* Effect.forEach(
    parts,
    (range) =>
      Effect.scoped(sendPart(multipart, {
        range,
        read: readRange(source, range),
        uploadId,
        withPermit: permits.withPermits(1),
        onRetry
      })),
    { concurrency }
  )
  const id = yield* uploadId
  yield* verifyVersion
  return yield* Multipart.complete(multipart, id, size, hashes)
})

const uploadSource = <E, R>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  multipart: Multipart.Multipart,
  options: UploadPlan.Options
): Effect.Effect<UploadedArchive, UploadError | E, R | GlacierClient | Scope.Scope> =>
  "stream" in source ? uploadStream(source, multipart, options) : uploadRanges(source, multipart, options)

const defaultRetryPolicy = Context.make(RetryPolicy.Default, RetryPolicy.patient)

/**
 * Provides a Scope and the default retry policy of transfers. In one step, because an archive may be small and each step
 * costs time.
 */
const transferring = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scopedWith((scope) => Effect.provide(effect, Context.add(defaultRetryPolicy, Scope.Scope, scope)))

/**
 * Uploads a source as one archive.
 *
 * Fails with
 *
 * - `InvalidInput` when the source or an option cannot be uploaded;
 * - `SourceChanged` when the source was written to during the upload, and `SourceTooLarge` when a Stream has too many bytes;
 * - `OutcomeUnknown` when the archive may exist although no response confirmed it: look for its tree hash in the inventory
 *   before you upload again;
 * - the errors of the source, of the service and of the connection;
 * - `UploadKept`, which contains one of these errors, when a multipart upload is open and `onFailure` is `keep`.
 *
 * @since 0.1.0
 * @category uploading
 */
export const upload: <E, R, Chosen extends OnFailure = "discard">(
  vault: VaultAddress,
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options?: Options<Chosen>
) => Effect.Effect<UploadedArchive, UploadError | E | Kept<Chosen, UploadError | E>, R | GlacierClient> = Effect.fn(
  "Upload.upload"
)(
  function*(vault, source, options = {}) {
    yield* Effect.annotateCurrentSpan("glacier.vault", vault.vaultName)
    const multipart = yield* Multipart.make(vault, options)
    return yield* uploadSource(source, multipart, options).pipe(
      Multipart.resolveDoubt(multipart),
      Multipart.wrapKept(multipart)
    )
  },
  transferring
)

/**
 * Resumes a multipart upload that was kept.
 *
 * Asks the service for the part size and the tree hashes of the parts it has, reads the source from its beginning, and
 * sends only parts that are missing or different. The archive has the bytes that the source has now.
 *
 * If the upload was completed a short while ago, returns that archive. Then it fails with `SourceChanged` when the archive
 * has other bytes, and with `OutcomeUnknown` when the service does not say which bytes it has.
 *
 * Fails with `UploadGone` when the upload is not open any more, and with `SourceChanged` when the service has parts beyond
 * the end of the source or the source is written to during the upload. Other errors are those of `upload`.
 *
 * @since 0.1.0
 * @category uploading
 */
export const resume: <E, R, Chosen extends OnFailure = "keep">(
  vault: VaultAddress,
  uploadId: string,
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options?: ResumeOptions<Chosen>
) => Effect.Effect<UploadedArchive, ResumeError | E | Kept<Chosen, ResumeError | E>, R | GlacierClient> = Effect.fn(
  "Upload.resume"
)(
  function*(vault, uploadId, source, options = {}) {
    yield* Effect.annotateCurrentSpan({ "glacier.vault": vault.vaultName, "glacier.upload": uploadId })
    const reporter = ProgressReporter.make(options.onProgress)
    const resumed = yield* reporter.reportRetries()(ResumedUpload.find(vault, uploadId))
    const planOptions = { ...options, partSize: resumed.partSize }
    // Rejects invalid options before a failure could abort the upload.
    yield* UploadPlan.unsized(planOptions)
    const multipart = yield* Multipart.make(vault, options, resumed)
    return yield* uploadSource(source, multipart, planOptions).pipe(
      Effect.mapError((error) =>
        Option.isSome(resumed.gone) && ResumedUpload.isGone(error)
          ? new UploadGone({ uploadId: resumed.uploadId, message: resumed.gone.value })
          : error
      ),
      Multipart.resolveDoubt(multipart),
      Multipart.wrapKept(multipart)
    )
  },
  transferring
)

/**
 * Uploads a source as one archive, in parts, and records in the checkpoint `name` which parts the service has. Run it again
 * with the same name after a failure, an interruption or the death of the process, and it resumes.
 *
 * When the archive is complete, its id is recorded in the checkpoint, passed to `onStored`, and returned. The checkpoint is
 * cleared after `onStored`. If the process dies before that, the next run returns the same archive and sends no request.
 *
 * It asks the service which parts it has. If the source has a `version`, as a file has, these parts are neither read nor
 * hashed again; otherwise they are read and hashed, but not sent. If the upload is not open any more, a new one is opened.
 *
 * Fails as `upload` does with `onFailure: "keep"`, and with
 *
 * - the errors of `onStored`: the archive exists then, and the next run returns it;
 * - `InvalidInput` when the checkpoint is of an upload to another vault, or with another description or part size;
 * - `SourceChanged` when the source has another size or version than when the upload began: see `discard`;
 * - `CheckpointInUse` while another upload uses the checkpoint, and `CheckpointError` when it cannot be read or written;
 * - `OutcomeUnknown` when the last run ended while the archive was being completed, and the service does not know the
 *   upload any more.
 *
 * @since 0.1.0
 * @category uploading
 */
export const uploadWithCheckpoint: <E, R, E2 = never, R2 = never>(
  vault: VaultAddress,
  name: string,
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options?: UploadWithCheckpointOptions<E2, R2>
) => Effect.Effect<
  UploadedArchive,
  UploadWithCheckpointError | E | E2 | Kept<"keep", UploadWithCheckpointError | E>,
  R | R2 | GlacierClient | Checkpoint
> = Effect.fn("Upload.uploadWithCheckpoint")(
  function*(vault, name, source, options = {}) {
    yield* Effect.annotateCurrentSpan("glacier.vault", vault.vaultName)
    const log = yield* UploadLog.open(name, vault, source, options)
    const multipart = yield* Multipart.make(
      vault,
      { ...options, ...log.hooks, onFailure: "keep", alwaysInParts: true },
      log.resumed
    )
    const archive = yield* uploadSource(log.source, multipart, { ...options, partSize: log.partSize }).pipe(
      Effect.raceFirst(log.failed),
      Effect.mapError((error) =>
        log.isGone && ResumedUpload.isGone(error)
          ? new OutcomeUnknown({
            operation: error.operation,
            message: `It is unknown whether the archive was completed: look for it in the inventory, ` +
              `then clear checkpoint ${show(name)}`
          })
          : error
      ),
      Multipart.wrapKept(multipart)
    )
    yield* log.finish(archive, options.onStored)
    return archive
  },
  transferring
)

/**
 * Discards the upload that the checkpoint `name` has recorded: aborts it, and clears the checkpoint. Use it when the source
 * has changed or is not to be stored any more. Does nothing if the checkpoint is empty.
 *
 * If the upload became an archive before, it cannot be aborted. Then the archive is passed to `onStored` and returned.
 *
 * Fails with
 *
 * - the errors of `onStored`: the next run returns the same archive;
 * - `InvalidInput` when the checkpoint is of an upload to another vault;
 * - `CheckpointInUse` while another upload uses the checkpoint, and `CheckpointError` when it cannot be read or cleared;
 * - `OutcomeUnknown` when the last run ended while the archive was being completed, and the service does not know the
 *   upload any more. The message says what to look for in the inventory before you run `Checkpoint.clear`.
 *
 * @since 0.1.0
 * @category uploading
 */
export const discard: <E = never, R = never>(
  vault: VaultAddress,
  name: string,
  options?: StoredHook<E, R>
) => Effect.Effect<Option.Option<UploadedArchive>, DiscardError | E, R | GlacierClient | Checkpoint> = Effect.fn(
  "Upload.discard"
)(
  function*(vault, name, options = {}) {
    yield* Effect.annotateCurrentSpan("glacier.vault", vault.vaultName)
    return yield* DiscardedUpload.discard(vault, name, options.onStored)
  },
  transferring
)
