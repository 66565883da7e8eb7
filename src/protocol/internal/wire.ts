/**
 * Glacier's JSON names mapped to ours, once.
 *
 * @since 0.1.0
 */
import type * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A field of an answer that is always there. */
export const required = <const Name extends string, A, I>(name: Name, schema: Schema.Schema<A, I>) =>
  Schema.propertySignature(schema).pipe(Schema.fromKey(name))

/** A field of an answer that does not always apply: null and absent are both none, none is written as null. */
export const nullable = <const Name extends string, A, I>(name: Name, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, {
    as: "Option",
    nullable: true,
    onNoneEncoding: () => Option.some(null)
  }).pipe(Schema.fromKey(name))

/** A field of a request that may be left out; null means the same. */
export const optional = <const Name extends string, A, I>(name: Name, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { nullable: true }).pipe(Schema.fromKey(name))

/** One of some words. */
export const oneOf = <const Words extends ReadonlyArray<string> & readonly [string, ...Array<string>]>(
  ...words: Words
) =>
  Schema.Literal(...words).annotations({
    message: () => ({ message: `must be one of ${words.join(", ")}`, override: true })
  })

/** Dates that the wire carries as they are: whole seconds of the years 2012 to 2100. */
const wholeSeconds = {
  arbitrary: (): Arbitrary.LazyArbitrary<DateTime.Utc> => (fc) =>
    fc.integer({ min: 1_325_376_000, max: 4_102_444_800 }).map((seconds) => DateTime.unsafeMake(seconds * 1_000))
}

/** A date to the second, as inventories write it. Milliseconds are read too, and the ways in which clients name UTC. */
export const Seconds = Schema.transform(Schema.String, Schema.DateTimeUtc, {
  strict: true,
  decode: (text) => /T[0-9:.]+$/.test(text) ? `${text}Z` : text.replace(/UTC$/, "Z"),
  encode: (text) => text.replace(/\.\d{3}Z$/, "Z")
}).annotations(wholeSeconds)

const second = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|UTC|[+-]\d\d:\d\d)?$/

// A month may not have the day: the time read must be written the same way again.
const isSecond = (text: string): boolean => {
  const [, time] = second.exec(text) ?? []
  return time !== undefined &&
    Option.exists(DateTime.make(`${time}Z`), (date) => DateTime.formatIso(date).startsWith(time))
}

/** A date to the second that is asked for: of the forms that the service takes, and of a day that there is. */
export const GivenSeconds = Schema.compose(
  Schema.String.pipe(Schema.filter(isSecond, { message: () => "must be a date of the years 0 to 9999" })),
  Seconds
)

/** Values read from the wire one by one, by the field of that name, so their type is known. */
export const record = <T>(values: object): T => values as T
