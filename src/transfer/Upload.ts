/**
 * Archives into a vault: in one request when they fit in a part, else in parts that travel side by side. Memory holds
 * the parts in flight, at most `concurrency` of them, and one more of a Stream.
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
import * as Multipart from "./internal/multipart.ts"
import * as ProgressReporter from "./internal/progressReporter.ts"
import * as UploadLog from "./internal/uploadLog.ts"
import * as Writer from "./internal/writer.ts"
import type { OnProgress } from "./Progress.ts"
import type * as Source from "./Source.ts"
import type { Kept, OnFailure } from "./UploadKept.ts"
import * as UploadPlan from "./UploadPlan.ts"

/**
 * How to upload. All but the vault may be left to the defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Chosen extends OnFailure = OnFailure> extends UploadPlan.Options {
  /** At most 1,024 characters of printable ASCII: all that the inventory will say of what the archive is. */
  readonly description?: string | undefined
  /**
   * What becomes of the parts when the upload fails or is interrupted: `abort` (the default) drops them, `keep` leaves
   * the upload open for 24 hours, and fails with `UploadKept`.
   */
  readonly onFailure?: Chosen | undefined
  /** Told the id of a multipart upload as soon as there is one: what a later resume needs, also after an interruption. */
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
  /** Bytes. */
  readonly size: number
  /** The number of parts it was sent in, 1 for a single request. */
  readonly parts: number
  /** The path of the archive at the service. */
  readonly location: Option.Option<string>
}

/**
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
 * How to go on with an upload: its description and part size are the service's.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResumeOptions<Chosen extends OnFailure = OnFailure> extends Omit<UploadPlan.Options, "partSize"> {
  /** What becomes of the parts when it fails again or is interrupted. Default: `keep`. */
  readonly onFailure?: Chosen | undefined
  /** Parts that the service has already are told of as `Kept` when they have been read. */
  readonly onProgress?: OnProgress | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type ResumeError = UploadError | Failure<(typeof operations)["listParts"]> | UploadGone

/**
 * How to upload with a checkpoint, which has the id: parts are always kept.
 *
 * @since 0.1.0
 * @category models
 */
export type UploadWithCheckpointOptions = Omit<Options, "onFailure" | "onInitiated">

/**
 * @since 0.1.0
 * @category models
 */
export type UploadWithCheckpointError =
  | UploadError
  | Failure<(typeof operations)["listParts"]>
  | CheckpointError
  | CheckpointInUse

type Multipart<Chosen extends OnFailure> = Effect.Effect.Success<ReturnType<typeof Multipart.make<Chosen>>>

/** What comes once is cut into parts as it comes. */
const once = Effect.fnUntraced(function*<E, R, Chosen extends OnFailure>(
  { stream }: Source.StreamSource<E, R>,
  multipart: Multipart<Chosen>,
  options: UploadPlan.Options
) {
  const { close, failed, write } = yield* Writer.make(multipart, yield* UploadPlan.unsized(options))
  // A part that fails ends it at once, also while the stream has nothing to give.
  return yield* Effect.raceFirst(Effect.zipRight(Stream.runForEach(stream, write), close), failed)
})

/** What can be read anywhere is read where and when a part is to be sent. */
const anywhere = Effect.fnUntraced(function*<E, R, Chosen extends OnFailure>(
  source: Source.Source<E, R>,
  multipart: Multipart<Chosen>,
  options: UploadPlan.Options
) {
  const version = source.version ?? Effect.succeed("")
  const before = yield* version
  const plan = yield* UploadPlan.make(yield* source.size, options, source.name)
  multipart.sized(plan.size)

  /** Bytes that are too few or too many would be stored as they are: their hashes fit. */
  const read = (range: ByteRange.ByteRange) =>
    Effect.filterOrFail(
      source.read(range),
      (body) => body.length === ByteRange.length(range),
      (body) =>
        new SourceChanged({
          message: `The source gave ${body.length} bytes for the ${ByteRange.length(range)} from ${range.start} on`
        })
    )

  const verify = Effect.filterOrFail(
    version,
    (after) => after === before,
    () => new SourceChanged({ message: "The source was written to while it was read" })
  )

  const [first] = plan.parts
  if (plan.parts.length === 1 && first !== undefined && !multipart.resumes) {
    const body = yield* read(first)
    yield* verify
    return yield* multipart.single(body)
  }
  // The first parts are read and hashed while the service opens the upload.
  const opening = yield* Effect.forkScoped(multipart.initiate(plan.partSize))
  const opened = Effect.flatten(Fiber.await(opening))
  const slots = yield* AdaptiveConcurrency.make(plan.concurrency)
  const hashes = yield* Effect.forEach(
    plan.parts,
    Effect.fnUntraced(function*(range) {
      const { start } = range
      const trusted = yield* multipart.trusted(range)
      if (Option.isSome(trusted)) return trusted.value
      const body = yield* read(range)
      const hashes = yield* multipart.hash(start, body)
      const uploadId = yield* opened
      yield* slots.permits.withPermits(1)(multipart.part(uploadId, { start, body, ...hashes }, slots))
      return hashes.treeHash
    }, Effect.scoped),
    { concurrency: plan.concurrency }
  )
  const uploadId = yield* opened
  yield* verify
  return yield* multipart.complete(uploadId, plan.size, hashes)
})

const carry = <E, R, Chosen extends OnFailure>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  multipart: Multipart<Chosen>,
  options: UploadPlan.Options
): Effect.Effect<UploadedArchive, UploadError | E, R | GlacierClient | Scope.Scope> =>
  "stream" in source ? once(source, multipart, options) : anywhere(source, multipart, options)

const patience = Context.make(RetryPolicy.Default, RetryPolicy.patient)

/** With a Scope of its own and the patience that transfers have, both provided in one step: an archive may be small. */
const transferring = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scopedWith((scope) => Effect.provide(effect, Context.add(patience, Scope.Scope, scope)))

/**
 * Uploads a source as one archive. Fails with `OutcomeUnknown` when the archive may exist although no response says so:
 * look for its tree hash before you upload again. Fails with what the service or the way there raises, `InvalidInput` for what cannot
 * be uploaded, `SourceChanged`, `SourceTooLarge`, and the source's own errors; with `UploadKept` round them from when a
 * multipart upload is open that is to be kept.
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
    return yield* carry(source, multipart, options).pipe(multipart.settling, multipart.naming)
  },
  transferring
)

/**
 * Goes on with a multipart upload that was kept, from the beginning of what it was to be: the service is asked for the
 * size and the tree hashes of the parts it has, the source is read, and only parts that are missing or different are
 * sent. The archive is what the source holds now. If the upload was completed a short while ago, the archive is that one:
 * fails with `SourceChanged` when it was completed with other bytes, and with `OutcomeUnknown` when the service does not
 * say with which. Fails with `UploadGone` when the upload is not open any more, and with `SourceChanged` when the service
 * has parts behind the end of the source, or the source is being written to.
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
    const opened = yield* ProgressReporter.make(options.onProgress).reportRetries()(Multipart.find(vault, uploadId))
    const given = { ...options, partSize: opened.partSize }
    // A wrong number is refused before there is anything that a failure might drop.
    yield* UploadPlan.unsized(given)
    const multipart = yield* Multipart.make(vault, options, opened)
    return yield* carry(source, multipart, given).pipe(
      Effect.mapError((error) =>
        Option.isSome(opened.gone) && Multipart.isGone(error)
          ? new UploadGone({ uploadId: opened.uploadId, message: opened.gone.value })
          : error
      ),
      multipart.settling,
      multipart.naming
    )
  },
  transferring
)

/**
 * Uploads a source as one archive, in parts, and keeps in the checkpoint of that name what the service has: run again
 * with the same name after a failure, an interruption or the death of the process, it goes on where it was. When the
 * archive is complete, the checkpoint is cleared.
 *
 * The service is asked which parts it has. Of a source that has a `version` (a file has one) they are neither read nor
 * hashed again; of others, and of a Stream, only sending them is spared. An upload that is not open any more begins
 * anew.
 *
 * Fails as `upload` with `onFailure: "keep"` does; with `InvalidInput` when an upload to another vault, with another
 * description or part size is under way in that checkpoint; with `SourceChanged` when the source has another size or
 * version than when it began; with `CheckpointInUse` while another is at work with it; and with `OutcomeUnknown` when
 * the last run ended while the archive was being completed, so long ago that the service does not tell how.
 *
 * @since 0.1.0
 * @category uploading
 */
export const uploadWithCheckpoint: <E, R>(
  vault: VaultAddress,
  name: string,
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options?: UploadWithCheckpointOptions
) => Effect.Effect<
  UploadedArchive,
  UploadWithCheckpointError | E | Kept<"keep", UploadWithCheckpointError | E>,
  R | GlacierClient | Checkpoint
> = Effect.fn("Upload.uploadWithCheckpoint")(
  function*(vault, name, source, options = {}) {
    yield* Effect.annotateCurrentSpan("glacier.vault", vault.vaultName)
    const log = yield* UploadLog.open(name, vault, source, options)
    const multipart = yield* Multipart.make(
      vault,
      { ...options, onFailure: "keep", onInitiated: log.initiated, onCompleting: log.completing },
      log.opened
    )
    const archive = yield* carry(log.source, log.recording(multipart), { ...options, partSize: log.partSize }).pipe(
      Effect.raceFirst(log.failed),
      Effect.mapError((error) =>
        log.isGone && Multipart.isGone(error)
          ? new OutcomeUnknown({
            operation: error.operation,
            message: `Whether the archive was completed is not known: look for it, then clear checkpoint ${show(name)}`
          })
          : error
      ),
      multipart.naming
    )
    yield* log.clear
    return archive
  },
  transferring
)
