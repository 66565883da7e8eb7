/**
 * An HTTP client of Node.js for many small and for large bodies: `node:http` with connections that stay open, bodies
 * that are sent from where they lie, and answers that are received where they are wanted (see `Body`).
 *
 * @since 0.1.0
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Socket } from "node:net"
import { pipeline } from "node:stream"
import * as Body from "../transport/Body.ts"
import * as HttpResponse from "./internal/httpResponse.ts"

/** What a socket receives at once, into memory that is used again: Node.js would take new one for each 64 KiB. */
const receivedAtOnce = 512 * 1024

/** What is encrypted at once: meanwhile nothing else happens. */
const encryptedAtOnce = 256 * 1024

/** How long a connection is kept that nobody uses (milliseconds): a service closes it after a while, without a word. */
const keptFor = 4_000

/** Has a socket receive into memory of its own. Who keeps what it emits must copy it, as `HttpResponse` does. */
const receiving = <Options extends object>(options: Options) => ({
  ...options,
  onread: {
    // Never all of its memory: who is given a piece may take that for his own.
    buffer: new Uint8Array(receivedAtOnce + 1).subarray(1),
    callback(this: Socket, size: number, memory: Uint8Array) {
      // Nothing is expected on a connection that nobody uses.
      if (!this.emit("data", Buffer.from(memory.buffer, memory.byteOffset, size))) this.destroy()
      return true
    }
  }
})

type Connect<Agent extends Http.Agent> = Parameters<Agent["createConnection"]>

class PlainAgent extends Http.Agent {
  override createConnection(...[options, callback]: Connect<Http.Agent>) {
    return super.createConnection(receiving(options), callback)
  }
}

class SecureAgent extends Https.Agent {
  override createConnection(...[options, callback]: Connect<Https.Agent>) {
    return super.createConnection(receiving(options), callback)
  }
}

/** Sends bytes in pieces, the next when one is on its way. */
const inPieces = (sent: Http.ClientRequest, bytes: Uint8Array, length: number): void => {
  const from = (start: number): void => {
    if (sent.destroyed) return
    const end = start + length
    if (end < bytes.length) sent.write(bytes.subarray(start, end), () => from(end))
    else sent.end(bytes.subarray(start))
  }
  from(0)
}

type Write = (sent: Http.ClientRequest) => void

/** What sends a body. */
const writing = (request: HttpClientRequest.HttpClientRequest, url: URL): Effect.Effect<Write, RequestError> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed((sent) => sent.end())
    case "Uint8Array":
      return Effect.succeed((sent) =>
        inPieces(sent, body.body, url.protocol === "https:" ? encryptedAtOnce : body.body.length)
      )
    case "Stream":
      // No faster than it is taken. Should it fail, so does the request.
      return Effect.map(NodeStream.toReadable(body.stream), (readable) => (sent) => pipeline(readable, sent, () => {}))
    default:
      return new RequestError({ request, reason: "Encode", description: `Bodies of kind ${body._tag} are not sent` })
  }
}

/** A client whose connections end with the Scope. */
const make: Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> = Effect.gen(function*() {
  const options = { keepAlive: true, timeout: keptFor }
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => ({ http: new PlainAgent(options), https: new SecureAgent(options) })),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
  const forgotten = HttpResponse.forgotten()

  const send = (request: HttpClientRequest.HttpClientRequest, url: URL, write: Write) =>
    Effect.async<HttpClientResponse.HttpClientResponse, RequestError>((resume) => {
      const { headers, method } = request
      const sent = url.protocol === "https:"
        ? Https.request(url, { agent: agents.https, method, headers })
        : Http.request(url, { agent: agents.http, method, headers })
      sent.on("error", (cause) => resume(new RequestError({ request, reason: "Transport", cause })))
      sent.on("response", (message) => {
        // Who answers before he has read all does not read the rest.
        message.once("end", () => {
          if (!sent.writableFinished) sent.destroy()
        })
        resume(Effect.succeed(new HttpResponse.Response(request, message, forgotten)))
      })
      write(sent)
      return Effect.sync(() => sent.destroy())
    })

  const execute = (request: HttpClientRequest.HttpClientRequest) => {
    const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
    return url === undefined
      ? new RequestError({ request, reason: "InvalidUrl" })
      : Effect.flatMap(writing(request, url), (write) => send(request, url, write))
  }
  return HttpClient.makeWith(
    (request: Effect.Effect<HttpClientRequest.HttpClientRequest>) => Effect.flatMap(request, execute),
    Effect.succeed
  )
})

/**
 * The client. Its connections are kept for some seconds after their use, and end with the layer's Scope. It sends bytes,
 * also in memory that threads share, texts, and Streams no faster than they are taken, but no forms; it follows no
 * redirects, and has no time limits of its own: `Timeouts` are for those.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Endpoint, GlacierClient } from "effect-glacier"
 * import { NodeCredentials, NodeHttp } from "effect-glacier/node"
 * import { Layer } from "effect"
 *
 * const glacier = GlacierClient.layer.pipe(
 *   Layer.provide([NodeHttp.layer, NodeCredentials.layer, Endpoint.layer({ region: "eu-west-1" })])
 * )
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.merge(
  Layer.scoped(HttpClient.HttpClient, make),
  Layer.succeed(Body.SendsShared, true)
)
