import { describe, expect, it, onTestFinished, vi } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import type { InvalidInput } from "../../src/protocol/GlacierError.ts"
import * as Jobs from "../../src/protocol/Jobs.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Names from "../../src/protocol/Names.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { TreeHash } from "../../src/protocol/TreeHash.ts"
import * as Uploads from "../../src/protocol/Uploads.ts"
import * as Vaults from "../../src/protocol/Vaults.ts"
import fixture from "../fixtures/glacier-model.json" with { type: "json" }

interface Shape {
  readonly type: string
  readonly shape?: string | undefined
  readonly members?: Readonly<Record<string, Shape | undefined>> | undefined
  readonly of?: Shape | undefined
}

interface Param extends Shape {
  readonly location: string
  readonly wire_name?: string | undefined
  readonly required: boolean
  readonly constraints?: { readonly required_on_wire?: boolean; readonly default?: string | number } | undefined
}

interface Modelled {
  readonly method: string
  readonly uri: string
  readonly success_status: ReadonlyArray<number>
  readonly params: ReadonlyArray<Param>
  readonly response: {
    readonly headers: ReadonlyArray<{ readonly wire_name: string }>
    readonly body: Shape | null
  }
  readonly errors: ReadonlyArray<{ readonly code: string }>
  readonly idempotent: string
}

const models = new Map<string, Modelled>(Object.entries(fixture.operations))
const all = Object.entries<Operation.Any>(operations).map(([method, operation]) => {
  const model = models.get(operation.name)
  if (model === undefined) throw new Error(`no model of ${operation.name}`)
  return { method, name: operation.name, operation, model }
})
const withJson = all.flatMap(({ model, name, operation }) =>
  typeof operation.body === "object" && model.response.body !== null
    ? [{ name, body: operation.body, shape: model.response.body }]
    : []
)

/** Of the service's retired select jobs: they can be read of a job, not asked for. */
const retired = ["SelectParameters", "OutputLocation"]

/** What may be null or absent in an answer (spec sections 12 and 13.2), by shape. */
const nullable = new Map([
  ["DescribeVaultOutput", ["LastInventoryDate", "NumberOfArchives", "SizeInBytes"]],
  ["ListVaultsOutput", ["Marker"]],
  [
    "GlacierJobDescription",
    [
      ...["ArchiveId", "ArchiveSHA256TreeHash", "ArchiveSizeInBytes", "CompletionDate", "InventorySizeInBytes"],
      ...["InventoryRetrievalParameters", "JobDescription", "JobOutputPath", "RetrievalByteRange", "SHA256TreeHash"],
      ...["SNSTopic", "StatusMessage", "Tier", ...retired]
    ]
  ],
  ["InventoryRetrievalJobDescription", ["EndDate", "Format", "Limit", "Marker", "StartDate"]],
  ["ListJobsOutput", ["Marker"]],
  ["ListPartsOutput", ["ArchiveDescription", "Marker"]],
  ["ListMultipartUploadsOutput", ["Marker"]],
  ["UploadListElement", ["ArchiveDescription"]]
])
const isNullable = (shape: Shape, name: string) => nullable.get(shape.shape ?? "")?.includes(name) === true

const id = "AbC-0_9".repeat(20)
const hash = "0123456789abcdef".repeat(4)
const texts = new Map([
  ...["ArchiveId", "JobId", "MultipartUploadId"].map((name) => [name, id] as const),
  ...["ArchiveSHA256TreeHash", "SHA256TreeHash"].map((name) => [name, hash] as const),
  ...["CompletionDate", "CreationDate", "LastInventoryDate"].map((name) => [name, "2012-05-01T00:00:06.663Z"] as const),
  ...["StartDate", "EndDate"].map((name) => [name, "2012-05-01T00:00:06Z"] as const),
  ...["RangeInBytes", "RetrievalByteRange"].map((name) => [name, "1048576-8589934591"] as const),
  ["Action", "ArchiveRetrieval"],
  ["StatusCode", "Succeeded"],
  ["Tier", "Bulk"],
  ["Format", "JSON"],
  ["Limit", "10000"]
])

/** A value of a shape with all members the model has, but those `blank` names null or absent. */
const sample = (shape: Shape, name = "", blank: (shape: Shape, name: string) => unknown = () => true): unknown => {
  switch (shape.type) {
    case "structure":
      return Object.fromEntries(
        Object.entries(shape.members ?? {}).flatMap(([key, member]) => {
          const keep = blank(shape, key)
          if (member === undefined || keep === undefined) return []
          return [[key, keep === null ? null : sample(member, key, blank)]]
        })
      )
    case "list":
      return shape.of === undefined ? [] : [sample(shape.of, name, blank), sample(shape.of, name, blank)]
    case "long":
      return mebibyte
    case "boolean":
      return true
    default:
      return texts.get(name) ?? `any-${name}`
  }
}

/** Where a decoder finds the fields of a request. */
const reader = (operation: Operation.Any, request: Operation.Request) => (field: Operation.Fields[string]) => {
  switch (field.in) {
    case "path":
      return request.path.split("/")[operation.path.split("/").indexOf(`{${field.name}}`)]
    case "query":
      return new Map(request.query).get(field.name)
    case "header":
      return request.headers[field.name]
    default:
      return request.body
  }
}

const encode = (operation: Operation.Any, input: object): Operation.Request =>
  Either.getOrThrow(Operation.encode(operation, input))

/** A legal value of every input. */
const inputs: Readonly<Record<string, unknown>> = {
  accountId: "012345678901",
  vaultName: "examplevault",
  archiveId: id,
  archiveSize: 42_949_672_960_000,
  body: new Uint8Array([1, 2, 3]),
  completed: true,
  contentSha256: hash,
  description: "a \"text\"",
  jobId: id,
  limit: 50,
  marker: "arn:aws:glacier:us-west-2:012345678901:vaults/a b",
  parameters: { type: "archive-retrieval", archiveId: id },
  partSize: mebibyte,
  range: { start: 0, end: 2 },
  statusCode: "InProgress",
  treeHash: hash,
  uploadId: id
}
const inputOf = (operation: Operation.Any): Record<string, unknown> =>
  Object.fromEntries(Object.keys(operation.input).map((key) => [key, inputs[key]]))

const text = fc.string({ minLength: 1 })
const seconds = Arbitrary.make(Schema.DateTimeUtcFromSelf)
  .map((date) => DateTime.unsafeMake(Math.floor(date.epochMillis / 1_000) * 1_000))
const given = fc.record({
  format: fc.constantFrom("JSON", "CSV"),
  selection: fc.record(
    { startDate: seconds, endDate: seconds, limit: fc.integer({ min: 1 }), marker: fc.string() },
    { requiredKeys: [] }
  ),
  description: Arbitrary.make(Names.Description),
  snsTopic: fc.string()
}, { requiredKeys: [] }).map((rest) => ({ type: "inventory-retrieval", ...rest }))
const arbitraries: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  accountId: Arbitrary.make(Names.AccountId),
  vaultName: Arbitrary.make(Names.VaultName),
  archiveId: Arbitrary.make(Names.ArchiveId),
  archiveSize: Arbitrary.make(Names.ArchiveSize),
  body: fc.uint8Array({ minLength: 1 }),
  completed: fc.boolean(),
  contentSha256: Arbitrary.make(Names.ContentSha256),
  description: Arbitrary.make(Names.Description).filter((description) => description !== ""),
  jobId: Arbitrary.make(Names.JobId),
  limit: fc.integer({ min: 1 }),
  marker: text,
  parameters: fc.oneof(Arbitrary.make(Jobs.ArchiveRetrieval), given),
  partSize: Arbitrary.make(Names.PartSize),
  range: Arbitrary.make(ByteRange.ByteRange),
  statusCode: Arbitrary.make(Jobs.StatusCode),
  treeHash: Arbitrary.make(TreeHash),
  uploadId: Arbitrary.make(Names.UploadId)
}
const inputArbitrary = ({ input }: Operation.Any) =>
  fc.record(
    Object.fromEntries(Object.keys(input).map((key) => [key, arbitraries[key] ?? fc.constant(undefined)])),
    { requiredKeys: Object.keys(input).filter((key) => !input[key]?.optional) }
  )

describe("Operation", () => {
  describe.each(all)("$name as the model has it", ({ method, model, name, operation }) => {
    it("method, path and statuses", () => {
      expect({ method: operation.method, uri: operation.path, success_status: operation.success })
        .toEqual({ method: model.method, uri: model.uri, success_status: model.success_status })
      expect(method).toBe(name[0]?.toLowerCase() + name.slice(1))
      expect(operation.idempotent).toBe(!model.idempotent.startsWith("no"))
    })

    it("inputs", () => {
      const places = new Map([["uri", "path"], ["querystring", "query"], ["header", "header"]])
      const expected = model.params.map(({ constraints, location, required, type, wire_name }) => {
        const where = places.get(location) ?? (type === "blob" ? "bytes" : "json")
        const needed = (required || constraints?.required_on_wire === true) && constraints?.default === undefined
        return `${where} ${wire_name?.toLowerCase() ?? "body"}${needed ? "" : "?"}`
      })
      // Where a body is signed before it is sent, its hash is an input too.
      if (expected.includes("bytes body")) expected.push("header x-amz-content-sha256")
      const fields = Object.values(operation.input)
      expect(fields.map((field) => `${field.in} ${field.name.toLowerCase()}${field.optional ? "?" : ""}`).sort())
        .toEqual(expected.sort())
      for (const field of fields) {
        if (field.in === "header") expect(field.name).toBe(field.name.toLowerCase())
        if (field.in === "path") expect(model.uri).toContain(`{${field.name}}`)
      }
    })

    it("headers and kind of the answer", () => {
      expect(Object.values(operation.headers).map((field) => `${field.in} ${field.name}`).sort())
        .toEqual(model.response.headers.map(({ wire_name }) => `header ${wire_name.toLowerCase()}`).sort())
      const { body } = model.response
      expect(typeof operation.body === "object" ? "structure" : operation.body)
        .toBe(body === null ? "none" : body.type === "blob" ? "bytes" : body.type)
    })

    it("errors", () => {
      const codes = operation.errors.map(({ code }) => code)
      expect(codes).toEqual(expect.arrayContaining(model.errors.map(({ code }) => code)))
      const common = [
        ...["AccessDeniedException", "BadRequest", "ExpiredTokenException", "InvalidSignatureException"],
        ...["MissingAuthenticationTokenException", "ThrottlingException", "UnrecognizedClientException"]
      ]
      expect(codes).toEqual(expect.arrayContaining(common))
      expect(new Set(operation.errors).size).toBe(operation.errors.length)
    })
  })

  describe("requests", () => {
    it.each(all)("of $name come back", ({ operation }) => {
      fc.assert(fc.property(inputArbitrary(operation), (input) => {
        const decoded = Operation.decode(operation.input, reader(operation, encode(operation, input)))
        const expected = Object.entries(operation.input).map(([key, { in: place, optional }]) => {
          const value = place === "path" && optional ? input[key] ?? "-" : input[key]
          return [key, optional ? Option.fromNullable(value) : value]
        })
        expect(decoded).toEqual(Either.right(Object.fromEntries(expected)))
      }))
    })

    it.each(all)("of $name put every input where the model has it", ({ model, operation }) => {
      const { body, headers, path, query } = encode(operation, inputOf(operation))
      const names = (location: string) =>
        model.params.filter((param) => param.location === location)
          .map(({ wire_name }) => wire_name?.toLowerCase()).sort()
      expect(path).not.toMatch(/[{}]/)
      expect(path.split("/")).toHaveLength(model.uri.split("/").length)
      expect(query.map(([name]) => name).sort()).toEqual(names("querystring"))
      expect(Object.keys(headers).filter((name) => name !== "x-amz-content-sha256").sort()).toEqual(names("header"))
      expect(body === undefined).toBe(names("payload").length === 0)
    })

    // Headers that every request has are no business of an operation.
    const general = ["content-length", "content-type", "host", "x-amz-date", "x-amz-glacier-version"]
    const known = fixture.signed_examples.examples.flatMap((example) =>
      all.filter(({ name }) => name === example.operation).map(({ operation }) => {
        const url = new URL(example.target, "https://host")
        const headers = Object.entries(example.headers).filter(([name]) => !general.includes(name))
        return {
          operation,
          target: example.target,
          method: example.method,
          request: {
            path: url.pathname,
            query: [...url.searchParams],
            headers: Object.fromEntries(headers),
            body: operation.input["body"] === undefined
              ? example.body === "" ? undefined : example.body
              : new TextEncoder().encode(example.body)
          }
        }
      })
    )
    const isEmpty = ({ operation, request }: (typeof known)[number]) =>
      request.body === "{}" || (operation.name === "UploadArchive" && request.body?.length === 0)

    it.each(known.filter((one) => !isEmpty(one)))(
      "of another client are read, and written the same: $method $target",
      ({ method, operation, request }) => {
        const decoded: object = Either.getOrThrow(Operation.decode(operation.input, reader(operation, request)))
        const input = Object.entries(decoded)
          .map(([key, value]) => [key, Option.isOption(value) ? Option.getOrUndefined(value) : value])
        const again = encode(operation, Object.fromEntries(input))
        const sorted = (request: Operation.Request) => ({
          ...request,
          query: [...request.query].sort(),
          body: typeof request.body === "string" ? JSON.parse(request.body) : request.body
        })
        expect(operation.method).toBe(method)
        expect(sorted(again)).toEqual(sorted(request))
      }
    )

    it("of another client are refused when they are empty", () => {
      expect(
        known.filter(isEmpty).map(({ operation, request }) => {
          const failure = Option.getOrThrow(
            Either.getLeft(Operation.decode(operation.input, reader(operation, request)))
          )
          return [operation.name, failure.field.name]
        })
      ).toEqual([["UploadArchive", "body"], ["InitiateJob", "body"]])
    })

    it("are of the caller's own account unless told otherwise", () => {
      expect(encode(operations.listVaults, {}))
        .toEqual({ path: "/-/vaults", query: [], headers: {}, body: undefined })
      expect(encode(operations.createVault, { accountId: undefined, vaultName: "v" }).path).toBe("/-/vaults/v")
      expect(encode(operations.createVault, { accountId: "012345678901", vaultName: "v" }).path)
        .toBe("/012345678901/vaults/v")
    })

    it("leave an empty description out", () => {
      const input = { vaultName: "v", partSize: mebibyte, description: "" }
      expect(encode(operations.initiateMultipartUpload, input).headers).toEqual({ "x-amz-part-size": "1048576" })
    })
  })

  describe("job parameters", () => {
    const { parameters } = operations.initiateJob.input
    const decode = (json: object) => parameters.decode(JSON.stringify(json))

    it.each([
      ["archive-retrieval", ["Format", "InventoryRetrievalParameters"]],
      ["inventory-retrieval", ["ArchiveId", "RetrievalByteRange", "Tier"]]
    ])("of %s have every field of the model but the retired ones and %j", (Type, others) => {
      const body = models.get("InitiateJob")?.params.find(({ location }) => location === "payload")
      const given = sample(body ?? { type: "" }, "", (_, name) => retired.includes(name) ? undefined : true)
      const full = Object.assign({}, given, { Type })
      const text = String(Either.getOrThrow(parameters.encode(Either.getOrThrow(decode(full)))))
      const own = Object.entries(full).filter(([name]) => !others.includes(name))
      expect(JSON.parse(text)).toEqual(Object.fromEntries(own))
      expect(own.length).toBe(8 - others.length)
    })

    it.each([
      ["2013-03-20T17:03:43Z", 43_000],
      ["2013-03-20T17:03:43.123Z", 43_123],
      ["2013-03-20T17:03:43", 43_000],
      ["2013-03-20T17:03:43.123", 43_123],
      ["2013-03-20T17:03:43UTC", 43_000],
      ["2013-03-20T19:03:43+02:00", 43_000],
      ["2013-03-20T09:03:43-08:00", 43_000]
    ])("take the date %s", (StartDate, millis) => {
      // Where a date without a zone, read as local time, would be another.
      vi.stubEnv("TZ", "America/New_York")
      onTestFinished(() => {
        vi.unstubAllEnvs()
      })
      expect(new Date(2013, 2, 20).getTimezoneOffset()).toBe(240)
      expect(decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { StartDate } })).toEqual(
        Either.right({
          type: "inventory-retrieval",
          selection: { startDate: DateTime.unsafeMake(Date.UTC(2013, 2, 20, 17, 3) + millis) }
        })
      )
    })

    it("write dates to the second", () => {
      const startDate = DateTime.unsafeMake("2013-03-20T17:03:43.999Z")
      expect(
        encode(operations.initiateJob, {
          vaultName: "v",
          parameters: { type: "inventory-retrieval", selection: { startDate, limit: 5 } }
        }).body
      ).toBe(
        "{\"Type\":\"inventory-retrieval\",\"InventoryRetrievalParameters\":"
          + "{\"StartDate\":\"2013-03-20T17:03:43Z\",\"Limit\":\"5\"}}"
      )
    })

    it.each([["5"], [5]])("take the limit %j", (Limit) => {
      expect(decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { Limit } }))
        .toEqual(Either.right({ type: "inventory-retrieval", selection: { limit: 5 } }))
    })

    it.each(["", "0", "-1", "1.5", "x", "1e1", "0x5", 0, -1, 1.5, true])("refuse the limit %j", (Limit) => {
      const decoded = decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { Limit } })
      expect(Either.isLeft(decoded)).toBe(true)
    })

    it("take null for absent", () => {
      const nulls = { Description: null, SNSTopic: null, Tier: null, RetrievalByteRange: null }
      expect(decode({ Type: "archive-retrieval", ArchiveId: id, ...nulls }))
        .toEqual(Either.right({ type: "archive-retrieval", archiveId: id }))
      expect(decode({ Type: "inventory-retrieval", Format: null, InventoryRetrievalParameters: null }))
        .toEqual(Either.right({ type: "inventory-retrieval" }))
    })

    it.each([
      {},
      { Type: "archive-retrieval" },
      { Type: "archive-retrieval", ArchiveId: null },
      { Type: "archive-retrieval", ArchiveId: "a/b" },
      { Type: "archive-retrieval", ArchiveId: id, Tier: "Slow" },
      { Type: "archive-retrieval", ArchiveId: id, RetrievalByteRange: "5-4" },
      { Type: "archive-retrieval", ArchiveId: id, Description: "é" },
      { Type: "inventory-retrieval", Format: "XML" },
      { Type: "inventory-retrieval", InventoryRetrievalParameters: { StartDate: "yesterday" } },
      { Type: "select", ArchiveId: id }
    ])("refuse %j", (json) => expect(Either.isLeft(decode(json))).toBe(true))
  })

  describe("bad input", () => {
    const long = "x".repeat(256)
    const cases: ReadonlyArray<readonly [keyof typeof operations, Record<string, unknown>, string, string, RegExp]> = [
      ["createVault", { vaultName: "a/b" }, "vaultName", "\"a/b\"", /1 to 255 characters/],
      ["createVault", { vaultName: ".." }, "vaultName", "\"..\"", /1 to 255 characters/],
      ["createVault", { vaultName: long }, "vaultName", `"${long.slice(0, 99)}...`, /1 to 255 characters/],
      ["createVault", { accountId: "0123-4567-8901" }, "accountId", "\"0123-4567-8901\"", /12 digits/],
      ["deleteArchive", { archiveId: "" }, "archiveId", "\"\"", /an id as the service gave it/],
      ["listParts", { uploadId: "a/b" }, "uploadId", "\"a/b\"", /an id as the service gave it/],
      ["getJobOutput", { jobId: "a?b" }, "jobId", "\"a?b\"", /an id as the service gave it/],
      ["listVaults", { limit: 0 }, "limit", "0", /a whole number of 1 or more/],
      ["listVaults", { limit: 1.5 }, "limit", "1.5", /a whole number of 1 or more/],
      ["listVaults", { limit: NaN }, "limit", "NaN", /a whole number of 1 or more/],
      ["listJobs", { statusCode: "Done" }, "statusCode", "\"Done\"", /InProgress.*Succeeded.*Failed/],
      ["uploadArchive", { description: "é" }, "description", "\"é\"", /printable ASCII/],
      ["uploadArchive", { description: "a\r\nx-amz-y: z" }, "description", "\"a\\r\\nx-amz-y: z\"", /printable ASCII/],
      ["uploadArchive", { treeHash: "A" }, "treeHash", "\"A\"", /64 lower-case hex digits/],
      ["uploadArchive", { contentSha256: "A" }, "contentSha256", "\"A\"", /64 lower-case hex digits/],
      ["uploadArchive", { body: new Uint8Array() }, "body", "0 bytes", /1 byte to 4 GiB/],
      ["uploadMultipartPart", { body: new Uint8Array() }, "body", "0 bytes", /1 byte to 4 GiB/],
      ["uploadMultipartPart", { range: { start: 5, end: 4 } }, "range", "{\"start\":5,\"end\":4}", /before its end/],
      ["uploadMultipartPart", { range: { start: -1, end: 4 } }, "range.start", "-1", /0 (or more|to)/],
      ["uploadMultipartPart", { range: { start: 0, end: 1e15 } }, "range.end", "1000000000000000", /42,949,672,9/],
      ["initiateMultipartUpload", { partSize: 3 * mebibyte }, "partSize", "3145728", /1 MiB times a power of two/],
      ["completeMultipartUpload", { archiveSize: 0 }, "archiveSize", "0", /1 byte to 42,949,672,960,000/],
      ["completeMultipartUpload", { archiveSize: 1.5 }, "archiveSize", "1.5", /a whole number of bytes/],
      [
        "initiateJob",
        { parameters: { type: "archive-retrieval", archiveId: "" } },
        "parameters.archiveId",
        "\"\"",
        /an id as the service gave it/
      ],
      [
        "initiateJob",
        { parameters: { type: "archive-retrieval", archiveId: id, tier: "Slow" } },
        "parameters.tier",
        "\"Slow\"",
        /Expedited.*Standard.*Bulk/
      ],
      [
        "initiateJob",
        { parameters: { type: "archive-retrieval", archiveId: id, retrievalByteRange: { start: 2, end: 1 } } },
        "parameters.retrievalByteRange",
        "{\"start\":2,\"end\":1}",
        /before its end/
      ],
      [
        "initiateJob",
        { parameters: { type: "inventory-retrieval", selection: { limit: 0 } } },
        "parameters.selection.limit",
        "0",
        /a whole number of 1 or more/
      ]
    ]

    it.each(cases)("%s %j", (method, change, field, value, rule) => {
      const operation: Operation.Any = operations[method]
      const failure = Either.flip(Operation.encode(operation, { ...inputOf(operation), ...change }))
      expect(Either.getOrThrow(failure)).toMatchObject(
        {
          _tag: "InvalidInput",
          operation: operation.name,
          field,
          value,
          rule: expect.stringMatching(rule)
        } satisfies Partial<InvalidInput>
      )
      expect(Either.getOrThrow(failure).rule).toMatch(/^must /)
    })
  })

  describe("decode", () => {
    const wire = (method: keyof typeof operations, change: Partial<Operation.Request>) => {
      const operation: Operation.Any = operations[method]
      const request = { ...encode(operation, inputOf(operation)), ...change }
      return Either.mapLeft(
        Operation.decode(operation.input, reader(operation, request)),
        ({ error, field, value }) => [field.name, Option.getOrNull(value), Option.isSome(error)]
      )
    }

    it.each(["0", "-1", "x", "1.5", "1e1", "0x10", " 5", "5 ", "+5", "5.0", "Infinity", "NaN", "9".repeat(20)])(
      "refuses the limit %j",
      (limit) => expect(wire("listVaults", { query: [["limit", limit]] })).toEqual(Either.left(["limit", limit, true]))
    )

    it("takes an empty marker for none", () => {
      expect(wire("listVaults", { query: [["marker", ""]] })).toMatchObject({ right: { marker: Option.none() } })
    })

    it("refuses an empty limit", () => {
      expect(Either.isLeft(wire("listVaults", { query: [["limit", ""]] }))).toBe(true)
    })

    it.each(
      [
        ["listJobs", { query: [["statuscode", "Done"]] }, ["statuscode", "Done", true]],
        ["listJobs", { query: [["completed", "True"]] }, ["completed", "True", true]],
        ["createVault", { path: "/-/vaults/a b" }, ["vaultName", "a b", true]],
        ["createVault", { path: "/123/vaults/a" }, ["accountId", "123", true]],
        ["initiateMultipartUpload", { headers: {} }, ["x-amz-part-size", null, false]],
        ["initiateMultipartUpload", { headers: { "x-amz-part-size": "" } }, ["x-amz-part-size", null, false]],
        ["initiateMultipartUpload", { headers: { "x-amz-part-size": "3" } }, ["x-amz-part-size", "3", true]],
        [
          "initiateMultipartUpload",
          { headers: { "x-amz-part-size": "0x100000" } },
          ["x-amz-part-size", "0x100000", true]
        ],
        ["initiateJob", { body: undefined }, ["body", null, false]],
        ["initiateJob", { body: "{" }, ["body", "{", true]],
        ["uploadArchive", { body: new Uint8Array() }, ["body", null, true]]
      ] satisfies ReadonlyArray<[keyof typeof operations, Partial<Operation.Request>, unknown]>
    )(
      "%s refuses %j",
      (method, change, failure) => expect(wire(method, change)).toEqual(Either.left(failure))
    )

    it("takes an empty header of an answer for none, and refuses an answer without an id", () => {
      const { headers } = operations.initiateJob
      const read = (answer: Record<string, string>) =>
        Either.mapLeft(Operation.decode(headers, (field) => answer[field.name]), ({ field }) => field.name)
      expect(read({ "x-amz-job-id": id, "location": "" }))
        .toEqual(Either.right({ jobId: id, jobOutputPath: Option.none(), location: Option.none() }))
      expect(read({ location: "/x" })).toEqual(Either.left("x-amz-job-id"))
    })
  })

  describe("answers", () => {
    describe.each(withJson)("of $name", ({ body, shape }) => {
      const through = (json: unknown) => Either.flatMap(body.decode(json), body.encode)

      it("have every field of the model", () => {
        expect(through(sample(shape))).toEqual(Either.right(sample(shape)))
      })

      it.each([
        ["all of them", isNullable],
        [
          "those in others",
          (shape: Shape, name: string) => isNullable(shape, name) && name !== "InventoryRetrievalParameters"
        ]
      ])("take null and absent for none: %s", (_, when) => {
        const nulls = sample(shape, "", (shape, name) => when(shape, name) ? null : true)
        const absent = sample(shape, "", (shape, name) => when(shape, name) ? undefined : true)
        expect(absent).not.toEqual(nulls)
        expect(through(nulls)).toEqual(Either.right(nulls))
        expect(body.decode(absent)).toEqual(body.decode(nulls))
        expect(through(absent)).toEqual(Either.right(nulls))
      })

      it("are refused without what is always there", () => {
        const always = Object.keys(shape.members ?? {})
          .filter((name) => !isNullable(shape, name))
        expect(always.length).toBeGreaterThan(0)
        for (const missing of always) {
          for (const blank of [null, undefined]) {
            const json = sample(shape, "", (at, name) => at === shape && name === missing ? blank : true)
            expect([missing, Either.isLeft(body.decode(json))]).toEqual([missing, true])
          }
        }
      })

      it("take dates to the second, and fields that nobody knows", () => {
        const json = JSON.stringify(sample(shape))
        const whole = JSON.parse(json.replaceAll(".663Z", "Z").replaceAll("\"VaultARN\":", "\"New\":{},\"VaultARN\":"))
        expect(through(whole)).toEqual(Either.right(JSON.parse(json.replaceAll(".663Z", ".000Z"))))
      })
    })

    const schemas: ReadonlyArray<[string, Schema.Schema.AnyNoContext]> = [
      ["VaultDescription", Vaults.VaultDescription],
      ["VaultPage", Vaults.VaultPage],
      ["JobDescription", Jobs.JobDescription],
      ["JobPage", Jobs.JobPage],
      ["PartPage", Uploads.PartPage],
      ["UploadPage", Uploads.UploadPage]
    ]

    it.each(schemas)("%s survives JSON", (_, schema) => {
      const json = Schema.parseJson(schema)
      fc.assert(
        fc.property(Arbitrary.make(schema), (value) => {
          const text = Schema.encodeSync(json)(value)
          expect(Schema.encodeSync(json)(Schema.decodeSync(json)(text))).toBe(text)
        }),
        { numRuns: 50 }
      )
    })

    it("are of the values meant", () => {
      const decoded = Jobs.ListJobs.body.decode(sample(models.get("ListJobs")?.response.body ?? { type: "" }))
      const date = DateTime.unsafeMake("2012-05-01T00:00:06Z")
      expect(Either.getOrThrow(decoded).jobs[1]).toMatchObject({
        action: "ArchiveRetrieval",
        archiveId: Option.some(id),
        archiveSizeInBytes: Option.some(mebibyte),
        completed: true,
        creationDate: DateTime.unsafeMake("2012-05-01T00:00:06.663Z"),
        inventoryRetrievalParameters: Option.some({
          endDate: Option.some(date),
          format: Option.some("JSON"),
          limit: Option.some(10_000),
          marker: Option.some("any-Marker"),
          startDate: Option.some(date)
        }),
        retrievalByteRange: Option.some({ start: mebibyte, end: 2 ** 33 - 1 }),
        treeHash: Option.some(hash),
        tier: Option.some("Bulk")
      })
    })
  })
})
