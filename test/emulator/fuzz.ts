/** Generates requests from the descriptions of the operations, alters some, and checks the responses. */
import { HttpBody, HttpClient, HttpClientRequest, HttpServerRequest } from "@effect/platform"
import { expect } from "@effect/vitest"
import { Effect, Either, FastCheck as fc, Stream } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import * as InProcessClient from "../../src/emulator/internal/inProcessClient.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }
import * as Support from "./support.ts"

const { call, createVault, hashes, ramp, text, vault } = Support

const MiB = 1_048_576

const all: ReadonlyArray<Operation.Any> = Object.values(operations)

const byName: ReadonlyMap<string, Operation.Any> = new Map(all.map((operation) => [operation.name, operation]))

// Valid values ---------------------------------------------------------------------------------------------------------

/** Words in braces stand for the ids of the resources that `fill` stores. */
const placeholder = /\{(\w+)\}/g

const policy = JSON.stringify({
  Statement: { Effect: "Deny", Principal: "*", Action: "glacier:ListJobs", Resource: "*" }
})

const topic = "arn:aws:sns:us-east-1:123456789012:topic"

const bodies: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  AddTagsToVault: [{ Tags: { year: "2012", "a b": "" } }],
  RemoveTagsFromVault: [{ TagKeys: ["year", "never there"] }],
  SetVaultNotifications: [{ SNSTopic: topic, Events: ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"] }],
  SetVaultAccessPolicy: [{ Policy: policy }],
  InitiateVaultLock: [{ Policy: policy }],
  SetDataRetrievalPolicy: [
    { Policy: { Rules: [{ Strategy: "BytesPerHour", BytesPerHour: 1000 }] } },
    { Policy: { Rules: [{ Strategy: "None" }] } }
  ],
  InitiateJob: [
    { Type: "archive-retrieval", ArchiveId: "{archive}", Tier: "Bulk", Description: "some" },
    { Type: "archive-retrieval", ArchiveId: "{archive}", RetrievalByteRange: "0-4", SNSTopic: topic },
    {
      Type: "inventory-retrieval",
      Format: "CSV",
      InventoryRetrievalParameters: { StartDate: "1970-01-01T00:00:00Z", EndDate: "2999-01-01T00:00:00Z", Limit: "1" }
    }
  ]
}

/** The values of path variables and headers. All other headers are optional. */
const rights: Readonly<Record<string, ReadonlyArray<string>>> = {
  accountId: ["-", "-", Support.account],
  archiveId: ["{archive}"],
  jobId: ["{job}", "{inventory}"],
  lockId: ["{lock}"],
  uploadId: ["{upload}"],
  "content-range": ["bytes 0-9/*"],
  "x-amz-archive-size": ["10"],
  "x-amz-content-sha256": [hashes(ramp(10))["x-amz-content-sha256"]],
  "x-amz-part-size": [String(MiB)],
  "x-amz-sha256-tree-hash": [Support.treeHash(ramp(10))]
}

/** The vault that suits an operation: most need a full vault, some need an empty or a locked one. */
const vaultFor = (name: string) =>
  name === "DeleteVault" || name === "InitiateVaultLock"
    ? "films"
    : name === "CompleteVaultLock" || name === "AbortVaultLock"
    ? "locked"
    : "photos"

/** A body in chunks, some of which never arrive. */
interface Trickle {
  readonly stream: Stream.Stream<Uint8Array, unknown>
  readonly length: number | undefined
}

interface Parts {
  readonly method: string
  readonly path: ReadonlyArray<string>
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly document: unknown
  readonly body?: string | Uint8Array | Trickle
}

/** A valid request of an operation. */
const right = (operation: Operation.Any, choice: number): Parts => {
  const pick = <A>(values: ReadonlyArray<A> = []) => values[choice % Math.max(1, values.length)]
  const fields = Object.values(operation.input)
  const isUpload = fields.some((field) => field.in === "bytes")
  return {
    method: operation.method,
    path: operation.path.slice(1).split("/").map((part) => {
      if (!part.startsWith("{")) return part
      const name = part.slice(1, -1)
      return name === "vaultName" ? vaultFor(operation.name) : pick(rights[name]) ?? ""
    }),
    query: operation.query === undefined ? [] : [operation.query],
    headers: Object.fromEntries(
      fields.filter((field) => field.in === "header").map(({ name }) => [name, pick(rights[name])])
    ),
    document: pick(bodies[operation.name]),
    ...(isUpload && { body: ramp(10) })
  }
}

// Invalid values -----------------------------------------------------------------------------------------------------------

const numbers = ["-1", "0", "1", "10", "1e3", "1.5", "9007199254740992", "9223372036854775808", "9".repeat(20)]

const strange = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    ".",
    "..",
    "../..",
    "%2e%2e",
    "%2F",
    "%",
    "%00",
    "\0",
    "%ff",
    "..%2f..%2fetc",
    "%5C",
    "#",
    "?"
  ),
  fc.constantFrom("__proto__", "constructor", "toString", "💩", "a".repeat(300), "A".repeat(92)),
  fc.constantFrom(...numbers),
  fc.string({ unit: "binary", maxLength: 12 })
)

/** Values that are valid in some place. */
const ordinary = fc.constantFrom(
  ...["-", "999999999999", "photos", "films", "locked", "never", "2012-06-02", "Succeeded", "true", "add", "remove"],
  ...["{archive}", "{upload}", "{job}", "{inventory}", "{lock}", "0".repeat(64), Support.treeHash(text("bytes"))],
  ...["1048576", "4294967296", "bytes 1048576-1048585/*", "bytes 9-0/*", "0-4", "0-1048575", "100-continue"],
  ...["bytes=0-2", "bytes=3-", "bytes=-3", "bytes=99-", "bytes=0-1,2-3", "bytes=0-99999999999999999", "~".repeat(1025)],
  ...["Bulk", "CSV", "select", "2999-01-01T00:00:00+25:00", "+275760-09-13T00:00:01Z", "{\"Statement\":[]}"]
)

const words = fc.oneof({ weight: 2, arbitrary: ordinary }, { weight: 1, arbitrary: strange })

/** Texts that a header can have. */
const line = words.filter((word) => /^[\x20-\xff]*$/.test(word))

const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels)

const json: fc.Arbitrary<unknown> = fc.oneof(
  words,
  fc.constantFrom<unknown>(undefined, null, [], {}, "", 0, -1, 1.5, 2 ** 53, 2 ** 63, 1e300, true),
  fc.jsonValue(),
  words.map((key) => Object.fromEntries([[key, key], ["__proto__", key]]))
)

const chunks = Stream.range(0, 9).pipe(Stream.map((n) => Uint8Array.of(n)))

/** A deeply nested document, whatever field an operation reads. */
const deepMembers = (levels: number) => {
  const names = ["Description", "InventoryRetrievalParameters", "SNSTopic", "Events", "Tags", "TagKeys", "Policy"]
  return `{"Type":"inventory-retrieval",${names.map((name) => `"${name}":${deep(levels)}`).join()}}`
}

const bytes: fc.Arbitrary<string | Uint8Array | Trickle> = fc.oneof(
  fc.constantFrom<Uint8Array | string>(ramp(1), ramp(MiB), ramp(MiB + 1), new Uint8Array(), deep(100), deep(200_000)),
  fc.constantFrom(deepMembers(16), deepMembers(8_000), JSON.stringify({ Policy: deep(8_000) })),
  fc.constantFrom("{", "[]", "null", "\"\"", "{\"Policy\":{}}", "\ufeff{}", "{\"Tags\":{\"a\":\"\",\"a\":\"b\"}}"),
  fc.constantFrom(
    { name: "10 in chunks", stream: chunks, length: undefined },
    { name: "too short", stream: chunks, length: 11 },
    { name: "too long", stream: chunks, length: 9 },
    { name: "broken off", stream: Stream.concat(chunks, Stream.fail("gone")), length: 20 },
    { name: "stalled", stream: Stream.concat(chunks, Stream.never), length: 20 }
  ),
  fc.uint8Array({ maxLength: 64 })
)

const headerNames = [
  ...new Set(
    all.flatMap(({ input }) => Object.values(input)).filter((one) => one.in === "header").map(({ name }) => name)
  ),
  ...["x-amz-glacier-version", "x-amz-date", "x-amz-security-token", "authorization", "date", "content-length"],
  ...["content-type", "transfer-encoding", "expect", "cookie", "constructor", "x-anything"]
]

const queryNames = [
  ...new Set(
    all.flatMap(({ input }) => Object.values(input)).filter((one) => one.in === "query").map(({ name }) => name)
  ),
  ...["operation", "X-Amz-Signature", "__proto__", ""]
]

/** A change of one field: it is replaced, removed or added. */
const alteration = fc.oneof(
  fc.record({
    part: fc.constant<"path">("path"),
    at: fc.nat(6),
    remove: fc.nat(1),
    insert: fc.array(words, { maxLength: 2 })
  }),
  fc.record({
    part: fc.constant<"query">("query"),
    name: fc.oneof(fc.constantFrom(...queryNames), strange),
    value: words
  }),
  fc.record({
    part: fc.constant<"header">("header"),
    name: fc.constantFrom(...headerNames),
    value: fc.option(line, { nil: undefined })
  }),
  fc.record({ part: fc.constant<"json">("json"), at: fc.nat(8), value: json }),
  fc.record({ part: fc.constant<"body">("body"), value: bytes }),
  fc.record({
    part: fc.constant<"method">("method"),
    value: fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "get", "BREW")
  })
)

type Alteration = typeof alteration extends fc.Arbitrary<infer A> ? A : never

/** Replaces the node with this number in a document. */
const replaced = (document: unknown, at: number, value: unknown): unknown => {
  let left = at
  const visit = (node: unknown): unknown => {
    if (left-- === 0) return value
    if (Array.isArray(node)) return node.map(visit)
    if (typeof node !== "object" || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, visit(member)]))
  }
  return visit(document)
}

const altered = (parts: Parts, change: Alteration): Parts => {
  switch (change.part) {
    case "path": {
      const { at, insert, remove } = change
      return { ...parts, path: [...parts.path.slice(0, at), ...insert, ...parts.path.slice(at + remove)] }
    }
    case "query":
      return { ...parts, query: [...parts.query, [change.name, change.value]] }
    case "header":
      return { ...parts, headers: { ...parts.headers, [change.name]: change.value } }
    case "json":
      return { ...parts, document: replaced(parts.document, change.at, change.value) }
    case "body":
      return { ...parts, body: change.value }
    default:
      return { ...parts, method: change.value }
  }
}

/** Requests of which half are valid; the others have a few errors. */
export const request = fc.record({
  operation: fc.constantFrom(...all.map(({ name }) => name)),
  choice: fc.nat(5),
  changes: fc.oneof(fc.constant([]), fc.array(alteration, { minLength: 1, maxLength: 3 })),
  /** The target as clients send it, as proxies receive it, or in a form that no client sends. */
  prefix: fc.oneof(
    { weight: 9, arbitrary: fc.constant("") },
    fc.constantFrom("http://host", "HTTPS://h:1", "//h", "*")
  ),
  unsigned: fc.nat(19).map((n) => n === 0)
})

export type Request = typeof request extends fc.Arbitrary<infer A> ? A : never

// Sending ---------------------------------------------------------------------------------------------------------------

/** Makes a resource of each kind, and returns their ids. */
export const fill = Effect.gen(function*() {
  for (const name of ["photos", "films", "locked"]) yield* createVault(name)
  const photos = vault("photos")
  const archive = yield* Support.upload("photos", text("bytes"), "some")
  const started = yield* call("POST", `${photos}/multipart-uploads`, { headers: { "x-amz-part-size": String(MiB) } })
  const upload = started.headers["x-amz-multipart-upload-id"] ?? ""
  yield* call("PUT", `${photos}/multipart-uploads/${upload}`, {
    body: ramp(10),
    headers: { ...hashes(ramp(10)), "content-range": "bytes 0-9/*" }
  })
  const job = yield* Support.initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive })
  const inventory = yield* Support.initiateJob("photos", { Type: "inventory-retrieval" })
  const set = (path: string, name: string) => call("PUT", path, { body: JSON.stringify(bodies[name]?.[0]) })
  yield* set(`${photos}/notification-configuration`, "SetVaultNotifications")
  const allowing = JSON.stringify({ Policy: policy.replace("Deny", "Allow") })
  yield* call("PUT", `${photos}/access-policy`, { body: allowing })
  const locked = yield* call("POST", `${vault("locked")}/lock-policy`, { body: allowing })
  yield* call("POST", `${photos}/lock-policy`, { body: allowing })
  return { archive, upload, job, inventory, lock: locked.headers["x-amz-lock-id"] ?? "" }
})

const named = (value: string, ids: Readonly<Record<string, string>>) =>
  value.replace(placeholder, (word, name: string) => ids[name] ?? word)

/** Sends a request unchanged and reads the response. The timeout is long enough for a slow machine. */
export const send = (request: Request, ids: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const { document, headers, method, path, query, ...parts } = request.changes.reduce(
      altered,
      right(byName.get(request.operation)!, request.choice)
    )
    const word = (value: string) => named(value, ids)
    const target = "/" + path.map(word).join("/")
    const pairs = query.map(([name, value]) => [word(name), word(value)] as const)
    const search = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&")
    const url = request.prefix + target + (search === "" ? "" : `?${search}`)
    const body = parts.body ?? JSON.stringify(document)
    const payload = typeof body === "string" ? text(word(body)) : body
    const signed = yield* Support.sign(method as "POST", target, {
      // A name can occur several times, though few clients sign such a request.
      query: Object.fromEntries(
        pairs.map(([name]) => [name, pairs.filter((one) => one[0] === name).map(([, value]) => value)])
      ) as never,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value === undefined ? undefined : word(value)])
      ),
      unsigned: request.unsigned,
      ...(payload instanceof Uint8Array && { body: payload })
    })
    const { app } = yield* Emulator.Emulator
    const client = HttpClient.withTracerPropagation(
      InProcessClient.make(
        Effect.updateService(app, HttpServerRequest.HttpServerRequest, (incoming) => incoming.modify({ url }))
      ),
      false
    )
    const response = yield* client.execute(
      HttpClientRequest.make(method as "POST")("https://glacier", {
        headers: signed,
        body: payload === undefined
          ? HttpBody.empty
          : payload instanceof Uint8Array
          ? HttpBody.uint8Array(payload, "")
          : HttpBody.stream(payload.stream, undefined, payload.length)
      })
    )
    return { method, url, status: response.status, headers: response.headers, text: yield* response.text }
  }).pipe(Effect.timeout("5 seconds"), Effect.scoped)

// Responses ---------------------------------------------------------------------------------------------------------------

const errors: Readonly<Record<string, { readonly status: number; readonly type: string }>> = model.errors

/** Returns the operations that match a method and a target. */
const meant = (method: string, url: string) => {
  const [path = ""] = url.replace(/^https?:\/\/\w+(:\d)?/i, "").split("?")
  return all.filter((operation) =>
    operation.method === method &&
    new RegExp(`^${operation.path.replace(placeholder, "[^/]+")}$`).test(path)
  )
}

type ReceivedResponse = Effect.Effect.Success<ReturnType<typeof send>>

const decodes = (operation: Operation.Any, { headers, status, text }: ReceivedResponse) =>
  operation.success.includes(status) &&
  Either.isRight(Operation.decode(operation.headers, (field) => headers[field.name])) &&
  (typeof operation.body === "object"
    ? headers["content-type"] === "application/json" && Either.isRight(operation.body.decode(JSON.parse(text)))
    : operation.body === "bytes" || (text === "" && headers["content-type"] === undefined))

/** Expects a success that the operation's description decodes, or an error that the operation lists. */
export const expectValidResponse = (response: ReceivedResponse) => {
  const { headers, method, status, text, url } = response
  expect(headers["x-amzn-requestid"]).toMatch(/^[\w-]{47}$/)
  expect(Date.parse(headers["date"] ?? "")).not.toBeNaN()
  const candidates = meant(method, url)
  if (status < 300) {
    expect(candidates.filter((operation) => decodes(operation, response)), text).not.toEqual([])
    return
  }
  expect(headers["content-type"]).toBe("application/json")
  if (method === "HEAD") return expect(status).toBe(400)
  const { code, message, type, ...rest } = JSON.parse(text)
  expect(rest).toEqual({})
  expect(message).toEqual(expect.stringMatching(/./))
  expect({ code, status, type }).toEqual({ code, status: errors[code]?.status, type: errors[code]?.type })
  expect(code).not.toBe("ServiceUnavailableException")
  // The model lists it for uploads only, but any body can stall.
  if (code === "RequestTimeoutException") return
  if (candidates.length === 0) return expect(code).toBe("BadRequest")
  const tags = candidates.map(({ errors, name }) =>
    ServiceError.fromResponse(errors as ReadonlyArray<ServiceError.Known<{ readonly _tag: string }>>, code, {
      operation: name,
      status,
      message
    })._tag
  )
  expect(tags.some((tag) => tag !== "UnknownServiceError"), text).toBe(true)
}
