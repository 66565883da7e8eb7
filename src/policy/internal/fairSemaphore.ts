/**
 * A semaphore that hands out permits in the order of arrival. Effect's `Semaphore` lets a fiber that returns at once
 * overtake all waiting fibers, and its `PartitionedSemaphore` leaks a permit when a waiter is interrupted just as it is
 * granted one.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

/** Makes a function that runs at most `permits` effects at once and starts the others in the order of arrival. */
export const makeFairSemaphore = (
  permits: number
): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> => {
  let free = permits
  const waiting = new Set<Deferred.Deferred<void>>()

  // Grants the permit directly to the first waiter, so that no later fiber can take it in between.
  const release = Effect.sync(() => {
    for (const first of waiting) {
      waiting.delete(first)
      Deferred.unsafeDone(first, Effect.void)
      return
    }
    free++
  })

  return (self) =>
    Effect.uninterruptibleMask((restore) => {
      const run = Effect.ensuring(restore(self), release)
      if (free > 0) {
        free--
        return run
      }
      const granted = Deferred.unsafeMake<void>(FiberId.none)
      waiting.add(granted)
      const wait = Effect.onInterrupt(
        restore(Deferred.await(granted)),
        // A waiter that is no longer in the set has a permit already, and must pass it on.
        () => Effect.suspend(() => waiting.delete(granted) ? Effect.void : release)
      )
      return Effect.zipRight(wait, run)
    })
}
