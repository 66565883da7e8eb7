/**
 * A clock for measuring waits: unlike the wall clock, it is never set back.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The milliseconds of the clock, with fractions. */
export const now: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Sleeps for at least `millis`: timers drop fractions of a millisecond. */
export const sleep = (millis: number): Effect.Effect<void> => Effect.sleep(Duration.millis(Math.ceil(millis)))
