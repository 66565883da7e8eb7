/** A service that goes by a script: a socket, what must arrive on it in which order, and byte for byte what comes back. */
import { Effect } from "effect"
import type { Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as TlsServer from "../support/tlsServer.ts"
import { mebibyte } from "./support.ts"

/** What comes back for a request: once its head is there, or all of it. */
export interface Reply {
  readonly after: "head" | "body"
  readonly run: (socket: Socket, reset: () => void) => void | Promise<void>
}

/** A request that is expected, as `part 0` or `output 1`, and what comes back for it. */
export type Exchange = readonly [request: string, reply: Reply]

type Headers = Readonly<Record<string, string | number>>

/** An answer as it goes over the wire. */
export const message = (status: number, headers: Headers = {}, body: string | Uint8Array = ""): Buffer => {
  const bytes = Buffer.from(body)
  const isFramed = status === 204 || "transfer-encoding" in headers || "connection" in headers
  const fields = { ...(isFramed ? {} : { "content-length": bytes.length }), ...headers }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return Buffer.concat([Buffer.from([`HTTP/1.1 ${status} Any`, ...lines, "", ""].join("\r\n"), "latin1"), bytes])
}

export const send = (bytes: Uint8Array): Reply => ({ after: "body", run: (socket) => void socket.write(bytes) })

export const answer = (...parts: Parameters<typeof message>): Reply => send(message(...parts))

export const refuse = (status: number, code: string, text = "No."): Reply =>
  answer(status, { "content-type": "application/json" }, JSON.stringify({ code, message: text, type: "Client" }))

/** An answer before the body is read, on a connection that is closed then; what still comes is thrown away. */
export const early = (bytes: Uint8Array): Reply => ({ after: "head", run: (socket) => void socket.end(bytes) })

/** Bytes, and then the end of the connection. */
export const end = (bytes: Uint8Array = Buffer.alloc(0)): Reply => ({
  after: "body",
  run: (socket) => void socket.end(bytes)
})

/** Bytes, and then a reset. */
export const reset = (bytes: Uint8Array = Buffer.alloc(0), after: Reply["after"] = "body"): Reply => ({
  after,
  run: (socket, reset) => void socket.write(bytes, () => void setTimeout(reset, 20))
})

/** Bytes, and then nothing more. */
export const silence = (bytes: Uint8Array = Buffer.alloc(0)): Reply => send(bytes)

/** Bytes in so many pieces, one after the other. */
export const slowly = (bytes: Uint8Array, pieces: number): Reply => ({
  after: "body",
  run: async (socket) => {
    const size = Math.ceil(bytes.length / pieces)
    for (let start = 0; start < bytes.length; start += size) {
      socket.write(bytes.subarray(start, start + size))
      await sleep(10)
    }
  }
})

const names: ReadonlyArray<readonly [pattern: RegExp, name: string]> = [
  [/^POST archives$/, "archive"],
  [/^POST multipart-uploads$/, "open"],
  [/^GET multipart-uploads(\?|$)/, "uploads"],
  [/^PUT multipart-uploads\/[\w-]+$/, "part"],
  [/^POST multipart-uploads\/[\w-]+$/, "complete"],
  [/^DELETE multipart-uploads\/[\w-]+$/, "abort"],
  [/^GET multipart-uploads\/[\w-]+(\?|$)/, "parts"],
  [/^GET jobs\/[\w-]+$/, "describe"],
  [/^GET jobs\/[\w-]+\/output$/, "output"]
]

/** What a request is called: with the MiB that its range begins with, or the page it asks for. */
const nameOf = (head: string): string => {
  const [, method, target = ""] = /^(\w+) \/-\/vaults\/photos\/(\S+)/.exec(head) ?? []
  const name = names.find(([pattern]) => pattern.test(`${method} ${target}`))?.[1] ?? head
  const range = /^(?:content-)?range: *bytes[ =](\d+)-/im.exec(head)?.[1]
  const marker = /marker=(\w+)/.exec(target)?.[1]
  return [name, ...(range === undefined ? [] : [Number(range) / mebibyte]), ...(marker === undefined ? [] : [marker])]
    .join(" ")
}

/** The scripted service on a free port, plain or over TLS, until the scope ends. */
export const serve = (script: ReadonlyArray<Exchange>, secure: boolean) =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const { origin, reset, sockets } = yield* TlsServer.createServer(secure, (socket) => {
      let received = Buffer.alloc(0)
      let reply: Reply | undefined
      let left = 0
      let repliedAt = 0
      const run = (reply: Reply) => {
        repliedAt = performance.now()
        // A reset that follows a response waits until the next request on the connection has its response, too.
        const isIdle = () => left <= 0 && received.length === 0 && performance.now() - repliedAt >= 20
        const resetBetween = () =>
          reply.after === "head" || isIdle() ? reset(socket) : void setTimeout(resetBetween, 20)
        void reply.run(socket, resetBetween)
      }
      socket.on("data", (chunk: Buffer) => {
        if (left > 0) left -= chunk.length
        else received = Buffer.concat([received, chunk])
        const length = received.indexOf("\r\n\r\n")
        if (length >= 0) {
          const head = received.toString("latin1", 0, length)
          left = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0) - (received.length - length - 4)
          received = Buffer.alloc(0)
          reply = script[asked.length]?.[1] ?? refuse(400, "Unscripted")
          asked.push(nameOf(head))
          if (reply.after === "head") run(reply)
        }
        if (left > 0 || reply === undefined) return
        if (reply.after === "body") run(reply)
        reply = undefined
      })
    })
    return {
      origin,
      /** The requests that have come. */
      asked: Effect.sync(() => [...asked]),
      /** The number of connections that are open. */
      open: Effect.sync(() => sockets.size)
    }
  })
