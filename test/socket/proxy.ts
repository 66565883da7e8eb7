/**
 * A line that is not to be relied on: a proxy before a port that harms what goes through it, both ways. It holds no more
 * than a chunk of each connection, so that who reads slowly slows the other side down.
 */
import { Effect } from "effect"
import { PCGRandom } from "effect/Utils"
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

/** What may happen to bytes on their way. */
export type Harm = "reset" | "truncate" | "stall" | "slow" | "flip" | "extra" | "lost"

const head = (status: string, type: string, body: string) =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`

const refusal = (status: string, code: string) =>
  head(status, "application/json", JSON.stringify({ code, message: "Not now.", type: "Client" }))

/** What may come back in place of the service's answer, before the request has reached it. */
const answers = {
  "page 503": head("503 Service Unavailable", "text/html", "<html><body>Nobody is at home</body></html>"),
  "throttle 400": refusal("400 Bad Request", "ThrottlingException"),
  "timeout 408": refusal("408 Request Timeout", "RequestTimeoutException")
}

export type Answered = keyof typeof answers

/** What happens in one direction, and after how many bytes on average. */
export interface Faults<Kind> {
  readonly every: number
  readonly kinds: ReadonlyArray<Kind>
}

export interface Options {
  /** With the same seed the same happens to the first connection, the second and so on, after as many bytes. */
  readonly seed: number
  /** From the client to the service. */
  readonly up: Faults<Harm | Answered>
  /** From the service to the client. */
  readonly down: Faults<Harm>
}

/** One direction of a connection. */
interface Way {
  readonly name: "up" | "down"
  readonly from: Socket
  readonly to: Socket
  /** The number of the connection: they take turns with the kinds of harm. */
  readonly connection: number
  readonly random: PCGRandom
  readonly faults: Faults<Harm | Answered>
  /** Aborted when `to` is closed. */
  readonly closed: AbortSignal
  readonly tell: (what: string) => void
}

/** What goes through at once on a slow line, and how long it stays slow (pieces). */
const slow = { size: 16_384, pause: 20, pieces: 20 }

/** Carries what comes one way until it ends. */
const carry = async ({ closed, connection, faults, from, name, random, tell, to }: Way) => {
  let turn = connection
  const draw = () => ({ kind: faults.kinds[turn++ % faults.kinds.length], left: random.integer(2 * faults.every) })
  let next = draw()
  /** Nothing goes through any more. What comes is read all the same: only so an end of it is noticed. */
  let isMute = false
  let slowly = 0

  /** Gives up, and what comes is discarded, once nobody is there to write to. */
  const write = async (bytes: Uint8Array) => {
    for (let start = 0; start < bytes.length && to.writable && !isMute;) {
      const end = slowly > 0 ? Math.min(start + slow.size, bytes.length) : bytes.length
      if (slowly-- > 0) await sleep(slow.pause)
      if (!to.write(bytes.subarray(start, end))) await once(to, "drain", { signal: closed }).catch(() => {})
      start = end
    }
  }

  /** Does harm at the first of some bytes; what is left of them. */
  const harm = async (kind: Harm | Answered, bytes: Uint8Array): Promise<Uint8Array> => {
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
        slowly = slow.pieces
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
        from.end(answers[kind])
    }
    isMute = true
    return bytes
  }

  for await (const chunk of from) {
    let bytes: Uint8Array = chunk
    while (next.kind !== undefined && next.left < bytes.length && !isMute) {
      await write(bytes.subarray(0, next.left))
      tell(`${name} ${next.kind}`)
      bytes = await harm(next.kind, bytes.subarray(next.left))
      next = draw()
    }
    next.left -= bytes.length
    await write(bytes)
  }
  if (!isMute) to.end()
}

/** A proxy before a port of this machine, until the scope ends. */
export const make = (target: number, { down, seed, up }: Options) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const happened = new Map<string, number>()
      const tell = (what: string) => void happened.set(what, (happened.get(what) ?? 0) + 1)
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
        const shared = (index: number) => ({ connection, tell, random: new PCGRandom(seed, 2 * connection + index) })
        const ways: ReadonlyArray<Way> = [
          { name: "up", from: client, to: service, faults: up, closed: watch(service), ...shared(0) },
          { name: "down", from: service, to: client, faults: down, closed: watch(client), ...shared(1) }
        ]
        for (const way of ways) carry(way).catch(() => way.to.destroy())
        client.on("close", () => void service.destroy())
      })
      await once(server.listen(0, "127.0.0.1"), "listening")
      const address = server.address()
      return {
        port: typeof address === "object" && address !== null ? address.port : 0,
        /** How often what has happened, as `up reset`. */
        happened,
        /** The number of connections of clients that are open. */
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
