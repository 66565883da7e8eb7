/**
 * The base class of the errors of this package. Its identifier is the name of the package and the tag.
 *
 * @internal
 */
import * as Schema from "effect/Schema"

export const tagged =
  <Self>() => <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
    Schema.TaggedError<Self>(`effect-glacier/${tag}`)(tag, fields)
