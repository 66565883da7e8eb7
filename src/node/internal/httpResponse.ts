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
import * as Body from "../../transport/Body.ts"
import type { Connection, Exchange } from "./connection.ts"
import type { Head } from "./httpParser.ts"

/** Who reads a body. */
interface Reader {
  /** Where the next bytes are wanted. */
  readonly memory?: () => Uint8Array | undefined
  /** Takes bytes, which lie there until it returns. */
  readonly onBytes: (bytes: Uint8Array) => void
  readonly isOpen: () => boolean
  readonly onEnd: (failure?: Error) => void
}

/** Who waits for an answer. */
interface Waiting {
  readonly onAnswer: (head: Head) => void
  readonly onNone: (cause: Error) => void
  /** It has ended, or there is none. */
  readonly onEnd?: (() => void) | undefined
}

/** An answer while it arrives: what comes before somebody reads it is kept, which is no more than was received at once. */
export class Answer implements Exchange {
  private readonly connection: Connection
  private readonly forgotten: Forgotten
  private readonly waiting: Waiting
  private readonly early: Array<Uint8Array> = []
  private hasHead = false
  private reader: Reader | undefined
  private ended: { readonly failure: Error | undefined } | undefined

  constructor(connection: Connection, forgotten: Forgotten, waiting: Waiting) {
    this.connection = connection
    this.forgotten = forgotten
    this.waiting = waiting
  }

  readonly memory = () => this.reader?.memory?.()

  readonly isOpen = () => this.reader?.isOpen() ?? !this.hasHead

  readonly onHead = (head: Head) => {
    this.hasHead = true
    this.waiting.onAnswer(head)
  }

  readonly onBytes = (bytes: Uint8Array) => {
    if (this.reader === undefined) this.early.push(new Uint8Array(bytes))
    else this.reader.onBytes(bytes)
  }

  readonly onEnd = (failure?: Error) => {
    this.ended = { failure }
    this.waiting.onEnd?.()
    if (this.hasHead) this.reader?.onEnd(failure)
    else this.waiting.onNone(failure ?? new Error("No answer"))
  }

  /** Reads the body, once. */
  readonly read = (reader: Reader) => {
    if (this.reader !== undefined) return reader.onEnd(new Error("The body has been read"))
    this.reader = reader
    // What is still registered outlives the collections of young memory, with all it refers to.
    this.forgotten.unregister(this)
    for (const bytes of this.early.splice(0)) reader.onBytes(bytes)
    if (this.ended !== undefined) reader.onEnd(this.ended.failure)
    else if (reader.isOpen()) this.connection.resume()
  }

  readonly resume = () => this.connection.resume()

  /** Ends the connection if the answer has not ended: its rest is not wanted. */
  readonly cancel = () => {
    if (this.ended === undefined) this.connection.destroy()
  }
}

type Forgotten = FinalizationRegistry<Answer>

/** Ends the connections of answers that are forgotten before they are read. */
export const forgotten = (): Forgotten => new FinalizationRegistry((answer) => answer.cancel())

/** An answer whose head is here. */
export class Response extends Inspectable.Class implements HttpClientResponse.HttpClientResponse, Body.Response {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress = Option.none()
  private readonly setCookies: ReadonlyArray<string>
  private readonly answer: Answer

  constructor(request: HttpClientRequest.HttpClientRequest, { cookies, headers, status }: Head, answer: Answer) {
    super()
    this.request = request
    this.status = status
    this.headers = Headers.unsafeFromRecord(headers)
    this.setCookies = cookies
    this.answer = answer
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.setCookies)
  }

  private readonly failed = (cause: unknown) =>
    new ResponseError({ request: this.request, response: this, reason: "Decode", cause })

  /** Reads to an end: `onBytes` takes what comes and tells whether that is enough, `value` gives what came of it. */
  private readonly reading = <A>(
    onBytes: (bytes: Uint8Array) => boolean,
    value: () => A,
    memory?: () => Uint8Array | undefined
  ): Effect.Effect<A, ResponseError> =>
    Effect.async((resume) => {
      const onEnd = (failure?: Error) =>
        resume(failure === undefined ? Effect.sync(value) : Effect.fail(this.failed(failure)))
      let isEnough = false
      this.answer.read({
        ...(memory && { memory }),
        onBytes: (bytes) => {
          isEnough ||= onBytes(bytes)
          if (!isEnough) return
          this.answer.cancel()
          onEnd()
        },
        isOpen: () => !isEnough,
        onEnd
      })
      return Effect.sync(this.answer.cancel)
    })

  readonly [Body.Into] = (memory: Uint8Array, onBytes: (count: number) => void): Effect.Effect<number, ResponseError> =>
    Effect.suspend(() => {
      let filled = 0
      return this.reading(
        (bytes) => {
          const isThere = bytes.buffer === memory.buffer && bytes.byteOffset === memory.byteOffset + filled
          if (!isThere && filled + bytes.length <= memory.length) memory.set(bytes, filled)
          filled += bytes.length
          onBytes(bytes.length)
          return filled > memory.length
        },
        () => filled,
        () => filled < memory.length ? memory.subarray(filled) : undefined
      )
    })

  private get bytes(): Effect.Effect<Buffer<ArrayBuffer>, ResponseError> {
    return Effect.suspend(() => {
      const pieces: Array<Uint8Array> = []
      return this.reading((bytes) => {
        pieces.push(new Uint8Array(bytes))
        return false
      }, () => Buffer.concat(pieces))
    })
  }

  get text(): Effect.Effect<string, ResponseError> {
    return Effect.map(this.bytes, (bytes) => bytes.toString())
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.unwrapScoped(
      Effect.acquireRelease(
        Effect.sync(() => new Pieces(this.answer, this.failed)),
        () => Effect.sync(this.answer.cancel)
      )
        .pipe(Effect.map((pieces) => Stream.repeatEffectOption(pieces.next)))
    )
  }

  /** What is asked for rarely is made of what the web calls a response. */
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

type Next = Effect.Effect<Uint8Array, Option.Option<ResponseError>>

/** A body piece by piece: the connection receives the next when it is asked for. */
class Pieces {
  private readonly answer: Answer
  private readonly here: Array<Next> = []
  private waiting: ((next: Next) => void) | undefined

  constructor(answer: Answer, failed: (cause: unknown) => ResponseError) {
    this.answer = answer
    answer.read({
      onBytes: (bytes) => this.give(Effect.succeed(new Uint8Array(bytes))),
      isOpen: () => this.waiting !== undefined,
      onEnd: (failure) => this.give(Effect.fail(failure === undefined ? Option.none() : Option.some(failed(failure))))
    })
  }

  private give(next: Next) {
    const { waiting } = this
    this.waiting = undefined
    if (waiting === undefined) this.here.push(next)
    else waiting(next)
  }

  readonly next: Next = Effect.async((resume) => {
    const next = this.here.shift()
    if (next !== undefined) return resume(next)
    this.waiting = resume
    this.answer.resume()
    return undefined
  })
}
