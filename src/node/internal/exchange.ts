/**
 * One request on its way through undici, and its response as it arrives. undici calls the handler's methods; the client
 * and the response read what they have recorded.
 *
 * @internal
 */
import type * as Undici from "@effect/platform-node/Undici"
import * as Data from "effect/Data"
import type { IncomingHttpHeaders } from "node:http"
import * as HttpHooks from "../../transport/HttpHooks.ts"

/** The first lines of a response. */
export interface Head {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** The end of a response; with an error if the response is not whole. */
export interface End {
  readonly error: Error | undefined
}

/** Bytes of a body that may wait for a reader. More stay in the connection. */
const bufferSize = 256 * 1024

const noop = () => {}

/** Whether the body has no end but that of the connection. */
const isUnframed = (status: number, headers: IncomingHttpHeaders): boolean =>
  status !== 204 && status !== 304 && headers["content-length"] === undefined &&
  headers["transfer-encoding"] === undefined

/** The end of a body that has no length: it is that of the connection, and may be a cut. */
export class UnframedEnd extends Data.TaggedError("UnframedEnd") {
  override readonly message = "The body has no length and may have been cut off"
}

/** The environment of a request. */
export interface Options {
  readonly onHead: (head: Head) => void
  readonly onError: (error: Error) => void
  /** Starts the time limit of the request; returns a function that ends it. */
  readonly startLimit: (onReached: () => void) => () => void
  readonly limitUntil: "head" | "end"
}

export class Exchange implements Undici.Dispatcher.DispatchHandler {
  /** Called when bytes or the end have arrived. */
  onChange: () => void = noop
  end: End | undefined
  private readonly options: Options
  private readonly pieces: Array<Uint8Array> = []
  private buffered = 0
  private controller: Undici.Dispatcher.DispatchController | undefined
  private canceled: Error | undefined
  private endLimit: () => void = noop
  private hasHead = false
  private isUnframed = false

  constructor(options: Options) {
    this.options = options
  }

  /** Whether there are bytes to take, or the end is known. */
  get hasArrived(): boolean {
    return this.pieces.length > 0 || this.end !== undefined
  }

  /** Gives up: no byte is sent or received any more. */
  cancel(reason: Error = new Error("The request was canceled")): void {
    if (this.end !== undefined) return
    this.canceled = reason
    this.controller?.abort(reason)
  }

  /** The next bytes of the body, if any have arrived. */
  take(): Uint8Array | undefined {
    const piece = this.pieces.shift()
    if (piece !== undefined) this.buffered -= piece.length
    if (this.buffered < bufferSize) this.controller?.resume()
    return piece
  }

  // The connection is ready: from here on bytes are sent.
  onRequestStart(controller: Undici.Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.canceled !== undefined) return controller.abort(this.canceled)
    this.endLimit = this.options.startLimit(() => this.cancel(new HttpHooks.LimitReached()))
  }

  onResponseStart(_: unknown, status: number, headers: IncomingHttpHeaders): void {
    // An interim response: another follows.
    if (status < 200) return
    this.hasHead = true
    // The text of an error may be cut; data may not.
    this.isUnframed = status < 400 && isUnframed(status, headers)
    // An error is read to its end at once.
    if (this.options.limitUntil === "head" && status < 400) this.endLimit()
    this.options.onHead({ status, headers })
  }

  onResponseData(controller: Undici.Dispatcher.DispatchController, piece: Uint8Array): void {
    // undici delivers an empty piece after each pause: to pause again would never end.
    if (piece.length === 0) return
    this.pieces.push(piece)
    this.buffered += piece.length
    this.onChange()
    if (this.buffered >= bufferSize) controller.pause()
  }

  onResponseEnd(): void {
    const error = this.isUnframed ? new UnframedEnd() : undefined
    // undici frees the connection in an immediate of its own, after this call: a request that starts before that would
    // open another connection.
    queueMicrotask(() => setImmediate(() => this.finish(error)))
  }

  onResponseError(_: unknown, error: Error): void {
    this.finish(error)
    if (this.hasHead) return
    const isKnown = this.controller !== undefined || error instanceof HttpHooks.NotSent
    this.options.onError(isKnown ? error : new HttpHooks.NotSent({ cause: error }))
  }

  private finish(error: Error | undefined) {
    this.endLimit()
    this.end = { error }
    this.onChange()
  }
}
