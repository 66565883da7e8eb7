/**
 * Reports the progress of one transfer to its `onProgress` hook. Without a hook no event is made.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as Waiting from "../../policy/Waiting.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { Event, type OnProgress } from "../Progress.ts"

export interface ProgressReporter {
  /** Sets the total of all later events. */
  readonly setTotal: (size: number) => void
  /** Reports bytes that are under way. */
  readonly report: (tag: "Read" | "Hashed", start: number, length: number) => Effect.Effect<void>
  /** Reports bytes that are done, and counts them. */
  readonly reportDone: (tag: "Sent" | "Verified" | "Kept", start: number, length: number) => Effect.Effect<void>
  /** Reports the retries of a call and its other long waits. */
  readonly reportRetries: (
    range?: ByteRange.ByteRange
  ) => <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** `done` is the number of bytes that count as done from the beginning. */
export const make = (onProgress: OnProgress | undefined, done = 0): ProgressReporter => {
  let bytes = done
  let total = Option.none<number>()

  return {
    setTotal: (size) => {
      total = Option.some(size)
    },

    report: (tag, start, length) =>
      onProgress === undefined
        ? Effect.void
        : Effect.suspend(() => onProgress(Event[tag]({ range: ByteRange.make(start, length), bytes, total }))),

    reportDone: (tag, start, length) =>
      onProgress === undefined
        ? Effect.void
        : Effect.suspend(() => {
          bytes += length
          return onProgress(Event[tag]({ range: ByteRange.make(start, length), bytes, total }))
        }),

    reportRetries: (range) => (call) =>
      onProgress === undefined ? call : call.pipe(
        RetryPolicy.onRetry(({ attempt, error, operation, wait }) =>
          onProgress(
            Event.Retried({
              range: Option.fromNullable(range),
              bytes,
              total,
              operation,
              error: error._tag,
              attempt,
              wait
            })
          )
        ),
        Waiting.onWait((wait) =>
          onProgress(Event.Waiting({ range: Option.fromNullable(range), bytes, total, ...wait }))
        )
      )
  }
}
