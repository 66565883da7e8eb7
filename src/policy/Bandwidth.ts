/**
 * A limit on the bytes per second of all transfers of a program together. It is a value in a `Reference`: provide it to a
 * whole program with `layerWith`, or around one call with `Effect.provideService(Bandwidth, lanes)`.
 *
 * Under a limit, uploads are sent as streams of a known length. Node's HTTP clients can send these, `fetch` cannot.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidInput } from "../protocol/GlacierError.ts"
import { check, Rate } from "../protocol/InputCheck.ts"
import * as Limits from "../protocol/Limits.ts"
import { formatCount } from "./Format.ts"
import * as Waiting from "./Waiting.ts"

/**
 * The limit of one direction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lane {
  /** The most bytes to take at once. */
  readonly slice: number
  /** Waits until this many bytes may be sent or received. */
  readonly take: (bytes: number) => Effect.Effect<void>
}

/**
 * The limits of both directions. A direction that is left out has no limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lanes {
  readonly up?: Lane | undefined
  readonly down?: Lane | undefined
}

/**
 * Makes a lane of `rate` bytes per second. Each slice waits until the slices before it have taken their time, so within
 * any second no more than the rate and one slice passes. A slice is the bytes of 10 ms, at most 1 MiB.
 */
const makeLane = (rate: number): Lane => {
  const sleep = (wait: Duration.Duration) =>
    Waiting.sleep(
      { reason: "bandwidth", about: String(rate) },
      wait,
      (left) =>
        `A transfer waits because Bandwidth is limited to ${formatCount(rate, "byte")} per second. ` +
        `It continues in ${Duration.format(left)}`
    )
  // The time (milliseconds) at which the next slice may pass.
  let freeAt = 0
  return {
    slice: Math.max(1, Math.min(Math.floor(rate / 100), Limits.mebibyte)),
    take: (bytes) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const start = Math.max(now, freeAt)
        freeAt = start + bytes / rate * 1000
        return start > now ? sleep(Duration.millis(Math.ceil(start - now))) : Effect.void
      })
  }
}

/**
 * The options of `make`: bytes per second in each direction. A direction that is left out has no limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly up?: number | undefined
  readonly down?: number | undefined
}

/**
 * Makes limits in bytes per second. Fails with `InvalidInput` when a number is not more than 0.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Lanes, InvalidInput> =>
  Effect.gen(function*() {
    const laneOf = (field: "up" | "down") =>
      options[field] === undefined
        ? Effect.succeed(undefined)
        : Effect.map(check("Bandwidth", field, Rate, options[field]), makeLane)
    return { up: yield* laneOf("up"), down: yield* laneOf("down") }
  })

/**
 * The limits in use. Default: none.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Bandwidth } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call without a limit
 * const atFullSpeed = Effect.provideService(Bandwidth.Bandwidth, {})
 */
export class Bandwidth extends Context.Reference<Bandwidth>()("effect-glacier/Bandwidth", {
  defaultValue: (): Lanes => ({})
}) {}

/**
 * Provides limits to a whole program. All its transfers share them.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (lanes: Lanes): Layer.Layer<never> => Layer.succeed(Bandwidth, lanes)

/**
 * Provides limits in bytes per second to a whole program. All its transfers share them. Fails with `InvalidInput` when a
 * number is not more than 0.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Bandwidth } from "effect-glacier"
 *
 * // Uploads at 20 MiB/s, downloads without a limit
 * const limited = Bandwidth.layerWith({ up: 20 * 1024 * 1024 })
 */
export const layerWith = (options: Options): Layer.Layer<never, InvalidInput> => Layer.effect(Bandwidth, make(options))
