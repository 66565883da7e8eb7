/**
 * The operations on multipart uploads.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Bytes } from "./Archives.ts"
import * as ByteRange from "./ByteRange.ts"
import { nullable, required } from "./internal/wire.ts"
import { ArchiveId, ArchiveSize, ContentSha256, Description, PartSize, UploadId } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"
import { TreeHash } from "./TreeHash.ts"

const upload = { ...Operation.vault, uploadId: Operation.path("uploadId", UploadId) }

/**
 * An open multipart upload.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UploadDescription = Schema.Struct({
  archiveDescription: nullable("ArchiveDescription", Schema.String),
  creationDate: required("CreationDate", Schema.DateTimeUtc),
  uploadId: required("MultipartUploadId", UploadId),
  partSize: required("PartSizeInBytes", PartSize),
  vaultArn: required("VaultARN", Schema.String)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type UploadDescription = typeof UploadDescription.Type

/**
 * A complete part of a multipart upload.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Part = Schema.Struct({
  range: required("RangeInBytes", ByteRange.Plain),
  treeHash: required("SHA256TreeHash", TreeHash)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Part = typeof Part.Type

/**
 * A page of ListParts. `marker` is the start of the next page.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PartPage = Schema.Struct({
  archiveDescription: nullable("ArchiveDescription", Schema.String),
  creationDate: required("CreationDate", Schema.DateTimeUtc),
  marker: nullable("Marker", Schema.String),
  uploadId: required("MultipartUploadId", UploadId),
  partSize: required("PartSizeInBytes", PartSize),
  parts: required("Parts", Schema.Array(Part)),
  vaultArn: required("VaultARN", Schema.String)
})

/**
 * A page of ListMultipartUploads. `marker` is the start of the next page.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UploadPage = Schema.Struct({
  marker: nullable("Marker", Schema.String),
  uploads: required("UploadsList", Schema.Array(UploadDescription))
})

/**
 * Opens a multipart upload. Each call opens one. A lost call is repeated all the same: an upload without parts costs nothing
 * and expires after 24 hours. See InitiateMultipartUpload (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const InitiateMultipartUpload = Operation.make({
  name: "InitiateMultipartUpload",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/multipart-uploads",
  input: {
    ...Operation.vault,
    description: Operation.optionalHeader("x-amz-archive-description", Description),
    partSize: Operation.header("x-amz-part-size", Schema.compose(Operation.Decimal, PartSize))
  },
  success: [201],
  headers: {
    location: Operation.optionalHeader("location", Schema.String),
    uploadId: Operation.header("x-amz-multipart-upload-id", UploadId)
  },
  body: "none",
  errors: [ServiceError.InvalidPartSize, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/** The smallest part size that holds a number of bytes. All larger part sizes are multiples of it. */
const partSizeOf = (length: number): number => 2 ** Math.max(20, Math.ceil(Math.log2(length)))

/**
 * Uploads a part, in any order. A part that is uploaded twice holds the bytes of the last request. See UploadPart (Amazon
 * Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const UploadMultipartPart = Operation.make({
  name: "UploadMultipartPart",
  method: "PUT",
  path: "/{accountId}/vaults/{vaultName}/multipart-uploads/{uploadId}",
  input: {
    ...upload,
    range: Operation.header("content-range", ByteRange.PartRange),
    contentSha256: Operation.header("x-amz-content-sha256", ContentSha256),
    treeHash: Operation.header("x-amz-sha256-tree-hash", TreeHash),
    body: Operation.bytes(Bytes)
  },
  success: [204],
  headers: { treeHash: Operation.optionalHeader("x-amz-sha256-tree-hash", TreeHash) },
  body: "none",
  errors: [
    ServiceError.ChecksumMismatch,
    ServiceError.EmptyArchive,
    ServiceError.RangeNotAligned,
    ServiceError.RequestTimeout,
    ServiceError.UploadNotFound,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: true,
  echoes: ["treeHash"]
}, ({ body, range }) => {
  const length = ByteRange.length(range)
  const rule = length !== body.length
    ? `must be as long as the body, which has ${body.length} bytes`
    : range.start % partSizeOf(length) !== 0
    ? `must start at a multiple of its part size, which is at least ${partSizeOf(length)} for ${length} bytes`
    : undefined
  return rule === undefined ? undefined : { field: "range", value: range, rule }
})

/**
 * Completes a multipart upload. For a short time after success, a repeat returns the same archive id. See
 * CompleteMultipartUpload (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const CompleteMultipartUpload = Operation.make({
  name: "CompleteMultipartUpload",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/multipart-uploads/{uploadId}",
  input: {
    ...upload,
    archiveSize: Operation.header("x-amz-archive-size", Schema.compose(Operation.Decimal, ArchiveSize)),
    treeHash: Operation.header("x-amz-sha256-tree-hash", TreeHash)
  },
  success: [201],
  headers: {
    archiveId: Operation.header("x-amz-archive-id", ArchiveId),
    location: Operation.optionalHeader("location", Schema.String),
    treeHash: Operation.optionalHeader("x-amz-sha256-tree-hash", TreeHash)
  },
  body: "none",
  errors: [
    ServiceError.ChecksumMismatch,
    ServiceError.UploadNotFound,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: "briefly",
  lookUp: "look for an archive with tree hash {treeHash} in the next inventory of vault {vaultName}",
  echoes: ["treeHash"]
})

/**
 * Aborts a multipart upload and discards its parts. For a short time a repeat succeeds. See AbortMultipartUpload (Amazon
 * Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const AbortMultipartUpload = Operation.make({
  name: "AbortMultipartUpload",
  method: "DELETE",
  path: "/{accountId}/vaults/{vaultName}/multipart-uploads/{uploadId}",
  input: upload,
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.UploadNotFound, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: "briefly",
  lookUp: "upload {uploadId} is not open any more: it was aborted, or else completed or dropped before"
})

/**
 * Lists the complete parts by their position, at most 50 at a time. See ListParts (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const ListParts = Operation.make({
  name: "ListParts",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/multipart-uploads/{uploadId}",
  input: { ...upload, ...Operation.paging },
  success: [200],
  headers: {},
  body: Operation.jsonBody(PartPage),
  errors: [ServiceError.UploadNotFound, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true,
  echoes: ["uploadId"]
})

/**
 * Lists the open multipart uploads of a vault, at most 50 at a time. See ListMultipartUploads (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const ListMultipartUploads = Operation.make({
  name: "ListMultipartUploads",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/multipart-uploads",
  input: { ...Operation.vault, ...Operation.paging },
  success: [200],
  headers: {},
  body: Operation.jsonBody(UploadPage),
  errors: [...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})
