/** The operations next to the service's model of them, and values of everything that the model names. */
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Accounts from "../../src/protocol/Accounts.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as Jobs from "../../src/protocol/Jobs.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Names from "../../src/protocol/Names.ts"
import * as Notifications from "../../src/protocol/Notifications.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Policies from "../../src/protocol/Policies.ts"
import { TreeHash } from "../../src/protocol/TreeHash.ts"
import fixture from "../fixtures/glacier-model.json" with { type: "json" }

export interface Shape {
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
  readonly fixed_query?: Readonly<Record<string, string>> | undefined
  readonly success_status: ReadonlyArray<number>
  readonly params: ReadonlyArray<Param>
  readonly response: {
    readonly headers: ReadonlyArray<{ readonly wire_name: string }>
    readonly body: Shape | null
  }
  readonly errors: ReadonlyArray<{ readonly code: string }>
  readonly idempotent: string
}

export const models = new Map<string, Modelled>(Object.entries(fixture.operations))

export const modelOf = (name: string): Modelled => {
  const model = models.get(name)
  if (model === undefined) throw new Error(`no model of ${name}`)
  return model
}

export const all = Object.entries<Operation.Any>(operations).map(([method, operation]) => ({
  method,
  name: operation.name,
  operation,
  model: modelOf(operation.name)
}))

/** Members of the service's retired select jobs: a description can have them, a request cannot. */
export const retired = ["SelectParameters", "OutputLocation"]

/** The members that can be null or absent in a response, by shape. */
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
  ["UploadListElement", ["ArchiveDescription"]],
  ["GetVaultLockOutput", ["ExpirationDate"]]
])
export const isNullable = (shape: Shape, name: string) => nullable.get(shape.shape ?? "")?.includes(name) === true

export const id = "AbC-0_9".repeat(20)
const hash = "0123456789abcdef".repeat(4)
const policyText = "{\"Version\":\"2012-10-17\"}"
const topic = "arn:aws:sns:us-west-2:012345678901:mytopic"
const date = "2012-05-01T00:00:06.663Z"
/** By the name of the member, and of its shape where that matters. */
const texts = new Map([
  ...["ArchiveId", "CapacityId", "JobId", "MultipartUploadId"].map((name) => [name, id] as const),
  ...["ArchiveSHA256TreeHash", "SHA256TreeHash"].map((name) => [name, hash] as const),
  ...["CompletionDate", "CreationDate", "ExpirationDate", "LastInventoryDate"].map((name) => [name, date] as const),
  ["ProvisionedCapacityDescription.StartDate", date],
  ...["StartDate", "EndDate"].map((name) => [name, "2012-05-01T00:00:06Z"] as const),
  ...["RangeInBytes", "RetrievalByteRange"].map((name) => [name, "1048576-8589934591"] as const),
  ["Action", "ArchiveRetrieval"],
  ["Events", "InventoryRetrievalCompleted"],
  ["Format", "JSON"],
  ["Limit", "10000"],
  ["Policy", policyText],
  ["SNSTopic", topic],
  ["State", "InProgress"],
  ["StatusCode", "Succeeded"],
  ["Strategy", "BytesPerHour"],
  ["Tier", "Bulk"]
])

/** A value of a shape with all members the model has, but those `blank` names null or absent. */
export const sample = (
  shape: Shape,
  blank: (shape: Shape, name: string) => unknown = () => true,
  name = "",
  parent = ""
): unknown => {
  switch (shape.type) {
    case "structure":
      return Object.fromEntries(
        Object.entries(shape.members ?? {}).flatMap(([key, member]) => {
          const keep = blank(shape, key)
          if (member === undefined || keep === undefined) return []
          return [[key, keep === null ? null : sample(member, blank, key, shape.shape)]]
        })
      )
    case "list":
      return Array.from(
        { length: name === "Rules" || name === "Events" ? 1 : 2 },
        () => sample(shape.of ?? shape, blank, name)
      )
    case "map":
      return { "a key": "any value", "é": "" }
    case "long":
      return mebibyte
    case "boolean":
      return true
    default:
      return texts.get(`${parent}.${name}`) ?? texts.get(name) ?? `any-${name}`
  }
}

/** Where a decoder finds the fields of a request. */
export const reader = (operation: Operation.Any, request: Operation.Request) => (field: Operation.Fields[string]) => {
  switch (field.in) {
    case "path":
      return request.path.split("/")[operation.path.split("/").indexOf(`{${field.name}}`)]
    case "query":
      return new Map(request.query).get(field.name)
    case "header":
      return request.headers[field.name]
    case "json":
      return typeof request.body === "string" ? JSON.parse(request.body) : undefined
    default:
      return request.body
  }
}

export const encode = (operation: Operation.Any, input: object): Operation.Request =>
  Either.getOrThrow(Operation.encode(operation, input))

/** A legal value of every input, by its name, and that of its operation where that matters. */
const inputs: Readonly<Record<string, unknown>> = {
  accountId: "012345678901",
  vaultName: "examplevault",
  archiveId: id,
  archiveSize: 42_949_672_960_000,
  body: new Uint8Array([1, 2, 3]),
  completed: true,
  configuration: { events: ["ArchiveRetrievalCompleted"], snsTopic: topic },
  contentSha256: hash,
  description: "a \"text\"",
  jobId: id,
  limit: 50,
  lockId: id,
  marker: "arn:aws:glacier:us-west-2:012345678901:vaults/a b",
  parameters: { type: "archive-retrieval", archiveId: id },
  partSize: mebibyte,
  policy: policyText,
  "SetDataRetrievalPolicy.policy": { rules: [{ strategy: "FreeTier" }] },
  range: { start: 0, end: 2 },
  statusCode: "InProgress",
  tagKeys: ["a key"],
  tags: { "a key": "" },
  treeHash: hash,
  uploadId: id
}
const inputFrom = <A>(values: Readonly<Record<string, A>>, { input, name }: Operation.Any): Record<string, A> =>
  Object.fromEntries(
    Object.keys(input).map((key) => {
      const value = values[`${name}.${key}`] ?? values[key]
      if (value === undefined) throw new Error(`no value for ${name}.${key}`)
      return [key, value]
    })
  )

/** Every input of an operation. */
export const inputOf = (operation: Operation.Any): Record<string, unknown> => inputFrom(inputs, operation)

const seconds = fc.integer({
  min: Date.parse("0000-01-01T00:00:00Z") / 1_000,
  max: Date.parse("9999-12-31T23:59:59Z") / 1_000
})
  .map((second) => DateTime.unsafeMake(second * 1_000))
const inventoryRetrieval = fc.record({
  format: fc.constantFrom("JSON", "CSV"),
  selection: fc.record(
    { startDate: seconds, endDate: seconds, limit: fc.integer({ min: 1 }), marker: fc.string() },
    { requiredKeys: [] }
  ).filter(({ endDate, startDate }) => !(startDate && endDate && DateTime.lessThan(endDate, startDate))),
  description: Arbitrary.make(Names.Description),
  snsTopic: Arbitrary.make(Names.SnsTopic)
}, { requiredKeys: [] }).map((rest) => ({ type: "inventory-retrieval", ...rest }))

/** A range starts on a MiB. */
const archiveRetrieval = Arbitrary.make(Jobs.ArchiveRetrieval).map(({ retrievalByteRange: range, ...rest }) =>
  range === undefined
    ? rest
    : { ...rest, retrievalByteRange: { ...range, start: range.start - range.start % mebibyte } }
)

// 𝒳 is one character and two units of a string.
const tagCharacter = fc.constantFrom(..."aZ9é漢٣𝒳 _./=+-@")
const tagKey = fc.string({ unit: tagCharacter, minLength: 1, maxLength: 128 })
const tagValue = fc.string({ unit: tagCharacter, maxLength: 255 })

const arbitraries: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  accountId: Arbitrary.make(Names.AccountId),
  vaultName: Arbitrary.make(Names.VaultName),
  archiveId: Arbitrary.make(Names.ArchiveId),
  archiveSize: Arbitrary.make(Names.ArchiveSize),
  body: fc.uint8Array({ minLength: 1 }),
  completed: fc.boolean(),
  configuration: fc.record({
    events: fc.uniqueArray(Arbitrary.make(Notifications.NotificationEvent), { minLength: 1 }),
    snsTopic: Arbitrary.make(Names.SnsTopic)
  }),
  contentSha256: Arbitrary.make(Names.ContentSha256),
  description: Arbitrary.make(Names.Description).filter((description) => description !== ""),
  jobId: Arbitrary.make(Names.JobId),
  limit: fc.integer({ min: 1 }),
  lockId: Arbitrary.make(Policies.LockId),
  marker: fc.string({ minLength: 1 }),
  parameters: fc.oneof(archiveRetrieval, inventoryRetrieval),
  partSize: Arbitrary.make(Names.PartSize),
  policy: fc.json(),
  "SetDataRetrievalPolicy.policy": Arbitrary.make(Accounts.DataRetrievalPolicy),
  range: Arbitrary.make(ByteRange.ByteRange),
  "UploadMultipartPart.body": fc.uint8Array({ minLength: 3, maxLength: 3 }),
  "UploadMultipartPart.range": fc.nat({ max: 9_999 }).map((index) => ByteRange.make(index * mebibyte, 3)),
  statusCode: Arbitrary.make(Jobs.StatusCode),
  tagKeys: fc.array(tagKey, { minLength: 1, maxLength: 10 }),
  tags: fc.dictionary(tagKey, tagValue, { minKeys: 1, maxKeys: 10 }),
  treeHash: Arbitrary.make(TreeHash),
  uploadId: Arbitrary.make(Names.UploadId)
}

/** Any input of an operation, with and without what may be left out. */
export const inputArbitrary = (operation: Operation.Any) =>
  fc.record(inputFrom(arbitraries, operation), {
    requiredKeys: Object.keys(operation.input).filter((key) => !operation.input[key]?.optional)
  })
