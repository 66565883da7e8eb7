/**
 * Time limits of requests. One fiber checks all deadlines, because a timer fiber for each request would make uploads of small
 * archives several percent slower.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Scope from "effect/Scope"

/** The interval between two checks, which is also the precision of a deadline. */
const tick = Duration.millis(100)

interface Deadline {
  readonly at: number
  readonly onReached: () => void
}

/** Adds a deadline: calls `onReached` when the limit has passed. Returns a function that removes the deadline. */
export type Add = (limit: Duration.Duration, onReached: () => void) => () => void

/** Makes an `Add` without deadlines. Its fiber ends with the Scope. */
export const make: Effect.Effect<Add, never, Scope.Scope> = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const run = yield* FiberHandle.makeRuntime<never>()
  // The monotonic clock, because the time of day can be set.
  const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)
  // Not a Set: if it changes with each request, its internal table keeps removed entries in memory for long.
  let deadlines: ReadonlyArray<Deadline> = []
  let isRunning = false

  const checkAll = Effect.gen(function*() {
    while (isRunning) {
      yield* clock.sleep(tick)
      const time = now()
      for (const { at, onReached } of deadlines) if (at <= time) onReached()
      isRunning = deadlines.length > 0
    }
  })

  return (limit, onReached) => {
    const deadline = { at: now() + Duration.toMillis(limit), onReached }
    deadlines = [...deadlines, deadline]
    if (!isRunning) {
      isRunning = true
      run(checkAll)
    }
    return () => {
      deadlines = deadlines.filter((other) => other !== deadline)
    }
  }
})
