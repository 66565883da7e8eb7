/**
 * The operations on multipart uploads.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Iterable from "effect/Iterable"
import * as Option from "effect/Option"
import * as Archives from "../../../protocol/Archives.ts"
import * as ByteRange from "../../../protocol/ByteRange.ts"
import * as Limits from "../../../protocol/Limits.ts"
import { ArchiveId, UploadId } from "../../../protocol/Names.ts"
import * as TreeHash from "../../../protocol/TreeHash.ts"
import * as Uploads from "../../../protocol/Uploads.ts"
import * as Access from "../access.ts"
import type { Delays } from "../delays.ts"
import * as ErrorResponse from "../errorResponse.ts"
import type * as Event from "../event.ts"
import * as Ids from "../ids.ts"
import * as Page from "../page.ts"
import * as ParameterError from "../parameterError.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { Step, Store } from "../store.ts"
import * as UploadBody from "../uploadBody.ts"
import { storedDescription } from "./archives.ts"

const uploadNotFound = (id: string): ErrorResponse.ErrorResponse =>
  ErrorResponse.notFound(`The upload ID was not found: ${id}`)

// Finds an upload that is open, or that was completed or aborted within the last hour.
const find = (step: Step, call: Router.Call, arn: string, id: UploadId) =>
  Either.flatMap(
    Access.authorize(step, call, arn),
    (vault) => Either.fromNullable(vault.uploads.get(id), () => uploadNotFound(id))
  )

const findOpen = (step: Step, call: Router.Call, arn: string, id: UploadId) =>
  Either.filterOrLeft(find(step, call, arn, id), ({ outcome }) => outcome._tag === "Open", () => uploadNotFound(id))

/** Returns an upload in the form of ListMultipartUploads. */
export const describe = (upload: State.Upload, vaultArn: string): Uploads.UploadDescription => ({
  archiveDescription: Option.fromNullable(upload.description),
  creationDate: DateTime.unsafeMake(upload.createdAt),
  uploadId: upload.id,
  partSize: upload.partSize,
  vaultArn
})

/** Returns a part in the form of ListParts. */
export const describePart = (
  { partSize }: State.Upload,
  [index, { size, treeHash }]: readonly [index: number, blob: Event.Blob]
): Uploads.Part => ({ range: ByteRange.make(index * partSize, size), treeHash })

// Returns the index of a part in its upload. Fails when the range does not fit the part size.
const indexOf = (
  upload: State.Upload,
  range: ByteRange.ByteRange,
  text: string
): Either.Either<number, ErrorResponse.ErrorResponse> => {
  const reject = (message: string) => Either.left(ErrorResponse.invalid(message))
  const { partSize } = upload
  const index = range.start / partSize
  if (ByteRange.length(range) > partSize) {
    return reject(`Invalid Content-Range: ${text}. The range is larger than the part size of ${partSize} bytes.`)
  }
  if (!Number.isInteger(index)) {
    return reject(`Invalid Content-Range: ${text}. The range is not aligned with the part size of ${partSize} bytes.`)
  }
  if (index >= Limits.maximumParts) {
    return reject(`Part number ${index + 1} exceeds the limit of ${Limits.maximumParts} parts.`)
  }
  return Either.right(index)
}

/** The archive as described by the headers of CompleteMultipartUpload. */
interface Announced {
  readonly archiveSize: number
  readonly treeHash: TreeHash.TreeHash
}

// Checks an archive against the headers of CompleteMultipartUpload. Also checks repeated requests; whether the service
// does so is a guess.
const checkAnnounced = (
  announced: Announced,
  { size, treeHash }: { readonly size: number; readonly treeHash: TreeHash.TreeHash }
): Either.Either<void, ErrorResponse.ErrorResponse> => {
  if (size !== announced.archiveSize) {
    return Either.left(
      ErrorResponse.invalid(
        `Invalid x-amz-archive-size: ${announced.archiveSize}. The parts of the upload have ${size} bytes.`
      )
    )
  }
  return treeHash === announced.treeHash
    ? Either.void
    : Either.left(ParameterError.invalid("x-amz-sha256-tree-hash", announced.treeHash))
}

// Returns the size of the archive. Fails when there is a gap: all parts except the last must have the part size.
const sizeOf = (upload: State.Upload): Either.Either<number, ErrorResponse.ErrorResponse> => {
  const reject = (message: string) => Either.left(ErrorResponse.invalid(message))
  if (upload.parts.size === 0) return reject(`No parts have been uploaded for the upload ID: ${upload.id}`)
  let total = 0
  for (const [index, { size }] of upload.parts.after(undefined)) {
    if (total !== index * upload.partSize) {
      return reject(`The parts of the upload leave a gap that starts at byte ${total}`)
    }
    total += size
  }
  return Either.right(total)
}

const initiateMultipartUpload = (store: Store, delays: Delays): Router.Route =>
  Router.route(
    Uploads.InitiateMultipartUpload,
    [],
    ({ description, partSize, vaultName }, call) =>
      Effect.gen(function*() {
        const arn = call.arnPrefix + vaultName
        const tail = yield* Ids.tail
        const uploadId = yield* store.run((step) =>
          Either.map(Access.authorize(step, call, arn), () => {
            const uploadId = UploadId.make(Ids.ordered(step.now, step.state.events, tail))
            step.commit({
              _tag: "UploadInitiated",
              at: step.now,
              vault: arn,
              uploadId,
              description: storedDescription(description),
              partSize,
              expiresAt: delays.expiresAt(step.now, "Upload")
            })
            return uploadId
          })
        )
        const location = Router.location(Uploads.ListParts, call, { vaultName, uploadId })
        return { output: { location: Option.some(location), uploadId } }
      })
  )

const uploadMultipartPart = (store: Store, delays: Delays): Router.Route =>
  Router.route(
    Uploads.UploadMultipartPart,
    ["body"],
    ({ contentSha256, range, treeHash, uploadId, vaultName }, call) =>
      Effect.gen(function*() {
        const arn = call.arnPrefix + vaultName
        const length = yield* UploadBody.announcedLength(call)
        const text = Router.header(call, "content-range") ?? ""
        if (ByteRange.length(range) !== length) {
          return yield* Effect.fail(
            ErrorResponse.invalid(`Content-Range: ${text} is incompatible with Content-Length: ${length}`)
          )
        }
        const index = yield* store.run((step) =>
          Either.flatMap(findOpen(step, call, arn, uploadId), (upload) => indexOf(upload, range, text))
        )
        const { blob, keep } = yield* UploadBody.receive(store, call, { length, contentSha256, treeHash })
        yield* store.run((step) =>
          Either.map(findOpen(step, call, arn, uploadId), () => {
            keep()
            const expiresAt = delays.expiresAt(step.now, "Upload")
            step.commit({ _tag: "PartStored", at: step.now, vault: arn, uploadId, index, blob, expiresAt })
          })
        )
        return { output: { treeHash: Option.some(treeHash) } }
      })
  )

const completeMultipartUpload = (store: Store, delays: Delays, sha256: Router.Call["sha256"]): Router.Route =>
  Router.route(
    Uploads.CompleteMultipartUpload,
    [],
    ({ archiveSize, treeHash, uploadId, vaultName }, call) =>
      Effect.gen(function*() {
        const arn = call.arnPrefix + vaultName
        const fresh = ArchiveId.make(yield* Ids.random(Ids.length.archive))
        const archive = yield* store.run((step) =>
          Either.gen(function*() {
            const upload = yield* find(step, call, arn, uploadId)
            const { outcome } = upload
            if (outcome._tag === "Aborted") return yield* Either.left(uploadNotFound(uploadId))
            if (outcome._tag === "Completed") {
              yield* checkAnnounced({ archiveSize, treeHash }, outcome)
              return outcome
            }
            yield* checkAnnounced({ archiveSize, treeHash }, {
              size: yield* sizeOf(upload),
              treeHash: TreeHash.combine(sha256, State.partsOf(upload).map((part) => part.treeHash))
            })
            step.commit({
              _tag: "UploadCompleted",
              at: step.now,
              vault: arn,
              uploadId,
              archiveId: fresh,
              treeHash,
              inventoryAt: delays.afterInventoryLag(step.now)
            })
            return { archiveId: fresh, treeHash }
          })
        )
        const { archiveId } = archive
        const location = Router.location(Archives.DeleteArchive, call, { vaultName, archiveId })
        return { output: { archiveId, location: Option.some(location), treeHash: Option.some(archive.treeHash) } }
      })
  )

const abortMultipartUpload = (store: Store): Router.Route =>
  Router.route(
    Uploads.AbortMultipartUpload,
    [],
    ({ uploadId, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const { outcome } = yield* find(step, call, arn, uploadId)
          if (outcome._tag === "Completed") return yield* Either.left(uploadNotFound(uploadId))
          if (outcome._tag === "Open") step.commit({ _tag: "UploadAborted", at: step.now, vault: arn, uploadId })
          return { output: {} }
        })
      )
  )

const listParts = (store: Store): Router.Route =>
  Router.route(
    Uploads.ListParts,
    [],
    ({ limit, marker, uploadId, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          if (Option.isSome(marker) && !/^\d{1,5}$/.test(marker.value)) {
            return yield* Either.left(ParameterError.invalid("marker", marker.value))
          }
          const upload = yield* findOpen(step, call, arn, uploadId)
          // The marker is the index of the last part on the previous page.
          const after = Option.getOrUndefined(Option.map(marker, Number))
          const page = Page.take(upload.parts.after(after), Page.size(limit))
          const parts = page.items.map((item) => describePart(upload, item))
          const next = Option.map(page.next, ([index]) => String(index))
          return { output: { ...describe(upload, arn), marker: next, parts } }
        })
      )
  )

const listMultipartUploads = (store: Store): Router.Route =>
  Router.route(
    Uploads.ListMultipartUploads,
    [],
    ({ limit, marker, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const after = yield* Page.idMarker(marker)
          const { uploads } = yield* Access.authorize(step, call, arn)
          // Ids sort by the time of their creation, so this is the order of initiation.
          const open = Iterable.filter(uploads.after(after), ([, { outcome }]) => outcome._tag === "Open")
          const page = Page.take(open, Page.size(limit))
          const next = Option.map(page.next, ([id]) => id)
          return { output: { marker: next, uploads: page.items.map(([, upload]) => describe(upload, arn)) } }
        })
      )
  )

export const routes = (store: Store, delays: Delays, sha256: Router.Call["sha256"]): ReadonlyArray<Router.Route> => [
  initiateMultipartUpload(store, delays),
  uploadMultipartPart(store, delays),
  completeMultipartUpload(store, delays, sha256),
  abortMultipartUpload(store),
  listParts(store),
  listMultipartUploads(store)
]
