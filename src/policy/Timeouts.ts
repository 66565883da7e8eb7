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
  /** From sending a request without bytes to its whole response, for one attempt. */
  readonly response: Duration.Duration
  /** From sending bytes to the response, for one attempt. A signature lives for 5 minutes. */
  readonly upload: Duration.Duration
  /** The longest pause between two pieces of a job's output. */
  readonly idle: Duration.Duration
  /** From a call to its end, all attempts and all waits between them. */
  readonly call: Duration.Duration
}

/**
 * Limits as they are given: those that are left out have their defaults.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = { readonly [K in keyof Limits]?: Duration.DurationInput | undefined }

/**
 * The given limits, and for the others 10 seconds for a connection, 30 seconds for a response, 5 minutes for an upload,
 * 30 seconds for a pause and no limit for a call: the `RetryPolicy` decides how long it is retried.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (limits: Options = {}): Limits => ({
  connect: Duration.decode(limits.connect ?? "10 seconds"),
  response: Duration.decode(limits.response ?? "30 seconds"),
  upload: Duration.decode(limits.upload ?? "5 minutes"),
  idle: Duration.decode(limits.idle ?? "30 seconds"),
  call: Duration.decode(limits.call ?? Duration.infinity)
})

/**
 * The limits in use: without a Layer those of `make`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Timeouts } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that is of no use after ten seconds
 * const briefly = Effect.provideService(Timeouts.Timeouts, Timeouts.make({ call: "10 seconds" }))
 */
export class Timeouts extends Context.Reference<Timeouts>()("effect-glacier/Timeouts", {
  defaultValue: (): Limits => make()
}) {}

/**
 * Provides time limits for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (limits: Limits): Layer.Layer<never> => Layer.succeed(Timeouts, limits)

/**
 * Provides the time limits of `make(options)` for a whole program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Timeouts } from "effect-glacier"
 *
 * const slowUploads = Timeouts.layerWith({ upload: "15 minutes" })
 */
export const layerWith = (options: Options): Layer.Layer<never> => layer(make(options))
