/**
 * What a transfer tells of its progress: nothing is made of it when nobody listens.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as Waiting from "../../policy/Waiting.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { Event, type OnProgress } from "../Progress.ts"

/** With the bytes that count as done before it begins. */
export const make = (onProgress: OnProgress | undefined, begin = 0) => {
  let bytes = begin
  let total = Option.none<number>()

  return {
    /** The total is known from now on. */
    setTotal: (size: number) => {
      total = Option.some(size)
    },

    /** Bytes that are on their way. */
    report: (tag: "Read" | "Hashed", start: number, length: number): Effect.Effect<void> =>
      onProgress === undefined
        ? Effect.void
        : Effect.suspend(() => onProgress(Event[tag]({ range: ByteRange.make(start, length), bytes, total }))),

    /** Bytes that are done. */
    reportDone: (tag: "Sent" | "Verified" | "Kept", start: number, length: number): Effect.Effect<void> =>
      onProgress === undefined
        ? Effect.void
        : Effect.suspend(() => {
          bytes += length
          return onProgress(Event[tag]({ range: ByteRange.make(start, length), bytes, total }))
        }),

    /** The retries of a call, and its other long waits. */
    reportRetries: (range?: ByteRange.ByteRange) => <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
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
