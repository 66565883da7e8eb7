/**
 * Validates the values that a caller passes, before anything is sent.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { InvalidInput, show } from "./GlacierError.ts"

/**
 * Finds the first rule that a value breaks: the path in the value, the value at this path, and the rule.
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
 * Makes the error of a field for the first rule that its value breaks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reject = (
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
 * Validates a value by its schema. Fails with `InvalidInput`.
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
  Either.mapLeft(Schema.decodeUnknownEither(schema)(value), (error) => reject(operation, field, value, error))

/**
 * A number of concurrent effects: a whole number of 1 or more.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Concurrency = Schema.Number.pipe(
  Schema.filter((n) => Number.isInteger(n) && n > 0, { message: () => "must be a whole number of 1 or more" })
)

/**
 * A number per second: greater than 0.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Rate = Schema.Number.pipe(
  Schema.filter((rate) => Number.isFinite(rate) && rate > 0, { message: () => "must be more than 0" })
)

/**
 * A number of bytes: a whole number of 1 or more.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Bytes = Schema.Number.pipe(
  Schema.filter((bytes) => Number.isSafeInteger(bytes) && bytes > 0, {
    message: () => "must be a whole number of bytes, 1 or more"
  })
)
