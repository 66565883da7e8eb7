/**
 * Finds the operation of a request by the path templates of the protocol, decodes its inputs and encodes its output.
 *
 * @internal
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { AccountId } from "../../protocol/Names.ts"
import * as Operation from "../../protocol/Operation.ts"
import type * as Sha256 from "../../protocol/Sha256.ts"
import * as ErrorResponse from "./errorResponse.ts"
import * as HttpResponse from "./httpResponse.ts"
import * as ParameterError from "./parameterError.ts"
import type { EmulatorStorageError } from "./storageError.ts"

/** A parsed request target. `path` and `query` are the undecoded texts, which the signature covers. */
export interface Target {
  readonly path: string
  readonly query: string
  readonly segments: ReadonlyArray<string>
  readonly parameters: ReadonlyMap<string, string>
}

/** A request whose signature is verified and whose operation and account are known. */
export interface Call {
  readonly request: HttpServerRequest.HttpServerRequest
  /** The name of the operation. */
  readonly operation: string
  /** The account of the key that signed the request. */
  readonly caller: AccountId
  /** The account in the path of the request; `-` means the caller's. */
  readonly accountId: AccountId
  /** The ARN of the account's vaults in the region, without their names. */
  readonly arnPrefix: string
  /** The variables of the path template. */
  readonly path: Readonly<Record<string, string>>
  readonly query: ReadonlyMap<string, string>
  /** The body as a JSON object. Undefined when the body is empty, or when the operation does not take JSON. */
  readonly document: Readonly<Record<string, unknown>> | undefined
  readonly bodyTimeout: Duration.Duration
  readonly sha256: Sha256.Create
}

/** An operation with its handler. */
export interface Route {
  readonly operation: Operation.Any
  /** Whether the body is an archive or part. */
  readonly isUpload: boolean
  /** Whether the body is JSON. */
  readonly takesJson: boolean
  readonly run: (
    call: Call
  ) => Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    ErrorResponse.ErrorResponse | EmulatorStorageError,
    Scope.Scope
  >
}

const badTarget = ErrorResponse.badRequest("The request target is not valid.")

const decodePercent = (text: string): Either.Either<string, ErrorResponse.ErrorResponse> =>
  Either.try({ try: () => decodeURIComponent(text), catch: () => badTarget })

// Rejects segments that no name or id can equal, and that proxies and clients would turn into another path.
const isPlain = (segment: string): boolean => !/^\.{0,2}$|[/\\\p{Cc}]/u.test(segment)

/** Parses a request target. Ignores the host of an absolute URL, as clients send to proxies (RFC 9112, section 3.2.2). */
export const parse = (target: string): Either.Either<Target, ErrorResponse.ErrorResponse> =>
  Either.gen(function*() {
    const url = target.replace(/^https?:\/\/[^/?]+/i, "")
    const mark = url.indexOf("?")
    const path = mark === -1 ? url : url.slice(0, mark)
    const query = mark === -1 ? "" : url.slice(mark + 1)
    if (!path.startsWith("/")) return yield* Either.left(badTarget)
    const segments: Array<string> = []
    for (const raw of path.slice(1).split("/")) {
      const segment = yield* decodePercent(raw)
      if (!isPlain(segment)) return yield* Either.left(badTarget)
      segments.push(segment)
    }
    const parameters = new Map<string, string>()
    for (const pair of query.split("&")) {
      const [name = "", ...value] = pair.replaceAll("+", " ").split("=")
      if (name !== "") parameters.set(yield* decodePercent(name), yield* decodePercent(value.join("=")))
    }
    return { path, query, segments, parameters }
  })

/** Finds the operation of a method and a target, and returns the variables of its path. */
export const find = (
  routes: ReadonlyArray<Route>,
  method: string,
  target: Target
): Either.Either<
  { readonly route: Route; readonly path: Readonly<Record<string, string>> },
  ErrorResponse.ErrorResponse
> => {
  const found = Arr.findFirst(
    routes,
    (route) => Option.map(Operation.match(route.operation, { method, ...target }), (path) => ({ route, path }))
  )
  return Either.fromOption(found, () => ErrorResponse.badRequest(`There is no operation ${method} ${target.path}`))
}

/** Returns the value of a header; undefined when it is missing or empty. */
export const header = (call: Call, name: string): string | undefined => call.request.headers[name] || undefined

/** Returns the value of an input on the wire. An empty body counts as an empty JSON object. */
export const read = (call: Call) => (field: Operation.Field<unknown>): unknown => {
  switch (field.in) {
    case "path":
      return call.path[field.name]
    case "query":
      return call.query.get(field.name)
    case "header":
      return header(call, field.name)
    case "json":
      return call.document ?? {}
    case "bytes":
      return undefined
  }
}

/** The inputs of an operation without those in `K`, which the handler reads itself. */
export type Input<O extends Operation.Any, K extends keyof O["input"]> = Operation.Decoded<
  { readonly [P in Exclude<keyof O["input"], K>]: O["input"][P] }
>

/** Makes the route of an operation. Decodes its inputs, except those in `raw`, and encodes the handler's result. */
export const route = <O extends Operation.Any, const K extends keyof O["input"] = never>(
  operation: O,
  raw: ReadonlyArray<K>,
  handle: (
    input: Input<O, K>,
    call: Call
  ) => Effect.Effect<HttpResponse.Result<O>, ErrorResponse.ErrorResponse | EmulatorStorageError, Scope.Scope>
): Route => {
  // The filter removes the same fields as the type.
  const fields = Object.fromEntries(
    Object.entries(operation.input).filter(([key]) => !raw.some((name) => name === key))
  ) as { readonly [P in Exclude<keyof O["input"], K>]: O["input"][P] }
  const takes = (place: "bytes" | "json") => Object.values(operation.input).some((field) => field.in === place)
  return {
    operation,
    isUpload: takes("bytes"),
    takesJson: takes("json"),
    run: (call) =>
      Effect.gen(function*() {
        const input = yield* Either.mapLeft(Operation.decode(fields, read(call)), ParameterError.ofField)
        return HttpResponse.success(operation, yield* handle(input, call))
      })
  }
}

/** Returns the path of a resource for the `Location` header, with the account id instead of `-`. */
export const location = (operation: Operation.Any, call: Call, path: Readonly<Record<string, string>>): string => {
  const values: Readonly<Record<string, string>> = { ...path, accountId: call.accountId }
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "")
}
