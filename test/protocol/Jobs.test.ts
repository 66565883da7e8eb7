import { describe, expect, it, onTestFinished, vi } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import { operations } from "../../src/protocol/Operations.ts"
import { encode, id, modelOf, retired, sample } from "./model.ts"

describe("job parameters", () => {
  const { parameters } = operations.initiateJob.input
  const decode = (json: object) => parameters.decode(json)

  it.each([
    ["archive-retrieval", ["Format", "InventoryRetrievalParameters"]],
    ["inventory-retrieval", ["ArchiveId", "RetrievalByteRange", "Tier"]]
  ])("of %s have every field of the model except the retired ones and %j", (Type, others) => {
    const body = modelOf("InitiateJob").params.find(({ location }) => location === "payload")
    const given = sample(body ?? { type: "" }, (_, name) => retired.includes(name) ? undefined : true)
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
  ])("accept the date %s", (StartDate, millis) => {
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

  it.each([
    ...["1", "2013", "Jan 5", "2013-03-20", "2013-03-20 17:03:43Z", "20130320T170343Z", "2013-03-20T17:03Z"],
    ...["2013-02-31T00:00:00Z", "2013-13-01T00:00:00Z", "2013-03-20T24:00:00Z", "2013-03-20T17:60:00Z"],
    ...["2013-03-20T17:03:43 UTC", "2013-03-20T17:03:43EST", "2013-03-20T17:03:43+25:00", "2013-03-20T17:03:43+0200"],
    ...["2013-03-20T17:03:43.Z", " 2013-03-20T17:03:43Z", "2013-03-20T17:03:43Z\n", "+275760-09-13T00:00:00Z", ""]
  ])("reject the date %j", (EndDate) => {
    const decoded = decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { EndDate } })
    expect(Either.isLeft(decoded)).toBe(true)
  })

  it("reject a date after the year 9999", () => {
    const selection = { endDate: DateTime.unsafeMake(Date.UTC(10_000)) }
    expect(Either.isLeft(parameters.encode({ type: "inventory-retrieval", selection }))).toBe(true)
  })

  it("contain dates in whole seconds", () => {
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

  it.each(["9".repeat(20), 2 ** 53, 1e300])("read the limit %j as the largest safe integer", (Limit) => {
    expect(decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { Limit } }))
      .toEqual(Either.right({ type: "inventory-retrieval", selection: { limit: Number.MAX_SAFE_INTEGER } }))
  })

  it.each(["done", "Done-_.fifo", "x".repeat(256)])("accept the topic %s", (name) => {
    const SNSTopic = `arn:aws-cn:sns:cn-north-1:123456789012:${name}`
    expect(decode({ Type: "inventory-retrieval", SNSTopic }))
      .toEqual(Either.right({ type: "inventory-retrieval", snsTopic: SNSTopic }))
  })

  it.each([
    ...["not-an-arn", "arn:aws:sns:topic", "arn:aws:sqs:us-east-1:123456789012:done", "arn:aws:sns:us-east-1:1:done"],
    ...[
      "arn:aws:sns:us-east-1:123456789012:",
      "arn:aws:sns::123456789012:done",
      "arn:aws:sns:us-east-1:123456789012:a b"
    ],
    ...[
      "arn:aws:sns:us-east-1:123456789012:done:a-subscription",
      `arn:aws:sns:us-east-1:123456789012:${"x".repeat(257)}`
    ]
  ])("reject the topic %s", (SNSTopic) => {
    expect(Either.isLeft(decode({ Type: "inventory-retrieval", SNSTopic }))).toBe(true)
    expect(Either.isLeft(decode({ Type: "archive-retrieval", ArchiveId: id, SNSTopic }))).toBe(true)
  })

  it.each([["5"], [5]])("accept the limit %j", (Limit) => {
    expect(decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { Limit } }))
      .toEqual(Either.right({ type: "inventory-retrieval", selection: { limit: 5 } }))
  })

  it.each(["", "0", "-1", "1.5", "x", "1e1", "0x5", 0, -1, 1.5, true])("reject the limit %j", (Limit) => {
    const decoded = decode({ Type: "inventory-retrieval", InventoryRetrievalParameters: { Limit } })
    expect(Either.isLeft(decoded)).toBe(true)
  })

  it("read null as an absent field", () => {
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
  ])("reject %j", (json) => expect(Either.isLeft(decode(json))).toBe(true))
})
