/**
 * Deadlines of requests. One fiber checks the clock for all of them, as long as there are any: a timer fiber for each
 * request would cost a small archive several percent of its time.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Scope from "effect/Scope"

/** The precision of a deadline. */
const tick = Duration.millis(100)

interface Deadline {
  readonly at: number
  readonly onReached: () => void
}

/** Calls `onReached` once the time has passed. Returns a function that removes the deadline. */
export type Add = (limit: Duration.Duration, onReached: () => void) => () => void

/** Starts without deadlines. The fiber ends with the Scope. */
export const make: Effect.Effect<Add, never, Scope.Scope> = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const run = yield* FiberHandle.makeRuntime<never>()
  // Monotonic: the time of day can be set, and a machine can sleep.
  const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)
  // An array, because the tables of a Set that changes with each request keep old entries alive for long.
  let deadlines: ReadonlyArray<Deadline> = []
  let isWatching = false

  const watch = Effect.gen(function*() {
    while (isWatching) {
      yield* clock.sleep(tick)
      const time = now()
      for (const { at, onReached } of deadlines) if (at <= time) onReached()
      isWatching = deadlines.length > 0
    }
  })

  return (limit, onReached) => {
    const deadline = { at: now() + Duration.toMillis(limit), onReached }
    deadlines = [...deadlines, deadline]
    if (!isWatching) {
      isWatching = true
      run(watch)
    }
    return () => {
      deadlines = deadlines.filter((other) => other !== deadline)
    }
  }
})
