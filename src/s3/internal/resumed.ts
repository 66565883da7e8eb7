/**
 * Reads a range of an object although responses break.
 *
 * @internal
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ScopedRef from "effect/ScopedRef"
import * as Stream from "effect/Stream"
import type { ByteRange } from "../../protocol/ByteRange.ts"
import { ConnectionError, type GlacierError } from "../../protocol/GlacierError.ts"
import type * as CallPolicies from "../../transport/CallPolicies.ts"

/** Emits the bytes of a range. When a response breaks, requests the bytes after those that it has emitted. */
export const resumed = <E extends GlacierError>(
  policies: CallPolicies.Service,
  call: CallPolicies.Call,
  range: ByteRange,
  request: (range: ByteRange) => Effect.Effect<Stream.Stream<Uint8Array, E>, E>
) => {
  const read = Effect.gen(function*() {
    type Pull = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>
    const body = yield* ScopedRef.make(() => Option.none<Pull>())
    let position = range.start

    const open = Effect.gen(function*() {
      const response = yield* policies.attempt(call, request({ start: position, end: range.end }))
      yield* ScopedRef.set(body, Effect.asSome(Stream.toPull(response)))
    })

    const early = new ConnectionError({
      operation: call.operation,
      message: "The response ended before the last byte of the range"
    })

    const next = Effect.gen(function*() {
      if (Option.isNone(yield* ScopedRef.get(body))) yield* open
      const pull = Option.getOrThrow(yield* ScopedRef.get(body))
      const bytes = yield* Effect.mapError(pull, Option.getOrElse(() => early))
      position += Chunk.reduce(bytes, 0, (size, { length }) => size + length)
      return bytes
    }).pipe(Effect.tapError(() => ScopedRef.set(body, Effect.succeed(Option.none()))))

    return Stream.unfoldChunkEffect(undefined, () =>
      position > range.end
        ? Effect.succeed(Option.none())
        : Effect.map(policies.retry(call, next), (bytes) => Option.some([bytes, undefined] as const)))
  })
  return Stream.unwrapScoped(read).pipe(
    Stream.withSpan(`ObjectStore.${call.operation}`, {
      kind: "client",
      captureStackTrace: false,
      attributes: { operation: call.operation, about: call.about }
    })
  )
}
