import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Records from "../../src/cli/Records.ts"
import * as StateIndex from "../../src/cli/StateIndex.ts"

const record = (archiveId: string, state: Records.State, second: number): Records.Record => ({
  archiveId,
  state,
  date: DateTime.unsafeMake(second * 1_000)
})

const stateIn = (records: ReadonlyArray<Records.Record>, archiveId: string) =>
  Effect.map(StateIndex.make(Stream.fromIterable(records)), ({ find, stateAt }) => stateAt(find(archiveId)))

describe("StateIndex", () => {
  it.effect("finds the state of the latest record, in whatever order the records are", () =>
    Effect.gen(function*() {
      const records = [record("a", "uploaded", 1), record("a", "verified", 3), record("a", "retrieved", 2)]
      expect(yield* stateIn(records, "a")).toEqual(Option.some("verified"))
      expect(yield* stateIn(Arr.reverse(records), "a")).toEqual(Option.some("verified"))
      expect(yield* stateIn(records, "b")).toEqual(Option.none())
    }))

  it.effect("reports an archive as deleted, even if a later record has another state", () =>
    Effect.gen(function*() {
      const records = [record("a", "deleted", 1), record("a", "verified", 2)]
      expect(yield* stateIn(records, "a")).toEqual(Option.some("deleted"))
      expect(yield* stateIn(Arr.reverse(records), "a")).toEqual(Option.some("deleted"))
    }))

  it.effect("finds each of 100,000 archives, and no others", () =>
    Effect.gen(function*() {
      const states = Records.State.literals
      const stateOf = (n: number) => Option.fromNullable(states[n % states.length])
      const records = Arr.makeBy(100_000, (n) => record(`id-${n}`, Option.getOrThrow(stateOf(n)), n))
      const { find, slots, stateAt } = yield* StateIndex.make(Stream.fromIterable(records))
      const found = records.filter(({ archiveId }, n) =>
        Option.getOrNull(stateAt(find(archiveId))) === Option.getOrNull(stateOf(n))
      )
      expect(found.length).toBe(100_000)
      expect(new Set(records.map(({ archiveId }) => find(archiveId))).size).toBe(100_000)
      expect(Arr.makeBy(100_000, (n) => find(`other-${n}`)).filter((slot) => slot !== -1)).toEqual([])
      expect(slots).toBeLessThanOrEqual(2 ** 18)
    }))

  it.effect.prop(
    "agrees with a search through all records",
    [FastCheck.array(FastCheck.record({
      archiveId: FastCheck.constantFrom("a", "b", "c"),
      state: FastCheck.constantFrom(...Records.State.literals),
      second: FastCheck.integer({ min: 0, max: 4_000_000_000 })
    }))],
    ([all]) =>
      Effect.gen(function*() {
        // Records of one archive at one time have no order.
        const distinct = Arr.dedupeWith(all, (a, b) => a.archiveId === b.archiveId && a.second === b.second)
        const records = distinct.map(({ archiveId, second, state }) => record(archiveId, state, second))
        for (const id of ["a", "b", "c"]) {
          const own = records.filter(({ archiveId }) => archiveId === id)
          const latest = own.reduce<Records.Record | undefined>(
            (last, next) => last === undefined || DateTime.greaterThan(next.date, last.date) ? next : last,
            undefined
          )
          const expected = own.some(({ state }) => state === "deleted") ? "deleted" : latest?.state
          expect(Option.getOrUndefined(yield* stateIn(records, id))).toBe(expected)
        }
      })
  )
})
