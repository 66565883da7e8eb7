/** An emulator behind a socket that receives invalid and malicious requests: it rejects them and keeps working. */
import type { HttpServer } from "@effect/platform"
import { expect, layer, type Vitest } from "@effect/vitest"
import { Effect, FastCheck as fc, Option } from "effect"
import type { NodeEmulator } from "../../src/node/index.ts"
import * as Hostile from "./hostile.ts"
import { tables } from "./invalidRequests.ts"
import * as Support from "./support.ts"

const { connect, exchange } = Support

const { create, expectResponse, expectWorking, post, server } = Hostile

const hostile = (it: Vitest.MethodsNonLive<HttpServer.HttpServer | NodeEmulator.Address, true>) => {
  for (const [table, cases] of Object.entries(tables)) {
    it.effect(`rejects requests with invalid ${table}, and accepts similar valid requests`, () =>
      Effect.gen(function*() {
        yield* create
        for (const [name, request, expected] of cases) expectResponse(name, yield* exchange(request), expected)
        yield* expectWorking
      }))
  }

  it.scoped("accepts a target with a host, and uses its path", () =>
    Effect.gen(function*() {
      const good = yield* Effect.flatMap(Support.port, (port) => Support.head(port, {}))
      for (const host of ["http://127.0.0.1", "HTTPS://glacier.us-east-1.amazonaws.com:443", "http://[::1]:1"]) {
        const connection = yield* connect
        yield* connection.write(good.replace("/-/vaults", `${host}/-/vaults`))
        expect(yield* connection.response()).toMatchObject({
          value: { status: 200, json: { VaultList: expect.any(Array) } }
        })
      }
    }))

  // The response, if there is one, has status 4xx, and the connection is closed.
  it.scoped("closes the connection after bytes that are not HTTP", () =>
    Effect.gen(function*() {
      const port = yield* Support.port
      const good = yield* Support.head(port, {})
      const withHeader = (line: string) => good.replace("\r\n", `\r\n${line}\r\n`)
      const cases: ReadonlyArray<readonly [name: string, bytes: string]> = [
        ["an unknown method", good.replace("GET", "BREW")],
        ["no version", "GET /\r\n\r\n"],
        ["HTTP/9.9", good.replace("HTTP/1.1", "HTTP/9.9")],
        ["a target of 64 KB", good.replace("/-/vaults", `/-/vaults/${"a".repeat(65_536)}`)],
        ["headers of 100 KB", withHeader(`x-long: ${"a".repeat(102_400)}`)],
        ["10,000 headers", withHeader("x-many: 1\r\n".repeat(10_000) + "x-last: 1")],
        ["a control character in a header", withHeader("x-amz-archive-description: a\x01b")],
        ["DEL in a header", withHeader("x-amz-archive-description: a\x7fb")],
        ["a NUL in a target", good.replace("/-/vaults", "/-/vaults/\0")],
        ["a space in a target", good.replace("/-/vaults", "/-/va ults")],
        ["a header without a colon", withHeader("nonsense")],
        ["two lengths", withHeader("Content-Length: 1\r\nContent-Length: 2")],
        ["a length and chunks", withHeader("Content-Length: 1\r\nTransfer-Encoding: chunked")],
        ["a length of letters", withHeader("Content-Length: many")],
        ["a negative length", withHeader("Content-Length: -1")],
        ["a length of 30 digits", withHeader(`Content-Length: ${"9".repeat(30)}`)],
        ["broken chunks", good.replace("GET", "POST").replace("\r\n", "\r\nTransfer-Encoding: chunked\r\n") + "zz\r\n"],
        ["CONNECT", good.replace("GET /-/vaults", "CONNECT 127.0.0.1:1")],
        ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
      ]
      for (const [name, bytes] of cases) {
        const response = yield* Effect.scoped(Effect.gen(function*() {
          const connection = yield* connect
          yield* connection.write(bytes)
          const response = yield* connection.response()
          yield* connection.closed()
          return response
        }))
        const status = Option.match(response, { onNone: () => 400, onSome: ({ status }) => status })
        expect(status, name).toBeGreaterThanOrEqual(400)
        expect(status, name).toBeLessThan(500)
      }
      yield* expectWorking
    }))

  it.scoped("survives the reset of a connection that asks for an upgrade", () =>
    Effect.gen(function*() {
      for (const reset of [false, true]) {
        const connection = yield* connect
        const head = yield* Support.head(connection.port, {
          headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" }
        })
        yield* connection.write(head)
        if (reset) connection.reset()
        else expect((yield* Effect.flatten(connection.response())).status).toBeLessThan(500)
      }
      yield* expectWorking
    }))

  it.scoped("survives random bytes", () =>
    Effect.gen(function*() {
      const port = yield* Support.port
      const good = Buffer.from(yield* Support.head(port, post("{}")))
      const garbled = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map(
        (changes) => {
          const bytes = Buffer.from(good)
          for (const [at, byte] of changes) bytes[at] = byte
          return bytes
        }
      )
      const cut = fc.nat(good.length).map((length) => good.subarray(0, length))
      const noise = fc.uint8Array({ maxLength: 2000 })
      const any = fc.array(fc.oneof(noise, garbled, cut), { minLength: 1, maxLength: 3 })
      for (const pieces of fc.sample(any, { numRuns: 150, seed: 20120601 })) {
        yield* Effect.scoped(Effect.gen(function*() {
          const connection = yield* connect
          yield* connection.write(Buffer.concat(pieces))
          connection.socket.end()
          yield* connection.closed()
        }))
      }
      yield* expectWorking
    }))

  it.scoped("works while 200 connections are silent and 20 have sent half a request", () =>
    Effect.gen(function*() {
      yield* Effect.replicateEffect(connect, 200, { concurrency: 20 })
      for (const connection of yield* Effect.replicateEffect(connect, 20)) {
        yield* connection.write((yield* Support.head(connection.port, {})).slice(0, 100))
      }
      yield* expectWorking
    }))
}

layer(server(), { excludeTestServices: true })("an emulator with hostile clients over TCP", hostile)
layer(server(true), { excludeTestServices: true })("an emulator with hostile clients over TLS", hostile)
