/** Milliseconds in one form of the header: seconds, or a date. */
const read = (text: string, now: number): number => /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now

/**
 * How long a reply asks to wait before the next attempt, in milliseconds: `Retry-After` (of several the last that can be
 * read), else AWS's own `x-amz-retry-after`. What cannot be read or lies in the past says nothing.
 */
export const retryAfter = (
  headers: Readonly<Record<string, string | undefined>>,
  now: number
): number | undefined => {
  const usual = headers["retry-after"]
  const own = headers["x-amz-retry-after"]
  // A date has a comma of its own, behind the name of its day.
  const candidates = (usual?.split(/,\s*(?=\d+$|[A-Z][a-z]{2},|\d{4}-)/) ?? []).map((text) => read(text.trim(), now))
  if (candidates.length === 0 && own !== undefined && /^\d+$/.test(own)) candidates.push(Number(own))
  return candidates.reverse().find((millis) => Number.isFinite(millis) && millis >= 0)
}
