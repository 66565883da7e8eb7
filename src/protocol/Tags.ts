/**
 * The tags of a vault (spec section 12.8).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { required } from "./internal/wire.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

const tagKeyRule = "1 to 128 letters, digits, spaces and _ . / = + - @ that does not begin with aws:"

const letters = "[\\p{L}\\p{N} _./=+\\-@]"

/**
 * The key of a tag: 1 to 128 letters, digits, spaces and `_ . / = + - @`, case-sensitive. Those that begin with `aws:`
 * are AWS's.
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
 * The value of a tag: up to 255 characters of the same kind.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TagValue = Schema.String.pipe(
  Schema.pattern(new RegExp(`^${letters}{0,255}$`, "u"), {
    identifier: "TagValue",
    message: () => "must be at most 255 letters, digits, spaces and _ . / = + - @",
    arbitrary: () => (fc) => fc.stringMatching(/^[A-Za-z0-9_.-]{0,20}$/)
  })
)

const isTagKey = Schema.is(TagKey)

// A record leaves out what its key schema refuses, so the keys are looked at one by one.
const Tags = Schema.Record({ key: Schema.String, value: TagValue }).pipe(
  Schema.filter((tags) => {
    const keys = Object.keys(tags)
    if (keys.length < 1 || keys.length > 10) return "must be 1 to 10 tags"
    const wrong = keys.find((key) => !isTagKey(key))
    return wrong === undefined ? undefined : { path: [wrong], message: `must have a key of ${tagKeyRule}` }
  })
)

const TagKeys = Schema.Array(TagKey).pipe(
  Schema.filter((keys) => keys.length >= 1 && keys.length <= 10, { message: () => "must be 1 to 10 keys" })
)

const VaultTags = Schema.Struct({ tags: required("Tags", Schema.Record({ key: Schema.String, value: Schema.String })) })

/**
 * Adds 1 to 10 tags to a vault, in place of those of the same keys. A vault may have 50.
 *
 * @since 0.1.0
 * @category operations
 */
export const AddTagsToVault = Operation.make({
  name: "AddTagsToVault",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/tags",
  query: ["operation", "add"],
  input: { ...Operation.vault, tags: Operation.json(Schema.pluck(Schema.Struct({ Tags }), "Tags")) },
  success: [204],
  headers: {},
  body: "none",
  errors: [
    ServiceError.LimitExceeded,
    ServiceError.ResourceNotFound,
    ServiceError.Serialization,
    ...ServiceError.common
  ],
  idempotent: true
})

/**
 * All tags of a vault.
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
  body: Operation.answer(VaultTags),
  errors: [ServiceError.ResourceNotFound, ...ServiceError.common],
  idempotent: true
})

/**
 * Removes 1 to 10 tags from a vault, those of them that it has.
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
  errors: [ServiceError.ResourceNotFound, ServiceError.Serialization, ...ServiceError.common],
  idempotent: true
})
