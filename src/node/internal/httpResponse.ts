/**
 * A response whose head has arrived: the platform's `HttpClientResponse` over an exchange with undici.
 *
 * @internal
 */
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
import * as Hasher from "../../transport/Hasher.ts"
import * as ResponseBody from "../../transport/ResponseBody.ts"
import { type Exchange, type Head, UnframedEnd } from "./exchange.ts"

/** Makes a registry of unread responses. Each of them occupies a connection until it is read or garbage-collected. */
export const makeUnread = () => new FinalizationRegistry<Exchange>((exchange) => exchange.cancel())

/**
 * A response over an exchange.
 *
 * It shares no code with the classes of the emulator and of `effect-glacier/testing`, whose bodies are Streams: this one reads
 * pieces from undici, and can read a body into memory.
 */
export class Response extends Inspectable.Class
  implements HttpClientResponse.HttpClientResponse, ResponseBody.Response
{
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress = Option.none()
  private readonly setCookies: ReadonlyArray<string>
  private readonly exchange: Exchange
  private readonly unread: FinalizationRegistry<Exchange>
  private isRead = false

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    { headers, status }: Head,
    exchange: Exchange,
    unread: FinalizationRegistry<Exchange>
  ) {
    super()
    this.request = request
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.setCookies = headers["set-cookie"] ?? []
    this.exchange = exchange
    this.unread = unread
    unread.register(this, exchange, this)
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.setCookies)
  }

  private readonly failure = (cause: unknown) =>
    new ResponseError({ request: this.request, response: this, reason: "Decode", cause })

  /** Runs a reader of the body. Fails if the body has been read already. */
  private readonly read = <A, E, R>(reader: Effect.Effect<A, E, R>): Effect.Effect<A, E | ResponseError, R> =>
    Effect.suspend((): Effect.Effect<A, E | ResponseError, R> => {
      if (this.isRead) return this.failure(new Error("The body has been read already"))
      this.isRead = true
      this.unread.unregister(this)
      return reader
    })

  /** Calls `onPiece` with each piece of the body, until it returns false or the body ends. */
  private readonly forEachPiece = (onPiece: (piece: Uint8Array) => boolean): Effect.Effect<void, ResponseError> =>
    this.read(Effect.async((resume) => {
      const { exchange } = this
      const onChange = () => {
        for (let piece = exchange.take(); piece !== undefined; piece = exchange.take()) {
          if (!onPiece(piece)) {
            resume(Effect.void)
            return exchange.cancel()
          }
        }
        if (exchange.end === undefined) return
        const { error } = exchange.end
        resume(error === undefined ? Effect.void : this.failure(error))
      }
      exchange.onChange = onChange
      onChange()
      return Effect.sync(() => exchange.cancel())
    }))

  readonly [ResponseBody.Into] = (
    memory: Uint8Array,
    onBytes: (count: number) => void
  ): Effect.Effect<number, ResponseError> =>
    Effect.suspend(() => {
      // `ResponseBody.read` does the same through a Stream; this reads the pieces directly.
      let filled = 0
      return this.forEachPiece((piece) => {
        if (filled + piece.length <= memory.length) Hasher.copyInto(memory, filled, piece)
        filled += piece.length
        onBytes(piece.length)
        return filled <= memory.length
      }).pipe(
        // The caller compares the number of bytes, so a body that is cut off is detected.
        Effect.catchIf(({ cause }) => cause instanceof UnframedEnd, () => Effect.void),
        Effect.map(() => filled)
      )
    })

  /** Takes the next piece of the body. A piece stays in the exchange until it is taken, so an interrupted pull loses nothing. */
  private readonly pull: Effect.Effect<Uint8Array, Option.Option<ResponseError>> = Effect.suspend(() => {
    const { exchange } = this
    const piece = exchange.take()
    // undici's pieces are Buffers, whose `slice` makes no copy.
    if (piece !== undefined) return Effect.succeed(new Uint8Array(piece.buffer, piece.byteOffset, piece.length))
    if (exchange.end === undefined) return Effect.zipRight(this.change, this.pull)
    const { error } = exchange.end
    return Effect.fail(error === undefined ? Option.none() : Option.some(this.failure(error)))
  })

  /** Waits until bytes or the end have arrived. */
  private readonly change = Effect.async<void>((resume) => {
    const { exchange } = this
    exchange.onChange = () => resume(Effect.void)
    if (exchange.hasArrived) resume(Effect.void)
  })

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.unwrapScoped(
      Effect.as(
        Effect.acquireRelease(this.read(Effect.void), () => Effect.sync(() => this.exchange.cancel())),
        Stream.repeatEffectOption(this.pull)
      )
    )
  }

  private get bytes(): Effect.Effect<Buffer<ArrayBuffer>, ResponseError> {
    return Effect.suspend(() => {
      const pieces: Array<Uint8Array> = []
      return Effect.map(
        this.forEachPiece((piece) => pieces.push(piece) > 0),
        () => Buffer.concat(pieces)
      )
    })
  }

  get text(): Effect.Effect<string, ResponseError> {
    return Effect.map(this.bytes, (bytes) => bytes.toString())
  }

  /** The same response as a web response, for the less common ways to read a body. */
  private get web(): Effect.Effect<HttpClientResponse.HttpClientResponse, ResponseError> {
    return Effect.map(this.bytes, (bytes) => {
      const type = this.headers["content-type"]
      const headers = type === undefined ? {} : { "content-type": type }
      return HttpClientResponse.fromWeb(this.request, new globalThis.Response(bytes, { headers }))
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
