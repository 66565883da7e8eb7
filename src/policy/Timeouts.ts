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
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** From sending a request without bytes to its whole answer, for one attempt. */
  readonly answer: Duration.Duration
  /** From sending bytes to the answer, for one attempt. A signature lives for 5 minutes. */
  readonly upload: Duration.Duration
  /** The longest pause between two pieces of a job's output. */
  readonly idle: Duration.Duration
}

/**
 * The limits in use: without a Layer 30 seconds, 5 minutes and 30 seconds.
 *
 * @since 0.1.0
 * @category tags
 */
export class Timeouts extends Context.Reference<Timeouts>()("effect-glacier/Timeouts", {
  defaultValue: (): Limits => ({
    answer: Duration.seconds(30),
    upload: Duration.minutes(5),
    idle: Duration.seconds(30)
  })
}) {}

/**
 * Replaces the limits for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (limits: Limits): Layer.Layer<never> => Layer.succeed(Timeouts, limits)
