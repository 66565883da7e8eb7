import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Stream, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, hashes, text, upload, vault } = Support

const archives = `${vault("photos")}/archives`

const bytes = text("Welcome to Amazon Glacier.")

const hash = "726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628"

const other = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

const send = (headers: Record<string, string | undefined>, body: NonNullable<Support.Options["body"]> = bytes) =>
  call("POST", archives, { body, headers: { ...hashes(bytes), ...headers } })

describe("archives", () => {
  it.effect("UploadArchive responds with 201, the id, the location and the tree hash", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const stored = yield* send({ "x-amz-archive-description": "a  greeting" })
      expect(stored.status).toBe(201)
      const id = stored.headers["x-amz-archive-id"]
      expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{137}$/)
      expect(stored.headers["location"]).toBe(`/123456789012/vaults/photos/archives/${id}`)
      expect(stored.headers["x-amz-sha256-tree-hash"]).toBe(hash)
      expect(stored.headers["content-type"]).toBeUndefined()
      expect(stored.bytes.length).toBe(0)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("removes the spaces at the ends of a description, and keeps those within", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* upload("photos", bytes, "  a  greeting ")
      yield* upload("photos", bytes, "   ")
      const job = yield* Support.initiateJob("photos", { Type: "inventory-retrieval" })
      const output = yield* call("GET", `${vault("photos")}/jobs/${job}/output`)
      expect(Support.list(output, "ArchiveList").map((archive) => archive["ArchiveDescription"])).toEqual([
        "a  greeting",
        ""
      ])
    }).pipe(Effect.provide(Support.layer({ inventoryDelay: 0, jobDelay: 0 }))))

  it.effect("accepts a stream with chunks of any size", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const data = Support.ramp(2_500_000)
      const pieces = Array.from({ length: 250 }, (_, i) => data.subarray(i * 10_000, i * 10_000 + 10_000))
      const stored = yield* call("POST", archives, {
        body: { stream: Stream.fromIterable(pieces), length: data.length },
        headers: hashes(data)
      })
      expect(stored.status).toBe(201)
      expect(stored.headers["x-amz-sha256-tree-hash"]).toBe(Support.treeHash(data))
    }).pipe(Effect.provide(Support.layer())))

  it.effect("rejects missing and invalid headers with the service's texts", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const cases: ReadonlyArray<[Record<string, string | undefined>, number, string, string]> = [
        [
          { "x-amz-content-sha256": undefined },
          400,
          "MissingParameterValueException",
          "Required parameter missing: x-amz-content-sha256"
        ],
        [
          { "x-amz-sha256-tree-hash": undefined },
          400,
          "MissingParameterValueException",
          "Required parameter missing: x-amz-sha256-tree-hash"
        ],
        [
          { "x-amz-sha256-tree-hash": other },
          400,
          "InvalidParameterValueException",
          `Checksum mismatch: expected ${other}, computed ${hash}`
        ],
        [
          { "x-amz-sha256-tree-hash": "nonsense" },
          400,
          "InvalidParameterValueException",
          "Invalid x-amz-sha256-tree-hash: nonsense"
        ],
        [
          { "x-amz-content-sha256": other },
          403,
          "InvalidSignatureException",
          "The value passed in as x-amz-content-sha256 does not match the computed payload hash. " +
          `Computed digest: ${hash} expected hash: ${other}`
        ],
        [
          { "x-amz-archive-description": "d".repeat(1025) },
          400,
          "InvalidParameterValueException",
          `Invalid x-amz-archive-description: ${"d".repeat(1025)}`
        ],
        [
          { "x-amz-glacier-version": undefined },
          400,
          "MissingParameterValueException",
          "Required parameter missing: API version"
        ],
        [
          { "x-amz-glacier-version": "2010-01-01" },
          400,
          "InvalidParameterValueException",
          "Invalid API version: 2010-01-01"
        ]
      ]
      for (const [headers, status, code, message] of cases) {
        const response = yield* send(headers)
        expect([response.status, response.json]).toEqual([status, { code, message, type: "Client" }])
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("rejects bodies that are empty, too large, or without a Content-Length", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const empty = yield* call("POST", archives, { headers: hashes(text("")) })
      expect(empty.json["message"]).toBe("Invalid Content-Length: 0")
      const large = yield* send({}, { stream: Stream.never, length: 4_294_967_297 })
      expect(large.json["message"]).toBe("Invalid Content-Length: 4294967297")
      const chunked = yield* send({}, { stream: Stream.succeed(bytes) })
      expect(chunked.json["message"]).toBe("Required parameter missing: Content-Length")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("checks the vault and the headers before it reads a body", () =>
    Effect.gen(function*() {
      const body = { stream: Stream.never, length: 1_000_000 }
      expect((yield* send({}, body)).status).toBe(404)
      yield* createVault("photos")
      expect((yield* send({ "x-amz-sha256-tree-hash": "x" }, body)).status).toBe(400)
      expect((yield* send({ "x-amz-archive-description": "d".repeat(2000) }, body)).status).toBe(400)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("rejects a body that ends early, is longer than announced or fails, and stores nothing", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      for (
        const stream of [
          Stream.succeed(bytes.subarray(1)),
          Stream.make(bytes, bytes),
          Stream.concat(Stream.succeed(bytes.subarray(1)), Stream.fail("cut"))
        ]
      ) {
        const response = yield* send({}, { stream, length: bytes.length })
        expect([response.status, response.json["code"]]).toEqual([400, "BadRequest"])
      }
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("responds with 408 when a body stalls", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const stream = Stream.concat(Stream.succeed(bytes.subarray(1)), Stream.never)
      const fiber = yield* Effect.fork(send({}, { stream, length: bytes.length }))
      yield* TestClock.adjust("59 seconds")
      expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 seconds")
      const response = yield* Fiber.join(fiber)
      expect([response.status, response.json]).toEqual([
        408,
        { code: "RequestTimeoutException", message: "Request timed out.", type: "Client" }
      ])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("accepts a body that is slow but never pauses for the timeout", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const stream = Stream.fromIterable(bytes).pipe(
        Stream.rechunk(1),
        Stream.mapEffect((byte) => Effect.as(Effect.sleep("50 seconds"), Uint8Array.of(byte)))
      )
      const fiber = yield* Effect.fork(send({}, { stream, length: bytes.length }))
      // The clock moves in steps, because the signature is verified first and must not have expired by then.
      for (let i = 0; i < bytes.length; i++) yield* TestClock.adjust("50 seconds")
      expect((yield* Fiber.join(fiber)).status).toBe(201)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("stops when the client is interrupted", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      let closed = false
      const stream = Stream.concat(Stream.succeed(bytes.subarray(1)), Stream.never).pipe(
        Stream.ensuring(Effect.sync(() => {
          closed = true
        }))
      )
      const fiber = yield* Effect.fork(send({}, { stream, length: bytes.length }))
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.interrupt(fiber)
      expect(closed).toBe(true)
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("responds to a call from the finalizer of an interrupted fiber", () =>
    Effect.gen(function*() {
      let status = 0
      const fiber = yield* Effect.never.pipe(
        Effect.onInterrupt(() =>
          Effect.map(createVault("photos"), (response) => {
            status = response.status
          }).pipe(Effect.orDie)
        ),
        Effect.fork
      )
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      expect(status).toBe(201)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("keeps an archive unchanged when a caller overwrites its own arrays", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const mine = text("Welcome to Amazon Glacier.")
      const id = yield* upload("photos", mine)
      mine.fill(0)
      const job = yield* Support.initiateJob("photos", { Type: "archive-retrieval", ArchiveId: id })
      yield* TestClock.adjust("4 hours")
      for (let i = 0; i < 2; i++) {
        const output = yield* Support.execute("GET", `${vault("photos")}/jobs/${job}/output`)
        yield* Stream.runForEach(output.stream, (chunk) =>
          Effect.sync(() => {
            expect(new TextDecoder().decode(chunk)).toBe("Welcome to Amazon Glacier.")
            chunk.fill(0)
          }))
      }
    }).pipe(Effect.scoped, Effect.provide(Support.layer())))

  it.effect("DeleteArchive is idempotent, and rejects archives of other vaults", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* createVault("films")
      const id = yield* upload("photos", bytes)
      const elsewhere = yield* call("DELETE", `${vault("films")}/archives/${id}`)
      expect(elsewhere.status).toBe(400)
      expect(elsewhere.json["message"]).toBe(
        "Invalid vault name: arn:aws:glacier:us-east-1:123456789012:vaults/films"
      )
      const deleted = yield* call("DELETE", `${archives}/${id}`)
      expect(deleted.status).toBe(204)
      expect(deleted.headers["content-type"]).toBeUndefined()
      expect((yield* call("DELETE", `${archives}/${id}`)).status).toBe(204)
      expect((yield* call("DELETE", `${archives}/no!id`)).json["message"]).toBe("Invalid archiveId: no!id")
      expect((yield* call("DELETE", `${vault("nowhere")}/archives/${id}`)).status).toBe(404)
    }).pipe(Effect.provide(Support.layer())))
})
