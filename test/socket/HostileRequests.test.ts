/** An emulator behind a socket that receives invalid, malicious and cut off requests: it rejects them and keeps working. */
import { FileSystem, type HttpServer } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it, layer, type Vitest } from "@effect/vitest"
import { Array as Arr, Effect, FastCheck as fc, Layer, Option, Redacted, type Scope } from "effect"
import type { Socket } from "node:net"
import { NodeEmulator } from "../../src/node/index.ts"
import * as Support from "./support.ts"

const { connect, exchange, hashes, mebibyte, ramp, treeHash, until, upload } = Support

const temporary: Support.Key = { accessKeyId: "ASIATEMPORARY", secretAccessKey: "secret", sessionToken: "token" }

const keys = [Support.defaultKey, temporary].map((key) => ({
  accessKeyId: key.accessKeyId,
  secretAccessKey: Redacted.make(key.secretAccessKey),
  sessionToken: key.sessionToken === undefined ? undefined : Redacted.make(key.sessionToken)
}))

const server = (tls?: true) =>
  NodeEmulator.layerServer({ jobDelay: "100 millis", inventoryDelay: 0, bodyTimeout: "300 millis", keys, tls })

const vault = "/-/vaults/hostile"
const jobs = `${vault}/jobs`
const archives = `${vault}/archives`

const create = exchange({ method: "PUT", target: vault, headers: { "content-length": "0" } })

/** Expects that the emulator still works. */
const expectWorking = Effect.gen(function*() {
  expect((yield* create).status).toBe(201)
  expect(yield* exchange({ target: vault })).toMatchObject({ status: 200, json: { VaultName: "hostile" } })
})

type Expected = readonly [status: number, code?: string, message?: RegExp]

const invalid = (message: RegExp): Expected => [400, "InvalidParameterValueException", message]
const missing = (name: string): Expected => [
  400,
  "MissingParameterValueException",
  new RegExp(`^Required parameter missing: ${name}$`)
]
const unrecognized: Expected = [400, "UnrecognizedClientException"]
const badSignature = (message: RegExp): Expected => [403, "InvalidSignatureException", message]
const badRequest: Expected = [400, "BadRequest"]
const serialization: Expected = [400, "SerializationException"]

/** Expects a status, an id and a date and, for an error, its code and message in JSON. */
const expectResponse = (name: string, response: Support.Response, [status, code, message]: Expected) => {
  const { headers, json } = response
  expect({ name, status: response.status, code: response.code }).toEqual({ name, status, code })
  expect(headers["x-amzn-requestid"], name).toMatch(/^[\w-]{47}$/)
  expect(Date.parse(headers["date"] ?? ""), name).not.toBeNaN()
  if (code === undefined) return
  expect(json, name).toEqual({ code, message: expect.any(String), type: "Client" })
  if (message !== undefined) expect(json["message"], name).toMatch(message)
}

type Case = readonly [name: string, request: Support.Request, expected: Expected]

const post = (body: string | Uint8Array): Support.Request => ({ method: "POST", target: jobs, body })

const authorization = (value: string): Support.Request => ({ tamper: { authorization: value } })

const description = (text: string) => upload(archives, Buffer.from("bytes"), { "x-amz-archive-description": text })

/** A request with an invalid target. It is rejected before its signature is verified. */
const target = (text: string): Case => [
  text.length > 40 ? `${text.slice(0, 40)}...` : text,
  { target: text },
  badRequest
]

const tables: Readonly<Record<string, ReadonlyArray<Case>>> = {
  credentials: [
    ["no authorization", { tamper: { authorization: undefined } }, [400, "MissingAuthenticationTokenException"]],
    ["Basic", authorization("Basic YWxhZGRpbjpvcGVuc2VzYW1l"), badSignature(/Authorization/)],
    ["no fields", authorization("AWS4-HMAC-SHA256"), badSignature(/Authorization/)],
    [
      "an empty scope",
      authorization("AWS4-HMAC-SHA256 Credential=AKIA////, SignedHeaders=host, Signature=0"),
      badSignature(/./)
    ],
    [
      "a scope for others",
      authorization(
        "AWS4-HMAC-SHA256 Credential=AKIA/20120525/us-east-1/glacier/aws5_request, SignedHeaders=host, Signature=0"
      ),
      badSignature(/aws4_request/)
    ],
    ["commas", authorization(",".repeat(5000)), badSignature(/Authorization/)],
    ["an unknown key", { key: { ...Support.defaultKey, accessKeyId: "AKIANOBODY" } }, unrecognized],
    ["a wrong secret", { key: { ...Support.defaultKey, secretAccessKey: "wrong" } }, badSignature(/does not match/)],
    [
      "a header changed later",
      { headers: { "x-amz-meta": "a" }, tamper: { "x-amz-meta": "b" } },
      badSignature(/does not match/)
    ],
    [
      "a clock 6 minutes late",
      { clock: -360_000 },
      badSignature(/^Signature expired: \d{8}T\d{6}Z is now earlier than/)
    ],
    [
      "a clock 6 minutes early",
      { clock: 360_000 },
      badSignature(/^Signature not yet current: \d{8}T\d{6}Z is still later/)
    ],
    ["a clock 4 minutes late", { clock: -240_000 }, [200]],
    ["a clock 4 minutes early", { clock: 240_000 }, [200]],
    ["no date", { tamper: { "x-amz-date": undefined } }, badSignature(/Date/)],
    ["a session token", { key: temporary }, [200]],
    [
      "a session token left out",
      { key: { accessKeyId: temporary.accessKeyId, secretAccessKey: "secret" } },
      unrecognized
    ],
    ["a wrong session token", { key: { ...temporary, sessionToken: "tokem" } }, unrecognized],
    ["a session token for a key without", { key: { ...Support.defaultKey, sessionToken: "token" } }, unrecognized],
    ["no version", { headers: { "x-amz-glacier-version": undefined } }, missing("API version")],
    ["another version", { headers: { "x-amz-glacier-version": "2012-06-02" } }, invalid(/version/)],
    ["another account", { target: "/999999999999/vaults" }, [403, "AccessDeniedException", /999999999999/]]
  ],
  JSON: [
    ["none", { method: "POST", target: jobs, headers: { "content-length": "0" } }, missing("Job Parameters")],
    ["an empty object", post("{}"), missing("Type")],
    ["half of it", post(`{"Type":`), serialization],
    ["an array", post("[]"), serialization],
    ["a text", post(`"Type"`), serialization],
    ["null", post("null"), serialization],
    ["no UTF-8", post(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), serialization],
    ["a number as type", post(`{"Type":5}`), invalid(/Type/)],
    ["an object as type", post(`{"Type":{"Type":"archive-retrieval"}}`), invalid(/Type/)],
    ["an unknown type", post(`{"Type":"select"}`), invalid(/Type/)],
    ["no archive", post(`{"Type":"archive-retrieval"}`), missing("ArchiveId")],
    ["a number as archive", post(`{"Type":"archive-retrieval","ArchiveId":5}`), invalid(/ArchiveId/)],
    ["a path as archive", post(`{"Type":"archive-retrieval","ArchiveId":"../../journal"}`), invalid(/ArchiveId/)],
    [
      "a number as selection",
      post(`{"Type":"inventory-retrieval","InventoryRetrievalParameters":5}`),
      invalid(/Inventory/)
    ],
    [
      "an object as limit",
      post(`{"Type":"inventory-retrieval","InventoryRetrievalParameters":{"Limit":{}}}`),
      invalid(/Limit/)
    ],
    ["a prototype", post(`{"__proto__":{"Type":"inventory-retrieval"}}`), missing("Type")],
    ["100,000 levels", post("[".repeat(100_000) + "]".repeat(100_000)), serialization],
    ["100,000 levels as type", post(`{"Type":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), serialization],
    ["2 MiB", post(`{"Type":"${"x".repeat(2 * mebibyte)}"}`), badRequest]
  ],
  targets: [
    target("/-/vaults/.."),
    target("/-/vaults/../vaults/hostile"),
    target("/-/vaults/hostile/./jobs"),
    target("/-/vaults/%2e%2e"),
    target("/-/vaults/%2E%2E%2Fvaults"),
    target("/-/vaults/hos%2Ftile"),
    target("/-/vaults/hos%5Ctile"),
    target("/-/vaults/hos%00tile"),
    target("//-/vaults"),
    target("/-//vaults"),
    target("/-/vaults/"),
    target("/-/vaults/%zz"),
    target("/-/vaults/%ff"),
    target("/-/vaults?marker=%zz"),
    target("http://127.0.0.1"),
    target("http:///-/vaults"),
    target("ftp://127.0.0.1/-/vaults"),
    target("*"),
    target("/"),
    target("/vaults"),
    target("/-/vaults/hostile/nothing"),
    target(`/-/vaults/${"/a".repeat(4000)}`),
    ["a legal character too many", { target: "/-/vaults/hos%20tile" }, invalid(/vault/i)],
    ["256 characters", { target: `/-/vaults/${"a".repeat(256)}` }, invalid(/vault/i)]
  ],
  numbers: [
    ...["0", "-1048576", "1048576.0", "1e6", "0x100000", "1 048 576", "1048577", "9".repeat(400), "NaN"].map((
      size
    ): Case => [
      `a part size of ${size}`,
      {
        method: "POST",
        target: `${vault}/multipart-uploads`,
        headers: { "x-amz-part-size": size, "content-length": "0" }
      },
      invalid(/^Invalid part size: /)
    ]),
    ...["0", "-1", "1.5", "1e1", "0x1", "%201", "Infinity", "%D9%A3", ""].map((limit): Case => [
      `a limit of ${limit}`,
      { target: `/-/vaults?limit=${limit}` },
      invalid(/limit/)
    ]),
    ["a limit above all", { target: "/-/vaults?limit=1000" }, [200]],
    ["a marker of others", { target: "/-/vaults?marker=..%2F..%2Fetc" }, invalid(/marker/)],
    [
      "a status of others",
      { target: `${jobs}?statuscode=__proto__` },
      invalid(/^The job status code is not valid: __proto__$/)
    ]
  ],
  names: [
    ["__proto__ as a vault", { target: "/-/vaults/__proto__" }, [404, "ResourceNotFoundException"]],
    ["constructor as a job", { target: `${jobs}/constructor` }, [404, "ResourceNotFoundException"]],
    ["toString as an upload", { target: `${vault}/multipart-uploads/toString` }, [404, "ResourceNotFoundException"]],
    ["hasOwnProperty as a vault", {
      method: "PUT",
      target: "/-/vaults/hasOwnProperty",
      headers: { "content-length": "0" }
    }, [201]],
    ["hasOwnProperty again", { target: "/-/vaults/hasOwnProperty" }, [200]]
  ],
  methods: [
    ["PATCH", { method: "PATCH" }, badRequest],
    ["OPTIONS", { method: "OPTIONS" }, badRequest],
    ["TRACE", { method: "TRACE" }, badRequest],
    ["PROPFIND", { method: "PROPFIND" }, badRequest],
    ["HEAD", { method: "HEAD" }, [400]]
  ],
  descriptions: [
    ["1,024 characters", description("x".repeat(1024)), [201]],
    ["1,025 characters", description("x".repeat(1025)), invalid(/description/)],
    ["a tab", description("a\tb"), invalid(/description/)],
    ["Latin-1", description("caf\xe9"), invalid(/description/)],
    // The bytes of UTF-8, read as Latin-1: not the text that was signed.
    ["UTF-8", {
      ...description("caf\xe9"),
      tamper: { "x-amz-archive-description": "caf\xc3\xa9" }
    }, badSignature(/does not match/)]
  ],
  uploads: [
    ["no bytes", { ...upload(archives, Buffer.alloc(0)) }, invalid(/^Invalid Content-Length: 0$/)],
    ["4 GiB + 1, announced", {
      ...upload(archives, Buffer.alloc(0), { "content-length": "4294967297" })
    }, invalid(/^Invalid Content-Length: 4294967297$/)],
    ["no length", {
      method: "POST",
      target: archives,
      headers: { ...hashes(Buffer.from("bytes")), "transfer-encoding": "chunked" }
    }, missing("Content-Length")],
    ["no content hash", { method: "POST", target: archives, body: "bytes" }, missing("x-amz-content-sha256")],
    [
      "no tree hash",
      upload(archives, Buffer.from("bytes"), { "x-amz-sha256-tree-hash": undefined }),
      missing("x-amz-sha256-tree-hash")
    ],
    [
      "half a tree hash",
      upload(archives, Buffer.from("bytes"), { "x-amz-sha256-tree-hash": "ab" }),
      invalid(/tree-hash/)
    ],
    ["another body", {
      ...upload(archives, Buffer.from("bytes"), hashes(Buffer.from("bites")))
    }, badSignature(/x-amz-content-sha256/)],
    [
      "another tree",
      upload(archives, Buffer.from("bytes"), { "x-amz-sha256-tree-hash": treeHash(Buffer.from("bites")) }),
      invalid(/^Checksum mismatch: expected [0-9a-f]{64}, computed [0-9a-f]{64}$/)
    ],
    [
      "an unsigned payload",
      upload(archives, Buffer.from("bytes"), { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }),
      badSignature(/./)
    ]
  ]
}

/** An open upload of parts of 1 MiB. */
const multipart = Effect.gen(function*() {
  const initiated = yield* exchange({
    method: "POST",
    target: `${vault}/multipart-uploads`,
    headers: { "x-amz-part-size": String(mebibyte), "content-length": "0" }
  })
  expect(initiated.status).toBe(201)
  return `${vault}/multipart-uploads/${initiated.headers["x-amz-multipart-upload-id"]}`
})

const asPart = { "content-range": `bytes 0-${mebibyte - 1}/*` }

const hostile = (it: Vitest.MethodsNonLive<HttpServer.HttpServer | NodeEmulator.Address, true>) => {
  for (const [table, cases] of Object.entries(tables)) {
    it.effect(`rejects invalid ${table}, and accepts valid ones`, () =>
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

  it.scoped("works while 200 connections are silent and 20 have sent half a request", () =>
    Effect.gen(function*() {
      yield* Effect.replicateEffect(connect, 200, { concurrency: 20 })
      for (const connection of yield* Effect.replicateEffect(connect, 20)) {
        yield* connection.write((yield* Support.head(connection.port, {})).slice(0, 100))
      }
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

layer(server(), { excludeTestServices: true })("an emulator over TCP", hostile)
layer(server(true), { excludeTestServices: true })("an emulator over TLS", hostile)

describe("an emulator on disk", () => {
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
