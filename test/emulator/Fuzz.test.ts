/** Whatever it is sent, the emulator answers, and as the service's model allows. */
import { FileSystem, HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer, Stream } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }
import * as Support from "./support.ts"

const { call, createVault, hashes, ramp, text, vault } = Support

// Requests ------------------------------------------------------------------------------------------------------------

const MiB = 1_048_576

/** Words in braces stand for the ids of what `fill` stores. */
const placeholder = /\{(\w+)\}/g

const strange = fc.oneof(
  fc.constantFrom("", ".", "..", "%2e%2e", "%2F", "%", "%00", "%ff", "..%2f..%2fetc", "%5C", "a".repeat(300), "💩"),
  fc.constantFrom("__proto__", "constructor", "toString", "-1", "0", "123456789012", "999999999999", "A".repeat(92)),
  fc.string({ unit: "grapheme", maxLength: 12 })
)

const segment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("-", "photos", "{archive}", "{upload}", "{job}", "{inventory}", "films") },
  { weight: 1, arbitrary: strange }
)

/** Mostly something ordinary. */
const mostly = <A>(ordinary: fc.Arbitrary<A>, other: fc.Arbitrary<A>) =>
  fc.oneof({ weight: 9, arbitrary: ordinary }, { weight: 1, arbitrary: other })

const all = Object.values(model.operations)

const operation = mostly(
  fc.constantFrom(...all.filter(({ uri }) => /vaultName\}$|archives|multipart|jobs/.test(uri))),
  fc.constantFrom(...all)
)

/** The target of an operation; now and then with segments put in, taken out or changed. */
const target = (uri: string) => {
  const right: Record<string, string> = { accountId: "-", vaultName: "photos", uploadId: "{upload}" }
  const ids = { archiveId: fc.constant("{archive}"), jobId: fc.constantFrom("{job}", "{inventory}") }
  const segments = uri.split("?")[0]!.slice(1).split("/").map((part) => {
    const name = part.startsWith("{") ? part.slice(1, -1) : undefined
    if (name === undefined) return fc.constant(part)
    const usual = name === "archiveId" || name === "jobId" ? ids[name] : fc.constant(right[name] ?? part)
    return mostly(usual, segment)
  })
  const mutation = fc.record({ at: fc.nat(6), remove: fc.nat(1), insert: fc.array(segment, { maxLength: 2 }) })
  const whole = fc.tuple(...segments)
  return mostly(
    whole,
    fc.tuple(whole, mutation).map(([path, { at, insert, remove }]) => [
      ...path.slice(0, at),
      ...insert,
      ...path.slice(at + remove)
    ])
  ).map((path) => "/" + path.join("/"))
}

const line = fc.oneof(fc.stringMatching(/^[ -~]{0,30}$/), fc.stringMatching(/^[\x20-\xff]{0,30}$/))

const value = (...values: ReadonlyArray<string>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: line })

const hex = ["0".repeat(64), Support.treeHash(text("bytes")), Support.treeHash(ramp(10)), "0".repeat(63)]

const headers = fc.record({
  "x-amz-glacier-version": value("2012-06-01", "2012-06-02"),
  "x-amz-part-size": value("1048576", "4294967296", "0", "1e6", "-1", "99999999999999999999"),
  "x-amz-archive-size": value("10", "0", "1048576", "1.5", "99999999999999999999"),
  "x-amz-archive-description": value("some", " ", "\t", "~".repeat(1025)),
  "x-amz-content-sha256": value(...hex, "UNSIGNED-PAYLOAD"),
  "x-amz-sha256-tree-hash": value(...hex),
  "content-range": value("bytes 0-9/*", "bytes 0-4/*", "bytes 1048576-1048585/*", "bytes 9-0/*", "bytes 0-9/10"),
  "content-length": value("0", "10", "4294967297", "-1", "1e3", "NaN"),
  "content-type": value("application/json", "text/plain", "multipart/form-data"),
  "transfer-encoding": value("chunked"),
  range: value(
    "bytes=0-2",
    "bytes=3-",
    "bytes=-3",
    "bytes=99-",
    "bytes=9-0",
    "bytes=0-1,2-3",
    "bytes=0-99999999999999999"
  ),
  authorization: value(
    "AWS4-HMAC-SHA256 Credential=A/19700101/r/glacier/aws4_request, SignedHeaders=host, Signature=0"
  ),
  "x-amz-date": value("20120601T000000Z", "20121399T000000Z"),
  "x-amz-security-token": value("token"),
  date: value("Fri, 01 Jun 2012 00:00:00 GMT"),
  expect: value("100-continue"),
  constructor: line,
  "x-anything": line
})

/** Most requests have no header, or a few, beyond those that their operation wants. */
const someHeaders = fc.tuple(headers, fc.array(fc.nat(40), { maxLength: 3 })).map(([headers, chosen]) =>
  Object.fromEntries(Object.entries(headers).filter((_, index) => chosen.includes(index)))
)

const query = fc.dictionary(
  fc.oneof(fc.constantFrom("limit", "marker", "statuscode", "completed", "operation", "X-Amz-Signature"), fc.string()),
  fc.oneof(
    fc.constantFrom("", "0", "1", "50", "51", "-1", "1e1", "99999999999999999999", "true", "Succeeded", "add"),
    fc.constantFrom("{job}", "{upload}", "arn:aws:glacier:us-east-1:123456789012:vaults/photos", "%", "+", "&="),
    fc.string({ unit: "grapheme" })
  ),
  { maxKeys: 3 }
)

const jobFields = fc.record({
  Type: value("archive-retrieval", "inventory-retrieval", "select"),
  ArchiveId: value("{archive}"),
  Description: value("", "some", "~".repeat(1025)),
  Tier: value("Expedited", "Standard", "Bulk"),
  Format: value("JSON", "CSV"),
  RetrievalByteRange: value("0-4", "0-1048575", "4-0", "1048576-1048580", "0-99999999999999999999"),
  SNSTopic: value("arn:aws:sns:us-east-1:123456789012:topic"),
  InventoryRetrievalParameters: fc.oneof(
    fc.record({
      StartDate: value("2012-06-01T00:00:00Z", "2012-06-01T00:00:00UTC", "2999-01-01T00:00:00+25:00"),
      EndDate: value("2999-01-01T00:00:00Z", "+275760-09-13T00:00:01Z"),
      Limit: fc.oneof(value("1", "0", "1e3"), fc.double(), fc.integer()),
      Marker: value("AAAA", "1")
    }, { requiredKeys: [] }),
    fc.jsonValue()
  )
})

/** The parameters of a job that are right but for a few. */
const jobs = fc.tuple(
  fc.constantFrom({ Type: "archive-retrieval", ArchiveId: "{archive}" }, { Type: "inventory-retrieval" }),
  jobFields,
  fc.array(fc.nat(7), { maxLength: 2 })
).map(([right, fields, chosen]) => ({
  ...right,
  ...Object.fromEntries(Object.entries(fields).filter((_, index) => chosen.includes(index)))
}))

type Body = string | Uint8Array | { readonly stream: Stream.Stream<Uint8Array, unknown>; readonly length?: number }

const chunks = Stream.make(ramp(5), ramp(5, 5))

const anyBody: fc.Arbitrary<{ readonly name: string; readonly body: Body | undefined }> = fc.oneof(
  fc.constant({ name: "none", body: undefined }),
  fc.constantFrom(ramp(10), text("bytes"), ramp(MiB + 1)).map((body) => ({ name: `${body.length} bytes`, body })),
  fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom("Tags", "Policy", "SNSTopic", "Events"), fc.jsonValue()))
    .map((json) => ({ name: JSON.stringify(json), body: JSON.stringify(json) })),
  fc.oneof(fc.string(), fc.constantFrom("{", "[]", "null", "[".repeat(100_000), "{\"Type\":\"\ud800\"}"))
    .map((body) => ({ name: body, body })),
  fc.uint8Array({ maxLength: 50 }).map((body) => ({ name: `bytes ${body.join()}`, body })),
  fc.constantFrom(
    { name: "chunked", body: { stream: chunks } },
    { name: "10 in chunks", body: { stream: chunks, length: 10 } },
    { name: "too short", body: { stream: chunks, length: 11 } },
    { name: "too long", body: { stream: chunks, length: 9 } },
    { name: "broken off", body: { stream: Stream.concat(chunks, Stream.fail("gone")), length: 20 } },
    { name: "stalled", body: { stream: Stream.concat(chunks, Stream.never), length: 20 } }
  )
)

const bodyOf = (uri: string) =>
  uri.endsWith("/jobs")
    ? fc.oneof({ weight: 3, arbitrary: jobs.map((job) => JSON.stringify(job)).map((body) => ({ name: body, body })) }, {
      weight: 1,
      arbitrary: anyBody
    })
    : anyBody

const method = fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "get", "BREW")

const request = operation.chain((operation) =>
  fc.record({
    method: mostly(fc.constant(operation.method), method),
    target: mostly(target(operation.uri), fc.array(segment, { maxLength: 7 }).map((path) => "/" + path.join("/"))),
    query: fc.oneof(fc.constant({}), query),
    /** Whether the headers are there that its operation wants: without them few requests get far. */
    usual: fc.nat(4).map((n) => n > 0),
    headers: someHeaders,
    body: bodyOf(operation.uri),
    unsigned: fc.nat(9).map((n) => n === 0)
  })
)

type Request = typeof request extends fc.Arbitrary<infer A> ? A : never

/** The headers of a right request for a part, an upload, or their completion. */
const usualHeaders = (bytes: Uint8Array): Record<string, string> => ({
  "x-amz-part-size": String(MiB),
  "x-amz-archive-size": "10",
  "content-range": `bytes 0-${bytes.length - 1}/*`,
  ...hashes(bytes)
})

/** One of each kind, and their ids. */
const fill = Effect.gen(function*() {
  yield* createVault("photos")
  const archive = yield* Support.upload("photos", text("bytes"), "some")
  const started = yield* call("POST", `${vault("photos")}/multipart-uploads`, {
    headers: { "x-amz-part-size": String(MiB) }
  })
  const upload = started.headers["x-amz-multipart-upload-id"] ?? ""
  yield* call("PUT", `${vault("photos")}/multipart-uploads/${upload}`, {
    body: ramp(10),
    headers: { ...hashes(ramp(10)), "content-range": "bytes 0-9/*" }
  })
  const job = yield* Support.initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive })
  const inventory = yield* Support.initiateJob("photos", { Type: "inventory-retrieval" })
  return { archive, upload, job, inventory }
})

/** Sends a request and reads the answer, within a time that tells a hang from a slow machine. */
const send = (request: Request, ids: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const named = (text: string) => text.replace(placeholder, (word, name: string) => ids[name] ?? word)
    const { body } = request.body
    // What is signed is what is sent: a URL leaves out `..` and encodes what it must.
    const url = new URL(`https://${Support.host}`)
    url.pathname = named(request.target)
    for (const [name, value] of Object.entries(request.query)) url.searchParams.set(name, named(value))
    const payload = typeof body === "string" ? text(named(body)) : body
    const headers = yield* Support.sign(request.method as "POST", url.pathname, {
      query: Object.fromEntries(url.searchParams),
      headers: {
        ...(request.usual && usualHeaders(payload instanceof Uint8Array ? payload : ramp(10))),
        ...request.headers
      },
      unsigned: request.unsigned,
      ...(payload instanceof Uint8Array && { body: payload })
    })
    const client = HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false)
    const answer = yield* client.execute(
      HttpClientRequest.make(request.method as "POST")(url, {
        headers,
        body: payload === undefined
          ? HttpBody.empty
          : payload instanceof Uint8Array
          ? HttpBody.uint8Array(payload)
          : HttpBody.stream(payload.stream, undefined, payload.length)
      })
    )
    return { path: url.pathname, status: answer.status, headers: answer.headers, text: yield* answer.text }
  }).pipe(Effect.timeout("5 seconds"), Effect.scoped)

// Answers -------------------------------------------------------------------------------------------------------------

const errors: Readonly<Record<string, { readonly status: number; readonly type: string }>> = model.errors

/** The statuses of success of the operations that a method and a path can mean. */
const successes = (method: string, path: string) =>
  Object.values(model.operations)
    .filter((operation) => operation.method === method)
    .filter(({ uri }) => new RegExp(`^${uri.split("?")[0]!.replace(placeholder, "[^/]+")}$`).test(path))
    .flatMap(({ success_status }) => success_status)

/** An answer of success that the model knows, or an error of the service that is not the emulator's own failure. */
const expectAnswer = (
  method: string,
  { headers, path, status, text }: Effect.Effect.Success<ReturnType<typeof send>>
) => {
  expect(headers["x-amzn-requestid"]).toMatch(/^[\w-]{47}$/)
  expect(Date.parse(headers["date"] ?? "")).not.toBeNaN()
  if (status < 300) {
    expect(successes(method, path)).toContain(status)
    if ([201, 202, 204].includes(status)) expect([text, headers["content-type"]]).toEqual(["", undefined])
    else if (headers["content-type"] === "application/json" && status === 200) JSON.parse(text)
    return
  }
  expect(headers["content-type"]).toBe("application/json")
  if (method === "HEAD") return expect(status).toBe(400)
  const { code, message, type, ...rest } = JSON.parse(text)
  expect(rest).toEqual({})
  expect(message).toEqual(expect.stringMatching(/./))
  expect(Object.keys(errors)).toContain(code)
  expect({ code, status, type }).toEqual({ code, status: errors[code]?.status, type: errors[code]?.type })
  expect(code).not.toBe("ServiceUnavailableException")
}

/** Sends them one after the other to an emulator that has one of each kind. */
const sendAll = (requests: ReadonlyArray<Request>) =>
  Effect.gen(function*() {
    const ids = yield* fill
    for (const request of requests) expectAnswer(request.method, yield* send(request, ids))
    expect((yield* call("GET", "/-/vaults")).status).toBe(200)
  })

const options = { jobDelay: 0, inventoryDelay: 0, bodyTimeout: "20 millis" } as const

const requests = fc.array(request, { minLength: 1, maxLength: 8 })

describe("whatever it is sent", () => {
  it.live.prop(
    "the emulator answers as the model allows",
    [requests],
    ([requests]) => Effect.provide(sendAll(requests), Support.layer(options)),
    { timeout: 60_000, fastCheck: { numRuns: 300 } }
  )

  it.live.prop(
    "it touches no file outside its folder, which another emulator can open",
    [requests],
    ([requests]) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const parent = yield* fs.makeTempDirectoryScoped({ prefix: "fuzz-" })
        yield* fs.makeDirectory(`${parent}/data`)
        yield* fs.writeFileString(`${parent}/archives`, "untouched")
        const outside = Effect.map(fs.readDirectory(parent, { recursive: true }), (names) =>
          names.filter((name) => !name.startsWith("data/")).sort())
        const emulator = Emulator.layerHttpClient.pipe(
          Layer.provide(Emulator.layerFile({ ...options, directory: `${parent}/data` })),
          Layer.provide(Support.layerSha256)
        )
        const listed = Effect.map(call("GET", "/-/vaults"), ({ text }) =>
          text)
        const before = yield* Effect.provide(Effect.zipRight(sendAll(requests), listed), emulator)
        expect(yield* Effect.provide(listed, emulator)).toBe(before)
        expect(yield* outside).toEqual(["archives", "data"])
        expect(yield* fs.readFileString(`${parent}/archives`)).toBe("untouched")
      }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)),
    { timeout: 60_000, fastCheck: { numRuns: 100 } }
  )
})
