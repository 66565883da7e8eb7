/**
 * The bodies of requests, as undici sends them.
 *
 * @internal
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import type * as Undici from "@effect/platform-node/Undici"
import { RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"

/** How much of a body is written at once. While it is encrypted, nothing else happens. */
const sliceSize = 256 * 1024

function* slices(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += sliceSize) yield bytes.subarray(start, start + sliceSize)
}

type DispatchOptions = Undici.Dispatcher.DispatchOptions

type Sent = Pick<DispatchOptions, "body" | "headers">

/** The body as undici sends it, and the headers with its length. */
export const bodyOf = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Sent, RequestError> => {
  const { body } = request
  // A copy: undici's proxies add to it.
  const headers = { ...request.headers }
  const refuse = (description: string) => new RequestError({ request, reason: "Encode", description })
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ headers })
    case "Uint8Array": {
      const bytes = body.body
      if (bytes.length <= sliceSize) return Effect.succeed({ headers, body: bytes })
      return Effect.succeed({
        headers: { ...headers, "content-length": String(bytes.length) },
        // undici sends what can be iterated; its types do not say so.
        body: slices(bytes) as unknown as DispatchOptions["body"] & {}
      })
    }
    case "Stream": {
      const length = body.contentLength
      if (length === undefined) return refuse("A Stream of unknown length cannot be sent")
      return Effect.map(NodeStream.toReadable(body.stream), (readable) => ({
        headers: { ...headers, "content-length": String(length) },
        body: readable
      }))
    }
    default:
      return refuse(`A body of kind ${body._tag} cannot be sent`)
  }
}
