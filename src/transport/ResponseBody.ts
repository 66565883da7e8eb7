/**
 * The bytes of a response, and how an HTTP client can put them into memory without a Stream in between.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { AttemptTimeout, ConnectionError } from "../protocol/GlacierError.ts"

/**
 * Marks what can put its bytes into memory: a function of the memory, which stops when there are more bytes than fit,
 * and gives how many there were until then. `onBytes` is told whenever some have arrived. A body can be read once.
 *
 * An `HttpClientResponse` that has it saves the making of a chunk, and of a step of a Stream, for each piece that arrives.
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
 * The bytes of an answer. They are not checked against any hash yet, and the connection is held until they are read
 * to the end or the Stream ends otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Body
  extends Stream.Stream<Uint8Array, ConnectionError | AttemptTimeout>, IntoMemory<ConnectionError | AttemptTimeout>
{}

/**
 * What a response of an HTTP client may offer.
 *
 * @since 0.1.0
 * @category models
 */
export type Response = IntoMemory<HttpClientError.ResponseError>

/**
 * Reads a body into memory, by the shortest way there is. Gives how many bytes there were, which is more than fit if
 * there are more: it stops there.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = (body: Body, memory: Uint8Array): Effect.Effect<number, ConnectionError | AttemptTimeout> =>
  body[Into]?.(memory, () => {}) ?? Effect.suspend(() => {
    let filled = 0
    return body.pipe(
      Stream.takeWhile((piece) => {
        if (filled + piece.length <= memory.length) memory.set(piece, filled)
        filled += piece.length
        return filled <= memory.length
      }),
      Stream.runDrain,
      Effect.map(() => filled)
    )
  })
