/**
 * The request that opens a multipart upload. It runs in a fiber of its own, which an interruption of the caller does not
 * end at once: while a response is under way, the service may have opened an upload that must be aborted.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import type { UploadId } from "../../protocol/Names.ts"

export interface OpeningUpload<out E> {
  /** Waits for the id of the upload. */
  readonly uploadId: Effect.Effect<UploadId, E>
  /**
   * Makes no further attempt, and returns the id if the upload was opened. Waits at most `limit` for an attempt that is
   * under way.
   */
  readonly stop: (limit: Duration.Duration) => Effect.Effect<Option.Option<UploadId>>
  /** Stops without waiting for an attempt that is under way. */
  readonly cancel: Effect.Effect<void>
}

export const start = Effect.fnUntraced(function*<E, R>(request: Effect.Effect<UploadId, E, R>) {
  /** The time (epoch milliseconds) until which no attempt is under way, because the last one has failed. */
  let waitsUntil = 0
  let isStopped = false
  const fiber = yield* Effect.forkDaemon(Effect.interruptible(RetryPolicy.onRetry(request, ({ wait }) =>
    isStopped
      ? Effect.interrupt
      : Effect.map(Clock.currentTimeMillis, (now) => void (waitsUntil = now + Duration.toMillis(wait))))))

  const cancel = Effect.suspend(() => {
    isStopped = true
    return Fiber.interrupt(fiber)
  })

  const opening: OpeningUpload<E> = {
    uploadId: Fiber.join(fiber),
    cancel: Effect.asVoid(cancel),
    stop: (limit) =>
      Effect.gen(function*() {
        isStopped = true
        if (waitsUntil > (yield* Clock.currentTimeMillis)) return Option.none()
        return yield* Effect.matchCause(Effect.timeout(Effect.interruptible(Fiber.join(fiber)), limit), {
          onFailure: () => Option.none(),
          onSuccess: Option.some
        })
      }).pipe(Effect.zipLeft(cancel))
  }
  return opening
})
