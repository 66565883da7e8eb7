/**
 * The base of the error classes of this package. An error class is a tagged Schema class whose instances also carry the symbol
 * of the package and `retry`.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * The symbol that marks all errors of this package.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = Symbol.for("effect-glacier/GlacierError")

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Whether a retry can succeed:
 *
 * - `never`: it fails with the same error.
 * - `transient`: it can succeed.
 * - `throttle`: it can succeed after a longer wait.
 * - `clock`: it can succeed, because the client has corrected its clock.
 *
 * @since 0.1.0
 * @category models
 */
export type Retry = "never" | "transient" | "throttle" | "clock"

/**
 * Any error of this package.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnyError<out R extends Retry = Retry> extends Cause.YieldableError {
  readonly [TypeId]: TypeId
  readonly _tag: string
  readonly retry: R
}

/** `retry` of a class: the same for all its errors, or a function of the fields of an error. */
type RetryOf<Fields extends Schema.Struct.Fields, R extends Retry> = R | ((error: Schema.Struct.Type<Fields>) => R)

/** `Schema.TaggedErrorClass` with the members of `AnyError`. */
export interface ErrorClass<Self, Tag extends string, Fields extends Schema.Struct.Fields, R extends Retry>
  extends
    Schema.Class<
      Self,
      { readonly _tag: Schema.tag<Tag> } & Fields,
      Schema.Struct.Encoded<{ readonly _tag: Schema.tag<Tag> } & Fields>,
      Schema.Struct.Context<Fields>,
      Schema.Struct.Constructor<Fields>,
      Record<never, never>,
      AnyError<R>
    >
{
  readonly _tag: Tag
}

/** Creates an error class. `retry` is `never` by default. */
export const errorClass =
  <Self>() =>
  <const Tag extends string, const Fields extends Schema.Struct.Fields, const R extends Retry = "never">(
    tag: Tag,
    fields: Fields,
    retry?: RetryOf<Fields, R>
  ): ErrorClass<Self, Tag, Fields, R> => {
    const Class = Schema.TaggedError<Error>(`effect-glacier/${tag}`)(tag, fields)
    // On the prototype, so that a printed error shows its fields only.
    Object.defineProperties(Class.prototype, {
      [TypeId]: { value: TypeId },
      retry: {
        get(this: Schema.Struct.Type<Fields>) {
          return typeof retry === "function" ? retry(this) : retry ?? "never"
        }
      }
    })
    return Class as never
  }

/** A duration. It is finite, because JSON has no infinity. */
export const FiniteDuration = Schema.DurationFromMillis.pipe(
  Schema.filter(Duration.isFinite, { arbitrary: () => (fc) => fc.nat().map(Duration.millis) })
)

/** The fields of every error of the service. */
export const response = {
  /** The operation that failed, for instance `InitiateJob`. */
  operation: Schema.String,
  /** The HTTP status of the response. */
  status: Schema.Int,
  /** The text of the service. Some classes add advice in parentheses. */
  message: Schema.String,
  /** The value of `x-amzn-RequestId`, which AWS support asks for. */
  requestId: Schema.optional(Schema.String),
  /** The wait before the next attempt that the service asks for. */
  retryAfter: Schema.optional(FiniteDuration)
}

/** The wire code of a class of errors of the service, and for a cause of a split code its text. */
export interface Wire {
  readonly code: string
  readonly text?: RegExp
  /** Advice that is added to the message, where the service's text has none. */
  readonly advice?: string
  /** Another code with the same meaning when its text matches. */
  readonly alias?: { readonly code: string; readonly text: RegExp }
}

/** Creates a class of errors of the service. `fields` are those it has beside the fields of `response`. */
export const serviceErrorClass = <Self>() =>
<
  const Tag extends string,
  const Fields extends Schema.Struct.Fields = Record<never, never>,
  const R extends Retry = "never"
>(
  tag: Tag,
  { fields, retry, ...wire }: Wire & {
    readonly fields?: Fields
    readonly retry?: RetryOf<typeof response & Fields, R>
  }
): ErrorClass<Self, Tag, typeof response & Fields, R> & Wire =>
  Object.assign(errorClass<Self>()(tag, { ...response, ...fields as Fields }, retry), wire) as never
