/**
 * What is known of one attempt of a call.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import type { Lane } from "../../policy/Bandwidth.ts"
import type * as Operation from "../../protocol/Operation.ts"

/** An attempt: what was called, and what its errors must not show. */
export interface Attempt {
  readonly operation: Operation.Any
  /** The longest that it may take to the answer. */
  readonly limit: Duration.Duration
  /** The longest pause in a body. */
  readonly idle: Duration.Duration
  /** What a body is paced by. */
  readonly lane: Lane | undefined
  /** Takes the secrets of the request out of a text: who answers may quote what it was sent. */
  readonly scrub: (text: string) => string
}

/** Takes the session token and the signature of signed headers out of a text. */
export const scrubbing = (headers: Readonly<Record<string, string>>): Attempt["scrub"] => {
  const secrets = [headers["x-amz-security-token"], /Signature=(\w+)/.exec(headers["authorization"] ?? "")?.[1]]
    .filter((secret) => secret !== undefined && secret !== "")
  return (text) => secrets.reduce<string>((clean, secret = "") => clean.replaceAll(secret, "<redacted>"), text)
}
