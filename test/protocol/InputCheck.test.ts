import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Check from "../../src/protocol/InputCheck.ts"
import { VaultName } from "../../src/protocol/Names.ts"

const Settings = Schema.Struct({ vaults: Schema.Array(Schema.Struct({ name: VaultName })) })
const legal = { vaults: [{ name: "a" }, { name: "b" }] }

describe("InputCheck.check", () => {
  it("returns a valid value", () => {
    expect(Check.check("Copy", "settings", Settings, legal)).toEqual(Either.right(legal))
  })

  it.each([
    [{ vaults: [{ name: "a" }, { name: "b/c" }] }, "settings.vaults.1.name", "\"b/c\""],
    [{ vaults: [{}] }, "settings.vaults.0.name", "undefined"],
    [{ vaults: 5 }, "settings.vaults", "5"],
    [null, "settings", "null"]
  ])("names the invalid field and its value: %j", (value, field, shown) => {
    expect(Either.flip(Check.check("Copy", "settings", Settings, value)))
      .toMatchObject({ right: { _tag: "InvalidInput", operation: "Copy", field, value: shown } })
  })

  it("names the first of several invalid fields", () => {
    const failure = Either.flip(Check.check("Copy", "settings", Settings, { vaults: [{ name: "." }, { name: ".." }] }))
    expect(failure).toMatchObject({ right: { field: "settings.vaults.0.name", value: "\".\"" } })
  })

  it.each([[1, true], [64, true], [0, false], [-1, false], [1.5, false], [NaN, false], [Infinity, false]])(
    "accepts only a concurrency that is a positive integer: %d is %j",
    (count, legal) => expect(Schema.is(Check.Concurrency)(count)).toBe(legal)
  )
})
