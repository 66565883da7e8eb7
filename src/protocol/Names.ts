/**
 * Names, ids and texts as branded schemas. The `message` of a schema is its rule, which `InvalidInput` shows.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Limits from "./Limits.ts"

const text = <Brand extends string>(brand: Brand, pattern: RegExp, rule: string, example: RegExp = pattern) =>
  Schema.String.pipe(
    Schema.pattern(pattern, {
      identifier: brand,
      message: () => rule,
      arbitrary: () => (fc) => fc.stringMatching(example)
    }),
    Schema.brand(brand)
  )

/**
 * A vault's name: 1 to 255 of `A-Z a-z 0-9 _ - .`, case-sensitive, unique in an account and region. `.` and `..` are
 * rejected: no URL can carry them.
 *
 * @since 0.1.0
 * @category names
 */
export const VaultName = text(
  "VaultName",
  /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,255}$/,
  "must be 1 to 255 characters of A-Z a-z 0-9 _ - . and neither \".\" nor \"..\"",
  /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,40}$/
)

/**
 * @since 0.1.0
 * @category names
 */
export type VaultName = typeof VaultName.Type

/**
 * The owner of a vault: 12 digits, or `-` for the account of the credentials.
 *
 * @since 0.1.0
 * @category names
 */
export const AccountId = text("AccountId", /^(-|[0-9]{12})$/, "must be 12 digits without hyphens, or one \"-\"")

/**
 * @since 0.1.0
 * @category names
 */
export type AccountId = typeof AccountId.Type

/**
 * Makes the schema of an id that the service assigns.
 *
 * @since 0.1.0
 * @category constructors
 */
export const id = <Brand extends string>(brand: Brand) =>
  text(
    brand,
    /^[A-Za-z0-9_-]{1,1024}$/,
    "must be an id as the service gave it: of A-Z a-z 0-9 _ -",
    /^[A-Za-z0-9_-]{92}$/
  )

/**
 * The id of an archive: 138 characters. An archive has no other address.
 *
 * @since 0.1.0
 * @category names
 */
export const ArchiveId = id("ArchiveId")

/**
 * @since 0.1.0
 * @category names
 */
export type ArchiveId = typeof ArchiveId.Type

/**
 * The id of a multipart upload: 92 characters.
 *
 * @since 0.1.0
 * @category names
 */
export const UploadId = id("UploadId")

/**
 * @since 0.1.0
 * @category names
 */
export type UploadId = typeof UploadId.Type

/**
 * The id of a job: 92 characters.
 *
 * @since 0.1.0
 * @category names
 */
export const JobId = id("JobId")

/**
 * @since 0.1.0
 * @category names
 */
export type JobId = typeof JobId.Type

/**
 * A description of an archive or a job: at most 1,024 characters of printable ASCII. The service trims the
 * description of an archive, and treats an empty one as absent.
 *
 * @since 0.1.0
 * @category names
 */
export const Description = text(
  "Description",
  new RegExp(`^[\\x20-\\x7E]{0,${Limits.maximumDescriptionLength}}$`),
  "must be at most 1,024 characters of printable ASCII (0x20 to 0x7E)"
)

/**
 * @since 0.1.0
 * @category names
 */
export type Description = typeof Description.Type

/**
 * The ARN of an SNS topic. The service does not check whether the topic exists.
 *
 * @since 0.1.0
 * @category names
 */
export const SnsTopic = text(
  "SnsTopic",
  /^arn:[a-z0-9-]{1,32}:sns:[a-z0-9-]{1,32}:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/,
  "must be the ARN of a topic of SNS",
  /^arn:aws:sns:us-east-1:[0-9]{12}:[A-Za-z0-9_-]{1,40}$/
)

/**
 * @since 0.1.0
 * @category names
 */
export type SnsTopic = typeof SnsTopic.Type

/**
 * A plain SHA-256 as 64 lower-case hex digits: `x-amz-content-sha256`.
 *
 * @since 0.1.0
 * @category names
 */
export const ContentSha256 = text("ContentSha256", /^[0-9a-f]{64}$/, "must be a SHA-256 as 64 lower-case hex digits")

/**
 * @since 0.1.0
 * @category names
 */
export type ContentSha256 = typeof ContentSha256.Type

/**
 * The size of the parts of a multipart upload in bytes: 1 MiB times a power of two, at most 4 GiB.
 *
 * @since 0.1.0
 * @category names
 */
export const PartSize = Schema.Number.pipe(
  Schema.filter(
    (size) =>
      Number.isInteger(size) && size >= Limits.minimumPartSize && size <= Limits.maximumPartSize &&
      Number.isInteger(Math.log2(size)),
    {
      identifier: "PartSize",
      message: () => "must be 1 MiB times a power of two: 1048576, 2097152, ... 4294967296",
      arbitrary: () => (fc) => fc.nat({ max: 12 }).map((power) => Limits.mebibyte * 2 ** power)
    }
  ),
  Schema.brand("PartSize")
)

/**
 * @since 0.1.0
 * @category names
 */
export type PartSize = typeof PartSize.Type

/**
 * The size of an archive in bytes: 1 to 10,000 x 4 GiB.
 *
 * @since 0.1.0
 * @category names
 */
export const ArchiveSize = Schema.Number.pipe(
  Schema.int({ message: () => "must be a whole number of bytes" }),
  Schema.between(1, Limits.maximumArchiveSize, {
    identifier: "ArchiveSize",
    message: () => "must be 1 byte to 42,949,672,960,000 bytes (10,000 parts of 4 GiB)"
  }),
  Schema.brand("ArchiveSize")
)

/**
 * @since 0.1.0
 * @category names
 */
export type ArchiveSize = typeof ArchiveSize.Type
