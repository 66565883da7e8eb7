import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Milliseconds of a clock that is never set back. */
export const now: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Sleeps for at least these milliseconds: a timer cuts off fractions. */
export const sleep = (millis: number): Effect.Effect<void> => Effect.sleep(Duration.millis(Math.ceil(millis)))

/** A limit on how many attempts begin. */
export interface Starts {
  /** The time at which the next may begin. */
  readonly opens: () => number
  /** One has begun. */
  readonly add: (time: number) => void
}

/** At most `count` in any `period` of milliseconds. */
export const makeStarts = (count: number, period: number): Starts => {
  const times: Array<number> = []
  return {
    opens: () => {
      const [first] = times
      return first === undefined || times.length < count ? 0 : first + period
    },
    add: (time) => {
      times.push(time)
      if (times.length > count) times.shift()
    }
  }
}

/** Waits until an attempt may begin by all of `limits`, and notes that it does. */
export const begin = (limits: Iterable<Starts>): Effect.Effect<void> =>
  Effect.flatMap(now, (time) => {
    const opens = Math.max(...Array.from(limits, (limit) => limit.opens()))
    if (opens > time) return Effect.zipRight(sleep(opens - time), begin(limits))
    for (const limit of limits) limit.add(time)
    return Effect.void
  })

/**
 * Inside two policies at once: the limits that have let an attempt through which may still be held back by the others,
 * and which are therefore asked again, all together, when it begins.
 */
export class Passed extends Context.Reference<Passed>()("effect-glacier/RatePolicy/Passed", {
  defaultValue: (): Set<Starts> | undefined => undefined
}) {}
