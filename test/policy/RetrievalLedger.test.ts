import * as NodeKeyValueStore from "@effect/platform-node/NodeKeyValueStore"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { caps, failing, left, spend } from "./ledgers.ts"
import { type Call, fates, hour, type Life, makeLife, makeService, most, storeOn } from "./support.ts"

describe("The ledger of a retrieval budget", () => {
  const sizes = [40, 60, 0, 30, 70, 100]

  /**
   * Starts retrievals one after the other in a program that crashes during a write. A second program continues with the first
   * retrieval that is not known to have started.
   */
  const crashing = Effect.fnUntraced(function*(writes: number, fate: (typeof fates)[number]) {
    const pages = new Map<string, string>()
    const service = makeService()
    let next = 0
    let count = 0
    for (const options of [{ writes, fate }, {}]) {
      const life = yield* makeLife
      const { store, writes } = storeOn(pages, life, options)
      const program = Effect.gen(function*() {
        const budget = yield* RetrievalBudget.make({ bytesPerHour: 100 })
        for (; next < sizes.length; next++) {
          const call: Call = { bytes: sizes[next] ?? 0, tier: "Bulk", before: 0, after: 0, outcome: "started" }
          yield* budget.spend(call, service.initiate(life, call))
        }
      })
      yield* life.live(Effect.provideService(program, KeyValueStore.KeyValueStore, store))
      count = Math.max(count, writes())
    }
    return { starts: service.starts, count, end: yield* Clock.currentTimeMillis }
  })

  it.effect.each([...fates])(
    "keeps its cap after a crash during any of its writes: %s",
    (fate) =>
      Effect.gen(function*() {
        const { count } = yield* inVirtualTime(crashing(Infinity, "whole"))
        expect(count).toBe(2 + 4 * sizes.length)
        for (let writes = 1; writes <= 2 + 4 * sizes.length; writes++) {
          const { end, starts } = yield* inVirtualTime(crashing(writes, fate))
          expect(most(starts, hour)).toBeLessThanOrEqual(100)
          // Only a call in flight counts for too long.
          expect(end).toBeLessThanOrEqual(4 * hour)
        }
      })
  )

  it.effect("keeps its cap when two crashes in a row damage one page each", () =>
    Effect.gen(function*() {
      const pages = new Map<string, string>()
      const open = (writes: number) =>
        Effect.gen(function*() {
          const life = yield* makeLife
          const { store } = storeOn(pages, life, { writes, fate: "torn" })
          const budget = Effect.provideService(RetrievalBudget.make(caps), KeyValueStore.KeyValueStore, store)
          return yield* life.live(Effect.tap(budget, (budget) => spend(budget, 40)))
        })
      for (const writes of [1, 2, 3, 4]) {
        for (const then of [1, 2]) {
          pages.clear()
          yield* open(Infinity)
          yield* open(writes)
          yield* open(then)
          const { store } = storeOn(pages, yield* makeLife)
          const budget = yield* Effect.provideService(RetrievalBudget.make(caps), KeyValueStore.KeyValueStore, store)
          expect(yield* left(budget)).toBeLessThanOrEqual(60)
        }
      }
    }))

  it.scoped("survives in files", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-glacier-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const open = (key?: string) =>
        Effect.provide(RetrievalBudget.make({ ...caps, key }), NodeKeyValueStore.layerFileSystem(folder))
      yield* spend(yield* open(), 70)
      expect(yield* left(yield* open())).toBe(30)
      expect(yield* left(yield* open("other"))).toBe(100)
      expect(readdirSync(folder)).toEqual(["other-1", "other-2", "retrieval-budget-1", "retrieval-budget-2"])
    }))

  it.effect("counts a call in flight during a crash from the next start", () =>
    Effect.gen(function*() {
      const pages = new Map<string, string>()
      const life = yield* makeLife
      const open = (life: Life) =>
        Effect.provideService(RetrievalBudget.make(caps), KeyValueStore.KeyValueStore, storeOn(pages, life).store)
      const budget = yield* open(life)
      const program = yield* Effect.fork(life.live(budget.spend({ bytes: 70 }, Effect.never)))
      yield* TestClock.adjust("50 minutes")
      yield* life.die
      yield* Fiber.join(program)
      const again = yield* open(yield* makeLife)
      yield* TestClock.adjust(hour - 1)
      expect(yield* left(again)).toBe(30)
      yield* TestClock.adjust(1)
      expect(yield* left(again)).toBe(100)
    }))

  it.effect("belongs to the program that opened it last", () =>
    Effect.gen(function*() {
      const first = yield* RetrievalBudget.make(caps)
      yield* spend(first, 10)
      const under = yield* Effect.fork(first.spend({ bytes: 10, tier: "Bulk" }, Effect.delay(Effect.void, "1 minute")))
      yield* Effect.yieldNow()
      const second = yield* RetrievalBudget.make(caps)
      expect(yield* left(second)).toBe(80)
      const calls: Array<string> = []
      const error = yield* Effect.flip(first.spend({ bytes: 1, tier: "Bulk" }, Effect.sync(() => calls.push("first"))))
      expect(error).toMatchObject({
        _tag: "LedgerError",
        message: expect.stringContaining("opened by another program")
      })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(under)
      expect(calls).toEqual([])
      expect(yield* left(second)).toBe(80)
      yield* spend(second, 80)
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))

  it.effect("fails to open when both its pages are damaged", () =>
    Effect.gen(function*() {
      const store = yield* KeyValueStore.KeyValueStore
      yield* RetrievalBudget.make(caps)
      for (const page of ["retrieval-budget-1", "retrieval-budget-2"]) yield* store.set(page, "")
      const error = yield* Effect.flip(RetrievalBudget.make(caps))
      expect(error).toMatchObject({
        _tag: "LedgerError",
        message: expect.stringContaining("remove its keys retrieval-budget-1 and retrieval-budget-2")
      })
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))

  it.effect("makes no call when it cannot be written", () =>
    Effect.gen(function*() {
      const { broken, store } = yield* failing
      const budget = yield* Effect.provideService(RetrievalBudget.make(caps), KeyValueStore.KeyValueStore, store)
      broken.isBroken = true
      const calls: Array<string> = []
      const error = yield* Effect.flip(budget.spend({ bytes: 70 }, Effect.sync(() => calls.push("made"))))
      expect(error).toMatchObject({ _tag: "LedgerError", message: expect.stringContaining("cannot be written") })
      expect(calls).toEqual([])
      broken.isBroken = false
      expect(yield* left(budget)).toBe(100)
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))

  it.effect("returns the result of a call even when it cannot be written afterwards", () => {
    const logged: Array<unknown> = []
    return Effect.gen(function*() {
      const { broken, store } = yield* failing
      const budget = yield* Effect.provideService(RetrievalBudget.make(caps), KeyValueStore.KeyValueStore, store)
      const call = Effect.sync(() => {
        broken.isBroken = true
        return "job"
      })
      expect(yield* budget.spend({ bytes: 70 }, call)).toBe("job")
      expect(logged).toEqual([expect.stringContaining("cannot be written")])
      broken.isBroken = false
      expect(yield* left(budget)).toBe(30)
    }).pipe(
      Effect.provide(
        Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => logged.push(...[message].flat())))
      ),
      Effect.provide(KeyValueStore.layerMemory)
    )
  })

  it.effect.each([true, false])(
    "delays no retrieval by more than an hour when the clock was set back: restarted %s",
    (restarted) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("30 days")
        const open = RetrievalBudget.make({ bytesPerHour: 100 })
        const budget = yield* open
        yield* spend(budget, 70)
        yield* TestClock.setTime(0)
        const waiting = yield* Effect.fork(spend(restarted ? yield* open : budget, 100))
        yield* TestClock.adjust(hour - 1)
        expect(yield* Fiber.poll(waiting)).toEqual(Option.none())
        yield* TestClock.adjust(1)
        yield* Fiber.join(waiting)
        expect(yield* Clock.currentTimeMillis).toBe(hour)
      }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )
})
