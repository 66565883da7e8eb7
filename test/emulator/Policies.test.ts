import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, codes, createVault, errorOf, vault } = Support

const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

const notifications = `${vault("photos")}/notification-configuration`

const access = `${vault("photos")}/access-policy`

const lock = `${vault("photos")}/lock-policy`

const topic = "arn:aws:sns:us-east-1:123456789012:topic"

const denied = [403, "AccessDeniedException"]

const policy = (statement: object = {}) =>
  JSON.stringify(
    {
      Version: "2012-10-17",
      Statement: [{
        Sid: "1",
        Effect: "Deny",
        Principal: "*",
        Action: "glacier:DeleteVaultNotifications",
        Resource: arn,
        ...statement
      }]
    },
    null,
    2
  )

const put = (path: string, body: unknown) => call("PUT", path, { body: JSON.stringify(body) })

const initiate = (Policy: unknown = policy()) => call("POST", lock, { body: JSON.stringify({ Policy }) })

const lockId = Effect.map(initiate(), ({ headers }) => headers["x-amz-lock-id"] ?? "")

const complete = (id: string) => call("POST", `${lock}/${id}`)

describe("notification configurations", () => {
  it.effect("are set, replaced, read and deleted", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      expect(errorOf(yield* call("GET", notifications))).toEqual([
        404,
        "ResourceNotFoundException",
        `No notification configuration is set for vault: ${arn}`
      ])
      expect((yield* put(notifications, { SNSTopic: `${topic}-old`, Events: ["ArchiveRetrievalCompleted"] })).status)
        .toBe(204)
      const Events = ["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"]
      expect((yield* put(notifications, { SNSTopic: topic, Events })).status).toBe(204)
      expect((yield* call("GET", notifications)).text).toBe(
        `{"Events":["InventoryRetrievalCompleted","ArchiveRetrievalCompleted"],"SNSTopic":"${topic}"}`
      )
      for (let i = 0; i < 2; i++) expect((yield* call("DELETE", notifications)).status).toBe(204)
      expect((yield* call("GET", notifications)).status).toBe(404)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are rejected when a field is missing or invalid", () =>
    Effect.gen(function*() {
      const SNSTopic = topic
      const Events = ["ArchiveRetrievalCompleted"]
      expect((yield* put(notifications, { SNSTopic, Events })).status).toBe(404)
      yield* createVault("photos")
      const cases = [
        [{ Events }, "MissingParameterValueException"],
        [{ SNSTopic }, "MissingParameterValueException"],
        [{ SNSTopic, Events: [] }, "InvalidParameterValueException"],
        [{ SNSTopic, Events: ["Other"] }, "InvalidParameterValueException"],
        [{ SNSTopic, Events: [...Events, ...Events] }, "InvalidParameterValueException"],
        [{ SNSTopic, Events: Array.from({ length: 30_000 }, () => Events[0]) }, "InvalidParameterValueException"],
        [{ SNSTopic: "", Events }, "InvalidParameterValueException"],
        [{ SNSTopic: "not-an-arn", Events }, "InvalidParameterValueException"],
        [{ SNSTopic: topic + "x".repeat(900_000), Events }, "InvalidParameterValueException"]
      ] as const
      for (const [body, code] of cases) expect(codes(yield* put(notifications, body))).toEqual([400, code])
    }).pipe(Effect.provide(Support.layer())))
})

describe("access policies", () => {
  it.effect("are returned as the unchanged text", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      expect(errorOf(yield* call("GET", access))).toEqual([
        404,
        "ResourceNotFoundException",
        "No vault access policy is set for: photos"
      ])
      expect((yield* put(access, { Policy: policy() })).status).toBe(204)
      expect((yield* call("GET", access)).json).toEqual({ Policy: policy() })
      const other = policy({ Sid: "2" })
      yield* put(access, { Policy: other })
      expect((yield* call("GET", access)).json).toEqual({ Policy: other })
      for (let i = 0; i < 2; i++) expect((yield* call("DELETE", access)).status).toBe(204)
      expect((yield* call("GET", access)).status).toBe(404)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("must be valid policies of at most 20,480 bytes", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const padded = (size: number) => policy().padEnd(size, " ")
      expect((yield* put(access, { Policy: padded(20_480) })).status).toBe(204)
      const versioned = policy().replace("2012-10-17", "2012-10-18")
      const misspelled = policy({ Action: "glacier:DeleteArchives" })
      for (
        const wrong of [
          ...[padded(20_481), "no JSON", "7", "[]", "", 7, "{}", policy({ Action: 7 })],
          ...[versioned, misspelled]
        ]
      ) {
        const response = yield* put(access, { Policy: wrong })
        expect([wrong, ...codes(response)]).toEqual([wrong, 400, "InvalidParameterValueException"])
      }
      expect(codes(yield* put(access, {}))).toEqual([400, "MissingParameterValueException"])
      expect(codes(yield* call("PUT", access, { body: "{" }))).toEqual([400, "SerializationException"])
      expect((yield* call("GET", access)).json).toEqual({ Policy: padded(20_480) })
    }).pipe(Effect.provide(Support.layer())))
})

describe("vault locks", () => {
  it.effect("return 404 or 204 when the vault has none", () =>
    Effect.gen(function*() {
      for (const method of ["GET", "DELETE"] as const) expect((yield* call(method, lock)).status).toBe(404)
      yield* createVault("photos")
      expect(errorOf(yield* call("GET", lock))).toEqual([
        404,
        "ResourceNotFoundException",
        "No vault lock policy is set for: photos"
      ])
      expect((yield* complete("a".repeat(24))).status).toBe(404)
      expect((yield* call("DELETE", lock)).status).toBe(204)
      expect(codes(yield* initiate("no policy"))).toEqual([400, "InvalidParameterValueException"])
      expect((yield* initiate("{}")).json["message"]).toMatch(/vault lock policy is not valid/)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("in progress can be completed with their id or aborted, and expire", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const initiated = yield* initiate()
      expect(initiated.status).toBe(201)
      expect(initiated.headers["x-amz-lock-id"]).toMatch(/^[A-Za-z0-9]{24}$/)
      expect(initiated.headers["content-type"]).toBeUndefined()
      expect(codes(yield* initiate())).toEqual(denied)
      expect((yield* call("GET", lock)).json).toEqual({
        CreationDate: "1970-01-01T00:00:00.000Z",
        ExpirationDate: "1970-01-02T00:00:00.000Z",
        Policy: policy(),
        State: "InProgress"
      })
      expect(codes(yield* complete("a".repeat(24)))).toEqual([400, "InvalidParameterValueException"])
      expect((yield* call("DELETE", lock)).status).toBe(204)
      expect((yield* call("GET", lock)).status).toBe(404)
      const id = yield* lockId
      expect(codes(yield* complete(initiated.headers["x-amz-lock-id"] ?? ""))).toEqual([
        400,
        "InvalidParameterValueException"
      ])
      yield* TestClock.adjust("86399999 millis")
      expect((yield* call("GET", lock)).status).toBe(200)
      yield* TestClock.adjust("1 millis")
      expect((yield* call("GET", lock)).status).toBe(404)
      expect((yield* complete(id)).status).toBe(404)
      expect((yield* initiate()).status).toBe(201)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("stay unchanged once they are completed", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* lockId
      for (let i = 0; i < 2; i++) expect((yield* complete(id)).status).toBe(204)
      yield* TestClock.adjust("10000 days")
      expect((yield* complete(id)).status).toBe(204)
      expect(codes(yield* complete("a".repeat(24)))).toEqual(denied)
      expect(codes(yield* initiate())).toEqual(denied)
      expect(codes(yield* call("DELETE", lock))).toEqual(denied)
      expect((yield* call("GET", lock)).json).toEqual({
        CreationDate: "1970-01-01T00:00:00.000Z",
        ExpirationDate: null,
        Policy: policy(),
        State: "Locked"
      })
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are deleted with the vault, as policies and notification configurations are", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* complete(yield* lockId)
      yield* put(access, { Policy: policy() })
      yield* put(notifications, { SNSTopic: topic, Events: ["ArchiveRetrievalCompleted"] })
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
      yield* createVault("photos")
      for (const path of [lock, access, notifications]) expect((yield* call("GET", path)).status).toBe(404)
    }).pipe(Effect.provide(Support.layer())))
})
