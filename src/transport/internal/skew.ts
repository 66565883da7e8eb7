import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** What a reply must say to be believed about the time. */
export interface Reply {
  readonly headers: Readonly<Record<string, string | undefined>>
  /** When its request was sent. */
  readonly sentAt: number
}

/** A clock that is off by less is no reason for a refusal, nor to correct it (milliseconds). */
const tolerance = 240_000

/** A reply that took longer says nothing of the time now (milliseconds). */
const slowest = 900_000

/** How far the service's clock is ahead of this machine's, as its replies tell. */
export const make = () => {
  let offset = 0
  return {
    /** The time at the service, in milliseconds. */
    now: Effect.map(Clock.currentTimeMillis, (now) => now + offset),
    /** By how much it is ahead now. */
    offset: Effect.sync(() => offset),
    /** Learns from a reply. A cached one (with `Age`) is older than it says. */
    learn: ({ headers, sentAt }: Reply): Effect.Effect<void> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const date = Date.parse(headers["date"] ?? "")
        if (Number.isNaN(date) || headers["age"] !== undefined || now - sentAt > slowest) return
        const seen = date - now
        if (Math.abs(seen - offset) > tolerance) offset = seen
      })
  }
}
