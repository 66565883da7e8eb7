/**
 * The bytes of a response, and how an HTTP client can put them into memory without a Stream in between.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { AttemptTimeout, ConnectionError } from "../protocol/GlacierError.ts"
import { copyInto } from "./Hasher.ts"

/**
 * The key of an optional method that reads the body into given memory and returns the number of bytes. It stops when the
 * body is longer than the memory, and calls `onBytes` for each piece received. A body can be read once.
 *
 * With it an `HttpClientResponse` needs no chunk and no step of a Stream for each piece received.
 *
 * @since 0.1.0
 * @category type ids
 */
export const Into: unique symbol = Symbol.for("effect-glacier/ResponseBody/Into")

/**
 * @since 0.1.0
 * @category models
 */
export interface IntoMemory<out E> {
  readonly [Into]?: ((memory: Uint8Array, onBytes: (count: number) => void) => Effect.Effect<number, E>) | undefined
}

/**
 * The bytes of a response. They are not verified against any hash yet. The connection is in use until the Stream ends.
 *
 * @since 0.1.0
 * @category models
 */
export interface Body
  extends Stream.Stream<Uint8Array, ConnectionError | AttemptTimeout>, IntoMemory<ConnectionError | AttemptTimeout>
{}

/**
 * A response of an HTTP client that may have the method `Into`.
 *
 * @since 0.1.0
 * @category models
 */
export type Response = IntoMemory<HttpClientError.ResponseError>

/**
 * Reads a body into memory, by its method `Into` if it has one. Returns the number of bytes received, and stops at once
 * when that is more than the memory holds.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = (body: Body, memory: Uint8Array): Effect.Effect<number, ConnectionError | AttemptTimeout> =>
  body[Into]?.(memory, () => {}) ?? Effect.suspend(() => {
    let filled = 0
    return body.pipe(
      Stream.takeWhile((piece) => {
        if (filled + piece.length <= memory.length) copyInto(memory, filled, piece)
        filled += piece.length
        return filled <= memory.length
      }),
      Stream.runDrain,
      Effect.map(() => filled)
    )
  })
