/** Calls over connections that cannot be made, that break, or that carry invalid bytes: their errors, and what they send. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import type { Socket } from "node:net"
import { GlacierClient, ResponseBody } from "../../src/index.ts"
import { ca, createServer, onRequests, ways } from "../support/tlsServer.ts"
import {
  blackHole,
  described,
  describeVault,
  generated,
  plain,
  run,
  stored,
  uploadArchive,
  vault,
  vaultName
} from "./brokenServers.ts"
import { message } from "./scriptedServer.ts"
import { until } from "./support.ts"

describe("a connection that every attempt would reject", () => {
  const years = 3 * 365 * 86_400_000
  const certificates: ReadonlyArray<readonly [what: string, ...Parameters<typeof generated>, trusted: boolean]> = [
    ["is not trusted", ["127.0.0.1"], Date.now(), false],
    ["is for another host", ["elsewhere.example"], Date.now(), true],
    ["has expired", ["127.0.0.1"], Date.now() - years, true]
  ]
  for (const [what, hosts, now, trusted] of certificates) {
    it.scopedLive(`fails without a retry and without sending anything when the certificate ${what}`, () =>
      Effect.gen(function*() {
        let received = 0
        const certificate = yield* generated(hosts, now)
        const onSocket = (socket: Socket) => void socket.on("data", () => received++)
        const { origin } = yield* createServer(true, onSocket, certificate)
        for (const call of [Effect.asVoid(describeVault), Effect.asVoid(uploadArchive)]) {
          const { error, retries } = yield* run(call, origin, { authority: trusted ? certificate.ca : ca })
          expect(error).toMatchObject({ _tag: "ConnectionRejected", message: expect.stringMatching(/certificate/i) })
          expect(retries).toBe(0)
        }
        expect(received).toBe(0)
      }))
  }

  it.scopedLive("fails without a retry when the server does not speak TLS", () =>
    Effect.gen(function*() {
      const host = yield* plain((socket) => socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")))
      const { error, retries } = yield* run(uploadArchive, `https://${host}`)
      expect(error).toMatchObject({ _tag: "ConnectionRejected", message: expect.stringMatching(/SSL|TLS|EPROTO/) })
      expect(retries).toBe(0)
    }))
})

describe("a connection that cannot be made", () => {
  const unsent = { _tag: "ConnectionError", sent: false }

  it.scopedLive("is retried when the handshake is cut off, because nothing was sent", () =>
    Effect.gen(function*() {
      let connections = 0
      const host = yield* plain((socket) => {
        connections++
        socket.destroy()
      })
      expect(yield* run(uploadArchive, `https://${host}`)).toMatchObject({ error: unsent, retries: 2 })
      expect(connections).toBe(3)
    }))

  it.scopedLive("names the address when the connection is refused", () =>
    Effect.gen(function*() {
      // The port of a server that has just been closed.
      const { port } = yield* Effect.scoped(createServer(false, () => {}))
      for (const scheme of ["http", "https"]) {
        const { error, retries } = yield* run(uploadArchive, `${scheme}://127.0.0.1:${port}`)
        expect(error).toMatchObject({ ...unsent, message: expect.stringContaining(`ECONNREFUSED 127.0.0.1:${port}`) })
        expect(retries).toBe(2)
      }
    }))

  it.scopedLive("fails after the time limit for connections when the server never completes the handshake", () =>
    Effect.gen(function*() {
      const host = yield* plain(() => {})
      const { error, retries } = yield* run(uploadArchive, `https://${host}`, { connect: Duration.millis(200) })
      expect(error).toMatchObject({
        ...unsent,
        message: expect.stringContaining(`No connection to ${host} within 200ms`)
      })
      expect(retries).toBe(2)
    }))

  it.scopedLive("fails after the time limit for connections when packets are dropped", () =>
    Effect.gen(function*() {
      const port = yield* blackHole
      const { error, retries } = yield* run(uploadArchive, `http://127.0.0.1:${port}`, {
        connect: Duration.millis(200)
      })
      expect(error).toMatchObject({ ...unsent, message: expect.stringContaining(`127.0.0.1:${port} within 200ms`) })
      expect(retries).toBe(2)
    }))
})

describe.each(ways)("over %s", (_, secure) => {
  /** A server that responds to each request, once its body has come. */
  const serve = (respond: (socket: Socket, requests: number) => void) =>
    Effect.gen(function*() {
      let requests = 0
      let connections = 0
      const { origin, sockets } = yield* createServer(secure, (socket) => {
        connections++
        onRequests(socket, () => respond(socket, ++requests))
      })
      return { origin, open: Effect.sync(() => sockets.size), counts: () => ({ requests, connections }) }
    })

  it.scopedLive("completes every small upload when the server closes the connection after each response", () =>
    Effect.gen(function*() {
      const { counts, origin } = yield* serve((socket) => void socket.end(stored))
      const uploads = Effect.forEach(Array.from({ length: 60 }), () => uploadArchive)
      const { error, value } = yield* run(uploads, origin)
      expect(error).toBeUndefined()
      expect(value).toHaveLength(60)
      expect(counts()).toEqual({ requests: 60, connections: 60 })
    }))

  it.scopedLive("sends no request on a connection that the server closed while the thread was busy", () =>
    Effect.gen(function*() {
      const { counts, origin } = yield* serve((socket) =>
        void socket.write(stored, () => setImmediate(() => socket.destroy()))
      )
      const busily = Effect.gen(function*() {
        yield* uploadArchive
        // The server runs in this thread: it closes the connection while this loop keeps the client busy.
        yield* Effect.yieldNow()
        const end = performance.now() + 20
        while (performance.now() < end) { /* busy */ }
      })
      const { error } = yield* run(Effect.repeatN(busily, 19), origin)
      expect(error).toBeUndefined()
      expect(counts().requests).toBe(20)
    }))

  it.scopedLive("sends a call that is not idempotent once, even if the connection breaks", () =>
    Effect.gen(function*() {
      const { counts, origin } = yield* serve((socket) => void socket.destroy())
      const { error, retries } = yield* run(uploadArchive, origin)
      expect(error).toMatchObject({ _tag: "OutcomeUnknown" })
      expect(retries).toBe(0)
      expect(counts().requests).toBe(1)
    }))

  it.scopedLive("retries an idempotent call whose connection breaks", () =>
    Effect.gen(function*() {
      const { counts, origin } = yield* serve((socket, requests) =>
        void (requests < 3 ? socket.destroy() : socket.write(described))
      )
      const { retries, value } = yield* run(describeVault, origin)
      expect(value).toMatchObject({ vaultName })
      expect(retries).toBe(2)
      expect(counts().requests).toBe(3)
    }))

  it.scopedLive("reuses the connection of a response that is read late", () =>
    Effect.gen(function*() {
      const output = message(200, { "content-type": "application/octet-stream" }, "b".repeat(100_000))
      const { counts, origin } = yield* serve((socket, requests) =>
        void socket.write(requests % 2 === 1 ? output : described)
      )
      const { error } = yield* run(
        Effect.gen(function*() {
          const glacier = yield* GlacierClient.GlacierClient
          for (let round = 0; round < 5; round++) {
            const { body } = yield* glacier.getJobOutput({ vaultName, jobId: "j".repeat(92) })
            yield* Effect.sleep("20 millis")
            const memory = new Uint8Array(100_000)
            expect(yield* ResponseBody.read(body, memory)).toBe(memory.length)
            expect(yield* glacier.describeVault({ vaultName })).toMatchObject({ vaultName })
          }
        }),
        origin
      )
      expect(error).toBeUndefined()
      expect(counts()).toEqual({ requests: 10, connections: 1 })
    }))

  const mebibyte = Buffer.alloc(1_048_576, " ")
  const endless =
    (head: string, mebibytes: number) => (socket: Socket, frame: (bytes: Buffer) => ReadonlyArray<string | Buffer>) => {
      socket.write(head)
      const more = (left: number) => {
        for (; left > 0 && !socket.destroyed; left--) {
          const isFull = frame(mebibyte).map((piece) => socket.write(piece)).includes(false)
          if (isFull) return void socket.once("drain", () => more(left - 1))
        }
      }
      more(mebibytes)
    }

  it.scopedLive.each<readonly [what: string, respond: (socket: Socket) => void]>([
    [
      "has a larger length",
      (socket) =>
        endless(`HTTP/1.1 200 OK\r\nContent-Length: ${200 * 1_048_576}\r\n\r\n`, 200)(socket, (bytes) => [bytes])
    ],
    [
      "arrives in endless chunks",
      (socket) =>
        endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200)(
          socket,
          (bytes) => ["100000\r\n", bytes, "\r\n"]
        )
    ]
  ])("reads at most 64 MiB of a JSON document that %s", ([, respond]) =>
    Effect.gen(function*() {
      const { open, origin } = yield* serve(respond)
      const { error, retries } = yield* run(describeVault, origin)
      expect(error).toMatchObject({ _tag: "MalformedResponse", problem: "more than 67108864 bytes" })
      expect(retries).toBe(0)
      yield* until(open, (count) => count === 0)
    }))

  it.scopedLive("rejects a JSON document that ends with the connection", () =>
    Effect.gen(function*() {
      const { origin } = yield* serve((socket) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${vault}`))
      expect(yield* run(describeVault, origin)).toMatchObject({ error: { _tag: "ConnectionError" }, retries: 2 })
    }))
})
