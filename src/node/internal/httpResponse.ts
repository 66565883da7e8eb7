import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import { ResponseError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { IncomingMessage } from "node:http"
import { Readable } from "node:stream"
import { MessageChannel } from "node:worker_threads"
import * as Body from "../../transport/Body.ts"

/** Closes the connections of answers that are forgotten before they are read. */
export const forgotten = () => new FinalizationRegistry<IncomingMessage>((message) => message.destroy())

const nowhere = new MessageChannel().port1
nowhere.close()

/**
 * Gives back the memory of a piece at once, if it has it for itself, as what Node's parser emits has. The collector would
 * let much of it pile up, so that each piece is put into new memory, which takes longer than all else that is done with it.
 */
const free = ({ buffer, byteLength }: Uint8Array) => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) nowhere.postMessage(undefined, [buffer])
}

/** An answer of Node.js, whose pieces may lie in memory that is used again: those that are kept are copied. */
export class Response extends Inspectable.Class implements HttpClientResponse.HttpClientResponse, Body.Response {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly headers: Headers.Headers
  private readonly message: IncomingMessage
  private readonly registry: FinalizationRegistry<IncomingMessage>
  /** Where the pieces go that are not kept. */
  private sink: ((piece: Uint8Array) => void) | undefined

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    message: IncomingMessage,
    registry: FinalizationRegistry<IncomingMessage>
  ) {
    super()
    this.request = request
    this.message = message
    this.registry = registry
    this.headers = Headers.fromInput(message.headers)
    registry.register(this, message, message)
    // What went wrong is told to who reads it: see `reading`.
    message.on("error", () => {})
    const push = message.push.bind(message)
    message.push = (piece: Uint8Array | null) => {
      if (piece === null || this.sink === undefined) return push(piece && Buffer.from(piece))
      this.sink(piece)
      return true
    }
  }

  private readonly failed = (cause: unknown) =>
    new ResponseError({ request: this.request, response: this, reason: "Decode", cause })

  /** The message, to be read: after its end nothing would tell that it was cut off. */
  private readonly reading = Effect.suspend(() => {
    this.registry.unregister(this.message)
    return this.message.destroyed && !this.message.readableEnded
      ? Effect.fail(this.failed(this.message.errored ?? new Error("aborted")))
      : Effect.succeed(this.message)
  })

  get status(): number {
    return this.message.statusCode ?? 0
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.message.headers["set-cookie"] ?? [])
  }

  get remoteAddress(): Option.Option<string> {
    return Option.fromNullable(this.message.socket.remoteAddress)
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.unwrap(
      Effect.map(
        this.reading,
        (message) => NodeStream.fromReadable<ResponseError, Uint8Array>(() => message, this.failed)
      )
    )
  }

  get text(): Effect.Effect<string, ResponseError> {
    return Effect.flatMap(this.reading, (message) => {
      if (this.headers["content-length"] !== "0") {
        return NodeStream.toString(() => message, { onFailure: this.failed })
      }
      message.resume()
      return Effect.succeed("")
    })
  }

  readonly [Body.Into] = (memory: Uint8Array, onBytes: (count: number) => void): Effect.Effect<number, ResponseError> =>
    Effect.flatMap(this.reading, (message) =>
      Effect.async<number, ResponseError>((resume) => {
        let filled = 0
        const take = (piece: Uint8Array) => {
          const { length } = piece
          if (filled + length <= memory.length) memory.set(piece, filled)
          filled += length
          free(piece)
          onBytes(length)
          if (filled > memory.length) end()
        }
        const end = () => {
          this.sink = () => {}
          if (!message.readableEnded) message.destroy()
          resume(Effect.succeed(filled))
        }
        message.on("end", end).on("error", (cause) => resume(Effect.fail(this.failed(cause))))
        for (let piece = message.read(); piece !== null; piece = message.read()) take(piece)
        this.sink = take
        message.resume()
        return Effect.sync(() => {
          this.sink = () => {}
          message.destroy()
        })
      }))

  /** What is asked for rarely is made of what the web calls a response. */
  private get web(): Effect.Effect<HttpClientResponse.HttpClientResponse, ResponseError> {
    return Effect.map(this.reading, (message) => {
      const type = this.headers["content-type"]
      const headers = type === undefined ? {} : { "content-type": type }
      // The two types of one thing differ in what they leave out.
      const body = Readable.toWeb(message) as ReadableStream<Uint8Array>
      return HttpClientResponse.fromWeb(this.request, new globalThis.Response(body, { status: this.status, headers }))
    })
  }

  get json(): Effect.Effect<unknown, ResponseError> {
    return Effect.flatMap(this.web, (response) => response.json)
  }

  get urlParamsBody() {
    return Effect.flatMap(this.web, (response) => response.urlParamsBody)
  }

  get formData() {
    return Effect.flatMap(this.web, (response) => response.formData)
  }

  get arrayBuffer() {
    return Effect.flatMap(this.web, (response) => response.arrayBuffer)
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }
}
