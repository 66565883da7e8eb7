/**
 * A TCP proxy that injects faults into the bytes of both directions. It buffers at most one chunk of each connection, so a
 * slow reader slows the sender down.
 */
import { Effect } from "effect"
import { PCGRandom } from "effect/Utils"
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

/** A fault of the bytes that pass. */
export type Fault = "reset" | "truncate" | "stall" | "slow" | "flip" | "extra" | "lost"

const head = (status: string, type: string, body: string) =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`

const error = (status: string, code: string) =>
  head(status, "application/json", JSON.stringify({ code, message: "Not now.", type: "Client" }))

/** Responses that the proxy sends itself, before the request has reached the service. */
const ownResponses = {
  "page 503": head("503 Service Unavailable", "text/html", "<html><body>Service unavailable</body></html>"),
  "throttle 400": error("400 Bad Request", "ThrottlingException"),
  "timeout 408": error("408 Request Timeout", "RequestTimeoutException")
}

export type OwnResponse = keyof typeof ownResponses

/** The faults of one direction, and the average number of bytes between two of them. */
export interface Faults<Kind> {
  readonly every: number
  readonly kinds: ReadonlyArray<Kind>
}

export interface Options {
  /** The same seed injects the same faults into each connection, after the same numbers of bytes. */
  readonly seed: number
  /** From the client to the service. */
  readonly up: Faults<Fault | OwnResponse>
  /** From the service to the client. */
  readonly down: Faults<Fault>
}

/** One direction of a connection. */
interface Direction {
  readonly name: "up" | "down"
  readonly from: Socket
  readonly to: Socket
  /** The number of the connection, which selects its first kind of fault. */
  readonly connection: number
  readonly random: PCGRandom
  readonly faults: Faults<Fault | OwnResponse>
  /** Aborted when `to` is closed. */
  readonly closed: AbortSignal
  readonly count: (fault: string) => void
}

/** A slow connection sends a number of pieces of a size in bytes, with a pause in milliseconds before each. */
const slow = { size: 16_384, pause: 20, pieces: 20 }

/** Copies the bytes of one direction until it ends, and injects faults. */
const copy = async ({ closed, connection, count, faults, from, name, random, to }: Direction) => {
  let drawn = connection
  const draw = () => ({ kind: faults.kinds[drawn++ % faults.kinds.length], left: random.integer(2 * faults.every) })
  let next = draw()
  /** Whether no byte passes any more. Bytes are still read, to detect the end of the connection. */
  let isMute = false
  /** The number of pieces that are still sent slowly. */
  let slowPieces = 0

  /** Writes bytes. Discards them if the other side is closed. */
  const write = async (bytes: Uint8Array) => {
    for (let start = 0; start < bytes.length && to.writable && !isMute;) {
      const end = slowPieces > 0 ? Math.min(start + slow.size, bytes.length) : bytes.length
      if (slowPieces-- > 0) await sleep(slow.pause)
      if (!to.write(bytes.subarray(start, end))) await once(to, "drain", { signal: closed }).catch(() => {})
      start = end
    }
  }

  /** Injects a fault before the bytes. Returns the bytes that are still to be sent. */
  const inject = async (kind: Fault | OwnResponse, bytes: Uint8Array): Promise<Uint8Array> => {
    switch (kind) {
      case "flip":
        bytes[0] = (bytes[0] ?? 0) ^ (1 << random.integer(8))
        return bytes
      case "lost":
        return bytes.subarray(1 + random.integer(100))
      case "extra":
        await write(Uint8Array.from({ length: 1 + random.integer(100) }, () => random.integer(256)))
        return bytes
      case "slow":
        slowPieces = slow.pieces
        return bytes
      case "reset":
        to.resetAndDestroy()
        from.resetAndDestroy()
        return bytes
      case "truncate":
        to.end()
        break
      case "stall":
        break
      default:
        from.end(ownResponses[kind])
    }
    isMute = true
    return bytes
  }

  for await (const chunk of from) {
    let bytes: Uint8Array = chunk
    while (next.kind !== undefined && next.left < bytes.length && !isMute) {
      await write(bytes.subarray(0, next.left))
      count(`${name} ${next.kind}`)
      bytes = await inject(next.kind, bytes.subarray(next.left))
      next = draw()
    }
    next.left -= bytes.length
    await write(bytes)
  }
  if (!isMute) to.end()
}

/** Starts a proxy for a port of this machine, until the scope closes. */
export const make = (target: number, { down, seed, up }: Options) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const counts = new Map<string, number>()
      const count = (fault: string) => void counts.set(fault, (counts.get(fault) ?? 0) + 1)
      const sockets = new Set<Socket>()
      let connections = 0

      const watch = (socket: Socket) => {
        const closed = new AbortController()
        sockets.add(socket)
        socket.on("error", () => {}).on("close", () => {
          sockets.delete(socket)
          closed.abort()
        })
        return closed.signal
      }

      const server = createServer({ allowHalfOpen: true }, (client) => {
        const service = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true })
        const connection = seed + connections++
        const shared = (index: number) => ({ connection, count, random: new PCGRandom(seed, 2 * connection + index) })
        const directions: ReadonlyArray<Direction> = [
          { name: "up", from: client, to: service, faults: up, closed: watch(service), ...shared(0) },
          { name: "down", from: service, to: client, faults: down, closed: watch(client), ...shared(1) }
        ]
        for (const direction of directions) copy(direction).catch(() => direction.to.destroy())
        client.on("close", () => void service.destroy())
      })
      await once(server.listen(0, "127.0.0.1"), "listening")
      const address = server.address()
      return {
        port: typeof address === "object" && address !== null ? address.port : 0,
        /** The number of injected faults by direction and kind, such as `up reset`. */
        counts,
        /** The number of open connections of clients. */
        open: Effect.async<number>((resume) => {
          server.getConnections((_, count) => resume(Effect.succeed(count)))
        }),
        close: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
        }
      }
    }),
    ({ close }) => Effect.sync(close)
  )
