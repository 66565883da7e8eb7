/**
 * Receives request bodies with a time limit, and parses small ones as JSON.
 *
 * @internal
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ErrorResponse from "./errorResponse.ts"
import { join } from "./join.ts"

/** The maximum size of a JSON body in bytes: more than any request of the API needs. */
const maximumText = 1_048_576

export const cutShort = ErrorResponse.badRequest("The request body ended before it was complete.")

/**
 * Calls `onChunk` with each chunk of the body, one after the other. Fails when no chunk arrives within `timeout`.
 *
 * The stream closes with the scope and not before: closing it would close the connection that the response needs.
 */
export const receive = <E>(
  request: HttpServerRequest.HttpServerRequest,
  timeout: Duration.Duration,
  onChunk: (bytes: Uint8Array) => Effect.Effect<void, E>
): Effect.Effect<void, E | ErrorResponse.ErrorResponse, Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const pull = yield* Stream.toPull(request.stream)
    let arrived = clock.unsafeCurrentTimeMillis()

    const step = Effect.matchEffect(pull, {
      onFailure: Option.match({
        onNone: () => Effect.succeed(false),
        onSome: () => Effect.fail(cutShort)
      }),
      onSuccess: (chunk) => {
        arrived = clock.unsafeCurrentTimeMillis()
        return Effect.as(Effect.forEach(chunk, onChunk, { discard: true }), true)
      }
    })
    const all = Effect.gen(function*() {
      while (yield* step) { /* until the body ends */ }
    })
    // One sleeping fiber for the whole body, because a timeout for each chunk would take longer than the chunk.
    const limit = Duration.toMillis(timeout)
    const watch = Effect.gen(function*() {
      for (;;) {
        const left = arrived + limit - clock.unsafeCurrentTimeMillis()
        if (left <= 0) return yield* Effect.fail(ErrorResponse.timedOut)
        yield* Effect.sleep(left)
      }
    })
    yield* Number.isFinite(limit) ? Effect.raceFirst(all, watch) : all
  })

const tooLarge = ErrorResponse.badRequest(`The request body is larger than ${maximumText} bytes.`)

/** Reads the whole body into memory. Fails when it is larger than 1 MiB. */
export const collect = (
  request: HttpServerRequest.HttpServerRequest,
  timeout: Duration.Duration
): Effect.Effect<Uint8Array, ErrorResponse.ErrorResponse, Scope.Scope> =>
  Effect.gen(function*() {
    const length = request.headers["content-length"] ?? (request.headers["transfer-encoding"] === undefined ? "0" : "")
    if (length === "0") return new Uint8Array()
    if (Number(length) > maximumText) return yield* Effect.fail(tooLarge)
    const chunks: Array<Uint8Array> = []
    let size = 0
    yield* receive(request, timeout, (bytes) => {
      chunks.push(bytes)
      size += bytes.length
      return size > maximumText ? Effect.fail(tooLarge) : Effect.void
    })
    if (length !== "" && size !== Number(length)) return yield* Effect.fail(cutShort)
    return join(chunks)
  })

const unreadable = ErrorResponse.serialization("The request body is not valid JSON.")

/** The maximum depth of JSON: more levels than any request of the API needs. Decoding recurses for each level. */
const maximumDepth = 32

const isWithin = (value: unknown, levels: number): boolean =>
  typeof value !== "object" || value === null ||
  (levels > 0 && Object.values(value).every((member) => isWithin(member, levels - 1)))

const utf8 = new TextDecoder()

/** Parses a body as a JSON object. Returns undefined when the body is empty. */
export const parse = (
  body: Uint8Array
): Either.Either<Readonly<Record<string, unknown>> | undefined, ErrorResponse.ErrorResponse> => {
  const text = utf8.decode(body)
  if (text.trim() === "") return Either.right(undefined)
  return Either.try({ try: (): unknown => JSON.parse(text), catch: () => unreadable }).pipe(
    Either.filterOrLeft(Predicate.isReadonlyRecord, () => unreadable),
    Either.filterOrLeft((document) => isWithin(document, maximumDepth), () => unreadable)
  )
}
