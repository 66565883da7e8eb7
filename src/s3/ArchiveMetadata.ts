/**
 * The metadata of an object that is a copy of an archive: the vault, the id, the tree hash, the creation date and the
 * description of the archive. All values are printable ASCII without spaces, which every object store accepts. With a
 * description that Glacier accepts, they have at most 2,048 bytes in all, the limit of S3.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { maximumDescriptionLength } from "../protocol/Limits.ts"
import { ArchiveId } from "../protocol/Names.ts"
import { TreeHash } from "../protocol/TreeHash.ts"

/** The beginning of a description in base64. `encodeURIComponent` encodes a colon, so no other description begins with it. */
const marker = "base64:"

/** The length of the longest description in base64, for which the metadata has room. */
const room = marker.length + Math.ceil(maximumDescriptionLength * 4 / 3)

const isShort = (text: string): boolean => text.length <= room

/** A description as printable ASCII: percent-encoded, or in base64 if that is too long. */
const Description = Schema.transformOrFail(Schema.String, Schema.String, {
  strict: true,
  decode: (text, _, ast) =>
    Either.mapLeft(
      text.startsWith(marker)
        ? Encoding.decodeBase64UrlString(text.slice(marker.length))
        : Encoding.decodeUriComponent(text),
      ({ message }) => new ParseResult.Type(ast, text, message)
    ),
  encode: (description) =>
    ParseResult.succeed(
      // A text with half a character has no percent-encoded form.
      Encoding.encodeUriComponent(description).pipe(
        Either.filterOrLeft(isShort, () => undefined),
        Either.getOrElse(() => `${marker}${Encoding.encodeBase64Url(description)}`)
      )
    )
})

/**
 * The metadata of a copy of an archive. The encoded form has the names that an object store keeps.
 *
 * @since 0.1.0
 * @category schemas
 * @example
 * import { ArchiveMetadata } from "effect-glacier/s3"
 * import { Schema } from "effect"
 *
 * const read = Schema.decode(ArchiveMetadata.ArchiveMetadata)
 */
export const ArchiveMetadata = Schema.Struct({
  vaultName: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("glacier-vault")),
  archiveId: Schema.propertySignature(ArchiveId).pipe(Schema.fromKey("glacier-archive-id")),
  treeHash: Schema.propertySignature(TreeHash).pipe(Schema.fromKey("glacier-tree-hash")),
  creationDate: Schema.propertySignature(Schema.DateTimeUtc).pipe(Schema.fromKey("glacier-created")),
  // Not every store keeps an empty value.
  description: Schema.optionalToRequired(Description, Schema.String, {
    decode: Option.getOrElse(() => ""),
    encode: Option.liftPredicate((description) => description !== "")
  }).pipe(Schema.fromKey("glacier-description"))
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type ArchiveMetadata = typeof ArchiveMetadata.Type

/**
 * Makes the metadata of an object from an archive.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode: (archive: ArchiveMetadata) => Readonly<Record<string, string>> = Schema.encodeSync(ArchiveMetadata)

/**
 * Reads the metadata of an object. Returns none if it is not that of a copy of an archive.
 *
 * @since 0.1.0
 * @category encoding
 */
export const decode: (metadata: Readonly<Record<string, string>>) => Option.Option<ArchiveMetadata> = Schema
  .decodeUnknownOption(ArchiveMetadata)
