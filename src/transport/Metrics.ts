/**
 * The metrics of the transport.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * The number of attempts, by `operation` and `outcome`: `ok` or the tag of the error.
 *
 * @since 0.1.0
 * @category metrics
 */
export const requests = Metric.counter("glacier_requests_total", {
  description: "Attempts of requests to Glacier",
  incremental: true
})

/**
 * The bytes of archives, by `direction`: `up` counts each attempt, `down` the bytes received.
 *
 * @since 0.1.0
 * @category metrics
 */
export const bytes = Metric.counter("glacier_bytes_total", {
  description: "Bytes of archives and inventories",
  incremental: true
})

/**
 * The milliseconds that calls waited, by `reason`: before a `retry`, for the `rate` policy, or for `bandwidth`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const waits = Metric.counter("glacier_wait_millis_total", {
  description: "Milliseconds waited by reason",
  incremental: true
})
