/**
 * Paces the bytes of requests and responses by a lane of the `Bandwidth`.
 *
 * @internal
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Lane } from "../../policy/Bandwidth.ts"
import { waited } from "./waits.ts"

function* slices(bytes: Uint8Array, length: number) {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length)
}

/** Slows a stream of bytes down to the speed of a lane. */
export const through =
  (lane: Lane | undefined) => <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
    lane === undefined ? stream : Stream.suspend(() => {
      let total = 0
      return stream.pipe(
        Stream.flatMap((bytes) => Stream.rechunk(Stream.fromIterable(slices(bytes, lane.slice)), 1)),
        Stream.tap((slice) =>
          Effect.gen(function*() {
            const asked = yield* Clock.currentTimeMillis
            yield* lane.take(slice.length)
            total += (yield* Clock.currentTimeMillis) - asked
          })
        ),
        // One event for the whole body.
        Stream.ensuring(Effect.suspend(() => total > 0 ? waited("bandwidth", total) : Effect.void))
      )
    })

/** Makes the body of an upload. Paced by a lane it is a stream with a known length. */
export const paced = (body: Uint8Array, lane: Lane | undefined): HttpBody.HttpBody =>
  lane === undefined
    ? HttpBody.uint8Array(body, "")
    : HttpBody.stream(through(lane)(Stream.succeed(body)), "", body.length)
