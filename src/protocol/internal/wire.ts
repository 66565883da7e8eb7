/**
 * Glacier's JSON names mapped to ours, once.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A field of an answer that is always there. */
export const required = <A, I>(name: string, schema: Schema.Schema<A, I>) =>
  Schema.propertySignature(schema).pipe(Schema.fromKey(name))

/** A field of an answer that does not always apply: null and absent are both none, none is written as null. */
export const nullable = <A, I>(name: string, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, {
    as: "Option",
    nullable: true,
    onNoneEncoding: () => Option.some(null)
  }).pipe(Schema.fromKey(name))

/** A field of a request that may be left out; null means the same. */
export const optional = <A, I>(name: string, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { nullable: true }).pipe(Schema.fromKey(name))

/** One of some words. */
export const oneOf = <const Words extends ReadonlyArray<string> & readonly [string, ...Array<string>]>(
  ...words: Words
) =>
  Schema.Literal(...words).annotations({
    message: () => ({ message: `must be one of ${words.join(", ")}`, override: true })
  })

/** A date to the second, as inventories write it. Milliseconds are read too, and the ways in which clients name UTC. */
export const Seconds = Schema.transform(Schema.String, Schema.DateTimeUtc, {
  strict: true,
  decode: (text) => /T[0-9:.]+$/.test(text) ? `${text}Z` : text.replace(/UTC$/, "Z"),
  encode: (text) => text.replace(/\.\d{3}Z$/, "Z")
})

/** Values read from the wire one by one, by the field of that name, so their type is known. */
export const record = <T>(values: Record<string, unknown>): T => values as T
