/**
 * An HttpClient that runs an HTTP application in the same process. It passes streams through without copying.
 *
 * @internal
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Multipart from "@effect/platform/Multipart"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { join } from "./join.ts"

const utf8 = new TextDecoder()

/** The bytes of a body. Those in memory can also be read without a Stream, which would take longer than most requests. */
interface Contents {
  readonly stream: Stream.Stream<Uint8Array, unknown>
  readonly length: number | undefined
  readonly bytes?: Uint8Array
}

const inMemory = (bytes: Uint8Array): Contents => ({ stream: Stream.succeed(bytes), length: bytes.length, bytes })

const nothing: Contents = { ...inMemory(new Uint8Array()), stream: Stream.empty }

const invalid = (problem: string): Contents => ({ stream: Stream.fail(problem), length: undefined })

const contentsOf = (body: HttpBody.HttpBody): Contents => {
  switch (body._tag) {
    case "Empty":
      return nothing
    case "Uint8Array":
      return inMemory(body.body)
    case "Stream":
      return { stream: body.stream, length: body.contentLength }
    case "Raw": {
      const bytes = typeof body.body === "string" ? new TextEncoder().encode(body.body) : body.body
      return bytes instanceof Uint8Array ? inMemory(bytes) : invalid("A raw body must be text or bytes")
    }
    case "FormData":
      return invalid("Form data is not supported")
  }
}

/**
 * A request or response whose body is a stream, with the other ways of reading it. It shares no code with the response
 * class of `testing/internal`: each room keeps its internal folder to itself, and the emulator shares only `protocol`.
 */
abstract class Message<E> extends Inspectable.Class implements HttpIncomingMessage.HttpIncomingMessage<E> {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly remoteAddress: Option.Option<string> = Option.none()
  readonly headers: Headers.Headers
  readonly contents: Contents

  constructor(headers: Headers.Headers, contents: Contents) {
    super()
    this.headers = headers
    this.contents = contents
  }

  protected abstract fail(cause: unknown): E

  get stream(): Stream.Stream<Uint8Array, E> {
    return Stream.mapError(this.contents.stream, (cause) => this.fail(cause))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, E> {
    return Effect.map(Stream.runCollect(this.stream), (pieces) => join(pieces).buffer)
  }

  get text(): Effect.Effect<string, E> {
    const { bytes } = this.contents
    return bytes === undefined
      ? Effect.map(this.arrayBuffer, (bytes) => utf8.decode(bytes))
      : Effect.sync(() => utf8.decode(bytes))
  }

  get json(): Effect.Effect<unknown, E> {
    return Effect.tryMap(this.text, {
      try: (text): unknown => text === "" ? null : JSON.parse(text),
      catch: (cause) => this.fail(cause)
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, E> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  toJSON(): unknown {
    return { _id: "effect-glacier/Emulator/Message", headers: this.headers }
  }
}

class Request extends Message<HttpServerError.RequestError> implements HttpServerRequest.HttpServerRequest {
  readonly [HttpServerRequest.TypeId]: HttpServerRequest.TypeId = HttpServerRequest.TypeId
  readonly source: HttpClientRequest.HttpClientRequest
  readonly url: string

  constructor(
    source: HttpClientRequest.HttpClientRequest,
    url: string,
    headers: Headers.Headers,
    contents: Contents
  ) {
    super(headers, contents)
    this.source = source
    this.url = url
  }

  protected fail(cause: unknown): HttpServerError.RequestError {
    return new HttpServerError.RequestError({ request: this, reason: "Decode", cause })
  }

  get method() {
    return this.source.method
  }

  get originalUrl() {
    return this.url
  }

  get cookies() {
    return Cookies.parseHeader(this.headers["cookie"] ?? "")
  }

  get multipart() {
    return Multipart.toPersisted(this.multipartStream)
  }

  get multipartStream(): Stream.Stream<Multipart.Part, Multipart.MultipartError> {
    return Stream.pipeThroughChannel(
      Stream.mapError(this.stream, (cause) => new Multipart.MultipartError({ reason: "InternalError", cause })),
      Multipart.makeChannel(this.headers)
    )
  }

  get upgrade() {
    return Effect.fail(this.fail("there is no socket"))
  }

  modify(options: { readonly url?: string; readonly headers?: Headers.Headers }) {
    return new Request(this.source, options.url ?? this.url, options.headers ?? this.headers, this.contents)
  }
}

class Response extends Message<HttpClientError.ResponseError> implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly cookies: Cookies.Cookies

  constructor(request: HttpClientRequest.HttpClientRequest, response: HttpServerResponse.HttpServerResponse) {
    super(response.headers, request.method === "HEAD" ? nothing : contentsOf(response.body))
    this.request = request
    this.status = response.status
    this.cookies = response.cookies
  }

  protected fail(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }

  get formData() {
    return Effect.fail(this.fail("form data is not supported"))
  }
}

// The headers that HTTP clients add themselves. GET and HEAD without a body have no Content-Length.
const headersOf = (request: HttpClientRequest.HttpClientRequest, url: URL, length: number | undefined) => {
  const defaults: Record<string, string> = { host: url.host }
  if (length === undefined) {
    if (request.headers["content-length"] === undefined) defaults["transfer-encoding"] = "chunked"
  } else if (length > 0 || (request.method !== "GET" && request.method !== "HEAD")) {
    defaults["content-length"] = String(length)
  }
  if (request.body.contentType !== undefined) defaults["content-type"] = request.body.contentType
  return Headers.fromInput({ ...defaults, ...request.headers })
}

/** Makes the client of an application. Interrupting a call interrupts its handler. */
export const make = (app: HttpApp.Default<never, Scope.Scope>): HttpClient.HttpClient =>
  HttpClient.make((request, url) => {
    const contents = contentsOf(request.body)
    const headers = headersOf(request, url, contents.length)
    const handled = Effect.scoped(app).pipe(
      Effect.provideService(
        HttpServerRequest.HttpServerRequest,
        new Request(request, url.pathname + url.search, headers, contents)
      ),
      Effect.map((response) => new Response(request, response))
    )
    // The handler runs in its own fiber, as behind a socket. In the caller's fiber, a call made by the finalizer of an
    // interrupted fiber would be interrupted at once.
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.forkDaemon(handled),
        (fiber) => Effect.onInterrupt(restore(Fiber.join(fiber)), () => Fiber.interrupt(fiber))
      )
    )
  })
