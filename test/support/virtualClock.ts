/** Virtual time that passes by itself, for tests with thousands of waits. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

/**
 * Makes a clock that jumps to the next sleeper when nothing else is left to do: when `isBusy` was false for more than `turns`
 * turns of the event loop. It counts whole milliseconds, and is fast enough for thousands of sleeps.
 */
const make = (isBusy: () => boolean, turns: number): Clock.Clock => {
  let now = 0
  let isPumping = false
  let quietTurns = 0
  const sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []

  const pump = () => {
    const [first] = sleepers
    isPumping = first !== undefined
    if (first === undefined) return
    quietTurns = isBusy() ? 0 : quietTurns + 1
    if (quietTurns > turns) {
      quietTurns = 0
      now = first.at
      while (sleepers[0]?.at === now) sleepers.shift()?.wake()
    }
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
        // Whole milliseconds, like the clock of a machine.
        const sleeper = { at: now + Math.ceil(Duration.toMillis(duration)), wake: () => resume(Effect.void) }
        const later = sleepers.findIndex(({ at }) => at > sleeper.at)
        sleepers.splice(later < 0 ? sleepers.length : later, 0, sleeper)
        if (!isPumping) {
          isPumping = true
          setImmediate(pump)
        }
        return Effect.sync(() => {
          const index = sleepers.indexOf(sleeper)
          if (index >= 0) sleepers.splice(index, 1)
        })
      })
  }
}

/** Removes the default logger, which would print a warning for each long wait. */
const silently = Effect.provide(Logger.remove(Logger.defaultLogger))

/** Runs an effect in virtual time, which starts at 0 and passes by itself. */
export const inVirtualTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.withClock(silently(effect), make(() => false, 0)))

const isFileInUse = () => process.getActiveResourcesInfo().some((resource) => resource.startsWith("FSReq"))

/**
 * Does the same for an effect that reads and writes files, which takes no virtual time. Waits 3 more turns, because reading a
 * Blob takes some turns of the event loop that no API reports.
 */
export const inVirtualTimeWithFiles = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.withClock(silently(effect), make(isFileInUse, 3)))
