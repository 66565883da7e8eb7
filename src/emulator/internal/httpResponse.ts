/**
 * Answers on the wire (spec sections 5 and 6): exact statuses and headers, JSON with its keys in alphabetical order,
 * nothing about the type of a body that is not there.
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

/** What a handler answers: headers and document together, as a client decodes them. */
export interface Result<O extends Operation.Any> {
  readonly output: Operation.Output<O> & object
  /** Of the operation's statuses of success; by default the first. */
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

/** A document as it goes over the wire. */
export const printJson = (document: unknown): string => JSON.stringify(sorted(document))

const json = (status: number, document: unknown, headers: Record<string, string>) =>
  HttpServerResponse.uint8Array(utf8.encode(printJson(document)), {
    status,
    headers,
    contentType: "application/json"
  })

// 201 and 202 have an empty body of a known length: without it a server would announce chunks.
const empty = (status: number, headers: Record<string, string>) =>
  HttpServerResponse.empty({ status, headers: status === 204 ? headers : { ...headers, "content-length": "0" } })

/** Encodes a result. Throws when the handler made one that the operation's description does not know. */
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

/** Encodes a refusal. */
export const error = ({ code, message, status }: ErrorResponse): HttpServerResponse.HttpServerResponse =>
  json(status, { code, message, type: status < 500 ? "Client" : "Server" }, {})
