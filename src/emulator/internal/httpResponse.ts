/**
 * Encodes HTTP responses as the service does: JSON has its keys in alphabetical order, and a response without a body
 * has no `Content-Type`. See Error Responses and Common Response Headers (Amazon Glacier API Reference).
 *
 * @internal
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type * as Operation from "../../protocol/Operation.ts"
import type { ErrorResponse } from "./errorResponse.ts"
import type { EmulatorStorageError } from "./storageError.ts"

/** The result of a handler. `output` has the fields of headers and of the JSON body together, as a client decodes them. */
export interface Result<O extends Operation.Any> {
  readonly output: Operation.Output<O> & object
  /** One of the operation's success statuses. Default: the first. */
  readonly status?: number
  readonly bytes?: { readonly stream: Stream.Stream<Uint8Array, EmulatorStorageError>; readonly length: number }
}

const utf8 = new TextEncoder()

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]))
}

/** Prints a JSON document as the service does. */
export const printJson = (document: unknown): string => JSON.stringify(sorted(document))

const json = (status: number, document: unknown, headers: Record<string, string>) =>
  HttpServerResponse.uint8Array(utf8.encode(printJson(document)), {
    status,
    headers,
    contentType: "application/json"
  })

// Without a Content-Length, servers send 201 and 202 with a chunked body.
const empty = (status: number, headers: Record<string, string>) =>
  HttpServerResponse.empty({ status, headers: status === 204 ? headers : { ...headers, "content-length": "0" } })

/** Encodes the result of a handler. Throws when the result does not fit the operation's description. */
export const success = <O extends Operation.Any>(
  operation: O,
  result: Result<O>
): HttpServerResponse.HttpServerResponse => {
  const headers: Record<string, string> = {}
  for (const [key, field] of Object.entries(operation.headers)) {
    const value: unknown = Reflect.get(result.output, key)
    const present = Option.isOption(value) ? value : Option.some(value)
    if (Option.isSome(present)) headers[field.name] = String(Either.getOrThrow(field.encode(present.value)))
  }
  const status = result.status ?? operation.success[0] ?? 200
  if (typeof operation.body === "object") {
    return json(status, Either.getOrThrow(operation.body.encode(result.output)), headers)
  }
  if (result.bytes === undefined) return empty(status, headers)
  const { length, stream } = result.bytes
  return HttpServerResponse.stream(stream, { status, headers, contentLength: length })
}

/** Encodes an error response. */
export const error = ({ code, message, status }: ErrorResponse): HttpServerResponse.HttpServerResponse =>
  json(status, { code, message, type: status < 500 ? "Client" : "Server" }, {})
