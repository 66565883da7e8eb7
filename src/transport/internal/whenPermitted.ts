/**
 * Runs attempts when the rate policy permits them.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as RatePolicy from "../../policy/RatePolicy.ts"
import * as Waiting from "../../policy/Waiting.ts"
import type { GlacierError } from "../../protocol/GlacierError.ts"
import { waited } from "./waits.ts"

/** Runs an attempt when the rate policy permits it, and reports the wait. */
export const whenPermitted = <A, E extends GlacierError, R>(
  attempt: Effect.Effect<A, E, R>,
  call: {
    /** The name of the call in warnings. */
    readonly subject: string
    readonly class: RatePolicy.Class
    readonly ratePolicy: RatePolicy.Policy
  }
): Effect.Effect<A, E, R> => {
  const { ratePolicy, subject } = call
  if (ratePolicy === RatePolicy.none) return attempt
  return Effect.flatMap(Clock.currentTimeMillis, (asked) =>
    Waiting.during(
      { reason: "rate", about: subject },
      () => `${subject} waits: the RatePolicy in use does not permit the request yet`,
      (end) =>
        ratePolicy.pace(
          Effect.flatMap(
            Clock.currentTimeMillis,
            (now) => now > asked ? waited("rate", now - asked) : Effect.void
          ).pipe(Effect.zipRight(end), Effect.zipRight(attempt)),
          call.class
        )
    ))
}
