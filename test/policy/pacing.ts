import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Attempts that note when they begin (milliseconds), and how many run at once. */
export const recorder = () => {
  const starts: Array<number> = []
  let running = 0
  let most = 0
  return {
    starts,
    most: () => most,
    running: () => running,
    /** An attempt that takes so long, by its number. */
    attempt: (millis: (index: number) => number): Effect.Effect<void> =>
      Effect.acquireUseRelease(
        Effect.map(Clock.currentTimeMillis, (now) => {
          running++
          most = Math.max(most, running)
          return starts.push(now) - 1
        }),
        (index) => Effect.sleep(millis(index)),
        () =>
          Effect.sync(() => {
            running--
          })
      )
  }
}

/** The largest number of times that lie within any `period`. */
export const largest = (times: ReadonlyArray<number>, period: number): number => {
  const sorted = [...times].sort((a, b) => a - b)
  let first = 0
  return sorted.reduce((most, time, last) => {
    while ((sorted[first] ?? time) <= time - period) first++
    return Math.max(most, last - first + 1)
  }, 0)
}
