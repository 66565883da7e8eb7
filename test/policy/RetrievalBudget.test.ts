import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import { ConnectionError, type GlacierError } from "../../src/protocol/GlacierError.ts"
import { AccessDenied, PolicyEnforced } from "../../src/protocol/ServiceError.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { day, hour, most } from "./support.ts"

const price = { perGiB: 0.01, perThousandRequests: 0.05 }
const prices = {
  Expedited: { perGiB: 0.03, perThousandRequests: 10 },
  Standard: price,
  transfer: { perGiB: 0.09 }
}

const rejection = { operation: "InitiateJob", status: 400, message: "no" }
const denied = new AccessDenied(rejection)
const enforced = new PolicyEnforced(rejection)
const reset = new ConnectionError({ operation: "InitiateJob", message: "reset" })

/** Makes a budget with its own ledger. */
const make = (options: RetrievalBudget.Options) =>
  Effect.provide(RetrievalBudget.make(options), Layer.fresh(KeyValueStore.layerMemory))

/** Makes a call that records when it is made. */
const recorder = () => {
  const times: Array<number> = []
  return { times, call: Effect.map(Clock.currentTimeMillis, (now) => void times.push(now)) }
}

describe("RetrievalBudget.quote", () => {
  it.effect.prop(
    "computes the same for a Stream as for a list",
    [
      FastCheck.array(FastCheck.record({
        bytes: FastCheck.integer({ min: 0, max: 60 }),
        tier: FastCheck.constantFrom("Standard" as const, "Bulk" as const)
      })),
      FastCheck.integer({ min: 20, max: 200 })
    ],
    ([retrievals, bytesPerHour]) =>
      Effect.gen(function*() {
        const terms = { bytesPerHour, bytesPerDay: 5 * bytesPerHour }
        const ofStream = Effect.either(RetrievalBudget.quoteStream(Stream.fromIterable(retrievals), terms))
        expect(yield* ofStream).toEqual(RetrievalBudget.quote(retrievals, terms))
      })
  )

  it("adds up bytes, requests and cost by tier", () => {
    const retrievals = [
      { bytes: 2 ** 30, tier: "Expedited" },
      { bytes: 2 ** 31 },
      { bytes: 2 ** 31, tier: "Standard" },
      { bytes: 0 }
    ] as const
    const quote = Effect.runSync(RetrievalBudget.quote(retrievals, { prices }))
    expect(quote.tiers).toEqual({
      Expedited: { bytes: 2 ** 30, requests: 1 },
      Standard: { bytes: 2 ** 32, requests: 3 },
      Bulk: { bytes: 0, requests: 0 }
    })
    expect(quote.costs.retrieval).toBeCloseTo(0.03 + 4 * 0.01, 12)
    expect(quote.costs.requests).toBeCloseTo(0.01 + 3 * 0.000_05, 12)
    expect(quote.costs.transfer).toBeCloseTo(5 * 0.09, 12)
    expect(quote.costs.unpriced).toEqual([])
    expect(Option.getOrThrow(quote.cost)).toBeCloseTo(0.03 + 0.01 + 4 * 0.01 + 3 * 0.000_05 + 5 * 0.09, 12)
    expect(Duration.toMillis(quote.duration)).toBe(0)
    expect(RetrievalBudget.format(quote)).toBe([
      "Expedited: 1 request, 1,073,741,824 bytes (1.0 GiB)",
      "Standard: 3 requests, 4,294,967,296 bytes (4.0 GiB)",
      "Cost: 0.53015 (retrieval 0.07, requests 0.01015, transfer 0.45)"
    ].join("\n"))
  })

  it("names each part of the cost that has no price", () => {
    const quote = Effect.runSync(RetrievalBudget.quote([{ bytes: 700, tier: "Bulk" }, { bytes: 500 }], {
      bytesPerHour: 1_000,
      bytesPerDay: 1_100
    }))
    expect(quote.cost).toEqual(Option.none())
    expect(quote.costs).toEqual({ retrieval: 0, requests: 0, transfer: 0, unpriced: ["Standard", "Bulk", "transfer"] })
    expect(RetrievalBudget.format(quote)).toBe([
      "Standard: 1 request, 500 bytes",
      "Bulk: 1 request, 700 bytes",
      "Cost: unknown for Standard, Bulk and transfer, for which no price is given",
      "Under the caps, the last retrieval starts 1d after the first"
    ].join("\n"))
  })

  it("adds up what has a price beside what has none", () => {
    const terms = { prices: { Standard: { perGiB: 1, perThousandRequests: 500 } } }
    const quote = Effect.runSync(RetrievalBudget.quote([{ bytes: 2 ** 30 }, { bytes: 0 }], terms))
    expect(quote.cost).toEqual(Option.none())
    expect(quote.costs).toEqual({ retrieval: 1, requests: 1, transfer: 0, unpriced: ["transfer"] })
    expect(RetrievalBudget.format(quote).split("\n")).toContain(
      "Cost: 2.00 (retrieval 1.00, requests 1.00), plus transfer, for which no price is given"
    )
  })

  it("needs no price of the transfer for inventories, whose bytes it does not know", () => {
    const quote = Effect.runSync(RetrievalBudget.quote([{ bytes: 0 }], { prices: { Standard: price } }))
    expect(quote.cost).toEqual(Option.some(0.000_05))
    expect(RetrievalBudget.format(quote).split("\n")).toContain("Cost: 0.00005 (requests 0.00005)")
  })

  it("costs 0 without retrievals", () => {
    expect(Effect.runSync(RetrievalBudget.quote([])).cost).toEqual(Option.some(0))
  })

  it.effect("rejects a retrieval that is larger than a cap", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        RetrievalBudget.quote([{ bytes: 10 }, { bytes: 11 }], { bytesPerHour: 20, bytesPerDay: 10 })
      )
      expect(error).toMatchObject({ _tag: "BudgetExceeded", cap: "bytesPerDay", allowed: 10, asked: 11 })
      expect(error.message).toBe(
        "A retrieval takes 11 of the budget's bytesPerDay of 10, of which 10 is left: it will never fit"
      )
    }))

  it.effect.each([undefined, -1, 1.5, NaN, 2 ** 53])("rejects a size of %s", (bytes) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(RetrievalBudget.quote([{ bytes }]))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "bytes", value: String(bytes) })
    }))

  it.effect.prop(
    "computes how long the caps delay the last retrieval",
    [
      FastCheck.array(FastCheck.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 60 }),
      FastCheck.integer({ min: 500, max: 1_000 }),
      FastCheck.integer({ min: 500, max: 5_000 })
    ],
    ([sizes, bytesPerHour, bytesPerDay]) =>
      inVirtualTime(Effect.gen(function*() {
        const caps = { bytesPerHour, bytesPerDay }
        const retrievals = sizes.map((bytes) => ({ bytes, tier: "Bulk" as const }))
        const quote = yield* RetrievalBudget.quote(retrievals, caps)
        const budget = yield* make(caps)
        const { call, times } = recorder()
        yield* Effect.forEach(retrievals, (retrieval) => budget.spend(retrieval, call))
        expect(times.at(-1)).toBe(Duration.toMillis(quote.duration) + (times[0] ?? NaN))
      })),
    { fastCheck: { numRuns: 50 } }
  )
})

describe("RetrievalBudget", () => {
  it.effect("delays nothing by default, even a retrieval of unknown size", () =>
    Effect.gen(function*() {
      const budget = yield* RetrievalBudget.RetrievalBudget
      expect(budget).toBe(RetrievalBudget.none)
      expect(yield* budget.spend({ bytes: undefined }, Effect.succeed("job"))).toBe("job")
    }))

  it.effect.each([
    { field: "bytesPerHour", options: { bytesPerHour: 0 } },
    { field: "bytesPerDay", options: { bytesPerDay: 1.5 } },
    { field: "cost", options: { cost: -1, prices } },
    { field: "cost", options: { cost: Infinity, prices } },
    { field: "prices.Standard.perGiB", options: { prices: { Standard: { perGiB: NaN, perThousandRequests: 1 } } } }
  ])("rejects $options", ({ field, options }) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(make(options))
      expect(error).toMatchObject({ _tag: "InvalidInput", operation: "RetrievalBudget", field })
    }))

  it.effect.each([
    { caps: { bytesPerHour: 100 }, wait: hour },
    { caps: { bytesPerDay: 100 }, wait: day },
    { caps: { bytesPerHour: 1_000, bytesPerDay: 100 }, wait: day }
  ])("waits exactly until there is room under $caps", ({ caps, wait }) =>
    Effect.gen(function*() {
      const budget = yield* make(caps)
      const { call, times } = recorder()
      yield* budget.spend({ bytes: 60, tier: "Bulk" }, call)
      yield* TestClock.adjust("1 minute")
      yield* Effect.fork(budget.spend({ bytes: 40, tier: "Bulk" }, call))
      yield* Effect.fork(budget.spend({ bytes: 41, tier: "Bulk" }, call))
      yield* TestClock.adjust(wait - 60_001)
      expect(times).toEqual([0, 60_000])
      yield* TestClock.adjust(1)
      expect(times).toEqual([0, 60_000, wait])
    }))

  it.effect("starts retrievals in the order of arrival, and inventory retrievals at once", () =>
    inVirtualTime(Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100 })
      const started: Array<readonly [bytes: number, at: number]> = []
      yield* Effect.forEach(
        [50, 100, 10, 0, 90],
        (bytes) =>
          budget.spend({ bytes, tier: "Bulk" }, Effect.map(Clock.currentTimeMillis, (at) => started.push([bytes, at]))),
        { concurrency: "unbounded" }
      )
      expect(started).toEqual([[50, 0], [0, 0], [100, hour], [10, 2 * hour], [90, 2 * hour]])
    })))

  it.effect("lets the next retrieval start when a waiting one is interrupted", () =>
    Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100 })
      const { call, times } = recorder()
      yield* budget.spend({ bytes: 90 }, call)
      const [head, queued, last] = yield* Effect.forEach(
        [100, 100, 10],
        (bytes) => Effect.fork(budget.spend({ bytes }, call))
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(queued ?? Fiber.void)
      expect(times).toEqual([0])
      yield* Fiber.interrupt(head ?? Fiber.void)
      yield* Fiber.join(last ?? Fiber.void)
      expect(times).toEqual([0, 1_000])
    }))

  it.effect("fails at once with onExhausted \"fail\", with the time until there is room", () =>
    Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100, bytesPerDay: 120, onExhausted: "fail" })
      const { call, times } = recorder()
      yield* budget.spend({ bytes: 80 }, call)
      yield* TestClock.adjust("10 minutes")
      expect(yield* Effect.flip(budget.spend({ bytes: 30 }, call))).toMatchObject({
        _tag: "BudgetExceeded",
        cap: "bytesPerHour",
        allowed: 100,
        left: 20,
        asked: 30,
        roomIn: Duration.minutes(50)
      })
      expect(yield* Effect.flip(budget.spend({ bytes: 50 }, call))).toMatchObject({
        cap: "bytesPerDay",
        left: 40,
        roomIn: Duration.millis(day - 10 * 60_000)
      })
      yield* budget.spend({ bytes: 20 }, call)
      expect(times).toEqual([0, 600_000])
    }))

  it.effect("fails instead of waiting forever when a retrieval is larger than a cap", () =>
    Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100 })
      const { call, times } = recorder()
      const error = yield* Effect.flip(budget.spend({ bytes: 101 }, call))
      expect(error).toMatchObject({ _tag: "BudgetExceeded", cap: "bytesPerHour", allowed: 100, asked: 101 })
      expect(times).toEqual([])
    }))

  it.effect("requires the size of a retrieval under a cap", () =>
    Effect.gen(function*() {
      const { call, times } = recorder()
      for (const caps of [{ bytesPerHour: 100 }, { bytesPerDay: 100 }, { cost: 1, prices }]) {
        const budget = yield* make(caps)
        const error = yield* Effect.flip(budget.spend({ bytes: undefined }, call))
        expect(error).toMatchObject({ _tag: "InvalidInput", field: "bytes", value: "undefined" })
      }
      expect(times).toEqual([])
      yield* Effect.flatMap(make({}), (budget) => budget.spend({ bytes: undefined }, call))
      expect(times).toEqual([0])
    }))

  it.effect("counts a call until an hour after its end, when its job may have started", () =>
    Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100 })
      const { call, times } = recorder()
      yield* Effect.fork(budget.spend({ bytes: 60, tier: "Bulk" }, Effect.delay(call, "90 minutes")))
      yield* Effect.fork(budget.spend({ bytes: 60, tier: "Bulk" }, call))
      yield* TestClock.adjust(150 * 60_000 - 1)
      expect(times).toEqual([90 * 60_000])
      yield* TestClock.adjust(1)
      expect(times).toEqual([90 * 60_000, 150 * 60_000])
    }))

  it.effect.each<{ outcome: string; failure: Effect.Effect<never, GlacierError>; room: number }>([
    { outcome: "was rejected", failure: Effect.fail(denied), room: 60_000 },
    { outcome: "lost its response", failure: Effect.fail(reset), room: hour + 60_000 },
    { outcome: "was interrupted", failure: Effect.interrupt, room: hour + 60_000 }
  ])(
    "has room for the next retrieval after $room ms when a call $outcome",
    ({ failure, room }) =>
      Effect.gen(function*() {
        const budget = yield* make({ bytesPerHour: 100 })
        const { call, times } = recorder()
        yield* Effect.fork(budget.spend({ bytes: 60, tier: "Bulk" }, Effect.delay(failure, "1 minute")))
        yield* Effect.fork(budget.spend({ bytes: 60, tier: "Bulk" }, call))
        yield* TestClock.adjust(room - 1)
        expect(times).toEqual([])
        yield* TestClock.adjust(1)
        expect(times).toEqual([room])
      })
  )

  it.effect("never makes spent money available again", () =>
    Effect.gen(function*() {
      const spend = [{ bytes: 2 ** 30 }, { bytes: 2 ** 30 }, { bytes: 2 ** 30 }]
      const { cost } = yield* RetrievalBudget.quote(spend, { prices })
      const budget = yield* make({ cost: Option.getOrThrow(cost), prices })
      const { call, times } = recorder()
      yield* Effect.forEach(spend, (retrieval) => budget.spend(retrieval, call))
      yield* TestClock.adjust("100 days")
      for (const bytes of [1, 0]) {
        const error = yield* Effect.flip(budget.spend({ bytes }, call))
        expect(error).toMatchObject({ _tag: "BudgetExceeded", cap: "cost", left: 0 })
        expect(error).not.toHaveProperty("roomIn")
      }
      expect(times.length).toBe(3)
    }))

  it.effect.each([
    { field: "prices.Bulk", prices },
    { field: "prices.transfer", prices: { Bulk: price } }
  ])("rejects a retrieval without $field under a cap of cost", ({ field, prices }) =>
    Effect.gen(function*() {
      const budget = yield* make({ cost: 1, prices })
      const { call, times } = recorder()
      const error = yield* Effect.flip(budget.spend({ bytes: 1, tier: "Bulk" }, call))
      expect(error).toMatchObject({ _tag: "InvalidInput", field })
      expect(times).toEqual([])
    }))

  it.effect("counts the transfer of the bytes in a cap of cost", () =>
    Effect.gen(function*() {
      const free = { perGiB: 0, perThousandRequests: 0 }
      const budget = yield* make({ cost: 3, prices: { Standard: free, transfer: { perGiB: 1 } } })
      yield* budget.spend({ bytes: 2 ** 31 }, Effect.void)
      const error = yield* Effect.flip(budget.spend({ bytes: 2 ** 31 }, Effect.void))
      expect(error).toMatchObject({ _tag: "BudgetExceeded", cap: "cost", left: 1, asked: 2 })
    }))

  it.effect("keeps its caps when its ledger merges thousands of retrievals", () =>
    inVirtualTime(Effect.gen(function*() {
      const caps = { bytesPerHour: 1_000, bytesPerDay: 9_000 }
      const store = yield* KeyValueStore.KeyValueStore
      const budget = yield* RetrievalBudget.make(caps)
      const starts: Array<{ readonly at: number; readonly bytes: number }> = []
      const call = Effect.map(Clock.currentTimeMillis, (at) => void starts.push({ at, bytes: 7 }))
      yield* Effect.forEach(
        Array(1_500),
        (_, index) => Effect.zipLeft(budget.spend({ bytes: 7 }, call), Effect.sleep(index % 5 * 7_000))
      )
      expect(most(starts, hour)).toBeLessThanOrEqual(caps.bytesPerHour)
      expect(most(starts, day)).toBeLessThanOrEqual(caps.bytesPerDay)
      const page = Option.getOrThrow(yield* store.get("retrieval-budget-1"))
      expect(page.length).toBeLessThan(40_000)
      // Merged retrievals count at most 2 minutes longer.
      const exact = yield* RetrievalBudget.quote(starts, caps)
      expect(starts.at(-1)?.at).toBeLessThan(Duration.toMillis(exact.duration) * 1.03 + hour)
    })).pipe(Effect.provide(KeyValueStore.layerMemory), Effect.provide(NodeHashing.layer)))
})

describe("RetrievalBudget.left", () => {
  it.effect("reports what is left of each cap, and counts calls in flight", () =>
    Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100, bytesPerDay: 150, cost: 1, prices })
      expect(yield* budget.left).toEqual({ bytesPerHour: 100, bytesPerDay: 150, cost: 1 })
      yield* budget.spend({ bytes: 60, tier: "Expedited" }, Effect.void)
      yield* TestClock.adjust("2 hours")
      yield* Effect.fork(budget.spend({ bytes: 30, tier: "Expedited" }, Effect.never))
      yield* Effect.yieldNow()
      expect(yield* budget.left).toEqual({ bytesPerHour: 70, bytesPerDay: 60, cost: expect.closeTo(0.98, 6) })
      expect(yield* RetrievalBudget.none.left).toEqual({})
    }))
})

describe("A retrieval that the account's own policy rejects", () => {
  /** Makes a call that is rejected `times` times and records when it is made. */
  const rejecting = (times: number) => {
    const { call, times: calls } = recorder()
    return {
      calls,
      call: Effect.zipRight(call, Effect.suspend(() => calls.length <= times ? Effect.fail(enforced) : Effect.void))
    }
  }

  it.effect("is requested again each hour, one for all that wait", () =>
    inVirtualTime(Effect.gen(function*() {
      const budget = yield* make({})
      const { call, calls } = rejecting(3)
      yield* Effect.replicateEffect(budget.spend({ bytes: 1 }, call), 20, { concurrency: "unbounded" })
      expect(calls).toEqual([0, hour, 2 * hour, ...Array(20).fill(3 * hour)])
    })))

  it.effect("fails when it is rejected for a day", () =>
    inVirtualTime(Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100 })
      const { call, calls } = rejecting(Infinity)
      expect(yield* Effect.flip(budget.spend({ bytes: 100 }, call))).toBe(enforced)
      expect(calls).toEqual(Array.from({ length: 25 }, (_, index) => index * hour))
    })))

  it.effect("delays no other tier and no inventory retrieval, and takes no room from them", () =>
    Effect.gen(function*() {
      const budget = yield* make({ bytesPerHour: 100 })
      const { call } = rejecting(1)
      const free = recorder()
      yield* Effect.fork(budget.spend({ bytes: 100 }, call))
      yield* Effect.yieldNow()
      yield* budget.spend({ bytes: 0 }, free.call)
      yield* budget.spend({ bytes: 50, tier: "Bulk" }, free.call)
      yield* budget.spend({ bytes: 50, tier: "Expedited" }, free.call)
      expect(free.times).toEqual([0, 0, 0])
    }))

  it.effect("is not requested within the hour by a restarted program, nor by a budget that does not wait", () =>
    Effect.gen(function*() {
      const { call, calls } = rejecting(1)
      const first = yield* Effect.fork(Effect.flatMap(RetrievalBudget.make({}), (_) => _.spend({ bytes: 1 }, call)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(first)
      const budget = yield* RetrievalBudget.make({ onExhausted: "fail" })
      yield* TestClock.adjust(hour - 60_001)
      expect(yield* Effect.flip(budget.spend({ bytes: 1 }, call))).toMatchObject({ _tag: "PolicyEnforced" })
      expect(calls).toEqual([0])
      yield* TestClock.adjust(1)
      yield* budget.spend({ bytes: 1 }, call)
      expect(calls).toEqual([0, hour])
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))
})
