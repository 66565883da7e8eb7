/**
 * What the transport counts.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Attempts, by `operation` and `outcome`: `ok` or the tag of the error.
 *
 * @since 0.1.0
 * @category metrics
 */
export const requests = Metric.counter("glacier_requests_total", {
  description: "Attempts of requests to Glacier",
  incremental: true
})

/**
 * Bytes of archives, by `direction`: `up` counts each attempt, `down` what arrived.
 *
 * @since 0.1.0
 * @category metrics
 */
export const bytes = Metric.counter("glacier_bytes_total", {
  description: "Bytes of archives and inventories sent to and received from Glacier",
  incremental: true
})

/**
 * Milliseconds that calls waited, by `reason`: before a `retry`, for their turn by the `rate`, or for `bandwidth`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const waits = Metric.counter("glacier_wait_millis_total", {
  description: "Milliseconds waited before retries and for the limits of policies",
  incremental: true
})
