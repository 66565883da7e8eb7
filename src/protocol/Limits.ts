/**
 * The limits of the service. Sizes are in bytes. See Amazon Glacier quotas (AWS General Reference).
 *
 * @since 0.1.0
 */

/**
 * 1 MiB: the size of a leaf of the hash tree, and the unit of part sizes and retrieval ranges.
 *
 * @since 0.1.0
 * @category limits
 */
export const mebibyte = 1_048_576

/**
 * The smallest part size of a multipart upload: 1 MiB.
 *
 * @since 0.1.0
 * @category limits
 */
export const minimumPartSize = mebibyte

/**
 * The largest part size of a multipart upload, and the largest archive that one request can upload: 4 GiB.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumPartSize = 4_096 * mebibyte

/**
 * The maximum number of parts of a multipart upload.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumParts = 10_000

/**
 * The maximum size of an archive: 10,000 parts of 4 GiB.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumArchiveSize = maximumParts * maximumPartSize

/**
 * The maximum length of a description of an archive or a job, in characters from 0x20 to 0x7E.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumDescriptionLength = 1_024

/**
 * The maximum number of vaults in an account and region.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumVaults = 1_000

/**
 * The default and maximum size of a page of ListVaults.
 *
 * @since 0.1.0
 * @category limits
 */
export const vaultPage = 10

/**
 * The default and maximum size of a page of ListJobs, ListParts and ListMultipartUploads.
 *
 * @since 0.1.0
 * @category limits
 */
export const page = 50

/**
 * The overhead that the service adds to each archive in the size of a vault.
 *
 * @since 0.1.0
 * @category limits
 */
export const archiveOverhead = 32_768

/**
 * The time until the output of a completed job, an idle multipart upload or a vault lock in progress expires: 24 hours, in
 * milliseconds.
 *
 * @since 0.1.0
 * @category limits
 */
export const lifetimeMillis = 86_400_000
