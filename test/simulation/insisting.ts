import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** A program that fails more often than that in one life does not come to an end. */
const maximumFailures = 30

/** What fails is written down and tried again after a minute. */
export const insisting = (failures: Array<string>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.tapError((error) => Effect.sync(() => failures.push(String(error)))),
    Effect.retry({ times: maximumFailures, schedule: Schedule.spaced("1 minute") })
  )
