/**
 * Records the waits of calls in spans and in a metric.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Metrics from "../Metrics.ts"

/** Records a wait (milliseconds) as an event of the current span and in a metric. */
export const waited = (
  reason: "retry" | "rate" | "bandwidth",
  millis: number,
  details: Readonly<Record<string, unknown>> = {}
): Effect.Effect<void> =>
  Effect.all([
    Metric.incrementBy(Metric.tagged(Metrics.waits, "reason", reason), millis),
    Effect.flatMap(
      Effect.all([Effect.option(Effect.currentSpan), Effect.clockWith((clock) => clock.currentTimeNanos)]),
      ([span, now]) =>
        Effect.sync(() => Option.map(span, (span) => span.event("glacier.wait", now, { reason, millis, ...details })))
    )
  ], { discard: true })
