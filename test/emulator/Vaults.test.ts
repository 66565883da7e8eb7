import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, list, upload, vault } = Support

const arn = (name: string, region = "us-east-1") => `arn:aws:glacier:${region}:123456789012:vaults/${name}`

const names = (response: Support.WireResponse) => list(response, "VaultList").map((vault) => vault["VaultName"])

describe("vaults", () => {
  it.effect("CreateVault responds with 201 and a location, and changes nothing when repeated", () =>
    Effect.gen(function*() {
      const created = yield* call("PUT", "/123456789012/vaults/photos")
      expect(created.status).toBe(201)
      expect(created.headers["location"]).toBe("/123456789012/vaults/photos")
      expect(created.headers["content-length"]).toBe("0")
      expect(created.headers["content-type"]).toBeUndefined()
      expect(created.headers["x-amzn-requestid"]).toMatch(/^[A-Za-z0-9_-]{47}$/)
      expect(created.headers["date"]).toBe("Thu, 01 Jan 1970 00:00:00 GMT")

      yield* TestClock.adjust("1 hour")
      expect((yield* createVault("photos")).headers["location"]).toBe("/123456789012/vaults/photos")
      expect((yield* call("GET", vault("photos"))).json["CreationDate"]).toBe("1970-01-01T00:00:00.000Z")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("DescribeVault returns null and zeros before the first inventory", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 millis")
      yield* createVault("photos")
      const described = yield* call("GET", vault("photos"))
      expect(described.status).toBe(200)
      expect(described.headers["content-type"]).toBe("application/json")
      expect(described.headers["content-length"]).toBe(String(described.bytes.length))
      expect(described.text).toBe(
        `{"CreationDate":"1970-01-01T00:00:00.001Z","LastInventoryDate":null,"NumberOfArchives":0,"SizeInBytes":0,` +
          `"VaultARN":"${arn("photos")}","VaultName":"photos"}`
      )
    }).pipe(Effect.provide(Support.layer())))

  it.effect("responds with 404 for a vault that does not exist", () =>
    Effect.gen(function*() {
      const described = yield* call("GET", vault("nowhere"))
      expect(described.status).toBe(404)
      expect(described.headers["content-type"]).toBe("application/json")
      expect(described.text).toBe(
        `{"code":"ResourceNotFoundException","message":"Vault not found for ARN: ${arn("nowhere")}","type":"Client"}`
      )
      for (
        const path of [
          "/jobs",
          "/multipart-uploads",
          `/jobs/${"j".repeat(92)}`,
          `/multipart-uploads/${"u".repeat(92)}`,
          `/jobs/${"j".repeat(92)}/output`
        ]
      ) {
        expect((yield* call("GET", vault("nowhere") + path)).json["message"]).toBe(
          `Vault not found for ARN: ${arn("nowhere")}`
        )
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("lists vaults by name, at most 10 in a page, starting after the marker", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 23 }, (_, i) => `v${i}`)
      for (const name of all) yield* createVault(name)
      const expected = [...all].sort()

      const found: Array<unknown> = []
      let marker: unknown = undefined
      do {
        const page: Support.WireResponse = yield* call("GET", "/-/vaults", {
          query: { limit: "1000", ...(typeof marker === "string" ? { marker } : {}) }
        })
        expect(names(page).length).toBeLessThanOrEqual(10)
        found.push(...names(page))
        marker = page.json["Marker"]
      } while (marker !== null)
      expect(found).toEqual(expected)

      const two = yield* call("GET", "/-/vaults", { query: { limit: "2", marker: "" } })
      expect(two.json["Marker"]).toBe(arn("v1"))
      expect(names(two)).toEqual(["v0", "v1"])
      // The vault in a marker does not exist: the list starts after its name.
      const behind = yield* call("GET", "/-/vaults", { query: { marker: arn("v1zzz"), limit: "1" } })
      expect(names(behind)).toEqual(["v2"])
      const last = yield* call("GET", "/-/vaults", { query: { marker: arn("v9") } })
      expect(last.text).toBe(`{"Marker":null,"VaultList":[]}`)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("rejects invalid limits and markers", () =>
    Effect.gen(function*() {
      for (const limit of ["0", "-1", "ten", "", "1.5"]) {
        const response = yield* call("GET", "/-/vaults", { query: { limit } })
        expect(response.status).toBe(400)
        expect(response.json).toMatchObject({
          code: "InvalidParameterValueException",
          message: `Invalid limit: ${limit}`
        })
      }
      const response = yield* call("GET", "/-/vaults", { query: { marker: "v1" } })
      expect(response.json["message"]).toBe("Invalid marker: v1")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("deletes a vault that is empty by its last inventory and not written to since", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const deleted = yield* call("DELETE", vault("photos"))
      expect(deleted.status).toBe(204)
      expect(deleted.headers["content-length"]).toBeUndefined()
      expect(deleted.headers["content-type"]).toBeUndefined()
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
      expect((yield* call("GET", vault("photos"))).status).toBe(404)

      yield* createVault("photos")
      const archive = yield* upload("photos", Support.text("x"))
      yield* call("DELETE", `${vault("photos")}/archives/${archive}`)
      const rejected = yield* call("DELETE", vault("photos"))
      expect(rejected.status).toBe(400)
      expect(rejected.json).toEqual({
        code: "InvalidParameterValueException",
        message: `Vault not empty or recently written to: ${arn("photos")}`,
        type: "Client"
      })
      yield* TestClock.adjust("24 hours")
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)

      yield* createVault("photos")
      const other = yield* upload("photos", Support.text("x"))
      yield* TestClock.adjust("24 hours")
      yield* call("DELETE", `${vault("photos")}/archives/${other}`)
      expect((yield* call("DELETE", vault("photos"))).status).toBe(400)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("keeps regions apart, and uses its own region for an unknown one", () =>
    Effect.gen(function*() {
      yield* call("PUT", vault("photos"), { region: "cn-north-1" })
      expect((yield* call("GET", vault("photos"))).status).toBe(404)
      const there = yield* call("GET", vault("photos"), { region: "cn-north-1" })
      expect(there.json["VaultARN"]).toBe("arn:aws-cn:glacier:cn-north-1:123456789012:vaults/photos")
      yield* call("PUT", vault("films"), { region: "0" })
      const here = yield* call("GET", "/-/vaults", { region: "eu-west-1" })
      expect(names(here)).toEqual(["films"])
    }).pipe(Effect.provide(Support.layer({ region: "eu-west-1" }))))

  it.effect("has at most 1,000 vaults in a region", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 1000; i++) yield* createVault(`v${i}`)
      const rejected = yield* createVault("one-more")
      expect(rejected.status).toBe(400)
      expect(rejected.json["code"]).toBe("LimitExceededException")
      expect((yield* createVault("v0")).status).toBe(201)
    }).pipe(Effect.provide(Support.layer())), 20_000)

  it.effect("has at most as many vaults as configured", () =>
    Effect.gen(function*() {
      for (const name of ["a", "b"]) expect((yield* createVault(name)).status).toBe(201)
      expect((yield* createVault("c")).json["code"]).toBe("LimitExceededException")
      expect((yield* call("PUT", vault("c"), { region: "eu-west-1" })).status).toBe(201)
      yield* call("DELETE", vault("a"))
      expect((yield* createVault("c")).status).toBe(201)
    }).pipe(Effect.provide(Support.layer({ maximumVaults: 2 }))))
})
