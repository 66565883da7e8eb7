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
 * The first rule that a value was found to break: where in the value, by what, and the rule.
 *
 * @since 0.1.0
 * @category getters
 */
export const issueOf = (
  value: unknown,
  error: ParseResult.ParseError
): { readonly path: ReadonlyArray<string>; readonly value: unknown; readonly rule: string } => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const path = issue?.path ?? []
  return {
    path: path.map(String),
    value: path.reduce<unknown>(
      (inside, key) => typeof inside === "object" && inside !== null ? Reflect.get(inside, key) : undefined,
      value
    ),
    rule: issue?._tag === "Unexpected"
      ? "must be left out, as it does not apply here"
      : issue?.message ?? "is not valid"
  }
}

/**
 * The refusal of a field for the first rule that its value breaks.
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
  const issue = issueOf(value, error)
  return new InvalidInput({
    operation,
    field: [field, ...issue.path].join("."),
    value: show(issue.value),
    rule: issue.rule
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

/**
 * How many of something in a second: more than none.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Rate = Schema.Number.pipe(
  Schema.filter((rate) => Number.isFinite(rate) && rate > 0, { message: () => "must be more than 0" })
)

/**
 * Some bytes: a whole number of 1 or more.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Bytes = Schema.Number.pipe(
  Schema.filter((bytes) => Number.isSafeInteger(bytes) && bytes > 0, {
    message: () => "must be a whole number of bytes, 1 or more"
  })
)
