/**
 * Archives into a vault: in one request when they fit in a part, else in parts that travel side by side. Memory holds
 * the parts in flight, at most `concurrency` of them.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { check, Concurrency } from "../protocol/Check.ts"
import { SourceChanged } from "../protocol/GlacierError.ts"
import type { ArchiveId, UploadId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import { Sha256 } from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import { Hasher } from "../transport/Hasher.ts"
import type { Failure } from "../transport/Method.ts"
import type { OnProgress } from "./Progress.ts"
import type { Source } from "./Source.ts"
import * as UploadPlan from "./UploadPlan.ts"

/**
 * How to upload. All but the vault may be left to the defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** At most 1,024 characters of printable ASCII: all that the inventory will say of what the archive is. */
  readonly description?: string | undefined
  /** Bytes, 1 MiB times a power of two. Default: 16 MiB, or more where 10,000 parts would not hold the archive. */
  readonly partSize?: number | undefined
  /** Parts in flight. Default: 4. */
  readonly concurrency?: number | undefined
  /**
   * What becomes of the parts when the upload fails or is interrupted: `abort` (the default) drops them, `keep` leaves
   * the upload open for 24 hours.
   */
  readonly onFailure?: "abort" | "keep" | undefined
  /** Told the id of a multipart upload as soon as there is one: what a later resume needs. */
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

/**
 * Uploads a source as one archive. Fails with what the service or the way there raises, `InvalidInput` for what cannot
 * be uploaded, `SourceChanged`, and the source's own errors.
 *
 * @since 0.1.0
 * @category uploading
 */
export const upload = Effect.fn("Upload.upload")(function*<E, R>(
  vault: VaultAddress,
  source: Source<E, R>,
  options: Options = {}
) {
  const glacier = yield* GlacierClient
  const hasher = yield* Hasher
  const sha256 = yield* Sha256
  const concurrency = yield* check("upload", "concurrency", Concurrency, options.concurrency ?? 4)
  const plan = yield* UploadPlan.make(yield* source.size, options.partSize)
  const done = yield* Ref.make(0)
  const progress = (bytes: number) =>
    Effect.flatMap(
      Ref.updateAndGet(done, (sum) => sum + bytes),
      (sum) => options.onProgress?.({ bytes: sum, total: plan.size }) ?? Effect.void
    )

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

  const single = Effect.fnUntraced(function*(range: ByteRange.ByteRange) {
    const body = yield* read(range)
    const hashes = yield* hasher.hashes(body)
    const { archiveId, location } = yield* glacier.uploadArchive({
      ...vault,
      description: options.description,
      ...hashes,
      body
    })
    yield* progress(body.length)
    return { archiveId, treeHash: hashes.treeHash, size: plan.size, parts: 1, location }
  })

  const part = Effect.fnUntraced(function*(uploadId: UploadId, range: ByteRange.ByteRange) {
    const body = yield* read(range)
    const hashes = yield* hasher.hashes(body)
    yield* glacier.uploadMultipartPart({ ...vault, uploadId, range, ...hashes, body })
    yield* progress(body.length)
    return hashes.treeHash
  })

  const initiate = glacier.initiateMultipartUpload({
    ...vault,
    description: options.description,
    partSize: plan.partSize
  })

  const send = Effect.fnUntraced(function*({ uploadId }: Effect.Effect.Success<typeof initiate>) {
    if (options.onInitiated !== undefined) yield* options.onInitiated(uploadId)
    const hashes = yield* Effect.forEach(plan.parts, (range) => part(uploadId, range), { concurrency })
    const treeHash = TreeHash.combine(sha256, hashes)
    const { archiveId, location } = yield* glacier.completeMultipartUpload({
      ...vault,
      uploadId,
      archiveSize: plan.size,
      treeHash
    })
    return { archiveId, treeHash, size: plan.size, parts: plan.parts.length, location }
  })

  const multipart = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      // In a fiber that is not interrupted at once: while the answer is under way, there may be an upload to drop.
      const opening = yield* Effect.forkDaemon(Effect.interruptible(initiate))
      const exit = yield* Effect.exit(restore(Effect.flatMap(Fiber.join(opening), send)))
      if (Exit.isFailure(exit) && options.onFailure !== "keep") {
        yield* Fiber.join(opening).pipe(
          Effect.flatMap(({ uploadId }) => glacier.abortMultipartUpload({ ...vault, uploadId })),
          Effect.interruptible,
          // Who interrupts it must not wait for a network that is gone.
          Effect.timeout(Cause.isInterruptedOnly(exit.cause) ? "1 second" : "15 seconds"),
          Effect.catchAllCause((cause) => Effect.logDebug("An upload was not dropped", cause))
        )
      }
      yield* Fiber.interrupt(opening)
      return yield* exit
    })
  )

  const [first] = plan.parts
  const archive: UploadedArchive = plan.parts.length === 1 && first !== undefined
    ? yield* single(first)
    : yield* multipart
  return archive
}, Effect.provideService(RetryPolicy.Fallback, RetryPolicy.patient))
