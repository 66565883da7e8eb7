/**
 * Maps the JSON names of the service to those of this package.
 *
 * @internal
 */
import type * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A required field of a response. */
export const required = <const Name extends string, A, I>(name: Name, schema: Schema.Schema<A, I>) =>
  Schema.propertySignature(schema).pipe(Schema.fromKey(name))

/** An optional field of a response. Null and absent are both none; none is written as null. */
export const nullable = <const Name extends string, A, I>(name: Name, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, {
    as: "Option",
    nullable: true,
    onNoneEncoding: () => Option.some(null)
  }).pipe(Schema.fromKey(name))

/** An optional field of a request. Null means absent. */
export const optional = <const Name extends string, A, I>(name: Name, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { nullable: true }).pipe(Schema.fromKey(name))

/** One of several words. */
export const oneOf = <const Words extends ReadonlyArray<string> & readonly [string, ...Array<string>]>(
  ...words: Words
) =>
  Schema.Literal(...words).annotations({
    message: () => ({ message: `must be one of ${words.join(", ")}`, override: true })
  })

/** Dates that survive the wire unchanged: whole seconds of the years 2012 to 2100. */
const wholeSeconds = {
  arbitrary: (): Arbitrary.LazyArbitrary<DateTime.Utc> => (fc) =>
    fc.integer({ min: 1_325_376_000, max: 4_102_444_800 }).map((seconds) => DateTime.unsafeMake(seconds * 1_000))
}

/** A date exact to the second, as inventories write it. Accepts milliseconds, and the forms of UTC that clients write. */
export const Seconds = Schema.transform(Schema.String, Schema.DateTimeUtc, {
  strict: true,
  decode: (text) => /T[0-9:.]+$/.test(text) ? `${text}Z` : text.replace(/UTC$/, "Z"),
  encode: (text) => text.replace(/\.\d{3}Z$/, "Z")
}).annotations(wholeSeconds)

const second = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|UTC|[+-]\d\d:\d\d)?$/

// A day may not exist in its month: the parsed date must format to the same text.
const isSecond = (text: string): boolean => {
  const [, time] = second.exec(text) ?? []
  return time !== undefined &&
    Option.exists(DateTime.make(`${time}Z`), (date) => DateTime.formatIso(date).startsWith(time))
}

/** A date exact to the second in a request: an existing day, in a form that the service accepts. */
export const GivenSeconds = Schema.compose(
  Schema.String.pipe(Schema.filter(isSecond, { message: () => "must be a date of the years 0 to 9999" })),
  Seconds
)

/** Types values that were decoded one by one: the value of a name was decoded by the field with this name. */
export const record = <T>(values: object): T => values as T
