/**
 * The limit on the parts that an upload sends at once. Each part that does not get through in time lowers the limit by 1,
 * because the connection may be too slow for so many at once.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Retry } from "../../policy/RetryPolicy.ts"

export interface AdaptiveConcurrency {
  /** A part holds one permit while it is sent. */
  readonly permits: Effect.Semaphore
  /**
   * A hook for the retries of a part that holds a permit. If the part was too slow, its permit is withdrawn for the rest of
   * the upload and the part waits for another one. The last permit is never withdrawn.
   */
  readonly onRetry: (retry: Retry) => Effect.Effect<void>
}

const isTooSlow = ({ error }: Retry): boolean =>
  error._tag === "RequestTimeout" || error._tag === "AttemptTimeout" ||
  (error._tag === "InvalidSignature" && error.because === "slow")

export const make = (concurrency: number): Effect.Effect<AdaptiveConcurrency> =>
  Effect.map(Effect.makeSemaphore(concurrency), (permits) => {
    let limit = concurrency
    return {
      permits,
      onRetry: (retry) =>
        Effect.suspend(() => {
          if (limit === 1 || !isTooSlow(retry)) return Effect.void
          limit--
          return permits.take(1)
        })
    }
  })
