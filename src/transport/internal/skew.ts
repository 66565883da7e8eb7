import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A clock that is off by less is no reason for a refusal, nor to correct it (milliseconds). */
const tolerance = 240_000

/** A reply that took longer says nothing of the time now (milliseconds). */
const slowest = 900_000

/** How far the service's clock is ahead of this machine's, as its replies tell. */
export const make = () => {
  let offset = 0
  return {
    /** By how much it is ahead, in milliseconds. */
    offset: Effect.sync(() => offset),
    /** Learns from the headers of a reply to what was sent at a time. A cached reply (with `Age`) is older than it says. */
    learn: (headers: Readonly<Record<string, string | undefined>>, sentAt: number): Effect.Effect<void> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const seen = Date.parse(headers["date"] ?? "") - now
        if (headers["age"] !== undefined || now - sentAt > slowest) return
        if (Math.abs(seen - offset) > tolerance) offset = seen
      })
  }
}
