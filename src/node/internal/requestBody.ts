/**
 * Converts the bodies of requests to those of undici.
 *
 * @internal
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import type * as Undici from "@effect/platform-node/Undici"
import { RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"

/** The number of bytes that are written at once over TLS. The main thread is blocked while it encrypts them. */
const sliceSize = 512 * 1024

function* slices(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += sliceSize) yield bytes.subarray(start, start + sliceSize)
}

type DispatchOptions = Undici.Dispatcher.DispatchOptions

type UndiciBody = Pick<DispatchOptions, "body" | "headers">

/** Returns the body for undici, and the headers with its length. Fails if the body cannot be sent. */
export const bodyOf = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<UndiciBody, RequestError> => {
  const { body } = request
  // A copy, because undici adds headers for proxies.
  const headers = { ...request.headers }
  const cannotSend = (description: string) => new RequestError({ request, reason: "Encode", description })
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ headers })
    case "Uint8Array": {
      const bytes = body.body
      if (bytes.length <= sliceSize || request.url.startsWith("http:")) return Effect.succeed({ headers, body: bytes })
      return Effect.succeed({
        headers: { ...headers, "content-length": String(bytes.length) },
        // undici accepts iterables, although its types do not allow them.
        body: slices(bytes) as unknown as DispatchOptions["body"] & {}
      })
    }
    case "Stream": {
      const length = body.contentLength
      if (length === undefined) return cannotSend("A Stream of unknown length cannot be sent")
      return Effect.map(NodeStream.toReadable(body.stream), (readable) => ({
        headers: { ...headers, "content-length": String(length) },
        body: readable
      }))
    }
    default:
      return cannotSend(`A body of kind ${body._tag} cannot be sent`)
  }
}
