/** A server that follows a script: it records the requests of a connection, and sends the bytes that the script gives. */
import { Effect } from "effect"
import type { Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as TlsServer from "../support/tlsServer.ts"
import { mebibyte } from "./support.ts"

/** How the server responds: after the head of the request, or after its body. */
export interface Response {
  readonly after: "head" | "body"
  readonly run: (socket: Socket, reset: () => void) => void | Promise<void>
}

/** An expected request, such as `part 0` or `output 1`, and the response to it. */
export type Exchange = readonly [request: string, response: Response]

type Headers = Readonly<Record<string, string | number>>

/** Encodes a response. */
export const message = (status: number, headers: Headers = {}, body: string | Uint8Array = ""): Buffer => {
  const bytes = Buffer.from(body)
  const isFramed = status === 204 || "transfer-encoding" in headers || "connection" in headers
  const fields = { ...(isFramed ? {} : { "content-length": bytes.length }), ...headers }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return Buffer.concat([Buffer.from([`HTTP/1.1 ${status} Any`, ...lines, "", ""].join("\r\n"), "latin1"), bytes])
}

/** Sends bytes. */
export const send = (bytes: Uint8Array): Response => ({ after: "body", run: (socket) => void socket.write(bytes) })

/** Sends a response. */
export const respond = (...parts: Parameters<typeof message>): Response => send(message(...parts))

/** Sends an error of the service. */
export const reject = (status: number, code: string, text = "No."): Response =>
  respond(status, { "content-type": "application/json" }, JSON.stringify({ code, message: text, type: "Client" }))

/** Sends bytes before the body of the request is read, then closes the connection. */
export const early = (bytes: Uint8Array): Response => ({ after: "head", run: (socket) => void socket.end(bytes) })

/** Sends bytes, then closes the connection. */
export const end = (bytes: Uint8Array = Buffer.alloc(0)): Response => ({
  after: "body",
  run: (socket) => void socket.end(bytes)
})

/** Sends bytes, then resets the connection. */
export const reset = (bytes: Uint8Array = Buffer.alloc(0), after: Response["after"] = "body"): Response => ({
  after,
  run: (socket, reset) => void socket.write(bytes, () => void setTimeout(reset, 20))
})

/** Sends bytes, then nothing more. */
export const silence = (bytes: Uint8Array = Buffer.alloc(0)): Response => send(bytes)

/** Sends bytes in a number of pieces, 10 ms apart. */
export const slowly = (bytes: Uint8Array, pieces: number): Response => ({
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

/** Names a request: the operation, the first MiB of its range, and the marker of the page. */
const nameOf = (head: string): string => {
  const [, method, target = ""] = /^(\w+) \/-\/vaults\/photos\/(\S+)/.exec(head) ?? []
  const name = names.find(([pattern]) => pattern.test(`${method} ${target}`))?.[1] ?? head
  const range = /^(?:content-)?range: *bytes[ =](\d+)-/im.exec(head)?.[1]
  const marker = /marker=(\w+)/.exec(target)?.[1]
  return [name, ...(range === undefined ? [] : [Number(range) / mebibyte]), ...(marker === undefined ? [] : [marker])]
    .join(" ")
}

/** Starts the server on a free port, plain or over TLS, until the scope closes. */
export const serve = (script: ReadonlyArray<Exchange>, secure: boolean) =>
  Effect.gen(function*() {
    const requests: Array<string> = []
    const { origin, reset, sockets } = yield* TlsServer.createServer(secure, (socket) => {
      let received = Buffer.alloc(0)
      let response: Response | undefined
      let left = 0
      let respondedAt = 0
      const run = (response: Response) => {
        respondedAt = performance.now()
        // A reset after a response must not hit the next request: it waits until the connection is idle.
        const isIdle = () => left <= 0 && received.length === 0 && performance.now() - respondedAt >= 20
        const resetBetween = () =>
          response.after === "head" || isIdle() ? reset(socket) : void setTimeout(resetBetween, 20)
        void response.run(socket, resetBetween)
      }
      socket.on("data", (chunk: Buffer) => {
        if (left > 0) left -= chunk.length
        else received = Buffer.concat([received, chunk])
        const length = received.indexOf("\r\n\r\n")
        if (length >= 0) {
          const head = received.toString("latin1", 0, length)
          left = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0) - (received.length - length - 4)
          received = Buffer.alloc(0)
          response = script[requests.length]?.[1] ?? reject(400, "Unscripted")
          requests.push(nameOf(head))
          if (response.after === "head") run(response)
        }
        if (left > 0 || response === undefined) return
        if (response.after === "body") run(response)
        response = undefined
      })
    })
    return {
      origin,
      /** The names of the requests so far. */
      requests: Effect.sync(() => [...requests]),
      /** The number of open connections. */
      open: Effect.sync(() => sockets.size)
    }
  })
