import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Support from "./support.ts"

const { call, createVault, vault } = Support

const tags = `${vault("photos")}/tags`

const change = (operation: string, body: unknown) =>
  call("POST", tags, { query: { operation }, body: JSON.stringify(body) })

const add = (Tags: unknown) => change("add", { Tags })

const remove = (TagKeys: unknown) => change("remove", { TagKeys })

const listed = Effect.map(call("GET", tags), ({ text }) => text)

const numbered = (from: number, to: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`k${from + i}`, "v"]))

describe("tags", () => {
  it.effect("are added, overwritten, listed and removed", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      expect(yield* listed).toBe(`{"Tags":{}}`)
      const added = yield* add({ Year: "2012", "é /=+-@._1": "", year: "a" })
      expect([added.status, added.headers["content-type"]]).toEqual([204, undefined])
      yield* add({ Year: "2013" })
      expect(yield* listed).toBe(`{"Tags":{"Year":"2013","year":"a","é /=+-@._1":""}}`)
      for (let i = 0; i < 2; i++) {
        expect((yield* remove(["Year", "never there"])).status).toBe(204)
        expect(yield* listed).toBe(`{"Tags":{"year":"a","é /=+-@._1":""}}`)
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are at most 50 on a vault and 10 in a request", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      for (let i = 0; i < 5; i++) expect((yield* add(numbered(i * 10, i * 10 + 10))).status).toBe(204)
      const rejected = yield* add({ k0: "w", more: "" })
      expect([rejected.status, rejected.json["code"]]).toEqual([400, "LimitExceededException"])
      expect(yield* listed).toContain(`"k0":"v"`)
      expect((yield* add({ k0: "w" })).status).toBe(204)
      expect((yield* add(numbered(0, 11))).json["code"]).toBe("InvalidParameterValueException")
      expect((yield* remove(Object.keys(numbered(0, 11)))).json["code"]).toBe("InvalidParameterValueException")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are rejected when a field is missing or invalid", () =>
    Effect.gen(function*() {
      expect((yield* add({ a: "" })).json["code"]).toBe("ResourceNotFoundException")
      expect((yield* call("GET", tags)).status).toBe(404)
      yield* createVault("photos")
      for (const wrong of [{}, { "aws:a": "" }, { a: "*" }, { "": "" }, { ["k".repeat(129)]: "" }, "a", { a: 1 }]) {
        const response = yield* add(wrong)
        expect([wrong, response.status, response.json["code"]]).toEqual([wrong, 400, "InvalidParameterValueException"])
      }
      expect((yield* change("add", {})).json["message"]).toBe("Required parameter missing: Tags")
      expect((yield* change("remove", {})).json["message"]).toBe("Required parameter missing: TagKeys")
      expect((yield* remove([])).json["code"]).toBe("InvalidParameterValueException")
      const body = "{\"Tags\":"
      expect((yield* call("POST", tags, { query: { operation: "add" }, body })).json["code"]).toBe(
        "SerializationException"
      )
      expect(yield* listed).toBe(`{"Tags":{}}`)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("may have the names of properties that every object has", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const body = `{"Tags":{"__proto__":"a","constructor":"b"}}`
      expect((yield* call("POST", tags, { query: { operation: "add" }, body })).status).toBe(204)
      expect(yield* listed).toBe(body)
      expect((yield* remove(["__proto__"])).status).toBe(204)
      expect(yield* listed).toBe(`{"Tags":{"constructor":"b"}}`)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("belong to a vault, and are deleted with it", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* createVault("films")
      yield* add({ a: "1" })
      expect((yield* call("GET", `${vault("films")}/tags`)).text).toBe(`{"Tags":{}}`)
      yield* call("DELETE", vault("photos"))
      yield* createVault("photos")
      expect(yield* listed).toBe(`{"Tags":{}}`)
    }).pipe(Effect.provide(Support.layer())))
})
