/**
 * The difference between this machine's clock and the service's, learned from the `Date` headers of responses. Requests are
 * signed by the service's clock: the service rejects a signature whose time is more than 5 minutes off.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A smaller difference needs no correction: the service accepts the signature (milliseconds). */
const tolerance = 240_000

/** The `Date` of a response that took longer is too old to learn from (milliseconds). */
const slowest = 900_000

export const make = () => {
  let offset = 0
  return {
    /** The milliseconds by which the service's clock is ahead. */
    offset: Effect.sync(() => offset),
    /**
     * Learns from the headers of the response to a request that was sent at a time. Ignores a response from a cache, which
     * has an `Age` header.
     */
    learn: (headers: Readonly<Record<string, string | undefined>>, sentAt: number): Effect.Effect<void> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const seen = Date.parse(headers["date"] ?? "") - now
        if (headers["age"] !== undefined || now - sentAt > slowest) return
        if (Math.abs(seen - offset) > tolerance) offset = seen
      })
  }
}
