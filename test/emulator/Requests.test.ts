import { HttpServerRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, Redacted, TestClock } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import { routes } from "../../src/emulator/internal/app.ts"
import * as Delays from "../../src/emulator/internal/delays.ts"
import * as Router from "../../src/emulator/internal/router.ts"
import * as Store from "../../src/emulator/internal/store.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { nativeSha256 } from "../support/hashes.ts"
import * as Support from "./support.ts"

const { call, createVault, errorOf, vault } = Support

/** Sends a target unchanged: an HttpClient would normalize it. */
const raw = (method: string, target: string, headers: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const { app } = yield* Emulator.Emulator
    const request = HttpServerRequest.fromWeb(new Request("http://localhost/", { method, headers }))
    return yield* Effect.scoped(app).pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, request.modify({ url: target }))
    )
  })

const memory = Emulator.layerMemory().pipe(Layer.provide(Support.layerSha256))

describe("requests", () => {
  it.effect("have a route for each operation", () =>
    Effect.gen(function*() {
      const delays = Delays.make({ inventoryLag: 0 })
      const settings = { delays, maximumVaults: 1000, expeditedLimit: 1000, onJobInitiated: () => {} }
      const all = routes(yield* Store.memory, settings, nativeSha256)
      expect(all.map(({ operation }) => operation.name).sort()).toEqual(
        Object.values(operations).map(({ name }) => name).sort()
      )
    }))

  it.effect("must be signed with a known key within 5 minutes", () =>
    Effect.gen(function*() {
      expect(errorOf(yield* call("GET", "/-/vaults", { unsigned: true }))).toEqual([
        400,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token"
      ])
      const stranger = { accessKeyId: "AKIAI000000000000000", secretAccessKey: "x" }
      expect(errorOf(yield* call("GET", "/-/vaults", { key: stranger }))).toEqual([
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid."
      ])
      const wrong = { accessKeyId: Emulator.defaultKey.accessKeyId, secretAccessKey: "x" }
      expect(errorOf(yield* call("GET", "/-/vaults", { key: wrong })).slice(0, 2)).toEqual([
        403,
        "InvalidSignatureException"
      ])
      yield* TestClock.adjust("1 hours")
      const old = yield* call("GET", "/-/vaults", { headers: { "x-amz-date": "19700101T000000Z" } })
      expect(errorOf(old).slice(0, 2)).toEqual([403, "InvalidSignatureException"])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("accept the configured keys and accounts", () =>
    Effect.gen(function*() {
      const key = { accessKeyId: "AKIDMINE", secretAccessKey: "secret", sessionToken: "token" }
      expect((yield* call("GET", "/-/vaults", { key })).status).toBe(200)
      expect((yield* call("GET", "/999999999999/vaults", { key })).status).toBe(200)
      expect(errorOf(yield* call("GET", "/123456789012/vaults", { key }))).toEqual([
        403,
        "AccessDeniedException",
        "Access denied for account ID: 123456789012"
      ])
      expect((yield* call("PUT", vault("photos"), { key })).headers["location"]).toBe("/999999999999/vaults/photos")
      const { sessionToken: _, ...tokenless } = key
      expect((yield* call("GET", "/-/vaults", { key: tokenless })).json["code"]).toBe("UnrecognizedClientException")
    }).pipe(Effect.provide(Support.layer({
      accountId: "999999999999",
      keys: [{
        accessKeyId: "AKIDMINE",
        secretAccessKey: Redacted.make("secret"),
        sessionToken: Redacted.make("token")
      }]
    }))))

  it.effect("are checked in the order of the service", () =>
    Effect.gen(function*() {
      // The order is: target, signature, version, account, name.
      const headers = { "x-amz-glacier-version": undefined }
      expect(errorOf(yield* call("GET", "/vaults", { unsigned: true, headers }))[1]).toBe("BadRequest")
      const none = { unsigned: true, headers }
      expect(errorOf(yield* call("GET", "/1/vaults/a!b", none))[1]).toBe("MissingAuthenticationTokenException")
      expect(errorOf(yield* call("GET", "/1/vaults/a!b", { headers }))[2]).toBe(
        "Required parameter missing: API version"
      )
      expect(errorOf(yield* call("GET", "/1/vaults/a!b"))[2]).toBe("Access denied for account ID: 1")
      expect(errorOf(yield* call("GET", "/-/vaults/a!b"))).toEqual([
        400,
        "InvalidParameterValueException",
        "Invalid vaultName: a!b"
      ])
      // The marker is checked before the vault.
      for (const list of ["jobs", "multipart-uploads", `multipart-uploads/${"a".repeat(92)}`]) {
        const query = { marker: "no marker" }
        expect(errorOf(yield* call("GET", `${vault("missing")}/${list}`, { query }))).toEqual([
          400,
          "InvalidParameterValueException",
          "Invalid marker: no marker"
        ])
        expect((yield* call("GET", `${vault("missing")}/${list}`)).status).toBe(404)
      }
      const hash = "0".repeat(64)
      const changed = yield* call("GET", "/1/vaults", { headers: { ...headers, "x-amz-content-sha256": hash } })
      expect(errorOf(changed).slice(0, 2)).toEqual([403, "InvalidSignatureException"])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are rejected for an account without storage, once their signature is verified", () =>
    Effect.gen(function*() {
      for (const [method, path] of [["GET", "/-/vaults"], ["PUT", vault("photos")], ["DELETE", vault("a")]] as const) {
        const response = yield* call(method, path)
        expect(errorOf(response).slice(0, 2)).toEqual([400, "NoLongerSupportedException"])
      }
      const bytes = Support.text("x")
      const upload = { body: bytes, headers: Support.hashes(bytes) }
      expect(errorOf(yield* call("POST", `${vault("photos")}/archives`, upload))[1]).toBe("NoLongerSupportedException")
      expect(errorOf(yield* call("GET", "/-/vaults", { unsigned: true }))[1]).toBe(
        "MissingAuthenticationTokenException"
      )
      expect(errorOf(yield* call("GET", "/1/vaults"))[1]).toBe("AccessDeniedException")
    }).pipe(Effect.provide(Support.layer({ withoutStorage: [Support.account] }))))

  it.effect("are read with any Content-Type, and a tree hash of a JSON body is ignored", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain; charset=utf-8"]) {
        const response = yield* call("POST", `${vault("photos")}/jobs`, {
          body: "{}",
          headers: { "content-type": type, "x-amz-sha256-tree-hash": "0".repeat(64) }
        })
        expect(response.json["message"]).toBe("Required parameter missing: Type")
      }
    }).pipe(Effect.provide(Support.layer())))

  const settings = [
    { method: "POST", path: `${vault("photos")}/tags`, query: { operation: "add" }, name: "Tags" },
    { method: "POST", path: `${vault("photos")}/tags`, query: { operation: "remove" }, name: "TagKeys" },
    { method: "PUT", path: `${vault("photos")}/notification-configuration`, query: {}, name: "Events" },
    { method: "PUT", path: `${vault("photos")}/access-policy`, query: {}, name: "Policy" },
    { method: "POST", path: `${vault("photos")}/lock-policy`, query: {}, name: "Policy" },
    { method: "PUT", path: "/-/policies/data-retrieval", query: {}, name: "Policy" }
  ] as const

  const initiate = { method: "POST", path: `${vault("photos")}/jobs`, query: {} } as const

  it.effect("must have an empty body or a JSON object", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      for (const { method, name, path, query } of [...settings, { ...initiate, name: "Type" }]) {
        const send = (body: string) =>
          Effect.map(call(method, path, { query, body }), (response) => [path, body, ...errorOf(response)])
        const missing = (
          body: string,
          what: string
        ) => [path, body, 400, "MissingParameterValueException", `Required parameter missing: ${what}`]
        for (const body of ["", " \n"]) {
          expect(yield* send(body)).toEqual(missing(body, name === "Type" ? "Job Parameters" : name))
        }
        for (const body of ["{}", `{"${name}":null}`]) expect(yield* send(body)).toEqual(missing(body, name))
        for (const body of ["[]", "null", "5", "true", `"{}"`, "{", "{}{}"]) {
          expect(yield* send(body)).toEqual(
            [path, body, 400, "SerializationException", "The request body is not valid JSON."]
          )
        }
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are rejected when their JSON is nested too deep, in any field", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
      const parameters = ["Description", "SNSTopic", "InventoryRetrievalParameters", "Format"]
      for (
        const { method, name, path, query } of [...settings, ...parameters.map((name) => ({ ...initiate, name }))]
      ) {
        const send = (levels: number) =>
          Effect.map(
            call(method, path, { query, body: `{"Type":"inventory-retrieval","${name}":${nested(levels)}}` }),
            (response) => [name, levels, ...errorOf(response).slice(0, 2)]
          )
        expect(yield* send(31)).toEqual([name, 31, 400, "InvalidParameterValueException"])
        for (const levels of [32, 8_000, 200_000]) {
          expect(yield* send(levels)).toEqual([name, levels, 400, "SerializationException"])
        }
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("that match no operation are a BadRequest", () =>
    Effect.gen(function*() {
      for (
        const [method, path] of [
          ["GET", "/"],
          ["GET", "/-/vaults/a/b"],
          ["DELETE", "/-/vaults"],
          ["POST", "/-/vaults/photos"],
          ["POST", "/-/vaults/photos/tags"],
          ["POST", "/-/vaults/photos/tags?operation=rename"],
          ["POST", "/-/vaults/photos/tags?operation"],
          ["GET", "/-/vaults/"]
        ] as const
      ) {
        const response = yield* call(method, path)
        expect([response.status, response.json["code"], response.json["type"]]).toEqual([400, "BadRequest", "Client"])
        expect(response.headers["content-type"]).toBe("application/json")
        expect(response.headers["x-amzn-requestid"]).toHaveLength(47)
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("with a hostile target are a BadRequest", () =>
    Effect.gen(function*() {
      for (
        const target of [
          "",
          "*",
          "//",
          "http://localhost/-/vaults",
          "/-/vaults/..",
          "/-/vaults/../vaults",
          "/-/vaults/%2e%2e",
          "/-/vaults/a%2Fb",
          "/-/vaults/a%5Cb",
          "/-/vaults/%00",
          "/-/vaults/%",
          "/-/vaults/%ff",
          "/-/vaults?limit=%",
          "/-/vaults?%ff=1",
          "/-//vaults"
        ]
      ) {
        const { status } = yield* raw("GET", target)
        expect([target, status]).toEqual([target, 400])
      }
    }).pipe(Effect.provide(memory)))

  const segment = FastCheck.oneof(
    FastCheck.constantFrom("-", "vaults", "archives", "jobs", "output", "multipart-uploads", "..", ".", "", "%", "%2f"),
    FastCheck.constantFrom(
      "__proto__",
      "constructor",
      "toString",
      "{vaultName}",
      "%F0%9F%92%A9",
      "%00",
      "a".repeat(5000)
    ),
    FastCheck.string({ unit: "binary", maxLength: 20 })
  )
  const target = FastCheck.tuple(
    FastCheck.array(segment, { maxLength: 7 }),
    FastCheck.option(FastCheck.string({ maxLength: 30 }), { nil: undefined })
  ).map(([segments, query]) => "/" + segments.join("/") + (query === undefined ? "" : "?" + query))

  it.prop("never throw, whatever the target", [target], ([target]) => {
    const parsed = Router.parse(target)
    expect(["Left", "Right"]).toContain(parsed._tag)
  }, { fastCheck: { numRuns: 1000 } })

  it.effect.prop("never get a 500 response, whatever the target", [
    FastCheck.constantFrom("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"),
    target,
    FastCheck.dictionary(
      FastCheck.constantFrom("authorization", "x-amz-date", "x-amz-content-sha256", "content-length", "range"),
      FastCheck.oneof(
        FastCheck.stringMatching(/^[ -~]{0,40}$/),
        FastCheck.constant(
          "AWS4-HMAC-SHA256 Credential=A/19700101/r/glacier/aws4_request, SignedHeaders=host, Signature=0"
        )
      )
    )
  ], ([method, target, headers]) =>
    Effect.gen(function*() {
      const { status } = yield* raw(method, target, headers)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }).pipe(Effect.provide(memory)), { fastCheck: { numRuns: 300 } })
})
