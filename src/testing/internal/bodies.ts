/**
 * Bodies of requests and responses, and the ways in which faults change them.
 *
 * @internal
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { PCGRandom } from "effect/Utils"
import { collect } from "./response.ts"

/** Returns the bytes of a request's body. */
export const bytesOf = ({ body }: HttpClientRequest.HttpClientRequest): Effect.Effect<Uint8Array> =>
  body._tag === "Uint8Array"
    ? Effect.succeed(body.body)
    : body._tag === "Stream"
    ? Effect.orDie(collect(body.stream))
    : Effect.succeed(new Uint8Array())

/** Flips one bit in a copy of the bytes. */
export const flipBit = (random: PCGRandom, bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice()
  const at = random.integer(bytes.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(8))
  return copy
}

/** Slows bytes down to 1 KiB per second. The pieces come often enough that no idle timeout applies. */
export const trickle = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.range(0, Math.ceil(bytes.length / 16_384) - 1).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((index) =>
      Effect.as(Effect.sleep("16 seconds"), bytes.subarray(index * 16_384, index * 16_384 + 16_384))
    )
  )

/** Changes the entries of a page. Each page has one list only. */
export const changeEntries = (
  page: string,
  change: (entries: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
): string => JSON.stringify(JSON.parse(page), (_, value: unknown) => Array.isArray(value) ? change(value) : value)

/** Replaces the marker of a page. */
export const withMarker = (page: string, marker: string): string =>
  JSON.stringify({ ...JSON.parse(page), Marker: marker })
