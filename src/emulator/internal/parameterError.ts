/**
 * Error responses for a parameter that is missing or invalid, with the service's texts. See Error Responses (Amazon
 * Glacier API Reference).
 *
 * @internal
 */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import { show } from "../../protocol/GlacierError.ts"
import { issueOf } from "../../protocol/InputCheck.ts"
import type * as Operation from "../../protocol/Operation.ts"
import * as ErrorResponse from "./errorResponse.ts"

/** Texts of the service by the parameter's name on the wire. Other parameters get a general text. */
const texts: Readonly<Record<string, (value: string) => string>> = {
  "content-range": (value) => `Invalid Content-Range: ${value}`,
  "x-amz-part-size": (value) =>
    `Invalid part size: ${value}. Part size must be a power of two and be between 1048576 and 4294967296 bytes.`,
  statuscode: (value) => `The job status code is not valid: ${value}`
}

/** Makes the error response for an invalid value of the parameter `name`. */
export const invalid = (name: string, value: unknown): ErrorResponse.ErrorResponse => {
  const text = typeof value === "string" ? value : show(value)
  const template = Object.hasOwn(texts, name) ? texts[name] : undefined
  return ErrorResponse.invalid(template?.(text) ?? `Invalid ${name}: ${text}`)
}

/** Makes the error response for the field of a JSON document that does not decode. Null counts as missing. */
export const ofDocument = (json: unknown, error: ParseResult.ParseError): ErrorResponse.ErrorResponse => {
  const { path, value } = issueOf(json, error)
  const name = path.length === 0 ? "request body" : path.join(".")
  return Predicate.isNullable(value) ? ErrorResponse.missing(name) : invalid(name, value)
}

/** Makes the error response for a parameter that does not decode. */
export const ofField = ({ error, field, value }: Operation.Undecodable): ErrorResponse.ErrorResponse => {
  if (Option.isNone(value)) return ErrorResponse.missing(field.name)
  return field.in === "json" && Option.isSome(error)
    ? ofDocument(value.value, error.value)
    : invalid(field.name, value.value)
}
