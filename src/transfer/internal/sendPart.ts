/**
 * The way of bytes to the service: read, hashed and sent, as a part of a multipart upload or as an archive in a single
 * request.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import type { UploadId } from "../../protocol/Names.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import type { Multipart } from "./multipart.ts"

export interface Part<E, R, OpenError> {
  readonly range: ByteRange.ByteRange
  readonly read: Effect.Effect<Uint8Array, E, R>
  /** Waits until the upload is open. */
  readonly uploadId: Effect.Effect<UploadId, OpenError>
  /** Holds a permit to send while the effect runs. */
  readonly withPermit: <A, E, R>(send: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly onRetry: (retry: RetryPolicy.Retry) => Effect.Effect<void>
  readonly onHashed?: (treeHash: TreeHash) => Effect.Effect<unknown>
}

/** Returns the hashes of a part. Makes no SHA-256 when the part need not be sent. */
const hash = Effect.fnUntraced(function*({ hasher, resumed }: Multipart, start: number, body: Uint8Array) {
  const stored = resumed?.parts.get(start)
  const isGone = resumed !== undefined && Option.isSome(resumed.gone)
  if (stored === undefined && !isGone) return yield* hasher.hashes(body)
  const treeHash = yield* hasher.treeHash(body)
  return isGone || treeHash === stored ? { treeHash, contentSha256: undefined } : yield* hasher.hashes(body)
})

/**
 * Sends a part unless the service has it already, and returns its tree hash. A part of a resumed upload is not even read
 * when the source is known to be unchanged.
 */
export const sendPart = Effect.fnUntraced(function*<E, R, OpenError>(
  multipart: Multipart,
  { onHashed, onRetry, range, read, uploadId, withPermit }: Part<E, R, OpenError>
) {
  const { glacier, reporter, resumed, settings, vault } = multipart
  const { start } = range
  const trusted = resumed?.trusted.get(start)
  if (trusted !== undefined) {
    yield* reporter.reportDone("Kept", start, ByteRange.length(range))
    return trusted
  }

  const body = yield* read
  yield* reporter.report("Read", start, body.length)
  const { contentSha256, treeHash } = yield* hash(multipart, start, body)
  yield* reporter.report("Hashed", start, body.length)
  if (onHashed !== undefined) yield* onHashed(treeHash)

  const id = yield* uploadId
  yield* withPermit(Effect.gen(function*() {
    if (contentSha256 === undefined) {
      yield* reporter.reportDone("Kept", start, body.length)
    } else {
      yield* glacier.uploadMultipartPart({ ...vault, uploadId: id, range, treeHash, contentSha256, body }).pipe(
        RetryPolicy.onRetry(onRetry),
        reporter.reportRetries(range)
      )
      yield* reporter.reportDone("Sent", start, body.length)
    }
    if (settings.onPartStored !== undefined) yield* settings.onPartStored(start, treeHash)
  }))
  return treeHash
})

/** Uploads an archive in a single request. */
export const sendSingle = Effect.fnUntraced(function*(
  { description, glacier, hasher, reporter, vault }: Multipart,
  body: Uint8Array
) {
  const size = body.length
  reporter.setTotal(size)
  yield* reporter.report("Read", 0, size)
  const hashes = yield* hasher.hashes(body)
  yield* reporter.report("Hashed", 0, size)
  const { archiveId, location } = yield* reporter.reportRetries(ByteRange.make(0, size))(
    glacier.uploadArchive({ ...vault, description, ...hashes, body })
  )
  yield* reporter.reportDone("Sent", 0, size)
  return { archiveId, treeHash: hashes.treeHash, size, parts: 1, location }
})
