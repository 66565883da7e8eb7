/** `NodeHttp` over real sockets: connections, bodies, time limits and invalid responses, over TCP and over TLS. */
import { HttpBody, HttpClient, HttpClientRequest, type HttpClientResponse } from "@effect/platform"
import { expect, layer } from "@effect/vitest"
import { Chunk, Duration, Effect, Exit, Fiber, Layer, Stream, TestClock } from "effect"
import type { Socket } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { HttpHooks, ResponseBody, Waiting } from "../../src/index.ts"
import { NodeHttp } from "../../src/node/index.ts"
import { logging } from "../support/logs.ts"
import { ca, createServer, onRequests, ways } from "../support/tlsServer.ts"

/** Starts a server that calls `respond` with each request, once its body has arrived. */
const serve = (secure: boolean, respond: (socket: Socket, request: string) => void) =>
  Effect.gen(function*() {
    let connections = 0
    const { origin, sockets } = yield* createServer(secure, (socket) => {
      connections += 1
      onRequests(socket, (request) => respond(socket, request))
    })
    return { url: `${origin}/`, connections: () => connections, open: () => sockets.size, sockets }
  })

const ok = (body: string, headers = "") => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`

const text = (response: HttpClientResponse.HttpClientResponse) => response.text

/** Waits in real time, which sockets use. */
const pause = (millis: number) =>
  Effect.async<void>((resume) => {
    setTimeout(() => resume(Effect.void), millis)
  })

/** Waits in real time until a condition holds. */
const until = (isSo: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => isSo() ? Effect.void : Effect.zipRight(pause(5), until(isSo)))

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const http = NodeHttp.layerWith({ ca })

for (const [way, secure] of ways) {
  layer(http)(`NodeHttp over ${way}`, (it) => {
    it.scoped("reuses a connection, and opens no more than there are concurrent requests", () =>
      Effect.gen(function*() {
        const { connections, url } = yield* serve(
          secure,
          (socket, request) => socket.write(ok(request.split(" ")[0] ?? ""))
        )
        for (const method of ["GET", "POST", "PUT", "DELETE"] as const) {
          expect(yield* Effect.flatMap(HttpClient.execute(HttpClientRequest.make(method)(url)), text)).toBe(method)
        }
        expect(connections()).toBe(1)
        yield* Effect.forEach([1, 2, 3], () => Effect.flatMap(HttpClient.get(url), text), { concurrency: 3 })
        expect(connections()).toBe(3)
      }))

    it.scoped.each<readonly [what: string, bytes: string]>([
      ["a response that closes the connection", ok("a", "Connection: close\r\n")],
      ["a response with surplus bytes behind it", `${ok("a")}HTTP/1.1 200 OK`]
    ])("does not reuse a connection after %s", ([, bytes]) =>
      Effect.gen(function*() {
        const { connections, open, url } = yield* serve(secure, (socket) => socket.write(bytes))
        expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("a")
        yield* until(() => open() === 0)
        expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("a")
        expect(connections()).toBe(2)
      }))

    it.scoped("does not reuse a connection that was closed, or received bytes, while it was idle", () =>
      Effect.gen(function*() {
        const { connections, open, sockets, url } = yield* serve(secure, (socket) => socket.write(ok("a")))
        yield* Effect.flatMap(HttpClient.get(url), text)
        sockets.forEach((socket) => socket.end())
        yield* until(() => open() === 0)
        yield* Effect.flatMap(HttpClient.get(url), text)
        sockets.forEach((socket) => socket.write(ok("b")))
        yield* until(() => open() === 0)
        expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("a")
        expect(connections()).toBe(3)
      }))

    it.scoped("sends bytes, texts and Streams with their lengths", () =>
      Effect.gen(function*() {
        const { url } = yield* serve(secure, (socket, request) => socket.write(ok(request.split("\r\n\r\n")[1] ?? "")))
        const post = (body: HttpBody.HttpBody) =>
          HttpClientRequest.post(url).pipe(HttpClientRequest.setBody(body), HttpClient.execute, Effect.flatMap(text))
        expect(yield* post(HttpBody.text("a text"))).toBe("a text")
        expect(yield* post(HttpBody.uint8Array(Buffer.from(new SharedArrayBuffer(3)).fill("s")))).toBe("sss")
        const pieces = Stream.fromIterable(["a ", "Stream"].map((piece) => Buffer.from(piece)))
        expect(yield* post(HttpBody.stream(pieces, "", 8))).toBe("a Stream")
      }))

    it.scoped("rejects a request that it cannot send, before it connects", () =>
      Effect.gen(function*() {
        const { connections, url } = yield* serve(secure, (socket) => socket.write(ok("a")))
        const post = HttpClientRequest.post(url)
        const requests = [
          HttpClientRequest.setBody(post, HttpBody.stream(Stream.empty)),
          HttpClientRequest.setBody(post, HttpBody.formData(new FormData())),
          HttpClientRequest.setHeader(post, "a", "b\r\nHost: elsewhere"),
          HttpClientRequest.setHeader(post, "a b", "c")
        ]
        for (const request of requests) {
          expect(yield* Effect.flip(HttpClient.execute(request))).toMatchObject({
            _tag: "RequestError",
            reason: "Encode"
          })
        }
        expect(connections()).toBe(0)
      }))

    it.scoped("fails when a Stream fails or has fewer bytes than its length", () =>
      Effect.gen(function*() {
        const { open, url } = yield* serve(secure, (socket) => socket.write(ok("a")))
        const streams = [
          Stream.succeed(Buffer.from("short")),
          Stream.concat(Stream.succeed(Buffer.from("short")), Stream.fail("broken"))
        ]
        for (const stream of streams) {
          const request = HttpClientRequest.setBody(HttpClientRequest.post(url), HttpBody.stream(stream, "", 8))
          expect(yield* Effect.flip(HttpClient.execute(request))).toMatchObject({ reason: "Transport" })
        }
        yield* until(() => open() === 0)
      }))

    it.scoped("receives no more of a body than the reader of its Stream takes", () =>
      Effect.gen(function*() {
        let sent = 0
        const size = 64 * 1024 * 1024
        const piece = Buffer.alloc(256 * 1024, "a")
        const { url } = yield* serve(secure, (socket) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
          const more = () => {
            while (sent < size) {
              sent += piece.length
              if (!socket.write(piece)) return void socket.once("drain", more)
            }
          }
          more()
        })
        const response = yield* HttpClient.get(url)
        let before = -1
        // When no more bytes are sent, the buffers of the system are full.
        yield* until(() => {
          const isFull = sent === before
          before = sent
          return isFull
        })
        expect(sent).toBeLessThan(size)
        expect(yield* Stream.runFold(response.stream, 0, (all, bytes) => all + bytes.length)).toBe(size)
      }))

    it.scoped("receives a body into memory, by length or in chunks, and stops when the memory is full", () =>
      Effect.gen(function*() {
        const body = "0123456789".repeat(50_000)
        const chunks = body.match(/[^]{1,70000}/g) ?? []
        const inChunks = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")
        const wires = [ok(body), `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${inChunks}0\r\n\r\n`]
        for (const wire of wires) {
          const { open, url } = yield* serve(secure, (socket) => socket.write(wire))
          const read = (memory: Uint8Array) =>
            Effect.flatMap(
              HttpClient.get(url),
              (response: HttpClientResponse.HttpClientResponse & ResponseBody.Response) =>
                response[ResponseBody.Into]?.(memory, () => {}) ?? Effect.dieMessage("It has no Into")
            )
          for (const memory of [new Uint8Array(600_000), Buffer.from(new SharedArrayBuffer(body.length))]) {
            expect(yield* read(memory)).toBe(body.length)
            expect(Buffer.from(memory.subarray(0, body.length)).toString() === body).toBe(true)
          }
          expect(yield* read(new Uint8Array(100_000))).toBeGreaterThan(100_000)
          yield* until(() => open() <= 1)
        }
      }))

    it.scoped("fails when a body is cut off, and does not read a body twice", () =>
      Effect.gen(function*() {
        const { url } = yield* serve(secure, (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
        const response = yield* HttpClient.get(url)
        const pieces = yield* Effect.exit(Stream.runCollect(response.stream))
        expect(pieces).toEqual(Exit.fail(expect.objectContaining({ _tag: "ResponseError", reason: "Decode" })))
        const again = yield* Effect.flip(response.text)
        expect(String(again.cause)).toBe("Error: The body has been read already")
      }))

    it.scoped("reads JSON, array buffers and cookies", () =>
      Effect.gen(function*() {
        const { url } = yield* serve(secure, (socket) => socket.write(ok(`{"a":1}`, "Set-Cookie: b=c\r\n")))
        const get = HttpClient.get(url)
        expect(yield* Effect.flatMap(get, (response) => response.json)).toEqual({ a: 1 })
        expect(yield* Effect.flatMap(get, (response) => response.arrayBuffer)).toHaveProperty("byteLength", 7)
        const response = yield* get
        expect(response.cookies.cookies["b"]).toMatchObject({ value: "c" })
        expect(Chunk.toReadonlyArray(yield* Stream.runCollect(response.stream))).toEqual([
          new Uint8Array(Buffer.from(`{"a":1}`))
        ])
      }))

    /** Sends a GET with a time limit of 3 seconds. */
    const within = Effect.fnUntraced(function*(url: string) {
      const client: HttpClient.HttpClient & HttpHooks.Hooks = yield* HttpClient.HttpClient
      const execute = client[HttpHooks.ExecuteWithin] ?? (() => Effect.dieMessage("It has no ExecuteWithin"))
      const limits: HttpHooks.Limits = {
        connect: Duration.seconds(10),
        response: Duration.seconds(3),
        until: "end"
      }
      return yield* Effect.flatMap(execute(HttpClientRequest.get(url), limits), text)
    })

    it.scoped.each<readonly [what: string, bytes: string, error: string]>([
      ["there is no response", "", "RequestError"],
      ["the response does not end", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "ResponseError"]
    ])(
      "fails at its time limit, within 100 ms, when %s, and closes the connection",
      ([, bytes, error]) =>
        Effect.gen(function*() {
          let requests = 0
          const { open, url } = yield* serve(secure, (socket) => {
            requests += 1
            socket.write(bytes)
          })
          const first = yield* Effect.fork(Effect.flip(within(url)))
          yield* until(() => requests === 1)
          yield* TestClock.adjust("2 seconds")
          const second = yield* Effect.fork(Effect.flip(within(url)))
          yield* until(() => requests === 2)
          yield* TestClock.adjust("999 millis")
          expect(open()).toBe(2)
          yield* TestClock.adjust("101 millis")
          expect(yield* Fiber.join(first)).toMatchObject({ _tag: error, cause: new HttpHooks.LimitReached() })
          yield* until(() => open() === 1)
          yield* TestClock.adjust("2 seconds")
          expect(yield* Fiber.join(second)).toMatchObject({ _tag: error })
          yield* until(() => open() === 0)
        })
    )

    it.scoped("keeps a connection whose response arrived within the time limit", () =>
      Effect.gen(function*() {
        const { connections, url } = yield* serve(secure, (socket) => socket.write(ok("a")))
        for (let request = 0; request < 3; request++) {
          expect(yield* within(url)).toBe("a")
          yield* TestClock.adjust("1 minute")
        }
        expect(connections()).toBe(1)
      }))

    it.scoped("closes the connection of a body that is not read to its end", () =>
      Effect.gen(function*() {
        const { open, url } = yield* serve(secure, (socket) =>
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
        const response = yield* HttpClient.get(url)
        yield* Stream.runHead(response.stream)
        yield* until(() =>
          open() === 0
        )
      }))

    it.scoped("reuses a connection whose body was read late", () =>
      Effect.gen(function*() {
        const body = "0123456789".repeat(4_000)
        const { connections, url } = yield* serve(secure, (socket) => socket.write(ok(body)))
        for (let request = 0; request < 10; request++) {
          const response = yield* HttpClient.get(url)
          yield* pause(20)
          expect(yield* response.text).toBe(body)
        }
        expect(connections()).toBe(1)
      }))

    it.scoped.each<readonly [what: string, header: string]>([
      ["blanks before a control character", `A:${" ".repeat(15_000)}\x7f\r\n`],
      ["an endless header", `A: ${"a".repeat(100_000)}\r\n`],
      ["more headers than fit", "A: b\r\n".repeat(20_000)]
    ])("rejects a response with %s at once", ([, header]) =>
      Effect.gen(function*() {
        const { open, url } = yield* serve(secure, (socket) => socket.write(ok("a", header)))
        expect(yield* Effect.flip(HttpClient.get(url))).toMatchObject({ _tag: "RequestError", reason: "Transport" })
        yield* until(() => open() === 0)
      }))

    it.scoped("loses no byte of a body whose pulls are interrupted and repeated", () =>
      Effect.gen(function*() {
        const pieces = Array.from({ length: 100 }, (_, index) => String.fromCharCode(33 + index % 90))
        const { url } = yield* serve(secure, (socket) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${pieces.length}\r\n\r\n`)
          const send = (index: number) =>
            void setTimeout(() => {
              socket.write(pieces[index] ?? "")
              if (index + 1 < pieces.length) send(index + 1)
            }, 1)
          send(0)
        })
        const response = yield* HttpClient.get(url)
        const pull = yield* Stream.toPull(response.stream)
        let received = ""
        for (let isDone = false; !isDone;) {
          const pulling = yield* Effect.fork(Effect.exit(pull))
          yield* pause(received.length % 3)
          // An interrupted pull that has taken a piece returns it.
          const exit = Exit.flatten(yield* Fiber.interrupt(pulling))
          if (Exit.isSuccess(exit)) {
            received += Chunk.toReadonlyArray(exit.value).map((bytes) => Buffer.from(bytes)).join("")
          } else isDone = !Exit.isInterrupted(exit)
        }
        expect(received).toBe(pieces.join(""))
      }))

    it.scoped("never uses surplus bytes as the next response", () =>
      Effect.gen(function*() {
        let served = 0
        const { url } = yield* serve(secure, (socket) => {
          served += 1
          socket.write(`${ok(`right ${served}`)}${ok("wrong")}`)
        })
        for (let request = 1; request <= 50; request++) {
          expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe(`right ${request}`)
        }
      }))

    it.scoped.each<readonly [what: string, headers: string, close: (socket: Socket) => void]>([
      ["with each response", "", (socket) => socket.end()],
      ["after the second that Keep-Alive allows", "Keep-Alive: timeout=1\r\n", (socket) => {
        setTimeout(() => socket.destroy(), 1_000)
      }]
    ])(
      "sends each request once to a server that closes %s, and loses none",
      ([, headers, close]) =>
        Effect.gen(function*() {
          let served = 0
          const { url } = yield* serve(secure, (socket) => {
            served += 1
            socket.write(ok("a", headers))
            close(socket)
          })
          for (let request = 1; request <= 30; request++) {
            expect(yield* Effect.flatMap(HttpClient.execute(HttpClientRequest.post(url)), text)).toBe("a")
            expect(served).toBe(request)
          }
        })
    )

    it.scoped("opens at most 64 connections to a server", () =>
      Effect.gen(function*() {
        let most = 0
        const { open, url } = yield* serve(secure, (socket) => {
          most = Math.max(most, open())
          setTimeout(() => socket.write(ok("a")), 5)
        })
        const texts = yield* Effect.forEach(Array.from({ length: 300 }), () =>
          Effect.flatMap(HttpClient.get(url), text), {
          concurrency: "unbounded"
        })
        expect(texts).toHaveLength(300)
        expect(most).toBe(64)
      }))

    it.scoped("logs once that requests wait for a connection, and logs nothing for requests that have one", () =>
      Effect.gen(function*() {
        const waiting: Array<Socket> = []
        const { url } = yield* serve(secure, (socket) => waiting.push(socket))
        yield* logging((lines) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.fork(
              Effect.forEach(Array.from({ length: 70 }), () => Effect.flatMap(HttpClient.get(url), text), {
                concurrency: "unbounded"
              }).pipe(Effect.provideService(Waiting.Warnings, Waiting.makeLimiter()))
            )
            yield* until(() => waiting.length === 64)
            yield* TestClock.adjust("4 seconds")
            yield* pause(20)
            expect(lines).toEqual([])
            yield* TestClock.adjust("2 seconds")
            yield* until(() => lines.length > 0)
            const origin = new URL(url).origin
            expect(lines.map(({ level, text }) => `${level} ${text}`)).toEqual([
              `WARN A request to ${origin} waits for a connection: none could be made yet, or all 64 are in use`
            ])
            for (const socket of waiting.splice(0)) socket.write(ok("a"))
            yield* until(() => waiting.length === 6)
            for (const socket of waiting) socket.write(ok("a"))
            expect(yield* Fiber.join(fiber)).toHaveLength(70)
            yield* TestClock.adjust("10 seconds")
            yield* pause(20)
            expect(lines).toHaveLength(1)
          })
        )
      }))

    it.scoped("leaves no listeners on a connection that sends Streams", () =>
      Effect.gen(function*() {
        const warnings: Array<Error> = []
        const onWarning = (warning: Error) => void warnings.push(warning)
        process.on("warning", onWarning)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.off("warning", onWarning)))
        const { connections, url } = yield* serve(secure, (socket) => socket.write(ok("a")))
        for (let request = 0; request < 40; request++) {
          const pieces = Stream.make(Buffer.from("a "), Buffer.from("Stream"))
          const post = HttpClientRequest.setBody(HttpClientRequest.post(url), HttpBody.stream(pieces, "", 8))
          expect(yield* Effect.flatMap(HttpClient.execute(post), text)).toBe("a")
        }
        expect(connections()).toBe(1)
        yield* pause(0)
        expect(warnings).toEqual([])
      }))

    it.scoped("accepts a response to HEAD without a length", () =>
      Effect.gen(function*() {
        const { url } = yield* serve(secure, (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"))
        expect(yield* Effect.flatMap(HttpClient.head(url), text)).toBe("")
      }))

    it.scoped("rejects a body without a length that ends with the connection", () =>
      Effect.gen(function*() {
        const { url } = yield* serve(secure, (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n[1, 2]"))
        const response = yield* HttpClient.get(url)
        expect(String((yield* Effect.flip(response.text)).cause)).toContain("may have been cut off")
        const streamed = yield* HttpClient.get(url)
        expect(yield* Effect.flip(Stream.runDrain(streamed.stream))).toMatchObject({ _tag: "ResponseError" })
      }))

    it.scoped("reads an error page that ends with the connection", () =>
      Effect.gen(function*() {
        const { url } = yield* serve(secure, (socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\nNo gateway"))
        expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("No gateway")
      }))

    it.scoped("rejects URLs whose scheme is not HTTP", () =>
      Effect.gen(function*() {
        for (const url of ["foo://a/", "ftp://127.0.0.1/", "file:///etc/hosts"]) {
          expect(yield* Effect.flip(HttpClient.get(url))).toMatchObject({ reason: "InvalidUrl" })
        }
      }))

    it.scoped("closes the connection of an unread response that is garbage-collected", () =>
      Effect.gen(function*() {
        const { open, url } = yield* serve(secure, (socket) =>
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
        yield* Effect.asVoid(HttpClient.get(url))
        expect(open()).toBe(1)
        yield* until(() => {
          collectGarbage()
          return open() === 0
        })
      }))

    it.scoped("closes its connections with its Scope", () =>
      Effect.gen(function*() {
        const { open, url } = yield* serve(secure, (socket) => socket.write(ok("a")))
        yield* Effect.flatMap(HttpClient.get(url), text).pipe(Effect.provide(Layer.fresh(http)))
        yield* until(() => open() === 0)
      }))
  })
}
