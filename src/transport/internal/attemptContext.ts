/**
 * The facts about an attempt that decoding a response and translating an error need.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import type { Lane } from "../../policy/Bandwidth.ts"
import type * as Operation from "../../protocol/Operation.ts"

/** The facts that an error needs. */
export interface ErrorContext {
  readonly operation: { readonly name: string }
  /** Removes the secrets of the request from a text: a server may quote the request in its response. */
  readonly scrub: (text: string) => string
}

/** The facts that reading a body needs. */
export interface BodyContext extends ErrorContext {
  /** The longest time from the start of the attempt to the response. */
  readonly limit: Duration.Duration
  /** The longest pause between two pieces of a body. */
  readonly idle: Duration.Duration
  /** Paces the bytes of a response. */
  readonly lane: Lane | undefined
}

export interface AttemptContext extends BodyContext {
  readonly operation: Operation.Any
}

/** Returns a function that removes the session token and the signature of the signed headers from a text. */
export const scrubbing = (headers: Readonly<Record<string, string>>): ErrorContext["scrub"] => {
  const secrets = [headers["x-amz-security-token"], /Signature=(\w+)/.exec(headers["authorization"] ?? "")?.[1]]
    .filter((secret) => secret !== undefined && secret !== "")
  return (text) => secrets.reduce<string>((clean, secret = "") => clean.replaceAll(secret, "<redacted>"), text)
}
