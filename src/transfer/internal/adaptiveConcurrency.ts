/**
 * The line to the service, which the parts of an upload share.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Retry } from "../../policy/RetryPolicy.ts"

/** Whether a part did not get through in time: there may be too many for the line. */
const isTooSlow = ({ error }: Retry): boolean =>
  error._tag === "RequestTimeout" || error._tag === "AttemptTimeout" ||
  (error._tag === "InvalidSignature" && error.because === "slow")

/** For so many parts at once, and fewer when that is too many. */
export const make = (concurrency: number) =>
  Effect.map(Effect.makeSemaphore(concurrency), (permits) => {
    let width = concurrency
    return {
      /** What a part needs to be sent. */
      permits,
      /**
       * To be told of the retries of a part that has a permit. Of one that was too slow that permit is lost for the rest
       * of the upload, unless it was the last, and the part waits for another.
       */
      narrow: (retry: Retry): Effect.Effect<void> =>
        Effect.suspend(() => {
          if (width === 1 || !isTooSlow(retry)) return Effect.void
          width--
          return permits.take(1)
        })
    }
  })

export type AdaptiveConcurrency = Effect.Effect.Success<ReturnType<typeof make>>
