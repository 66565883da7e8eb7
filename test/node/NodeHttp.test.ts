import { HttpBody, HttpClient, HttpClientRequest, type HttpClientResponse } from "@effect/platform"
import { describe, expect, layer } from "@effect/vitest"
import { Chunk, Duration, Effect, Exit, Fiber, Stream, TestClock } from "effect"
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { Body, HttpHooks } from "../../src/index.ts"
import { NodeHttp } from "../../src/node/index.ts"

/** A server that answers each request, whose body has come, by what `reply` does. */
const serve = (reply: (socket: Socket, request: string) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const sockets = new Set<Socket>()
      let connections = 0
      const server = createServer((socket) => {
        connections += 1
        sockets.add(socket)
        let received = ""
        socket.on("error", () => {}).on("close", () => void sockets.delete(socket)).on("data", (chunk: Buffer) => {
          received += chunk.toString("latin1")
          const [head = ""] = received.split("\r\n\r\n", 1)
          const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
          if (received.length < head.length + 4 + length) return
          const request = received
          received = ""
          reply(socket, request)
        })
      })
      await once(server.listen(0, "127.0.0.1"), "listening")
      const address = server.address()
      const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`
      return { url, connections: () => connections, open: () => sockets.size, server, sockets }
    }),
    ({ server, sockets }) =>
      Effect.sync(() => {
        server.close()
        sockets.forEach((socket) => socket.destroy())
      })
  )

const answer = (body: string, headers = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`

const text = (response: HttpClientResponse.HttpClientResponse) => response.text

/** Lets sockets have their turn until something is so. */
const until = (isSo: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    isSo() ? Effect.void : Effect.zipRight(
      Effect.async<void>((resume) => {
        setTimeout(() => resume(Effect.void), 5)
      }),
      until(isSo)
    )
  )

layer(NodeHttp.layer)("NodeHttp", (it) => {
  it.scoped("uses a connection again, and no more of them than there are requests at once", () =>
    Effect.gen(function*() {
      const { connections, url } = yield* serve((socket, request) => socket.write(answer(request.split(" ")[0] ?? "")))
      for (const method of ["GET", "POST", "PUT", "DELETE"] as const) {
        expect(yield* Effect.flatMap(HttpClient.execute(HttpClientRequest.make(method)(url)), text)).toBe(method)
      }
      expect(connections()).toBe(1)
      yield* Effect.forEach([1, 2, 3], () => Effect.flatMap(HttpClient.get(url), text), { concurrency: 3 })
      expect(connections()).toBe(3)
    }))

  it.scoped.each<readonly [what: string, bytes: string]>([
    ["says that it closes", answer("a", "Connection: close\r\n")],
    ["is followed by what nobody asked for", `${answer("a")}HTTP/1.1 200 OK`]
  ])("uses none again whose answer %s", ([, bytes]) =>
    Effect.gen(function*() {
      const { connections, open, url } = yield* serve((socket) => socket.write(bytes))
      expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("a")
      yield* until(() => open() === 0)
      expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("a")
      expect(connections()).toBe(2)
    }))

  it.scoped("uses none again that was closed, or spoke, while it was free", () =>
    Effect.gen(function*() {
      const { connections, open, sockets, url } = yield* serve((socket) => socket.write(answer("a")))
      yield* Effect.flatMap(HttpClient.get(url), text)
      sockets.forEach((socket) => socket.end())
      yield* until(() => open() === 0)
      yield* Effect.flatMap(HttpClient.get(url), text)
      sockets.forEach((socket) => socket.write(answer("b")))
      yield* until(() => open() === 0)
      expect(yield* Effect.flatMap(HttpClient.get(url), text)).toBe("a")
      expect(connections()).toBe(3)
    }))

  it.scoped("sends bytes, texts and Streams, with their lengths", () =>
    Effect.gen(function*() {
      const { url } = yield* serve((socket, request) => socket.write(answer(request.split("\r\n\r\n")[1] ?? "")))
      const post = (body: HttpBody.HttpBody) =>
        HttpClientRequest.post(url).pipe(HttpClientRequest.setBody(body), HttpClient.execute, Effect.flatMap(text))
      expect(yield* post(HttpBody.text("a text"))).toBe("a text")
      expect(yield* post(HttpBody.uint8Array(Buffer.from(new SharedArrayBuffer(3)).fill("s")))).toBe("sss")
      const pieces = Stream.fromIterable(["a ", "Stream"].map((piece) => Buffer.from(piece)))
      expect(yield* post(HttpBody.stream(pieces, "", 8))).toBe("a Stream")
    }))

  it.scoped("refuses what it cannot send, and sends nothing", () =>
    Effect.gen(function*() {
      const { connections, url } = yield* serve((socket) => socket.write(answer("a")))
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

  it.scoped("fails when a Stream has not as many bytes as it says, or fails", () =>
    Effect.gen(function*() {
      const { open, url } = yield* serve((socket) => socket.write(answer("a")))
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

  it.scoped("receives no more of a Stream than is asked for", () =>
    Effect.gen(function*() {
      let sent = 0
      const size = 64 * 1024 * 1024
      const piece = Buffer.alloc(256 * 1024, "a")
      const { url } = yield* serve((socket) => {
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
      // The buffers of the system are full when no more goes.
      yield* until(() => {
        const isFull = sent === before
        before = sent
        return isFull
      })
      expect(sent).toBeLessThan(size)
      expect(yield* Stream.runFold(response.stream, 0, (all, bytes) => all + bytes.length)).toBe(size)
    }))

  it.scoped("puts a body where it is wanted, whatever frames it, and stops when it has no place", () =>
    Effect.gen(function*() {
      const body = "0123456789".repeat(50_000)
      const chunks = body.match(/[^]{1,70000}/g) ?? []
      const inChunks = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")
      const wires = [answer(body), `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${inChunks}0\r\n\r\n`]
      for (const wire of wires) {
        const { open, url } = yield* serve((socket) => socket.write(wire))
        const read = (memory: Uint8Array) =>
          Effect.flatMap(
            HttpClient.get(url),
            (response: HttpClientResponse.HttpClientResponse & Body.Response) =>
              response[Body.Into]?.(memory, () => {}) ?? Effect.dieMessage("It has no Into")
          )
        for (const memory of [new Uint8Array(600_000), Buffer.from(new SharedArrayBuffer(body.length))]) {
          expect(yield* read(memory)).toBe(body.length)
          expect(Buffer.from(memory.subarray(0, body.length)).toString() === body).toBe(true)
        }
        expect(yield* read(new Uint8Array(100_000))).toBeGreaterThan(100_000)
        yield* until(() => open() <= 1)
      }
    }))

  it.scoped("fails with why a body did not end, and reads none twice", () =>
    Effect.gen(function*() {
      const { url } = yield* serve((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
      const response = yield* HttpClient.get(url)
      const pieces = yield* Effect.exit(Stream.runCollect(response.stream))
      expect(pieces).toEqual(Exit.fail(expect.objectContaining({ _tag: "ResponseError", reason: "Decode" })))
      const again = yield* Effect.flip(response.text)
      expect(String(again.cause)).toBe("Error: The body has been read already")
    }))

  it.scoped("gives what is asked for rarely as well", () =>
    Effect.gen(function*() {
      const { url } = yield* serve((socket) => socket.write(answer(`{"a":1}`, "Set-Cookie: b=c\r\n")))
      const get = HttpClient.get(url)
      expect(yield* Effect.flatMap(get, (response) => response.json)).toEqual({ a: 1 })
      expect(yield* Effect.flatMap(get, (response) => response.arrayBuffer)).toHaveProperty("byteLength", 7)
      const response = yield* get
      expect(response.cookies.cookies["b"]).toMatchObject({ value: "c" })
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(response.stream))).toEqual([
        new Uint8Array(Buffer.from(`{"a":1}`))
      ])
    }))

  /** Gets what is there within 30 seconds. */
  const within = Effect.fnUntraced(function*(url: string) {
    const client: HttpClient.HttpClient & HttpHooks.Hooks = yield* HttpClient.HttpClient
    const execute = client[HttpHooks.ExecuteWithin] ?? (() => Effect.dieMessage("It has no ExecuteWithin"))
    const limits: HttpHooks.Limits = {
      connect: Duration.seconds(10),
      response: Duration.seconds(30),
      until: "end"
    }
    return yield* Effect.flatMap(execute(HttpClientRequest.get(url), limits), text)
  })

  it.scoped.each<readonly [what: string, bytes: string, error: string]>([
    ["there is no answer", "", "RequestError"],
    ["the answer does not end", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "ResponseError"]
  ])(
    "gives up at its limit, to 100 ms, when %s, and ends the connection",
    ([, bytes, error]) =>
      Effect.gen(function*() {
        let asked = 0
        const { open, url } = yield* serve((socket) => {
          asked += 1
          socket.write(bytes)
        })
        const first = yield* Effect.fork(Effect.flip(within(url)))
        yield* until(() => asked === 1)
        yield* TestClock.adjust("20 seconds")
        const second = yield* Effect.fork(Effect.flip(within(url)))
        yield* until(() => asked === 2)
        yield* TestClock.adjust("9999 millis")
        expect(open()).toBe(2)
        yield* TestClock.adjust("101 millis")
        expect(yield* Fiber.join(first)).toMatchObject({ _tag: error, cause: new HttpHooks.LimitReached() })
        yield* until(() => open() === 1)
        yield* TestClock.adjust("20 seconds")
        expect(yield* Fiber.join(second)).toMatchObject({ _tag: error })
        yield* until(() => open() === 0)
      })
  )

  it.scoped("keeps a connection that was answered on within its limit", () =>
    Effect.gen(function*() {
      const { connections, url } = yield* serve((socket) => socket.write(answer("a")))
      for (let request = 0; request < 3; request++) {
        expect(yield* within(url)).toBe("a")
        yield* TestClock.adjust("1 minute")
      }
      expect(connections()).toBe(1)
    }))

  it.scoped("ends a connection whose answer is not wanted any more", () =>
    Effect.gen(function*() {
      const { open, url } = yield* serve((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
      const response = yield* HttpClient.get(url)
      yield* Stream.runHead(response.stream)
      yield* until(() => open() === 0)
    }))
})

describe("NodeHttp's Scope", () => {
  layer(NodeHttp.layer)((it) => {
    it.scoped("ends its connections", () =>
      Effect.gen(function*() {
        const { open, url } = yield* serve((socket) => socket.write(answer("a")))
        yield* Effect.flatMap(HttpClient.get(url), text).pipe(Effect.provide(NodeHttp.layer))
        yield* until(() => open() === 0)
      }))
  })
})
