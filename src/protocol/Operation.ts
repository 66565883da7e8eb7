/**
 * An operation of the service as data: the place of each input in the request, the schema of the response, and the errors.
 * The client encodes requests and decodes responses with it; the emulator does the opposite. No other module writes a URL, a
 * header name or a JSON field.
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import { InvalidInput, show } from "./GlacierError.ts"
import { reject } from "./InputCheck.ts"
import type { Field, Fields } from "./internal/fields.ts"
import { record } from "./internal/wire.ts"
import type * as ServiceError from "./ServiceError.ts"

export {
  bytes,
  Decimal,
  type Field,
  type Fields,
  header,
  json,
  Limit,
  optionalHeader,
  paging,
  path,
  query,
  vault
} from "./internal/fields.ts"

/**
 * The JSON body of a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface Json<out A> {
  readonly decode: (json: unknown) => Either.Either<A, ParseResult.ParseError>
  readonly encode: (value: unknown) => Either.Either<unknown, ParseResult.ParseError>
}

/**
 * Whether a call can be repeated when its response was lost:
 * - `true`: a repeat changes nothing, or leaves something that costs nothing and expires by itself.
 * - `"briefly"`: a repeat succeeds until the service forgets the first call. Later it fails as if the resource did not exist.
 * - `false`: a repeat stores, starts or buys a second time.
 *
 * @since 0.1.0
 * @category models
 */
export type Repeatable = boolean | "briefly"

/**
 * A rule over several inputs that is broken: the field to change, its value, and the rule.
 *
 * @since 0.1.0
 * @category models
 */
export interface Broken {
  readonly field: string
  readonly value: unknown
  readonly rule: string
}

/**
 * An operation. `body` is the body of a successful response: none, a JSON document, or bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<
  out Name extends string,
  out Input extends Fields,
  out Headers extends Fields,
  out Body extends Json<object> | "bytes" | "none",
  out Errors extends ReadonlyArray<ServiceError.Known<unknown>>,
  out Repeats extends Repeatable
> {
  readonly name: Name
  readonly method: "GET" | "PUT" | "POST" | "DELETE"
  /** For instance `/{accountId}/vaults/{vaultName}`. */
  readonly path: string
  /** A query parameter that is part of the operation's name. */
  readonly query?: readonly [name: string, value: string]
  readonly input: Input
  /** The statuses of success. */
  readonly success: ReadonlyArray<number>
  readonly headers: Headers
  readonly body: Body
  /** The service errors of the operation. A class for one cause comes before the class of its code. */
  readonly errors: Errors
  readonly repeatable: Repeats
  /**
   * For an operation that cannot always be repeated: how to find out whether the service carried out a call whose response was
   * lost. Inputs are in braces, as in `path`.
   */
  readonly lookUp?: string
  /** The outputs that must equal the input of the same name, if a response has them. */
  readonly echoes?: ReadonlyArray<string>
  /** Finds a broken rule that spans several inputs: see `make`. */
  readonly check?: (input: never) => Broken | undefined
}

/**
 * Inputs that each are valid by themselves.
 *
 * @since 0.1.0
 * @category types
 */
export type Checked<F extends Fields> =
  & { readonly [K in Keys<F, false>]: Value<F[K]> }
  & { readonly [K in Keys<F, true>]?: Value<F[K]> | undefined }

/**
 * Any operation.
 *
 * @since 0.1.0
 * @category models
 */
export type Any = Operation<
  string,
  Fields,
  Fields,
  Json<object> | "bytes" | "none",
  ReadonlyArray<ServiceError.Known<unknown>>,
  Repeatable
>

/**
 * Makes the codec of a JSON response.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jsonBody = <A extends object, I>(schema: Schema.Schema<A, I>): Json<A> => ({
  decode: Schema.decodeUnknownEither(schema),
  encode: Schema.encodeUnknownEither(schema)
})

/**
 * Describes an operation.
 *
 * `check` finds a broken rule over several inputs. Clients call it before they send anything, after each input was validated
 * by itself. The emulator responds to such requests as the service does.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  const Name extends string,
  Input extends Fields,
  Headers extends Fields,
  Body extends Json<object> | "bytes" | "none",
  const Errors extends ReadonlyArray<ServiceError.Known<unknown>>,
  const Repeats extends Repeatable
>(
  operation: Operation<Name, Input, Headers, Body, Errors, Repeats>,
  check?: (input: Checked<Input>) => Broken | undefined
): Operation<Name, Input, Headers, Body, Errors, Repeats> => check === undefined ? operation : { ...operation, check }

type Plain<A> = A extends Uint8Array ? A
  : A extends Brand.Brand<string> ? Brand.Brand.Unbranded<A>
  : A extends { readonly [K in keyof A]: A[K] } ? { readonly [K in keyof A]: Brand.Brand.Unbranded<A[K]> }
  : A

type Keys<F extends Fields, Optional extends boolean> = {
  [K in keyof F]: F[K]["optional"] extends Optional ? K : never
}[keyof F]

type Value<F> = F extends Field<infer A> ? A : never

/**
 * The input of a call: plain strings and numbers, validated when they are encoded. Optional members can be left out.
 *
 * @since 0.1.0
 * @category types
 */
export type Input<O extends Any> = Types.Simplify<
  & { readonly [K in Keys<O["input"], false>]: Plain<Value<O["input"][K]>> }
  & { readonly [K in Keys<O["input"], true>]?: Plain<Value<O["input"][K]>> | undefined }
>

/**
 * The decoded input of a request, for the emulator: branded values, optional ones as `Option`.
 *
 * @since 0.1.0
 * @category types
 */
export type Decoded<F extends Fields> = Types.Simplify<
  & { readonly [K in Keys<F, false>]: Value<F[K]> }
  & { readonly [K in Keys<F, true>]: Option.Option<Value<F[K]>> }
>

/**
 * The decoded response, without its bytes.
 *
 * @since 0.1.0
 * @category types
 */
export type Output<O extends Any> = Types.Simplify<
  Decoded<O["headers"]> & (O["body"] extends Json<infer A> ? A : unknown)
>

/**
 * The service errors of an operation.
 *
 * @since 0.1.0
 * @category types
 */
export type Errors<O extends Any> = InstanceType<O["errors"][number]>

/**
 * A request before it is signed. `path` and the values of `query` are not yet percent-encoded: no legal value of a
 * path needs it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

/**
 * Encodes the request of an operation. Fails with `InvalidInput` for the first input that breaks a rule.
 *
 * @since 0.1.0
 * @category codecs
 */
export const encode = <O extends Any>(
  operation: O,
  input: Input<O> & object
): Either.Either<Request, InvalidInput> => {
  let path = operation.path
  let body: string | Uint8Array | undefined
  const query: Array<readonly [string, string]> = operation.query === undefined ? [] : [operation.query]
  const headers: Record<string, string> = {}
  for (const [key, field] of Object.entries(operation.input)) {
    const value: unknown = Reflect.get(input, key)
    if (value === undefined && field.optional) {
      if (field.in === "path") path = path.replace(`{${field.name}}`, "-")
      continue
    }
    const encoded = field.encode(value)
    if (Either.isLeft(encoded)) return Either.left(reject(operation.name, key, value, encoded.left))
    if (typeof encoded.right !== "string" || field.in === "json") body = encoded.right
    else if (field.in === "path") path = path.replace(`{${field.name}}`, encoded.right)
    else if (field.in === "query") query.push([field.name, encoded.right])
    else if (encoded.right !== "") headers[field.name] = encoded.right
  }
  // Each input was encoded, so each is valid by itself.
  const broken = operation.check?.(record(input))
  return broken === undefined
    ? Either.right({ path, query, headers, body })
    : Either.left(new InvalidInput({ ...broken, operation: operation.name, value: show(broken.value) }))
}

/**
 * The method of a received request, the segments of its path (`/a/b` has `a` and `b`), and the parameters of its query.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly method: string
  readonly segments: ReadonlyArray<string>
  readonly parameters: { readonly get: (name: string) => string | null | undefined }
}

/**
 * Returns the values of the variables in the operation's path, or none when the request is of another operation.
 *
 * @since 0.1.0
 * @category codecs
 */
export const match = (operation: Any, { method, parameters, segments }: Target): Option.Option<
  Readonly<Record<string, string>>
> => {
  const { path, query } = operation
  const template = path.slice(1).split("/")
  if (method !== operation.method || template.length !== segments.length) return Option.none()
  if (query !== undefined && parameters.get(query[0]) !== query[1]) return Option.none()
  const variables: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const expected = template[index] ?? ""
    if (expected.startsWith("{")) variables[expected.slice(1, -1)] = segment
    else if (expected !== segment) return Option.none()
  }
  return Option.some(variables)
}

/**
 * The field of a request or response that cannot be decoded, and its value on the wire (absent when it is missing).
 *
 * @since 0.1.0
 * @category models
 */
export interface Undecodable {
  readonly field: Field<unknown>
  readonly value: Option.Option<unknown>
  readonly error: Option.Option<ParseResult.ParseError>
}

/**
 * Decodes fields from the values that `read` returns. JSON is parsed already.
 *
 * @since 0.1.0
 * @category codecs
 */
export const decode = <F extends Fields>(
  fields: F,
  read: (field: Field<unknown>) => unknown
): Either.Either<Decoded<F>, Undecodable> => {
  const values: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(fields)) {
    const wire = read(field)
    // An empty header or marker counts as absent; any other empty value is invalid.
    if (wire === undefined || (wire === "" && (field.in === "header" || field.name === "marker"))) {
      if (!field.optional) return Either.left({ field, value: Option.none(), error: Option.none() })
      values[key] = Option.none()
      continue
    }
    const decoded = field.decode(wire)
    if (Either.isLeft(decoded)) {
      return Either.left({
        field,
        value: wire instanceof Uint8Array ? Option.none() : Option.some(wire),
        error: Option.some(decoded.left)
      })
    }
    values[key] = field.optional ? Option.some(decoded.right) : decoded.right
  }
  return Either.right(record<Decoded<F>>(values))
}
