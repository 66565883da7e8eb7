/**
 * How long to wait for the service. A value in a `Reference`, replaced for a program by `layer` or round one call by
 * `Effect.provideService(Timeouts, ...)`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"

/**
 * The longest waits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /**
   * From the start of a connection to its being ready, TLS included, for one attempt. `NodeHttp` keeps it; other HTTP
   * clients have a limit of their own.
   */
  readonly connect: Duration.Duration
  /** From sending a request without bytes to its whole answer, for one attempt. */
  readonly answer: Duration.Duration
  /** From sending bytes to the answer, for one attempt. A signature lives for 5 minutes. */
  readonly upload: Duration.Duration
  /** The longest pause between two pieces of a job's output. */
  readonly idle: Duration.Duration
  /** From a call to its end, all attempts and all waits between them. */
  readonly call: Duration.Duration
}

/**
 * The given limits, and for the others 10 seconds for a connection, 30 seconds for an answer, 5 minutes for an upload,
 * 30 seconds for a pause and no limit for a call: the `RetryPolicy` decides how long it is retried.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (limits: Partial<Limits> = {}): Limits => ({
  connect: Duration.seconds(10),
  answer: Duration.seconds(30),
  upload: Duration.minutes(5),
  idle: Duration.seconds(30),
  call: Duration.infinity,
  ...limits
})

/**
 * The limits in use: without a Layer those of `make`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Timeouts } from "effect-glacier"
 * import { Duration, Effect } from "effect"
 *
 * // A call that is of no use after ten seconds
 * const briefly = Effect.provideService(Timeouts.Timeouts, Timeouts.make({ call: Duration.seconds(10) }))
 */
export class Timeouts extends Context.Reference<Timeouts>()("effect-glacier/Timeouts", {
  defaultValue: (): Limits => make()
}) {}

/**
 * Replaces limits for a whole program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Timeouts } from "effect-glacier"
 * import { Duration } from "effect"
 *
 * const slowLine = Timeouts.layer({ upload: Duration.minutes(15) })
 */
export const layer = (limits: Partial<Limits>): Layer.Layer<never> => Layer.succeed(Timeouts, make(limits))
