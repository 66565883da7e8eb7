import { describe, expect, it, onTestFinished, vi } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import { operations } from "../../src/protocol/Operations.ts"
import { encode, id, modelOf, retired, sample } from "./model.ts"

describe("job parameters", () => {
  const { parameters } = operations.initiateJob.input
  const decode = (json: object) => parameters.decode(JSON.stringify(json))

  it.each([
    ["archive-retrieval", ["Format", "InventoryRetrievalParameters"]],
    ["inventory-retrieval", ["ArchiveId", "RetrievalByteRange", "Tier"]]
  ])("of %s have every field of the model but the retired ones and %j", (Type, others) => {
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
