/**
 * The tags of a vault.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { required } from "./internal/wire.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

const tagKeyRule = "1 to 128 letters, digits, spaces and _ . / = + - @ that does not begin with aws:"

const tagValueRule = "must be at most 255 letters, digits, spaces and _ . / = + - @"

const letters = "[\\p{L}\\p{N} _./=+\\-@]"

/**
 * The key of a tag: 1 to 128 letters, digits, spaces and `_ . / = + - @`, case-sensitive. Keys that start with
 * `aws:` are reserved.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TagKey = Schema.String.pipe(
  Schema.pattern(new RegExp(`^(?!aws:)${letters}{1,128}$`, "u"), {
    identifier: "TagKey",
    message: () => `must be ${tagKeyRule}`,
    arbitrary: () => (fc) => fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/)
  })
)

/**
 * The value of a tag: up to 255 of the same characters.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TagValue = Schema.String.pipe(
  Schema.pattern(new RegExp(`^${letters}{0,255}$`, "u"), {
    identifier: "TagValue",
    message: () => tagValueRule,
    arbitrary: () => (fc) => fc.stringMatching(/^[A-Za-z0-9_.-]{0,20}$/)
  })
)

const isTagKey = Schema.is(TagKey)

const isTagValue = Schema.is(TagValue)

/**
 * The values of tags by their keys. A record would lose the key `__proto__`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Tags: Schema.declare<{ readonly [key: string]: string }> = Schema.declare(
  (tags): tags is { readonly [key: string]: string } =>
    Predicate.isReadonlyRecord(tags) && Object.values(tags).every(Predicate.isString),
  {
    identifier: "Tags",
    message: () => "must be texts by keys",
    arbitrary: () => (fc) => fc.dictionary(fc.string(), fc.string())
  }
)

const NewTags = Tags.pipe(
  Schema.filter((tags) => {
    const all = Object.entries(tags)
    if (all.length < 1 || all.length > 10) return "must be 1 to 10 tags"
    return all.flatMap(([key, value]) =>
      !isTagKey(key)
        ? [{ path: [key], message: `must have a key of ${tagKeyRule}` }]
        : isTagValue(value)
        ? []
        : [{ path: [key], message: tagValueRule }]
    )
  })
)

const TagKeys = Schema.Array(TagKey).pipe(
  Schema.filter((keys) => keys.length >= 1 && keys.length <= 10, { message: () => "must be 1 to 10 keys" })
)

const VaultTags = Schema.Struct({ tags: required("Tags", Tags) })

/**
 * Adds 1 to 10 tags to a vault, and replaces tags with the same keys. A vault can have 50. See AddTagsToVault (Amazon Glacier
 * API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const AddTagsToVault = Operation.make({
  name: "AddTagsToVault",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/tags",
  query: ["operation", "add"],
  input: { ...Operation.vault, tags: Operation.json(Schema.pluck(Schema.Struct({ Tags: NewTags }), "Tags")) },
  success: [204],
  headers: {},
  body: "none",
  errors: [
    ServiceError.LimitExceeded,
    ServiceError.Serialization,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: true
})

/**
 * Lists all tags of a vault. See ListTagsForVault (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const ListTagsForVault = Operation.make({
  name: "ListTagsForVault",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/tags",
  input: Operation.vault,
  success: [200],
  headers: {},
  body: Operation.jsonBody(VaultTags),
  errors: [...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Removes 1 to 10 tags from a vault. Ignores keys that the vault does not have. See RemoveTagsFromVault (Amazon Glacier API
 * Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const RemoveTagsFromVault = Operation.make({
  name: "RemoveTagsFromVault",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/tags",
  query: ["operation", "remove"],
  input: {
    ...Operation.vault,
    tagKeys: Operation.json(Schema.pluck(Schema.Struct({ TagKeys }), "TagKeys"))
  },
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.Serialization, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})
