/** The arbitrary of each public schema: its values survive encoding and decoding. */
import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Either, FastCheck, Schema } from "effect"
import * as Package from "../../src/index.ts"
import * as Protocol from "../../src/protocol/index.ts"
import * as Testing from "../../src/testing/index.ts"

const schemas = Object.entries({ ...Package, ...Protocol, ...Testing }).flatMap(([module, exports]) =>
  Object.entries(exports).flatMap(([name, value]: readonly [string, unknown]) =>
    Schema.isSchema(value)
      ? [{ name: `${module}.${name}`, schema: Schema.asSchema(value as Schema.Schema<unknown>) }]
      : []
  )
)

describe("the arbitrary of each public schema makes values that survive encoding and decoding", () => {
  it("covers all modules with schemas", () => {
    expect(new Set(schemas.map(({ name }) => name.replace(/\..*/, ""))).size).toBeGreaterThan(15)
    expect(schemas.length).toBeGreaterThan(90)
  })

  it.each(schemas)("$name", ({ schema }) => {
    const seen = new Set<string>()
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(schema), (value) => {
        const encoded = Either.getOrThrow(Schema.encodeEither(schema)(value))
        seen.add(JSON.stringify(encoded))
        const decoded = Either.getOrThrow(Schema.decodeUnknownEither(schema)(encoded))
        expect(decoded).toEqual(value)
      }),
      { numRuns: 50, seed: 1 }
    )
    expect(seen.size).toBeGreaterThan(1)
  })
})
