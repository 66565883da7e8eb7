/** A proxy for tests. Opens tunnels by CONNECT, or misbehaves in a given way. */
import { Effect } from "effect"
import { connect, type Socket } from "node:net"
import type { Certificate } from "../../src/node/internal/certificate.ts"
import { createServer } from "./tlsServer.ts"

/**
 * The behaviour of the proxy on CONNECT: it opens a tunnel, rejects with a status, closes the connection, never responds, or
 * responds that the tunnel is open and then passes nothing on.
 */
export type Behaviour = "tunnel" | { readonly status: number } | "cut" | "silent" | "mute"

export interface Options {
  /** Whether the proxy itself uses TLS. */
  readonly secure?: boolean
  /** The certificate of the proxy itself, if it differs from that of all servers. */
  readonly certificate?: Certificate
  readonly behaviour?: Behaviour
  /** The expected `proxy-authorization`. The proxy responds with status 407 to any other. */
  readonly authorization?: string
}

interface Connect {
  /** Host and port. */
  readonly target: string
  readonly authorization: string | undefined
}

const tunnel = (socket: Socket, target: string) => {
  const [host = "", port] = target.split(/:(?=\d+$)/)
  const upstream = connect(Number(port), host, () => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n")
    socket.pipe(upstream)
    upstream.pipe(socket)
  })
  upstream.on("error", () => {}).on("close", () => socket.destroy())
  socket.on("close", () => upstream.destroy())
}

/** Starts a proxy on a free port, until the scope closes. */
export const createProxy = ({ authorization, behaviour = "tunnel", certificate, secure = false }: Options = {}) =>
  Effect.gen(function*() {
    const connects: Array<Connect> = []
    let connections = 0
    const { origin, port, sockets } = yield* createServer(secure, (socket) => {
      connections += 1
      socket.once("data", (head: Buffer) => {
        const [, target = ""] = /^CONNECT (\S+) HTTP/.exec(head.toString()) ?? []
        const given = /^proxy-authorization: (.*)\r$/im.exec(head.toString())?.[1]
        connects.push({ target, authorization: given })
        const reject = (status: number) => socket.end(`HTTP/1.1 ${status} Rejected\r\nContent-Length: 0\r\n\r\n`)
        if (authorization !== undefined && given !== authorization) return reject(407)
        if (behaviour === "cut") return socket.destroy()
        if (behaviour === "mute") return socket.write("HTTP/1.1 200 OK\r\n\r\n")
        if (behaviour === "tunnel") return tunnel(socket, target)
        if (behaviour !== "silent") return reject(behaviour.status)
      })
    }, certificate)
    return {
      /** The URL without a slash at the end, such as `http://127.0.0.1:1234`. */
      url: origin,
      host: `127.0.0.1:${port}`,
      port,
      connects,
      connections: () => connections,
      open: () => sockets.size
    }
  })
