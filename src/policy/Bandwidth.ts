/**
 * How many bytes a second may travel, across all transfers of a program. A value in a `Reference`: replaced for a program
 * by `layer`, or round one call by `Effect.provideService(Bandwidth, ...)`.
 *
 * Uploads are then sent as streams of a known length, which Node's HTTP clients can send and fetch cannot.
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
import * as Waiting from "./Waiting.ts"

/**
 * One direction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lane {
  /** The most bytes to take at a time. */
  readonly slice: number
  /** Waits until that many bytes may travel. */
  readonly take: (bytes: number) => Effect.Effect<void>
}

/**
 * Both directions; one that is left out has no limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lanes {
  readonly up?: Lane | undefined
  readonly down?: Lane | undefined
}

/**
 * A lane of so many bytes a second. Each slice travels as soon as those before it have had their time, so that in any
 * second no more travels than the rate and one slice: what travels in 10 ms, or 1 MiB.
 */
const lane = (rate: number): Lane => {
  const turn = (wait: Duration.Duration) =>
    Waiting.sleep(
      { reason: "bandwidth", about: String(rate) },
      wait,
      (left) =>
        `Bytes wait for their turn: Bandwidth is ${rate} bytes a second. The next ones travel in ${
          Duration.format(left)
        }`
    )
  // When the next slice may travel (milliseconds).
  let free = 0
  return {
    slice: Math.max(1, Math.min(Math.floor(rate / 100), Limits.mebibyte)),
    take: (bytes) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const start = Math.max(now, free)
        free = start + bytes / rate * 1000
        return start > now ? turn(Duration.millis(Math.ceil(start - now))) : Effect.void
      })
  }
}

/**
 * The options of `make`: bytes a second in each direction. A direction that is left out has no limit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly up?: number | undefined
  readonly down?: number | undefined
}

/**
 * Lanes of so many bytes a second. Fails with `InvalidInput` when a number is not more than 0.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Lanes, InvalidInput> =>
  Effect.gen(function*() {
    const laneOf = (field: "up" | "down") =>
      options[field] === undefined
        ? Effect.succeed(undefined)
        : Effect.map(check("Bandwidth", field, Rate, options[field]), lane)
    return { up: yield* laneOf("up"), down: yield* laneOf("down") }
  })

/**
 * The bandwidth in use: without a Layer no limit.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Bandwidth } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A call that need not share
 * const atFullSpeed = Effect.provideService(Bandwidth.Bandwidth, {})
 */
export class Bandwidth extends Context.Reference<Bandwidth>()("effect-glacier/Bandwidth", {
  defaultValue: (): Lanes => ({})
}) {}

/**
 * Provides lanes for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (lanes: Lanes): Layer.Layer<never> => Layer.succeed(Bandwidth, lanes)

/**
 * So many bytes a second for all transfers of a program together.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Bandwidth } from "effect-glacier"
 *
 * // 20 MiB/s up; downloads as fast as they come
 * const paced = Bandwidth.layerWith({ up: 20 * 1024 * 1024 })
 */
export const layerWith = (options: Options): Layer.Layer<never, InvalidInput> => Layer.effect(Bandwidth, make(options))
