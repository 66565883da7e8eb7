/** An emulator behind a socket that receives bodies that are slow, late, cut off, too long or rejected. */
import { FileSystem, type HttpServer } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it, layer, type Vitest } from "@effect/vitest"
import { Array as Arr, Effect, Layer, Option, type Scope } from "effect"
import type { Socket } from "node:net"
import { NodeEmulator } from "../../src/node/index.ts"
import * as Hostile from "./hostile.ts"
import * as Support from "./support.ts"

const { connect, exchange, hashes, mebibyte, ramp, treeHash, until, upload } = Support

const { archives, asPart, create, expectResponse, expectWorking, jobs, keys, missing, multipart, post, server, vault } =
  Hostile

const bodies = (it: Vitest.MethodsNonLive<HttpServer.HttpServer | NodeEmulator.Address, true>) => {
  it.scoped("accepts an upload with Expect: 100-continue", () =>
    Effect.gen(function*() {
      yield* create
      const bytes = ramp(100_000)
      const connection = yield* connect
      const request = upload(archives, bytes, { expect: "100-continue" })
      yield* connection.write(yield* Support.head(connection.port, request))
      expect((yield* Effect.flatten(connection.response())).status).toBe(100)
      yield* connection.write(bytes)
      expect(yield* Effect.flatten(connection.response())).toMatchObject({
        status: 201,
        headers: { "x-amz-sha256-tree-hash": treeHash(bytes) }
      })
      yield* expectWorking
    }))

  it.scoped("reads JSON in chunks", () =>
    Effect.gen(function*() {
      yield* create
      const connection = yield* connect
      const head = yield* Support.head(connection.port, {
        ...post("{}"),
        headers: { "content-length": undefined, "transfer-encoding": "chunked" }
      })
      for (const bytes of [head, "1\r\n{\r\n", "1;x=y\r\n}\r\n", "0\r\n\r\n"]) yield* connection.write(bytes)
      expectResponse("chunks", yield* Effect.flatten(connection.response()), missing("Type"))
      yield* expectWorking
    }))

  it.scoped("responds in order to pipelined requests", () =>
    Effect.gen(function*() {
      yield* create
      const connection = yield* connect
      const bytes = ramp(10_000)
      const requests: ReadonlyArray<Support.Request> = [
        { target: vault },
        { method: "HEAD", target: vault },
        upload(archives, bytes),
        { target: "/-/vaults/missing" },
        post("{}"),
        { target: vault }
      ]
      const heads = yield* Effect.forEach(requests, (request) => Support.head(connection.port, request))
      yield* connection.write(Buffer.concat(
        Arr.zipWith(heads, requests, (head, { body = "" }) => Buffer.concat([Buffer.from(head), Buffer.from(body)]))
      ))
      const responses = yield* Effect.forEach(requests, ({ method }) => Effect.flatten(connection.response(method)))
      expect(responses.map(({ status }) => status)).toEqual([200, 400, 201, 404, 400, 200])
    }))

  it.scoped("reuses a connection after a response that came before the body of the request", () =>
    Effect.gen(function*() {
      yield* create
      const bytes = ramp(3 * mebibyte)
      const rejected: ReadonlyArray<readonly [Support.Request, number]> = [
        [upload("/-/vaults/missing/archives", bytes), 404],
        [{ ...upload(archives, bytes), tamper: { authorization: undefined } }, 400],
        [upload(archives, bytes, { "x-amz-sha256-tree-hash": undefined }), 400],
        [{ ...post(bytes) }, 400]
      ]
      for (const [request, status] of rejected) {
        const connection = yield* connect
        yield* connection.write(yield* Support.head(connection.port, request))
        const response = yield* Effect.flatten(connection.response())
        expect(response.status).toBe(status)
        yield* connection.write(bytes)
        yield* connection.send({ target: vault })
        const next = yield* connection.response()
        // The server may also close the connection, and say so.
        if (response.headers["connection"] !== "close") expect(Option.getOrThrow(next).status).toBe(200)
      }
      yield* expectWorking
    }))

  it.scoped("closes the connection when a body is longer than its Content-Length", () =>
    Effect.gen(function*() {
      yield* create
      const connection = yield* connect
      yield* connection.send(upload(archives, ramp(1000)))
      yield* connection.write(ramp(1000))
      // The surplus bytes may arrive before the response is sent.
      expect([201, 400]).toContain((yield* Effect.flatten(connection.response())).status)
      yield* connection.closed()
      yield* expectWorking
    }))

  it.scoped("survives downloads that are reset in their middle", () =>
    Effect.gen(function*() {
      yield* create
      const bytes = ramp(4 * mebibyte)
      const archive = (yield* exchange(upload(archives, bytes))).headers["x-amz-archive-id"]
      const job = (yield* exchange(post(JSON.stringify({ Type: "archive-retrieval", ArchiveId: archive })))).headers
      const output = `${jobs}/${job["x-amz-job-id"]}/output`
      yield* until(exchange({ target: output, headers: { range: "bytes=0-9" } }), ({ status }) => status === 206)
      for (let i = 0; i < 5; i++) {
        const connection = yield* connect
        yield* connection.write(yield* Support.head(connection.port, { target: output }))
        yield* Effect.async<void>((resume) => void connection.socket.once("data", () => resume(Effect.void)))
        connection.reset()
      }
      expect((yield* exchange({ target: output })).body.equals(bytes)).toBe(true)
    }))

  it.scoped("responds with status 408 when a body stops in its middle", () =>
    Effect.gen(function*() {
      yield* create
      const bytes = ramp(mebibyte)
      const part = yield* multipart
      for (const request of [upload(archives, bytes), upload(part, bytes, asPart), post("x".repeat(1000))]) {
        const connection = yield* connect
        yield* connection.write(yield* Support.head(connection.port, request))
        yield* connection.write(bytes.subarray(0, 500))
        const response = yield* Effect.flatten(connection.response())
        expectResponse("slow", response, [408, "RequestTimeoutException", /^Request timed out\.$/])
      }
      expect((yield* exchange({ target: part })).json).toMatchObject({ Parts: [] })
      yield* expectWorking
    }))

  it.scoped("accepts a body that comes slowly but steadily", () =>
    Effect.gen(function*() {
      yield* create
      const bytes = ramp(1000)
      const connection = yield* connect
      yield* connection.write(yield* Support.head(connection.port, upload(archives, bytes)))
      for (let at = 0; at < bytes.length; at += 200) {
        yield* Effect.delay(connection.write(bytes.subarray(at, at + 200)), "100 millis")
      }
      expect((yield* Effect.flatten(connection.response())).status).toBe(201)
    }))
}

layer(server(), { excludeTestServices: true })("an emulator that receives bodies over TCP", bodies)
layer(server(true), { excludeTestServices: true })("an emulator that receives bodies over TLS", bodies)

describe("an emulator on disk that receives bodies", () => {
  /** Runs `body` with a vault and an open upload in an emulator on disk, and with the sizes of its blobs. */
  const onDisk = <E>(
    body: (
      part: string,
      sizes: Effect.Effect<ReadonlyArray<number>>
    ) => Effect.Effect<void, E, NodeEmulator.Address | Scope.Scope>
  ) =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const context = yield* Layer.build(NodeEmulator.layerServer({ directory, keys, inventoryDelay: 0 }))
      const sizeOf = (name: string) =>
        fs.stat(`${directory}/blobs/${name}`).pipe(
          Effect.map(({ size }) => Number(size)),
          Effect.orElseSucceed(() => 0)
        )
      const sizes = Effect.orDie(Effect.flatMap(fs.readDirectory(`${directory}/blobs`), Effect.forEach(sizeOf)))
      yield* create.pipe(
        Effect.zipRight(multipart),
        Effect.flatMap((part) => body(part, sizes)),
        Effect.provide(context),
        Effect.timeout("10 seconds")
      )
    }).pipe(Effect.provide(NodeContext.layer))

  const bytes = ramp(mebibyte)
  const half = mebibyte / 2

  /** Sends the first half of an upload. */
  const sendHalf = (request: Support.Request, sizes: Effect.Effect<ReadonlyArray<number>>) =>
    Effect.gen(function*() {
      const connection = yield* connect
      yield* connection.write(yield* Support.head(connection.port, request))
      yield* connection.write(bytes.subarray(0, half))
      yield* until(sizes, (sizes) => sizes.includes(half))
      return connection
    })

  const cuts: Readonly<Record<string, (socket: Socket) => void>> = {
    destroyed: (socket) => socket.destroy(),
    reset: (socket) => socket.resetAndDestroy(),
    "half-closed": (socket) => socket.end()
  }
  for (const [name, cut] of Object.entries(cuts)) {
    it.scopedLive(`stores nothing of a body that is cut off by a socket that is ${name}`, () =>
      onDisk((part, sizes) =>
        Effect.gen(function*() {
          for (const request of [upload(archives, bytes), upload(part, bytes, asPart)]) {
            const connection = yield* sendHalf(request, sizes)
            cut(connection.socket)
            const response = yield* connection.response()
            expect(Option.getOrElse(Option.map(response, ({ status }) => status), () => 400)).toBe(400)
            yield* until(sizes, ({ length }) => length === 0)
          }
          expect((yield* exchange({ target: part })).json).toMatchObject({ Parts: [] })
          expect((yield* exchange({ target: vault })).json).toMatchObject({
            NumberOfArchives: 0,
            LastInventoryDate: null
          })
          const responses = yield* Effect.all([
            exchange(upload(archives, bytes)),
            exchange(upload(part, bytes, asPart))
          ])
          expect(responses.map(({ status }) => status)).toEqual([201, 204])
          expect(yield* sizes).toEqual([mebibyte, mebibyte])
        })
      ))
  }

  it.scopedLive("rejects a body whose upload or vault is deleted meanwhile, and stores nothing", () =>
    onDisk((part, sizes) =>
      Effect.gen(function*() {
        for (
          const [request, gone] of [[upload(part, bytes, asPart), part], [upload(archives, bytes), vault]] as const
        ) {
          const connection = yield* sendHalf(request, sizes)
          expect((yield* exchange({ method: "DELETE", target: gone, headers: { "content-length": "0" } })).status).toBe(
            204
          )
          yield* connection.write(bytes.subarray(half))
          const response = yield* Effect.flatten(connection.response())
          expectResponse(gone, response, [404, "ResourceNotFoundException"])
          yield* until(sizes, ({ length }) => length === 0)
        }
      })
    ))

  it.scopedLive("stores a part once that is sent twice at the same time", () =>
    onDisk((part, sizes) =>
      Effect.gen(function*() {
        const bodies = [bytes, ramp(mebibyte, 1)]
        const first = yield* sendHalf(upload(part, bytes, asPart), sizes)
        expect((yield* exchange(upload(part, bodies[1]!, asPart))).status).toBe(204)
        yield* first.write(bytes.subarray(half))
        expect((yield* Effect.flatten(first.response())).status).toBe(204)
        expect((yield* exchange({ target: part })).json["Parts"]).toEqual([
          { RangeInBytes: `0-${mebibyte - 1}`, SHA256TreeHash: treeHash(bytes) }
        ])
        expect(yield* until(sizes, ({ length }) => length === 1)).toEqual([mebibyte])
      })
    ))

  it.scopedLive("stores nothing of rejected bodies", () =>
    onDisk((part, sizes) =>
      Effect.gen(function*() {
        const others = hashes(ramp(mebibyte, 1))
        const wrong = { "x-amz-sha256-tree-hash": others["x-amz-sha256-tree-hash"] }
        for (
          const [request, status] of [
            [upload(archives, bytes, others), 403],
            [upload(archives, bytes, wrong), 400],
            [upload(part, bytes, { ...asPart, ...others }), 403],
            [upload(part, bytes, { ...asPart, ...wrong }), 400],
            [upload(part, bytes, { "content-range": `bytes 1-${mebibyte}/*` }), 400],
            [upload(part, bytes, { "content-range": `bytes 0-${mebibyte}/*` }), 400]
          ] as const
        ) expect((yield* exchange(request)).status).toBe(status)
        yield* until(sizes, ({ length }) => length === 0)
        expect((yield* exchange({ target: part })).json).toMatchObject({ Parts: [] })
      })
    ))
})
