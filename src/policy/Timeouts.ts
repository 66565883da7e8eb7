/**
 * How long to wait for the service. The time limits are a value in a `Reference` with defaults. Replace them for a whole
 * program with `layerWith`, or around one call with `Effect.provideService(Timeouts, limits)`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"

/**
 * The time limits of calls and attempts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /**
   * For one attempt: the time to open a connection, TLS included. `NodeHttp` enforces it; other HTTP clients have their
   * own limit.
   */
  readonly connect: Duration.Duration
  /** For one attempt without bytes in its request: the time from sending it to its complete response. */
  readonly response: Duration.Duration
  /** For one attempt that sends bytes: the time from sending it to the response. A signature is valid for 5 minutes. */
  readonly upload: Duration.Duration
  /** The longest pause between two chunks of a job's output. */
  readonly idle: Duration.Duration
  /** For a whole call: all its attempts and the waits between them. */
  readonly call: Duration.Duration
}

/**
 * The options of `make`: limits that are left out have their defaults.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = { readonly [K in keyof Limits]?: Duration.DurationInput | undefined }

/**
 * Makes time limits. Defaults: 10 seconds for `connect`, 30 seconds for `response`, 5 minutes for `upload`, 30 seconds
 * for `idle`, and none for `call`, as the `RetryPolicy` limits how long a call is retried.
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
 * The limits in use. Default: `make()`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Timeouts } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that ends within ten seconds
 * const briefly = Effect.provideService(Timeouts.Timeouts, Timeouts.make({ call: "10 seconds" }))
 */
export class Timeouts extends Context.Reference<Timeouts>()("effect-glacier/Timeouts", {
  defaultValue: (): Limits => make()
}) {}

/**
 * Provides time limits to a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (limits: Limits): Layer.Layer<never> => Layer.succeed(Timeouts, limits)

/**
 * Provides the time limits of `make(options)` to a whole program.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Timeouts } from "effect-glacier"
 *
 * const slowUploads = Timeouts.layerWith({ upload: "15 minutes" })
 */
export const layerWith = (options: Options): Layer.Layer<never> => layer(make(options))
