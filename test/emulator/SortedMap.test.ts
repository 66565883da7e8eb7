import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { SortedMap } from "../../src/emulator/internal/sortedMap.ts"

const key = FastCheck.nat(30)

const action = FastCheck.record({ kind: FastCheck.constantFrom("set", "set", "delete"), key })

describe("SortedMap", () => {
  it.prop("iterates as a sorted list does, also from keys that do not exist", [
    FastCheck.array(action, { maxLength: 100 }),
    FastCheck.option(key, { nil: undefined })
  ], ([actions, from]) => {
    const map = new SortedMap<number, string>()
    const model = new Map<number, string>()
    for (const [n, { key, kind }] of actions.entries()) {
      if (kind === "set") {
        map.set(key, `value ${n}`)
        model.set(key, `value ${n}`)
      } else {
        map.delete(key)
        model.delete(key)
      }
    }
    const sorted = Array.from(model).sort(([a], [b]) => a - b)
    const [low = -1, high = Infinity] = [from, from]
    expect(Array.from(map.after(from))).toEqual(sorted.filter(([key]) => key > low))
    expect(Array.from(map.before(from))).toEqual(sorted.filter(([key]) => key < high).reverse())
    expect(Array.from(map.values()).sort()).toEqual(sorted.map(([, value]) => value).sort())
    expect([map.size, map.get(from ?? 0)]).toEqual([model.size, model.get(from ?? 0)])
  }, { fastCheck: { numRuns: 500 } })
})
