/** Servers for tests that run over plain TCP and over TLS. */
import { Effect } from "effect"
import { once } from "node:events"
import { createServer as createPlain, type Server, type Socket } from "node:net"
import { createServer as createSecure } from "node:tls"
import { generate } from "../../src/node/internal/certificate.ts"

/** A certificate for this machine and its authority as PEM text. Each test process generates its own. */
export const { ca, cert, key } = await generate(["localhost", "127.0.0.1", "::1"], Date.now())

/** The two ways to run a test: `describe.each(ways)("over %s", (_, secure) => ...)`. */
export const ways: ReadonlyArray<readonly [name: "TCP" | "TLS", secure: boolean]> = [["TCP", false], ["TLS", true]]

/** Starts a server on a free port, until the scope closes. Over TLS `onSocket` is called after the handshake. */
export const createServer = (
  secure: boolean,
  onSocket: (socket: Socket) => void,
  certificate: { readonly cert: string; readonly key: string } = { cert, key }
) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      /** The sockets below TLS, by the port of the client. For plain connections the sockets themselves. */
      const carriers = new Map<number | undefined, Socket>()
      const sockets = new Set<Socket>()
      const accept = (socket: Socket) => {
        sockets.add(socket)
        socket.on("error", () => {}).on("close", () => void sockets.delete(socket))
        onSocket(socket)
      }
      const server: Server = secure
        ? createSecure({ ...certificate }, accept).on("tlsClientError", () => {})
        : createPlain(accept)
      server.on("connection", (carrier) => {
        const { remotePort } = carrier
        carriers.set(remotePort, carrier)
        carrier.on("error", () => {}).on("close", () => void carriers.delete(remotePort))
      })
      await once(server.listen(0, "127.0.0.1"), "listening")
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      return {
        server,
        port,
        /** The URL without a slash at the end, such as `https://127.0.0.1:1234`. */
        origin: `${secure ? "https" : "http"}://127.0.0.1:${port}`,
        /** The open connections. Over TLS only those whose handshake is complete. */
        sockets,
        /** Resets a connection. `resetAndDestroy` works on plain sockets only. */
        reset: (socket: Socket) => void carriers.get(socket.remotePort)?.resetAndDestroy(),
        close: () => {
          server.close()
          carriers.forEach((carrier) => carrier.destroy())
        }
      }
    }),
    ({ close }) => Effect.sync(close)
  )

/** Calls `respond` with each request on a connection, once its body has arrived. */
export const onRequests = (socket: Socket, respond: (request: string) => void): void => {
  let received = ""
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1")
    const [head = ""] = received.split("\r\n\r\n", 1)
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
    if (received.length < head.length + 4 + length) return
    const request = received
    received = ""
    respond(request)
  })
}
