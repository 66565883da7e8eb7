import * as Net from "node:net"
import * as Tls from "node:tls"
import * as Parser from "./httpParser.ts"

/** What is received at once, where nobody has said where it is wanted. */
const receivedAtOnce = 64 * 1024

/** How long a connection is kept that nobody uses (milliseconds): a service closes it after a while, without a word. */
const keptFor = 4_000

/** What hears of the answer to a request. */
export interface Exchange extends Parser.Hearing {
  /** Where the next bytes are wanted, if anywhere. */
  readonly memory: () => Uint8Array | undefined
  /** Whether more bytes are wanted now; if not, `resume` tells when they are. */
  readonly isOpen: () => boolean
  /** The end of the answer, or why it has none. */
  readonly onEnd: (failure?: Error) => void
}

/** Writes a body, and tells when all of it is on its way. */
export type Write = (socket: Net.Socket, done: () => void) => void

/** A connection, for one request after the other. */
export interface Connection {
  readonly send: (method: string, head: string, write: Write, exchange: Exchange) => void
  readonly isGone: () => boolean
  readonly resume: () => void
  /** Ends it, and with it what it sends: memory that is sent is free again. */
  readonly destroy: (cause?: Error) => void
}

/** What a connection tells those who keep it. */
export interface Keeper {
  /** Of the last connection of its kind, to begin the next one sooner. */
  readonly session: Buffer | undefined
  readonly onSession: (session: Buffer) => void
  /** It can be used again. */
  readonly onFree: (connection: Connection) => void
  readonly onClose: (connection: Connection) => void
}

/** A connection to where a URL leads. What it receives goes straight to where an exchange wants it. */
export const open = (url: URL, { onClose, onFree, onSession, session }: Keeper): Connection => {
  const received = Buffer.allocUnsafeSlow(receivedAtOnce)
  let exchange: Exchange | undefined
  let parser: Parser.Parser | undefined
  let isKept = false
  let isWritten = false
  let failure: Error | undefined

  const end = (failure?: Error) => {
    const ended = exchange
    exchange = undefined
    ended?.onEnd(failure)
  }

  const free = () => {
    if (socket.destroyed) return
    socket.setTimeout(keptFor).unref()
    onFree(connection)
  }

  const completed = (isClean: boolean, isFull: boolean) => {
    // Who answers before he has read all does not read the rest.
    if (!isClean || !isKept || !isWritten) socket.destroy()
    // There may be more, which has no place here.
    else if (isFull) setImmediate(free)
    else free()
    end()
  }

  const fail = (cause: unknown) => void socket.destroy(cause instanceof Error ? cause : new Error(String(cause)))

  const onread = {
    buffer: () => exchange?.memory() ?? received,
    callback: (count: number, memory: Uint8Array) => {
      // Nothing is expected on a connection that nobody uses.
      if (exchange === undefined || parser === undefined) {
        socket.destroy()
        return false
      }
      try {
        const taken = parser.take(Buffer.from(memory.buffer, memory.byteOffset, count))
        if (parser.isDone()) completed(taken === count, count === memory.length)
      } catch (cause) {
        fail(cause)
        return false
      }
      return exchange?.isOpen() ?? true
    }
  }

  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  const isSecure = url.protocol === "https:"
  const options = { host, port: Number(url.port) || (isSecure ? 443 : 80), noDelay: true, onread }
  const socket: Net.Socket = isSecure
    ? Tls.connect({ ...options, servername: Net.isIP(host) === 0 ? host : "", ...(session && { session }) })
      .on("session", onSession)
    : Net.connect(options)

  socket
    .on("error", (error) => {
      failure = error
    })
    .on("timeout", () => socket.destroy())
    .on("end", () => {
      try {
        if (exchange !== undefined) parser?.finish()
        completed(false, false)
      } catch (cause) {
        fail(cause)
      }
    })
    .on("close", () => {
      onClose(connection)
      end(failure ?? new Error("The connection was closed before the answer's end"))
    })

  const connection: Connection = {
    send: (method, head, write, next) => {
      exchange = next
      isWritten = false
      parser = Parser.make(method, {
        onHead: (head) => {
          isKept = head.isKept
          next.onHead(head)
        },
        onBytes: next.onBytes
      })
      socket.setTimeout(0).ref()
      // Head and body in one piece.
      socket.cork()
      socket.write(head, "latin1")
      write(socket, () => {
        isWritten = true
      })
      socket.uncork()
    },
    isGone: () => socket.destroyed,
    resume: () => socket.resume(),
    destroy: (cause) => void socket.destroy(cause)
  }
  return connection
}
