/**
 * The fields of a request and the headers of a response: each has a place and a name on the wire, and a codec.
 * `Operation` exports them.
 *
 * @internal
 */
import type * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { AccountId, VaultName } from "../Names.ts"

/**
 * An input, or a header of a response: its place and name on the wire, and its codec.
 *
 * @since 0.1.0
 * @category models
 */
export interface Field<out A, out Optional extends boolean = boolean> {
  readonly in: "path" | "query" | "header" | "json" | "bytes"
  readonly name: string
  readonly optional: Optional
  /** Decodes the text on the wire; for a JSON field, the parsed value. */
  readonly decode: (wire: unknown) => Either.Either<A, ParseResult.ParseError>
  readonly encode: (value: unknown) => Either.Either<string | Uint8Array, ParseResult.ParseError>
}

/**
 * The fields of a request or of the headers of a response, by name.
 *
 * @since 0.1.0
 * @category models
 */
export type Fields = Readonly<Record<string, Field<unknown>>>

const field = <A, I extends string | Uint8Array, Optional extends boolean>(
  place: Field<A>["in"],
  name: string,
  schema: Schema.Schema<A, I>,
  optional: Optional
): Field<A, Optional> => ({
  in: place,
  name,
  optional,
  decode: Schema.decodeUnknownEither(schema),
  encode: Schema.encodeUnknownEither(schema)
})

/**
 * A segment of the path.
 *
 * @since 0.1.0
 * @category fields
 */
export const path = <A, I extends string>(name: string, schema: Schema.Schema<A, I>): Field<A, false> =>
  field("path", name, schema, false)

/**
 * A query parameter. All of Glacier's are optional.
 *
 * @since 0.1.0
 * @category fields
 */
export const query = <A, I extends string>(name: string, schema: Schema.Schema<A, I>): Field<A, true> =>
  field("query", name, schema, true)

/**
 * A required header. Names are lower case.
 *
 * @since 0.1.0
 * @category fields
 */
export const header = <A, I extends string>(name: string, schema: Schema.Schema<A, I>): Field<A, false> =>
  field("header", name, schema, false)

/**
 * An optional header. An empty one counts as absent.
 *
 * @since 0.1.0
 * @category fields
 */
export const optionalHeader = <A, I extends string>(name: string, schema: Schema.Schema<A, I>): Field<A, true> =>
  field("header", name, schema, true)

/**
 * The JSON body of a request.
 *
 * @since 0.1.0
 * @category fields
 */
export const json = <A, I>(schema: Schema.Schema<A, I>): Field<A, false> => ({
  ...field("json", "body", Schema.parseJson(schema), false),
  decode: Schema.decodeUnknownEither(schema),
  // Otherwise an unknown input would be dropped silently, and the service would do something else.
  encode: Schema.encodeUnknownEither(Schema.parseJson(schema), { onExcessProperty: "error" })
})

/**
 * The raw body of a request.
 *
 * @since 0.1.0
 * @category fields
 */
export const bytes = (schema: Schema.Schema<Uint8Array>): Field<Uint8Array, false> =>
  field("bytes", "body", schema, false)

/**
 * The vault that an operation is about, and its owner: without `accountId` the account of the credentials.
 *
 * @since 0.1.0
 * @category fields
 */
export const vault = {
  accountId: field("path", "accountId", AccountId, true),
  vaultName: path("vaultName", VaultName)
}

/**
 * A whole number as decimal digits.
 *
 * @since 0.1.0
 * @category fields
 */
export const Decimal = Schema.compose(
  Schema.String.pipe(Schema.pattern(/^\d+$/, { message: () => "must be decimal digits" })),
  Schema.NumberFromString
).annotations({ arbitrary: () => (fc) => fc.nat() })

/**
 * A limit of 1 or more. A number that is too large to be exact becomes the largest exact one.
 *
 * @since 0.1.0
 * @category fields
 */
export const Limit = Schema.transform(
  Schema.Number,
  Schema.Number.pipe(
    Schema.filter((limit) => Number.isSafeInteger(limit) && limit > 0, {
      message: () => "must be a whole number of 1 or more",
      arbitrary: () => (fc) => fc.integer({ min: 1 })
    })
  ),
  { strict: true, decode: (limit) => Math.min(limit, Number.MAX_SAFE_INTEGER), encode: (limit) => limit }
)

/**
 * The size of a page and the marker of its start. The service reduces a size above the operation's maximum to the maximum.
 *
 * @since 0.1.0
 * @category fields
 */
export const paging = {
  limit: query("limit", Schema.compose(Decimal, Limit)),
  marker: query(
    "marker",
    Schema.String.pipe(
      Schema.filter((marker) => !/\p{Surrogate}/u.test(marker), { message: () => "must be a marker of the service" })
    )
  )
}
