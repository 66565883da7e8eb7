import { FileSystem, HttpServer } from "@effect/platform"
import { NodeContext, NodeHttpClient, NodeHttpServer } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schedule, Stream } from "effect"
import { createServer } from "node:http"
import * as Net from "node:net"
import { Emulator } from "../../src/emulator/index.ts"
import * as Support from "./support.ts"

const { call, createVault, hashes, ramp, text, vault } = Support

const MiB = 1_048_576

/** An emulator behind a socket, and its client. */
const serve = (emulator: Layer.Layer<Emulator.Emulator>) =>
  Layer.unwrapEffect(HttpServer.addressFormattedWith((url) => Effect.succeed(Layer.succeed(Support.Base, url)))).pipe(
    Layer.merge(NodeHttpClient.layerUndici),
    Layer.provideMerge(Emulator.layerServer.pipe(Layer.provide(emulator))),
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
  )

const memory = (options?: Emulator.Options) =>
  serve(Emulator.layerMemory(options).pipe(Layer.provide(Support.layerSha256)))

const wait = Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 300 })

/** Sends text to the server and collects the response until the server or `enough` ends the connection. */
const exchange = (sent: string, enough: (received: string) => boolean) =>
  Effect.gen(function*() {
    const { port } = new URL(yield* Support.Base)
    return yield* Effect.async<string>((resume) => {
      let received = ""
      const socket = Net.connect(Number(port), "127.0.0.1", () => socket.write(sent))
      socket.on("data", (bytes) => {
        received += bytes.toString("latin1")
        if (enough(received)) socket.destroy()
      })
      socket.on("error", () => {})
      socket.on("close", () => resume(Effect.succeed(received)))
    })
  })

describe("the emulator behind a socket", () => {
  it.live("stores an archive and returns it", () =>
    Effect.gen(function*() {
      expect((yield* createVault("photos")).headers["location"]).toBe("/123456789012/vaults/photos")
      const bytes = ramp(3 * MiB + 7)
      const id = yield* Support.upload("photos", bytes)
      const job = yield* Support.initiateJob("photos", { Type: "archive-retrieval", ArchiveId: id })
      const output = yield* call("GET", `${vault("photos")}/jobs/${job}/output`)
      expect(output.headers["content-length"]).toBe(String(bytes.length))
      expect(Buffer.from(output.bytes).equals(bytes)).toBe(true)
      const streamed = yield* call("POST", `${vault("photos")}/archives`, {
        body: { stream: Stream.make(bytes.subarray(0, MiB), bytes.subarray(MiB)), length: bytes.length },
        headers: hashes(bytes)
      })
      expect(streamed.status).toBe(201)
    }).pipe(Effect.provide(memory({ jobDelay: 0 }))))

  it.live("never announces chunks for an empty body, nor any body for 204", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const created = yield* createVault("films")
      expect(created.headers["content-length"]).toBe("0")
      expect(created.headers["transfer-encoding"]).toBeUndefined()
      const deleted = yield* call("DELETE", vault("films"))
      expect(deleted.headers["content-length"]).toBeUndefined()
      expect(deleted.headers["transfer-encoding"]).toBeUndefined()
      const rejected = yield* exchange("GET /%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", () => false)
      expect(rejected).toContain("HTTP/1.1 400 Bad Request\r\n")
      expect(rejected).toMatch(/\r\ncontent-type: application\/json\r\n/)
      expect(rejected).toMatch(/\r\nx-amzn-requestid: [A-Za-z0-9_-]{47}\r\n/)
    }).pipe(Effect.provide(memory())))

  it.live("responds with 408 to a body that stalls", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const bytes = ramp(1000)
      const signed = yield* Support.sign("POST", `${vault("photos")}/archives`, { headers: hashes(bytes) })
      const head = Object.entries({ ...signed, "content-length": "1000" }).map(([name, value]) => `${name}: ${value}`)
      const response = yield* exchange(
        `POST ${vault("photos")}/archives HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\nsome of it`,
        (received) => received.includes("}")
      )
      expect(response).toContain("HTTP/1.1 408 Request Timeout\r\n")
      expect(response).toContain(`"code":"RequestTimeoutException"`)
    }).pipe(Effect.provide(memory({ bodyTimeout: "200 millis" }))))

  it.live("keeps no bytes of a body whose client disconnects", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "emulator-" })
      const files = Effect.map(fs.readDirectory(`${directory}/blobs`), (names) => names.length)
      const emulator = Emulator.layerFileSystem({ directory }).pipe(
        Layer.provide(Support.layerSha256),
        Layer.provide(NodeContext.layer),
        Layer.orDie
      )
      yield* Effect.gen(function*() {
        yield* createVault("photos")
        const bytes = ramp(MiB)
        const signed = yield* Support.sign("POST", `${vault("photos")}/archives`, { headers: hashes(bytes) })
        const head = Object.entries({ ...signed, "content-length": String(MiB) }).map(([name, value]) =>
          `${name}: ${value}`
        )
        const { port } = new URL(yield* Support.Base)
        const socket = Net.connect(Number(port), "127.0.0.1")
        socket.write(`POST ${vault("photos")}/archives HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\nsome of it`)
        yield* wait(Effect.filterOrFail(files, (n) => n === 1))
        socket.destroy()
        yield* wait(Effect.filterOrFail(files, (n) => n === 0))
        expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
      }).pipe(Effect.provide(serve(emulator)))
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)))

  it.live("responds before it has read a body that it rejects", () =>
    Effect.gen(function*() {
      const bytes = ramp(10)
      const signed = yield* Support.sign("POST", `${vault("nowhere")}/archives`, { headers: hashes(bytes) })
      const head = Object.entries({ ...signed, "content-length": "4000000000" }).map(([name, value]) =>
        `${name}: ${value}`
      )
      const response = yield* exchange(
        `POST ${vault("nowhere")}/archives HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`,
        (received) => received.includes("}")
      )
      expect(response).toContain("HTTP/1.1 404 Not Found\r\n")
      expect(text(response).length).toBeGreaterThan(0)
    }).pipe(Effect.provide(memory())))
})
