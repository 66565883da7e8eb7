/**
 * Answers that no service gave, or gave otherwise.
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

/** The bytes of a stream in one piece. */
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

class Answer extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
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
    return { _id: "effect-glacier/testing/Answer", status: this.status, headers: this.headers }
  }
}

const utf8 = new TextEncoder()

/** An answer of one's own. */
export const of = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Stream.Stream<Uint8Array, unknown>
): HttpClientResponse.HttpClientResponse => new Answer(request, status, Headers.fromInput(headers), body)

/** An answer of one's own, in text. */
export const make = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  contentType: string,
  text: string
): HttpClientResponse.HttpClientResponse =>
  of(request, status, { "content-type": contentType }, Stream.succeed(utf8.encode(text)))

/** A refusal in the words of the service. */
export const refusal = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  code: string,
  message: string
): HttpClientResponse.HttpClientResponse =>
  make(
    request,
    status,
    "application/json",
    JSON.stringify({ code, message, type: status < 500 ? "Client" : "Server" })
  )

/** An answer without one of its headers. */
export const without = (
  { headers, request, status, stream }: HttpClientResponse.HttpClientResponse,
  name: string
): HttpClientResponse.HttpClientResponse => new Answer(request, status, Headers.remove(headers, name), stream)

/** An answer with other headers or another body. */
export const changed = (
  { headers, request, status, stream }: HttpClientResponse.HttpClientResponse,
  change: {
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: Stream.Stream<Uint8Array, unknown>
  }
): HttpClientResponse.HttpClientResponse =>
  new Answer(request, status, Headers.setAll(headers, change.headers ?? {}), change.body ?? stream)
