import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** The number of failures after which a program gives up. */
const maximumFailures = 30

/** Retries an effect every minute and records its failures. */
export const insisting = (failures: Array<string>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.tapError((error) => Effect.sync(() => failures.push(String(error)))),
    Effect.retry({ times: maximumFailures, schedule: Schedule.spaced("1 minute") })
  )
