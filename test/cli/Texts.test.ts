import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Texts from "../../src/cli/Texts.ts"

describe("Texts", () => {
  it.prop(
    "returns each text at its position, whatever characters it has",
    [FastCheck.array(FastCheck.string({ unit: "grapheme", maxLength: 100 }), { maxLength: 50 })],
    ([all]) => {
      const texts = Texts.make()
      const positions = all.map(texts.add)
      expect(positions.map(texts.at)).toEqual(all)
    }
  )

  it("keeps texts of many MiB, and texts that are larger than a piece of memory", () => {
    const texts = Texts.make()
    const all = [
      ...Array.from({ length: 50_000 }, (_, n) => `/home/user/restored/photos/2015/${n}, by \u00d6.jpeg`),
      "x".repeat(3_000_000),
      "\ufeffafter",
      ""
    ]
    expect(all.map(texts.add).map(texts.at)).toEqual(all)
  })
})
