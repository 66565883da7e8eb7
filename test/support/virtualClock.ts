import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * A clock that jumps to the next sleeper as soon as nothing else is left to do. As exact as TestClock, and fast enough
 * for thousands of sleeps.
 */
const make = (): Clock.Clock => {
  let now = 0
  let pumping = false
  const sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []

  const pump = () => {
    const [first] = sleepers
    pumping = first !== undefined
    if (first === undefined) return
    now = first.at
    while (sleepers[0]?.at === now) sleepers.shift()?.wake()
    setImmediate(pump)
  }

  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now * 1e6)),
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now * 1e6))),
    sleep: (duration) =>
      Effect.async((resume) => {
        // Whole milliseconds, as the time of a machine is.
        const sleeper = { at: now + Math.ceil(Duration.toMillis(duration)), wake: () => resume(Effect.void) }
        const later = sleepers.findIndex(({ at }) => at > sleeper.at)
        sleepers.splice(later < 0 ? sleepers.length : later, 0, sleeper)
        if (!pumping) {
          pumping = true
          setImmediate(pump)
        }
        return Effect.sync(() => {
          const index = sleepers.indexOf(sleeper)
          if (index >= 0) sleepers.splice(index, 1)
        })
      })
  }
}

/** Runs an effect in virtual time that begins at 0 and passes by itself. */
export const inVirtualTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.withClock(effect, make()))
