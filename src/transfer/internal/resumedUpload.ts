/**
 * A multipart upload that an earlier run opened: what the service has of it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Pages from "../../client/Pages.ts"
import type * as ByteRange from "../../protocol/ByteRange.ts"
import { MalformedResponse } from "../../protocol/GlacierError.ts"
import { check } from "../../protocol/InputCheck.ts"
import * as Limits from "../../protocol/Limits.ts"
import { type ArchiveId, type PartSize, UploadId } from "../../protocol/Names.ts"
import { operations } from "../../protocol/Operations.ts"
import { ResourceNotFound, UploadNotFound } from "../../protocol/ServiceError.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"

export interface ResumedUpload {
  readonly uploadId: UploadId
  readonly partSize: PartSize | undefined
  /** The tree hashes of the parts that the service has, by their first byte: older services list wrong last bytes. */
  readonly parts: ReadonlyMap<number, TreeHash>
  /** The parts that need not be read again, because the source is known to hold the bytes that were sent. */
  readonly trusted: ReadonlyMap<number, TreeHash>
  /**
   * The service's message if the upload is not open any more. Then no part can be sent, but the completion can be
   * requested again.
   */
  readonly gone: Option.Option<string>
  /** The tree hash with which an earlier run requested the completion, if that is known. */
  readonly requested: Option.Option<TreeHash>
  /** The archive that it became, if that is known. Then no request is needed. */
  readonly stored?: Stored | undefined
}

/** An archive that a multipart upload became. */
export interface Stored {
  readonly archiveId: ArchiveId
  readonly treeHash: TreeHash
  readonly size: number
  readonly parts: number
  readonly location: Option.Option<string>
}

/** Returns why a part cannot belong to an upload with that part size. Older services list ends that are 1 byte too far. */
const problemOf = ({ end, start }: ByteRange.ByteRange, partSize: PartSize): string | undefined =>
  start % partSize !== 0 || end - start > partSize || start / partSize >= Limits.maximumParts
    ? `a part with bytes ${start} to ${end}, but the part size is ${partSize}`
    : undefined

/**
 * Whether an error says that an upload is not open. AWS's text for uploads is not known, so a 404 with an unknown text
 * counts as well.
 */
export const isGone = (error: unknown): error is UploadNotFound | ResourceNotFound =>
  error instanceof UploadNotFound || error instanceof ResourceNotFound

/** Lists the parts of an upload. Fails with `MalformedResponse` when the part size is not the `known` one. */
export const find = Effect.fnUntraced(function*(vault: VaultAddress, id: string, known?: PartSize) {
  const uploadId = yield* check("upload", "uploadId", UploadId, id)
  const parts = new Map<number, TreeHash>()
  const nothing: ResumedUpload = {
    uploadId,
    partSize: undefined,
    parts: new Map(),
    trusted: new Map(),
    gone: Option.none(),
    requested: Option.none()
  }
  const malformed = (problem: string) =>
    new MalformedResponse({ operation: operations.listParts.name, status: 200, problem })
  return yield* Stream.runFoldEffect(Pages.partPages({ ...vault, uploadId }), known, (known, page) => {
    const partSize = known ?? page.partSize
    if (page.partSize !== partSize) return malformed(`part size ${page.partSize}, but it is ${partSize}`)
    for (const { range, treeHash } of page.parts) {
      const problem = problemOf(range, partSize)
      if (problem !== undefined) return malformed(problem)
      parts.set(range.start, treeHash)
    }
    return Effect.succeed(partSize)
  }).pipe(
    Effect.map((partSize): ResumedUpload => ({ ...nothing, partSize, parts })),
    Effect.catchIf(
      isGone,
      ({ message }) => Effect.succeed<ResumedUpload>({ ...nothing, gone: Option.some(message) })
    )
  )
})
