import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Names from "../../src/protocol/Names.ts"
import { numbers, partSizes, rule, texts } from "./nameCases.ts"

describe("Names", () => {
  describe.each([...texts, ...numbers])("$name", ({ accepts, rejects, rule: expected, schema }) => {
    it("accepts every valid value", () => {
      for (const value of accepts) expect([value, rule(schema, value)]).toEqual([value, "accepted"])
    })

    it("rejects invalid values, and names its rule", () => {
      for (const value of rejects) {
        expect([value, rule(schema, value)]).toEqual([value, expect.stringContaining(expected)])
      }
    })

    it("rejects values of other types", () => {
      const other = typeof accepts[0] === "string" ? 123_456_789_012 : "1048576"
      for (const value of [null, undefined, true, {}, [], 5n, other]) expect(Schema.is(schema)(value)).toBe(false)
    })
  })

  describe("the arbitraries of names", () => {
    it.prop("make names that a URL path keeps unchanged", [
      fc.oneof(...[Names.VaultName, Names.AccountId, Names.ArchiveId, Names.UploadId, Names.JobId].map(Arbitrary.make))
    ], ([name]) => {
      expect(new URL(`https://host/${name}/next`).pathname).toBe(`/${name}/next`)
    }, { fastCheck: { numRuns: 300 } })

    it.each([...texts, ...numbers])("make valid and different values of $name", ({ name, schema }) => {
      const made = new Set(fc.sample(Arbitrary.make(schema), { numRuns: 300, seed: 1 }))
      for (const value of made) expect([value, rule(schema, value)]).toEqual([value, "accepted"])
      if (name === "PartSize") expect(made).toEqual(new Set(partSizes))
      else expect(made.size).toBeGreaterThan(100)
    })
  })
})
