/**
 * The exchange of one request and its response with undici. undici calls the methods of the handler, which store the pieces of
 * the body and the end. The response reads them.
 *
 * @internal
 */
import type * as Undici from "@effect/platform-node/Undici"
import * as Data from "effect/Data"
import type { IncomingHttpHeaders } from "node:http"
import * as HttpHooks from "../../transport/HttpHooks.ts"

/** The status and the headers of a response. */
export interface Head {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** The end of a response. Has an error if the response is incomplete. */
export interface End {
  readonly error: Error | undefined
}

/** The number of buffered bytes at which undici stops reading from the socket. */
const bufferSize = 256 * 1024

const noop = () => {}

/** Whether only the end of the connection ends the body. */
const isUnframed = (status: number, headers: IncomingHttpHeaders): boolean =>
  status !== 204 && status !== 304 && headers["content-length"] === undefined &&
  headers["transfer-encoding"] === undefined

/** The end of a body without a length. The connection may have been cut off. */
export class UnframedEnd extends Data.TaggedError("UnframedEnd") {
  override readonly message = "The body has no length and may have been cut off"
}

/** Callbacks and time limit of an exchange. */
export interface Options {
  /** Whether a response can have a body: a response to HEAD has none, whatever its headers say. */
  readonly hasBody: boolean
  /** Called when the status and headers have arrived. */
  readonly onHead: (head: Head) => void
  /** Called when the request fails before that. */
  readonly onError: (error: Error) => void
  /** Starts the time limit of the request. Returns a function that ends it. */
  readonly startLimit: (onReached: () => void) => () => void
  /** Whether the time limit ends with the headers of a successful response, or with its body. */
  readonly limitUntil: "head" | "end"
}

/** The handler of one request. */
export class Exchange implements Undici.Dispatcher.DispatchHandler {
  /** Called when bytes or the end have arrived. */
  onChange: () => void = noop
  end: End | undefined
  private readonly options: Options
  /** The pieces in the order of their arrival. */
  private arrived: Array<Uint8Array> = []
  /** Earlier pieces, the next one last. `shift` would move all others: a body can arrive in 256 Ki pieces of one byte. */
  private next: Array<Uint8Array> = []
  private buffered = 0
  private controller: Undici.Dispatcher.DispatchController | undefined
  private canceled: Error | undefined
  private endLimit: () => void = noop
  private hasHead = false
  private isUnframed = false

  constructor(options: Options) {
    this.options = options
  }

  /** Whether bytes or the end have arrived. */
  get hasArrived(): boolean {
    return this.next.length > 0 || this.arrived.length > 0 || this.end !== undefined
  }

  /** Stops sending and receiving. */
  cancel(reason: Error = new Error("The request was canceled")): void {
    if (this.end !== undefined) return
    this.canceled = reason
    this.controller?.abort(reason)
  }

  /** Removes the next piece of the body from the buffer and returns it, if there is one. */
  take(): Uint8Array | undefined {
    if (this.next.length === 0) {
      this.next = this.arrived.reverse()
      this.arrived = []
    }
    const piece = this.next.pop()
    if (piece !== undefined) this.buffered -= piece.length
    if (this.buffered < bufferSize) this.controller?.resume()
    return piece
  }

  // undici calls this when the connection is ready, right before it sends the first byte.
  onRequestStart(controller: Undici.Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.canceled !== undefined) return controller.abort(this.canceled)
    this.endLimit = this.options.startLimit(() => this.cancel(new HttpHooks.LimitReached()))
  }

  onResponseStart(_: unknown, status: number, headers: IncomingHttpHeaders): void {
    // An interim response, which another response follows.
    if (status < 200) return
    this.hasHead = true
    // An incomplete body is accepted for errors only: their text is just shown.
    this.isUnframed = this.options.hasBody && status < 400 && isUnframed(status, headers)
    // The body of an error is read at once, so its time limit continues until the end.
    if (this.options.limitUntil === "head" && status < 400) this.endLimit()
    this.options.onHead({ status, headers })
  }

  onResponseData(controller: Undici.Dispatcher.DispatchController, piece: Uint8Array): void {
    // undici delivers an empty piece after each pause. Pausing again would never end.
    if (piece.length === 0) return
    this.arrived.push(piece)
    this.buffered += piece.length
    this.onChange()
    if (this.buffered >= bufferSize) controller.pause()
  }

  onResponseEnd(): void {
    const error = this.isUnframed ? new UnframedEnd() : undefined
    // undici releases the connection with `setImmediate` after this call. The end is reported later than that, so that the
    // next request can reuse the connection.
    queueMicrotask(() => setImmediate(() => this.finish(error)))
  }

  onResponseError(_: unknown, error: Error): void {
    this.finish(error)
    if (this.hasHead) return
    // Without a call of `onRequestStart` nothing was sent.
    const isFinal = this.controller !== undefined || error instanceof HttpHooks.NotSent
    this.options.onError(isFinal ? error : new HttpHooks.NotSent({ cause: error }))
  }

  private finish(error: Error | undefined) {
    this.endLimit()
    this.end = { error }
    this.onChange()
  }
}
