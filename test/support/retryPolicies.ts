/** Retry policies for tests. */
import * as Schedule from "effect/Schedule"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"

/** A policy that retries safe calls up to `times` times without a delay. */
export const promptly = (times: number): RetryPolicy.Policy => ({
  while: RetryPolicy.isSafe,
  schedule: Schedule.recurs(times),
  metered: false
})
