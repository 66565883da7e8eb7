/**
 * The numbers of the service (spec section 9). Sizes are bytes.
 *
 * @since 0.1.0
 */

/**
 * 1 MiB: the leaf of a tree hash and the unit every part size and retrieval range is made of.
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
 * The most parts a multipart upload may have.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumParts = 10_000

/**
 * The largest archive there can be: 10,000 parts of 4 GiB.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumArchiveSize = maximumParts * maximumPartSize

/**
 * The longest description of an archive or a job, in characters of 0x20 to 0x7E.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumDescriptionLength = 1_024

/**
 * Vaults in an account and region.
 *
 * @since 0.1.0
 * @category limits
 */
export const maximumVaults = 1_000

/**
 * Default and largest page of ListVaults.
 *
 * @since 0.1.0
 * @category limits
 */
export const vaultPage = 10

/**
 * Default and largest page of ListJobs, ListParts and ListMultipartUploads.
 *
 * @since 0.1.0
 * @category limits
 */
export const page = 50

/**
 * What the service adds to each archive in the size of a vault.
 *
 * @since 0.1.0
 * @category limits
 */
export const archiveOverhead = 32_768

/**
 * How long the output of a completed job can be read, and an idle multipart upload lives: 24 hours, in milliseconds.
 *
 * @since 0.1.0
 * @category limits
 */
export const lifetimeMillis = 86_400_000
