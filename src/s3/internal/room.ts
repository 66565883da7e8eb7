/**
 * Memory that windows of different sizes share in the order of arrival, so that many small ones do not hold up a large one.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { WhenRoom } from "../../transfer/Download.ts"

/** Makes a function that runs the work on windows of at most `total` bytes at once. A larger window is alone. */
export const make = (total: number): WhenRoom => {
  let free = total
  const waiting = new Set<{ readonly size: number; readonly granted: Deferred.Deferred<void> }>()

  const grant = () => {
    for (const first of waiting) {
      if (first.size > free) return
      waiting.delete(first)
      free -= first.size
      Deferred.unsafeDone(first.granted, Effect.void)
    }
  }

  return (size) => (self) =>
    Effect.uninterruptibleMask((restore) => {
      const own = { size: Math.min(size, total), granted: Deferred.unsafeMake<void>(FiberId.none) }
      waiting.add(own)
      grant()
      const release = Effect.sync(() => {
        // An interrupted window that still waits has no room to give back, but may have held up the next one.
        if (!waiting.delete(own)) free += own.size
        grant()
      })
      return Effect.ensuring(Effect.zipRight(restore(Deferred.await(own.granted)), restore(self)), release)
    })
}
