/**
 * HTTP responses that no server sent: made from a status, headers and a stream, or changed from a real response.
 *
 * @internal
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Reads a stream to its end and returns its bytes. */
export const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array<ArrayBuffer>, E, R> =>
  Effect.map(Stream.runCollect(stream), (chunk) => {
    const pieces = Array.from(chunk)
    const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
    let offset = 0
    for (const piece of pieces) {
      bytes.set(piece, offset)
      offset += piece.length
    }
    return bytes
  })

/**
 * A response whose body is a stream. Each time the body is read, the stream runs again.
 *
 * It shares no code with the other two classes of responses. That of the emulator is internal to `src/emulator`, and that
 * of `NodeHttp` reads from undici. `HttpClientResponse.fromWeb` is no substitute: it allows one read only, and its body
 * cannot fail with a given error.
 */
class StreamResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly remoteAddress: Option.Option<string> = Option.none()
  readonly cookies: Cookies.Cookies = Cookies.empty
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: Stream.Stream<Uint8Array, unknown>

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    status: number,
    headers: Headers.Headers,
    body: Stream.Stream<Uint8Array, unknown>
  ) {
    super()
    this.request = request
    this.status = status
    this.headers = headers
    this.body = body
  }

  private fail(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.mapError(this.body, (cause) => this.fail(cause))
  }

  get arrayBuffer() {
    return Effect.map(collect(this.stream), ({ buffer }): ArrayBuffer => buffer)
  }

  get text() {
    return Effect.map(collect(this.stream), (bytes) => new TextDecoder().decode(bytes))
  }

  get json() {
    return Effect.tryMap(this.text, {
      try: (text): unknown => text === "" ? null : JSON.parse(text),
      catch: (cause) => this.fail(cause)
    })
  }

  get urlParamsBody() {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData() {
    return Effect.fail(this.fail("form data is not supported"))
  }

  toJSON(): unknown {
    return { _id: "effect-glacier/testing/Response", status: this.status, headers: this.headers }
  }
}

/** Makes a response whose body is a stream. */
export const make = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Stream.Stream<Uint8Array, unknown>
): HttpClientResponse.HttpClientResponse => new StreamResponse(request, status, Headers.fromInput(headers), body)

/** Makes a response whose body is a text. */
export const ofText = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  contentType: string,
  text: string
): HttpClientResponse.HttpClientResponse =>
  make(request, status, { "content-type": contentType }, Stream.encodeText(Stream.succeed(text)))

/** Makes the response with which Glacier reports an error. */
export const ofError = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  code: string,
  message: string
): HttpClientResponse.HttpClientResponse =>
  ofText(
    request,
    status,
    "application/json",
    JSON.stringify({ code, message, type: status < 500 ? "Client" : "Server" })
  )

/** Returns a copy of a response without one of its headers. */
export const withoutHeader = (
  { headers, request, status, stream }: HttpClientResponse.HttpClientResponse,
  name: string
): HttpClientResponse.HttpClientResponse => new StreamResponse(request, status, Headers.remove(headers, name), stream)

/** Returns a copy of a response with some headers replaced, or with another body. */
export const changed = (
  { headers, request, status, stream }: HttpClientResponse.HttpClientResponse,
  change: {
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: Stream.Stream<Uint8Array, unknown>
  }
): HttpClientResponse.HttpClientResponse =>
  new StreamResponse(request, status, Headers.setAll(headers, change.headers ?? {}), change.body ?? stream)
