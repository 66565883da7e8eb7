/**
 * Values that a caller gives, checked before anything is sent: which field, which value, which rule.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { InvalidInput, show } from "./GlacierError.ts"

/**
 * The first rule that a value of a field was found to break.
 *
 * @since 0.1.0
 * @category constructors
 */
export const refuse = (
  operation: string,
  field: string,
  value: unknown,
  error: ParseResult.ParseError
): InvalidInput => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const path = issue?.path ?? []
  const wrong = path.reduce<unknown>(
    (inside, key) => typeof inside === "object" && inside !== null ? Reflect.get(inside, key) : undefined,
    value
  )
  return new InvalidInput({
    operation,
    field: [field, ...path.map(String)].join("."),
    value: show(wrong),
    rule: issue?.message ?? "is not valid"
  })
}

/**
 * A value as its schema wants it, or `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const check = <A, I>(
  operation: string,
  field: string,
  schema: Schema.Schema<A, I>,
  value: unknown
): Either.Either<A, InvalidInput> =>
  Either.mapLeft(Schema.decodeUnknownEither(schema)(value), (error) => refuse(operation, field, value, error))

/**
 * How many of something go on at once: a whole number of 1 or more.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Concurrency = Schema.Number.pipe(
  Schema.filter((n) => Number.isInteger(n) && n > 0, { message: () => "must be a whole number of 1 or more" })
)
