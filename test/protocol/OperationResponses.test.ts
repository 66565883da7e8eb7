import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Accounts from "../../src/protocol/Accounts.ts"
import * as Jobs from "../../src/protocol/Jobs.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Notifications from "../../src/protocol/Notifications.ts"
import * as Policies from "../../src/protocol/Policies.ts"
import * as Tags from "../../src/protocol/Tags.ts"
import * as Uploads from "../../src/protocol/Uploads.ts"
import * as Vaults from "../../src/protocol/Vaults.ts"
import { all, id, isNullable, modelOf, retired, sample } from "./model.ts"
import type { Shape } from "./model.ts"

const hash = "0123456789abcdef".repeat(4)

/** Whether something in it may be null. */
const hasNulls = (shape: Shape): boolean =>
  Object.entries(shape.members ?? {}).some(([name, member]) =>
    isNullable(shape, name) || (member !== undefined && hasNulls(member))
  ) || (shape.of !== undefined && hasNulls(shape.of))

const withJson = all.flatMap(({ model, name, operation }) =>
  typeof operation.body === "object" && model.response.body !== null
    ? [{ name, body: operation.body, shape: model.response.body, hasNulls: hasNulls(model.response.body) }]
    : []
)

describe("responses", () => {
  it.each(["5", 5])("may have the limit of an inventory job as text or as a number: %j", (Limit) => {
    const described = Option.fromNullable(withJson.find(({ name }) => name === "DescribeJob"))
    const job = Object(sample(Option.getOrThrow(described).shape))
    const decoded = Jobs.DescribeJob.body.decode({ ...job, InventoryRetrievalParameters: { Limit } })
    const parameters = Option.flatMap(Either.getRight(decoded), (job) => job.inventoryRetrievalParameters)
    expect(Option.flatMap(parameters, ({ limit }) => limit)).toEqual(Option.some(5))
  })

  describe.each(withJson)("of $name", ({ body, hasNulls, shape }) => {
    const through = (json: unknown) => Either.flatMap(body.decode(json), body.encode)

    it("have every field of the model", () => {
      expect(through(sample(shape))).toEqual(Either.right(sample(shape)))
    })

    if (hasNulls) {
      it.each([
        ["all fields", isNullable],
        [
          "fields inside other fields",
          (shape: Shape, name: string) => isNullable(shape, name) && name !== "InventoryRetrievalParameters"
        ]
      ])("mean the same with fields that are null and fields that are absent: %s", (_, when) => {
        const nulls = sample(shape, (shape, name) => when(shape, name) ? null : true)
        const absent = sample(shape, (shape, name) => when(shape, name) ? undefined : true)
        expect(absent).not.toEqual(nulls)
        expect(through(nulls)).toEqual(Either.right(nulls))
        expect(body.decode(absent)).toEqual(body.decode(nulls))
        expect(through(absent)).toEqual(Either.right(nulls))
      })
    }

    it("are rejected without a required field", () => {
      const always = Object.keys(shape.members ?? {})
        .filter((name) => !isNullable(shape, name))
      expect(always.length).toBeGreaterThan(0)
      for (const missing of always) {
        for (const blank of [null, undefined]) {
          const json = sample(shape, (at, name) => at === shape && name === missing ? blank : true)
          expect([missing, Either.isLeft(body.decode(json))]).toEqual([missing, true])
        }
      }
    })

    it("accept dates exact to the second, and unknown fields", () => {
      const json = JSON.stringify(sample(shape, (_, name) => retired.includes(name) ? null : true))
      const whole: unknown = JSON.parse(json.replaceAll(".663Z", "Z"), (key, value) => {
        const isStructure = typeof value === "object" && value !== null && !Array.isArray(value) && key !== "Tags"
        return isStructure ? { New: {}, ...value } : value
      })
      expect(whole).toHaveProperty("New")
      expect(through(whole)).toEqual(Either.right(JSON.parse(json.replaceAll(".663Z", ".000Z"))))
    })
  })

  const schemas: ReadonlyArray<[string, Schema.Schema.AnyNoContext]> = [
    ["VaultDescription", Vaults.VaultDescription],
    ["VaultPage", Vaults.VaultPage],
    ["JobDescription", Jobs.JobDescription],
    ["JobPage", Jobs.JobPage],
    ["PartPage", Uploads.PartPage],
    ["UploadPage", Uploads.UploadPage],
    ["NotificationConfiguration", Notifications.NotificationConfiguration],
    ["VaultLock", Policies.VaultLock],
    ["DataRetrievalPolicy", Accounts.DataRetrievalPolicy],
    ["ProvisionedCapacity", Accounts.ProvisionedCapacity]
  ]

  it.each(schemas)("are the same after they are encoded to JSON and decoded: %s", (_, schema) => {
    const json = Schema.parseJson(schema)
    fc.assert(
      fc.property(Arbitrary.make(schema), (value) => {
        const text = Schema.encodeSync(json)(value)
        expect(Schema.encodeSync(json)(Schema.decodeSync(json)(text))).toBe(text)
      }),
      { numRuns: 50 }
    )
  })

  it("are decoded to numbers, dates and options", () => {
    const decoded = Jobs.ListJobs.body.decode(sample(modelOf("ListJobs").response.body ?? { type: "" }))
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

  it.each([
    [{ Strategy: "FreeTier" }, { strategy: "FreeTier" }],
    [{ Strategy: "None", BytesPerHour: null }, { strategy: "None" }],
    // The largest of the service is no number of ours: it is read as the one before it.
    [{ Strategy: "BytesPerHour", BytesPerHour: 2 ** 63 - 1 }, {
      strategy: "BytesPerHour",
      bytesPerHour: 2 ** 63 - 1024
    }]
  ])(
    "have bytes per hour only with the strategy BytesPerHour: %j",
    (Rule, rule) =>
      expect(Accounts.GetDataRetrievalPolicy.body.decode({ Policy: { Rules: [Rule] } }))
        .toEqual(Either.right({ policy: { rules: [rule] } }))
  )

  it("may have no tags, no units of capacity and no end of a lock", () => {
    expect(Tags.ListTagsForVault.body.decode({ Tags: {} })).toEqual(Either.right({ tags: {} }))
    expect(Accounts.ListProvisionedCapacity.body.decode({ ProvisionedCapacityList: [] }))
      .toEqual(Either.right({ units: [] }))
    const lock = { CreationDate: "2012-05-01T00:00:06Z", ExpirationDate: null, Policy: "not JSON", State: "Locked" }
    expect(Policies.GetVaultLock.body.decode(lock)).toEqual(Either.right({
      creationDate: DateTime.unsafeMake("2012-05-01T00:00:06Z"),
      expirationDate: Option.none(),
      policy: "not JSON",
      state: "Locked"
    }))
  })
})
