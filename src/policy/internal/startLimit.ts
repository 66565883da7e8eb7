/**
 * Limits on how many attempts start within a period.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { now, sleep } from "./monotonicClock.ts"

/** A limit on the number of starts within a period. */
export interface StartLimit {
  /** Returns the time at which the next attempt may start. */
  readonly nextAt: () => number
  /** Records a start. */
  readonly add: (time: number) => void
}

/** Makes a limit of `count` starts within any `period` of milliseconds. */
export const makeStartLimit = (count: number, period: number): StartLimit => {
  const times: Array<number> = []
  return {
    nextAt: () => {
      const [first] = times
      return first === undefined || times.length < count ? 0 : first + period
    },
    add: (time) => {
      times.push(time)
      if (times.length > count) times.shift()
    }
  }
}

/** Waits until all `limits` allow an attempt to start, and records the start in each. */
export const awaitStart = (limits: Iterable<StartLimit>): Effect.Effect<void> =>
  Effect.flatMap(now, (time) => {
    const nextAt = Math.max(...Array.from(limits, (limit) => limit.nextAt()))
    if (nextAt > time) return Effect.zipRight(sleep(nextAt - time), awaitStart(limits))
    for (const limit of limits) limit.add(time)
    return Effect.void
  })

/**
 * The limits that an attempt has passed inside an intersection of policies. Another policy may still delay the attempt,
 * so all passed limits are checked again together right before it starts.
 */
export class PassedLimits extends Context.Reference<PassedLimits>()("effect-glacier/RatePolicy/PassedLimits", {
  defaultValue: (): Set<StartLimit> | undefined => undefined
}) {}
