/**
 * The operations on whole archives.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Limits from "./Limits.ts"
import { ArchiveId, ContentSha256, Description } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"
import { TreeHash } from "./TreeHash.ts"

/**
 * The bytes of an archive or a part: 1 byte to 4 GiB.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Bytes = Schema.Uint8ArrayFromSelf.pipe(
  Schema.filter((bytes) => bytes.length > 0 && bytes.length <= Limits.maximumPartSize, {
    message: () => "must be 1 byte to 4 GiB (the service stores no empty archive)"
  })
)

/**
 * Uploads an archive in one request. Two calls store two archives. See UploadArchive (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const UploadArchive = Operation.make({
  name: "UploadArchive",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/archives",
  input: {
    ...Operation.vault,
    description: Operation.optionalHeader("x-amz-archive-description", Description),
    contentSha256: Operation.header("x-amz-content-sha256", ContentSha256),
    treeHash: Operation.header("x-amz-sha256-tree-hash", TreeHash),
    body: Operation.bytes(Bytes)
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
    ServiceError.EmptyArchive,
    ServiceError.RequestTimeout,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: false,
  lookUp: "look for an archive with tree hash {treeHash} in the next inventory of vault {vaultName}",
  echoes: ["treeHash"]
})

/**
 * Deletes an archive. Does nothing if it was deleted before. See DeleteArchive (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const DeleteArchive = Operation.make({
  name: "DeleteArchive",
  method: "DELETE",
  path: "/{accountId}/vaults/{vaultName}/archives/{archiveId}",
  input: { ...Operation.vault, archiveId: Operation.path("archiveId", ArchiveId) },
  success: [204],
  headers: {},
  body: "none",
  errors: [
    ServiceError.ArchiveInOtherVault,
    ServiceError.ArchiveNotFound,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: true
})
