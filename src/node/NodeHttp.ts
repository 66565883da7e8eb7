/**
 * An HTTP client of Node.js for many small and for large bodies: connections that stay open, bodies that are sent from
 * where they lie, and answers that are received where they are wanted (see `Body`).
 *
 * @since 0.1.0
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as HttpClient from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { validateHeaderName, validateHeaderValue } from "node:http"
import { pipeline } from "node:stream/promises"
import * as Body from "../transport/Body.ts"
import * as HttpLimit from "../transport/HttpLimit.ts"
import * as Connection from "./internal/connection.ts"
import * as Deadlines from "./internal/deadlines.ts"
import * as HttpResponse from "./internal/httpResponse.ts"

/** What is encrypted at once: meanwhile nothing else happens. */
const encryptedAtOnce = 256 * 1024

/** Sends bytes in pieces, the next when one is on its way. */
const inPieces = (bytes: Uint8Array, length: number): Connection.Write => (socket, done) => {
  const from = (start: number): void => {
    if (socket.destroyed) return
    const end = start + length
    if (end < bytes.length) socket.write(bytes.subarray(start, end), () => from(end))
    else socket.write(bytes.subarray(start), done)
  }
  from(0)
}

/** What sends a body, and how long it is. */
interface Sending {
  readonly write: Connection.Write
  readonly length: number | undefined
}

const nothing: Connection.Write = (_socket, done) => done()

const sending = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL
): Effect.Effect<Sending, RequestError> => {
  const { body, method } = request
  const refused = (description: string) => new RequestError({ request, reason: "Encode", description })
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ write: nothing, length: method === "POST" || method === "PUT" ? 0 : undefined })
    case "Uint8Array": {
      const { length } = body.body
      const write = inPieces(body.body, url.protocol === "https:" ? encryptedAtOnce : length)
      return Effect.succeed({ write: length === 0 ? nothing : write, length })
    }
    case "Stream": {
      const length = body.contentLength
      if (length === undefined) return refused("Streams of unknown length are not sent")
      return Effect.map(NodeStream.toReadable(body.stream), (readable) => ({
        length,
        // No faster than it is taken. Should it fail, so does the request.
        write: (socket, done) => {
          let sent = 0
          readable.on("data", (bytes: Uint8Array) => {
            sent += bytes.length
          })
          pipeline(readable, socket, { end: false }).then(() => {
            if (sent === length) done()
            else socket.destroy(new Error(`A body of ${length} bytes had ${sent}`))
          }, (cause) => socket.destroy(cause))
        }
      }))
    }
    default:
      return refused(`Bodies of kind ${body._tag} are not sent`)
  }
}

/** The head of a request, as it is sent. */
const headOf = (
  { headers, method }: HttpClientRequest.HttpClientRequest,
  url: URL,
  length: number | undefined
): string => {
  const all = { host: url.host, ...(length !== undefined && { "content-length": String(length) }), ...headers }
  const lines = Object.entries(all).map(([name, value]) => {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return `${name}: ${value}`
  })
  return [`${method} ${url.pathname}${url.search} HTTP/1.1`, ...lines, "", ""].join("\r\n")
}

/** Connections that are free, by where they lead. */
const pool = () => {
  const free = new Map<string, Array<Connection.Connection>>()
  const all = new Set<Connection.Connection>()
  const sessions = new Map<string, Buffer>()
  const of = (origin: string) => {
    const known = free.get(origin) ?? []
    free.set(origin, known)
    return known
  }
  return {
    take: (url: URL): Connection.Connection => {
      const { origin } = url
      // The one used last: it has most of its time left.
      for (let known = of(origin).pop(); known !== undefined; known = of(origin).pop()) {
        if (!known.isGone()) return known
      }
      const made = Connection.open(url, {
        session: sessions.get(origin),
        onSession: (session) => void sessions.set(origin, session),
        onFree: (connection) => void of(origin).push(connection),
        onClose: (connection) => {
          all.delete(connection)
          free.set(origin, of(origin).filter((one) => one !== connection))
        }
      })
      all.add(made)
      return made
    },
    close: () => all.forEach((connection) => connection.destroy())
  }
}

/** A client whose connections end with the Scope. */
const make: Effect.Effect<HttpClient.HttpClient & HttpLimit.Limited, never, Scope.Scope> = Effect.gen(function*() {
  const connections = yield* Effect.acquireRelease(Effect.sync(pool), ({ close }) => Effect.sync(close))
  const addDeadline = yield* Deadlines.make
  const forgotten = HttpResponse.forgotten()

  const send = (request: HttpClientRequest.HttpClientRequest, url: URL, { length, write }: Sending, limit?: number) =>
    Effect.async<HttpClientResponse.HttpClientResponse, RequestError>((resume) => {
      const failed = (reason: "Encode" | "Transport") => (cause: unknown) =>
        resume(new RequestError({ request, reason, cause }))
      let head: string
      try {
        head = headOf(request, url, length)
      } catch (cause) {
        return failed("Encode")(cause)
      }
      const connection = connections.take(url)
      const answer: HttpResponse.Answer = new HttpResponse.Answer(connection, forgotten, {
        onAnswer: (head) => {
          const response = new HttpResponse.Response(request, head, answer)
          forgotten.register(response, answer, answer)
          resume(Effect.succeed(response))
        },
        onNone: failed("Transport"),
        onEnd: limit === undefined
          ? undefined
          : addDeadline(limit, () => connection.destroy(new HttpLimit.LimitReached()))
      })
      connection.send(request.method, head, write, answer)
      return Effect.sync(answer.cancel)
    })

  const execute = (
    request: HttpClientRequest.HttpClientRequest,
    limit?: number
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError> => {
    const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
    return url === undefined
      ? new RequestError({ request, reason: "InvalidUrl" })
      : Effect.flatMap(sending(request, url), (sending) => send(request, url, sending, limit))
  }

  return Object.assign(
    HttpClient.makeWith(
      (request: Effect.Effect<HttpClientRequest.HttpClientRequest>) => Effect.flatMap(request, (one) => execute(one)),
      Effect.succeed
    ),
    {
      [HttpLimit.Within]: (request: HttpClientRequest.HttpClientRequest, limit: Duration.Duration) =>
        execute(request, Duration.toMillis(limit))
    }
  )
})

/**
 * The client. Its connections are kept for some seconds after their use, and end with the layer's Scope. It sends bytes,
 * also in memory that threads share, texts, and Streams of known length no faster than they are taken, but no forms; it
 * speaks HTTP/1.1, follows no redirects, and has no time limits but those that it is given (see `HttpLimit`).
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
