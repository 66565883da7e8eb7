import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Scope from "effect/Scope"

/** How late it may be noticed that a time has come. */
const tick = Duration.millis(100)

interface Deadline {
  readonly at: number
  readonly onReached: () => void
}

/** Calls when so many milliseconds have passed. Gives what takes it back. */
export type Add = (limit: number, onReached: () => void) => () => void

/**
 * Times by which something is to have ended: one fiber looks at the clock for all of them, as long as there are any and
 * the Scope is open.
 */
export const make: Effect.Effect<Add, never, Scope.Scope> = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const run = yield* FiberHandle.makeRuntime<never>()
  // Milliseconds that pass evenly: the time of day may be set, or the machine have slept.
  const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)
  // No Set: one that changes with each request has ever new tables, which keep what the old ones held for long.
  let deadlines: ReadonlyArray<Deadline> = []
  let isWatched = false

  const watch = Effect.gen(function*() {
    while (isWatched) {
      yield* clock.sleep(tick)
      const time = now()
      for (const { at, onReached } of deadlines) if (at <= time) onReached()
      isWatched = deadlines.length > 0
    }
  })

  return (limit, onReached) => {
    const deadline = { at: now() + limit, onReached }
    deadlines = [...deadlines, deadline]
    if (!isWatched) {
      isWatched = true
      run(watch)
    }
    return () => {
      deadlines = deadlines.filter((other) => other !== deadline)
    }
  }
})
