import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Check from "../../src/protocol/InputCheck.ts"
import { VaultName } from "../../src/protocol/Names.ts"

const Settings = Schema.Struct({ vaults: Schema.Array(Schema.Struct({ name: VaultName })) })
const legal = { vaults: [{ name: "a" }, { name: "b" }] }

describe("Check", () => {
  it("gives a legal value back", () => {
    expect(Check.check("Copy", "settings", Settings, legal)).toEqual(Either.right(legal))
  })

  it.each([
    [{ vaults: [{ name: "a" }, { name: "b/c" }] }, "settings.vaults.1.name", "\"b/c\""],
    [{ vaults: [{}] }, "settings.vaults.0.name", "undefined"],
    [{ vaults: 5 }, "settings.vaults", "5"],
    [null, "settings", "null"]
  ])("says what is wrong with %j", (value, field, shown) => {
    expect(Either.flip(Check.check("Copy", "settings", Settings, value)))
      .toMatchObject({ right: { _tag: "InvalidInput", operation: "Copy", field, value: shown } })
  })

  it("of several wrong things names the first", () => {
    const failure = Either.flip(Check.check("Copy", "settings", Settings, { vaults: [{ name: "." }, { name: ".." }] }))
    expect(failure).toMatchObject({ right: { field: "settings.vaults.0.name", value: "\".\"" } })
  })

  it.each([[1, true], [64, true], [0, false], [-1, false], [1.5, false], [NaN, false], [Infinity, false]])(
    "a concurrency of %d: %j",
    (count, legal) => expect(Schema.is(Check.Concurrency)(count)).toBe(legal)
  )
})
