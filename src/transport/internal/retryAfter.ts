/**
 * Reads how long a response asks the client to wait.
 *
 * @internal
 */

import * as Duration from "effect/Duration"

/** The milliseconds of one form of the header: seconds, or a date. */
const read = (text: string, now: number): number => /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now

/**
 * The wait before the next attempt: `Retry-After` (the last valid value if there are several), else AWS's
 * `x-amz-retry-after`. Undefined if no value is valid or the time has passed.
 */
export const retryAfter = (
  headers: Readonly<Record<string, string | undefined>>,
  now: number
): Duration.Duration | undefined => {
  const usual = headers["retry-after"]
  const own = headers["x-amz-retry-after"]
  // A date contains a comma itself, after the name of its day.
  const candidates = (usual?.split(/,\s*(?=\d+$|[A-Z][a-z]{2},|\d{4}-)/) ?? []).map((text) => read(text.trim(), now))
  if (candidates.length === 0 && own !== undefined && /^\d+$/.test(own)) candidates.push(Number(own))
  const millis = candidates.reverse().find((millis) => Number.isFinite(millis) && millis >= 0)
  return millis === undefined ? undefined : Duration.millis(millis)
}
