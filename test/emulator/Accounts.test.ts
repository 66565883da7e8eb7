import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, codes, createVault, list, text, upload, vault } = Support

const policy = "/-/policies/data-retrieval"

const capacity = "/-/provisioned-capacity"

const set = (...Rules: ReadonlyArray<unknown>) => call("PUT", policy, { body: JSON.stringify({ Policy: { Rules } }) })

const retrieve = (name: string, ArchiveId: string, more: object = {}) =>
  Effect.map(
    call("POST", `${vault(name)}/jobs`, { body: JSON.stringify({ Type: "archive-retrieval", ArchiveId, ...more }) }),
    codes
  )

const started = [202, undefined]

const enforced = [400, "PolicyEnforcedException"]

describe("data-retrieval policies", () => {
  it.effect("allow everything in a region until they are set there", () =>
    Effect.gen(function*() {
      expect((yield* call("GET", policy)).text).toBe(`{"Policy":{"Rules":[{"Strategy":"None"}]}}`)
      expect((yield* set({ Strategy: "BytesPerHour", BytesPerHour: 10 })).status).toBe(204)
      expect((yield* call("GET", policy)).text).toBe(
        `{"Policy":{"Rules":[{"BytesPerHour":10,"Strategy":"BytesPerHour"}]}}`
      )
      expect((yield* call("GET", policy, { region: "eu-west-1" })).text).toContain("None")
      yield* set({ Strategy: "FreeTier", BytesPerHour: null })
      expect((yield* call("GET", policy)).text).toBe(`{"Policy":{"Rules":[{"Strategy":"FreeTier"}]}}`)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("have exactly one rule that fits its strategy", () =>
    Effect.gen(function*() {
      const none = { Strategy: "None" }
      const cases = [
        [],
        [none, none],
        [{ Strategy: "All" }],
        [{ Strategy: "BytesPerHour" }],
        [{ Strategy: "BytesPerHour", BytesPerHour: 0 }],
        [{ Strategy: "BytesPerHour", BytesPerHour: 1.5 }],
        [{ Strategy: "BytesPerHour", BytesPerHour: 2 ** 63 + 2048 }],
        [{ Strategy: "None", BytesPerHour: 10 }],
        [{ Strategy: "FreeTier", BytesPerHour: 10 }]
      ]
      for (const rules of cases) {
        const { json, status } = yield* set(...rules)
        expect([rules, status]).toEqual([rules, 400])
        expect(["InvalidParameterValueException", "MissingParameterValueException"]).toContain(json["code"])
      }
      expect(codes(yield* call("PUT", policy, { body: "{}" }))).toEqual([400, "MissingParameterValueException"])
      expect((yield* call("GET", policy)).text).toContain("None")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("accept rates that JSON numbers cannot hold exactly, and return one within the limit", () =>
    Effect.gen(function*() {
      const text = (rate: string) => `{"Policy":{"Rules":[{"BytesPerHour":${rate},"Strategy":"BytesPerHour"}]}}`
      for (
        const [given, returned] of [
          ["9007199254740991", "9007199254740991"],
          ["9007199254740993", "9007199254740992"],
          ["9223372036854774784", "9223372036854775000"],
          ["9223372036854775807", "9223372036854775000"]
        ] as const
      ) {
        expect((yield* call("PUT", policy, { body: text(given) })).status).toBe(204)
        expect((yield* call("GET", policy)).text).toBe(text(returned))
        expect(BigInt(returned)).toBeLessThan(2n ** 63n)
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("reject Standard retrievals beyond their bytes per hour", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* createVault("films")
      const photo = yield* upload("photos", text("123456"))
      const film = yield* upload("films", text("12345"))
      yield* TestClock.adjust("1 day")
      yield* set({ Strategy: "BytesPerHour", BytesPerHour: 10 })
      expect(yield* retrieve("photos", photo)).toEqual(started)
      expect(yield* retrieve("films", film)).toEqual(enforced)
      for (const Tier of ["Bulk", "Expedited"]) expect(yield* retrieve("films", film, { Tier })).toEqual(started)
      expect(codes(yield* call("POST", `${vault("films")}/jobs`, { body: `{"Type":"inventory-retrieval"}` }))).toEqual(
        started
      )
      yield* TestClock.adjust("59 minutes")
      expect(yield* retrieve("films", film)).toEqual(enforced)
      yield* TestClock.adjust("1 minute")
      expect(yield* retrieve("films", film)).toEqual(started)
      expect(yield* retrieve("films", film)).toEqual(started)
      expect(yield* retrieve("films", film)).toEqual(enforced)
      yield* set({ Strategy: "FreeTier" })
      expect(yield* retrieve("films", film)).toEqual(started)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("count retrievals whose jobs have expired", () =>
    Effect.gen(function*() {
      yield* createVault("films")
      const film = yield* upload("films", text("12345"))
      yield* set({ Strategy: "BytesPerHour", BytesPerHour: 9 })
      expect(yield* retrieve("films", film)).toEqual(started)
      yield* TestClock.adjust("59 minutes")
      expect((yield* call("GET", `${vault("films")}/jobs`)).json["JobList"]).toEqual([])
      expect(yield* retrieve("films", film)).toEqual(enforced)
      yield* TestClock.adjust("1 minute")
      expect(yield* retrieve("films", film)).toEqual(started)
    }).pipe(Effect.provide(Support.layer({ jobDelay: 0, expiry: 0 }))))
})

describe("provisioned capacity", () => {
  it.effect("is bought for a month, at most two units at a time", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("2015-01-31T10:00:00.100Z"))
      expect((yield* call("GET", capacity)).text).toBe(`{"ProvisionedCapacityList":[]}`)
      const first = yield* call("POST", capacity)
      expect(first.status).toBe(201)
      expect(first.headers["x-amz-capacity-id"]).toMatch(/^[A-Za-z0-9]{24}$/)
      yield* TestClock.adjust("1 day")
      expect((yield* call("POST", capacity)).status).toBe(201)
      expect(codes(yield* call("POST", capacity))).toEqual([400, "LimitExceededException"])
      // Capacity belongs to the account in all regions.
      expect(codes(yield* call("POST", capacity, { region: "eu-west-1" }))).toEqual([400, "LimitExceededException"])
      const units = list(yield* call("GET", capacity), "ProvisionedCapacityList")
      expect(units[0]).toEqual({
        CapacityId: first.headers["x-amz-capacity-id"],
        ExpirationDate: "2015-02-28T10:00:00.000Z",
        StartDate: "2015-01-31T10:00:00.100Z"
      })
      expect(units[1]).toMatchObject({ ExpirationDate: "2015-03-01T10:00:00.000Z" })
      yield* TestClock.setTime(Date.parse("2015-02-28T10:00:00Z"))
      expect(list(yield* call("GET", capacity), "ProvisionedCapacityList")).toEqual([units[1]])
      expect((yield* call("POST", capacity)).status).toBe(201)
      expect(codes(yield* call("POST", capacity))).toEqual([400, "LimitExceededException"])
    }).pipe(Effect.provide(Support.layer())))
})
