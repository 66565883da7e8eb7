import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Hashes from "../../src/services/internal/hashes.ts"

const added = (texts: Iterable<string>, add: typeof Hashes.add = Hashes.add) => {
  const hashes = Hashes.make()
  for (const text of texts) add(hashes, Hashes.hash(text))
  return hashes
}

const texts = FastCheck.array(FastCheck.oneof(FastCheck.string({ maxLength: 3 }), FastCheck.constantFrom("a", "b")))

describe("Hashes", () => {
  it.prop(
    "finds the texts that were added twice or are among the others, and no other text",
    [texts, texts],
    ([own, others]) => {
      const found = new Set(Hashes.repeated(added(own), added(others, Hashes.addOnce)))
      const expected = own.filter((text, index) => own.indexOf(text) !== index || others.includes(text))
      expect(found).toEqual(new Set(expected.map(Hashes.hash)))
    }
  )

  it("gives 500,000 similar texts different hashes", () => {
    const all = added(Array.from({ length: 500_000 }, (_, index) => `photos/${index % 1_000}/${index}.jpeg`))
    expect([...Hashes.repeated(all)]).toEqual([])
  })

  it("keeps each different hash once, however often it is added", () => {
    const all = added(Array.from({ length: 1_000_000 }, (_, index) => `folder ${index % 2_000}`), Hashes.addOnce)
    expect(all.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(256 * 1_024)
  })
})
