import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

/**
 * Lets `permits` effects run at once, the others in the order in which they came. Effect's semaphore lets a fiber that
 * comes back at once overtake all that wait, and its PartitionedSemaphore loses the permit of who is interrupted in the
 * moment it is given one.
 */
export const makeTurns = (permits: number): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> => {
  let free = permits
  const waiting = new Set<Deferred.Deferred<void>>()

  /** The permit goes straight to the first that waits, so that nobody can come between. */
  const leave = Effect.sync(() => {
    for (const first of waiting) {
      waiting.delete(first)
      Deferred.unsafeDone(first, Effect.void)
      return
    }
    free++
  })

  return (self) =>
    Effect.uninterruptibleMask((restore) => {
      const run = Effect.ensuring(restore(self), leave)
      if (free > 0) {
        free--
        return run
      }
      const turn = Deferred.unsafeMake<void>(FiberId.none)
      waiting.add(turn)
      const wait = Effect.onInterrupt(
        restore(Deferred.await(turn)),
        () => Effect.suspend(() => waiting.delete(turn) ? Effect.void : leave)
      )
      return Effect.zipRight(wait, run)
    })
}
