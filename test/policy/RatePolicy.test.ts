import * as RateLimiter from "@effect/experimental/RateLimiter"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { largest, recorder } from "./support.ts"

const memory = Layer.provide(RateLimiter.layer, Layer.fresh(RateLimiter.layerStoreMemory))

/** Makes a policy with its own store. */
const make = (options: RatePolicy.Options) => Effect.provide(RatePolicy.make(options), memory)

/** Returns when attempts start that all arrive at once and take `millis` each. */
const startsOf = (
  policy: RatePolicy.Policy,
  attempts: number,
  options: { readonly class?: RatePolicy.Class; readonly millis?: number } = {}
) =>
  Effect.gen(function*() {
    const record = recorder()
    const attempt = record.attempt(() => options.millis ?? 0)
    yield* Effect.forEach(
      Array.from({ length: attempts }),
      () => policy.pace(attempt, options.class ?? "read"),
      { concurrency: "unbounded", discard: true }
    )
    return record.starts
  })

describe("RatePolicy", () => {
  it("gives each operation its class", () => {
    const names = (of: RatePolicy.Class) =>
      Object.entries(operations).filter(([, operation]) => RatePolicy.classOf(operation) === of).map(([name]) => name)
    expect(names("upload")).toEqual(["uploadArchive", "uploadMultipartPart"])
    expect(names("download")).toEqual(["getJobOutput"])
    expect(names("retrieval")).toEqual(["initiateJob"])
    expect(names("read").every((name) => /^(describe|get|list)/.test(name))).toBe(true)
    expect(names("write").every((name) => !/^(describe|get|list)/.test(name))).toBe(true)
    expect(names("read").length + names("write").length).toBe(Object.keys(operations).length - 4)
  })

  it.effect("delays nothing by default", () =>
    inVirtualTime(Effect.gen(function*() {
      const policy = yield* RatePolicy.RatePolicy
      expect(policy).toBe(RatePolicy.none)
      expect(yield* startsOf(policy, 100)).toEqual(Array(100).fill(0))
    })))

  it.effect.each([
    { requestsPerSecond: 0 },
    { requestsPerSecond: -1 },
    { requestsPerSecond: NaN },
    { requestsPerSecond: 1_001 },
    { read: { requestsPerSecond: Infinity } },
    { concurrency: 0 },
    { concurrency: 1.5 },
    { upload: { concurrency: NaN } }
  ])("rejects %j", (options) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(RatePolicy.RatePolicy, RatePolicy.layerWith(options)))
      expect(error._tag).toBe("InvalidInput")
      expect(error.message).toMatch(/^RatePolicy: (requestsPerSecond|concurrency) must be .* but is /)
    }))

  describe("requestsPerSecond", () => {
    it.effect.each([
      { rate: 5, space: 200 },
      { rate: 0.5, space: 2_000 },
      { rate: 3, space: 334 },
      { rate: 300, space: 4 },
      { rate: 1_000, space: 1 }
    ])("of $rate starts a request every $space ms", ({ rate, space }) =>
      inVirtualTime(Effect.gen(function*() {
        const policy = yield* make({ requestsPerSecond: rate })
        expect(yield* startsOf(policy, 20)).toEqual(Array.from({ length: 20 }, (_, index) => index * space))
        // After a pause only the first starts at once.
        yield* Effect.sleep("1 minute")
        const [first = NaN, second = NaN] = yield* startsOf(policy, 2)
        expect(second - first).toBe(space)
      })))

    it.effect("limits a class separately, within the limit of all classes", () =>
      inVirtualTime(Effect.gen(function*() {
        const policy = yield* make({ requestsPerSecond: 10, retrieval: { requestsPerSecond: 2 } })
        const [jobs, reads] = yield* Effect.all([
          startsOf(policy, 10, { class: "retrieval" }),
          startsOf(policy, 40)
        ], { concurrency: 2 })
        expect(largest(jobs, 1_000)).toBe(2)
        expect(largest([...jobs, ...reads].sort((a, b) => a - b), 1_000)).toBe(10)
        // Requests that wait for the limit of their class do not delay the others.
        expect(Math.max(...reads)).toBeLessThan(5_000)
        expect(Math.max(...jobs)).toBeLessThan(9_000)
      })))

    it.effect("gives the slot of an interrupted request to the next", () =>
      Effect.gen(function*() {
        const policy = yield* make({ requestsPerSecond: 1 })
        const record = recorder()
        const call = Effect.fork(policy.pace(record.attempt(() => 0), "read"))
        yield* call
        const head = yield* call
        const queued = yield* call
        const last = yield* call
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interruptAll([head, queued])
        yield* TestClock.adjust("499 millis")
        expect(record.starts).toEqual([0])
        yield* TestClock.adjust("1 millis")
        expect(record.starts).toEqual([0, 1_000])
        yield* Fiber.join(last)
      }))

    it.effect("drops a slot that no request used in its time", () =>
      Effect.gen(function*() {
        const policy = yield* make({ requestsPerSecond: 10 })
        const record = recorder()
        const call = Effect.fork(policy.pace(record.attempt(() => 0), "read"))
        yield* call
        const waiting = yield* call
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(waiting)
        yield* TestClock.adjust("10 seconds")
        yield* call
        yield* call
        yield* TestClock.adjust("1 second")
        expect(record.starts).toEqual([0, 10_000, 10_100])
      }))

    it.effect.prop(
      "starts at most as many requests within any sliding second",
      {
        rate: FastCheck.oneof(FastCheck.integer({ min: 1, max: 200 }), FastCheck.double({ min: 0.5, max: 50 })),
        gaps: FastCheck.array(FastCheck.integer({ min: 0, max: 300 }), { minLength: 20, maxLength: 60 }),
        crowd: FastCheck.integer({ min: 1, max: 10 })
      },
      ({ crowd, gaps, rate }) =>
        inVirtualTime(Effect.gen(function*() {
          const policy = yield* make({ requestsPerSecond: rate })
          const record = recorder()
          const attempt = policy.pace(record.attempt((index) => index % 7), "read")
          yield* Effect.forEach(gaps, (gap) =>
            Effect.zipRight(Effect.sleep(gap), Effect.fork(Effect.replicateEffect(attempt, crowd)))).pipe(
              Effect.flatMap(Fiber.joinAll)
            )
          expect(record.starts.length).toBe(gaps.length * crowd)
          expect(largest(record.starts, 1_000)).toBeLessThanOrEqual(Math.ceil(rate))
        })),
      { fastCheck: { numRuns: 50 } }
    )
  })

  describe("concurrency", () => {
    it.effect("starts waiting requests in the order of arrival", () =>
      inVirtualTime(Effect.gen(function*() {
        const policy = yield* make({ concurrency: 3 })
        const order: Array<number> = []
        yield* Effect.forEach(
          Array.from({ length: 9 }, (_, index) => index),
          (index) =>
            policy.pace(Effect.zipRight(Effect.sync(() => order.push(index)), Effect.sleep("1 second")), "read"),
          { concurrency: "unbounded" }
        )
        expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
      })))

    it.effect("lets no request that returns at once overtake a waiting one", () =>
      inVirtualTime(Effect.gen(function*() {
        const policy = yield* make({ concurrency: 1 })
        const order: Array<string> = []
        const loop = (name: string) =>
          policy.pace(Effect.zipRight(Effect.sync(() => order.push(name)), Effect.sleep("1 second")), "read")
            .pipe(
              Effect.repeatN(2)
            )
        yield* Effect.all([loop("a"), loop("b"), loop("c")], { concurrency: 3 })
        expect(order.join("")).toBe("abcabcabc")
      })))

    it.effect("of a class does not delay other classes", () =>
      inVirtualTime(Effect.gen(function*() {
        const policy = yield* make({ concurrency: 2, upload: { concurrency: 1 } })
        const [uploads, reads] = yield* Effect.all([
          startsOf(policy, 3, { class: "upload", millis: 1_000 }),
          startsOf(policy, 3, { millis: 1_000 })
        ], { concurrency: 2 })
        // The second upload asks for a permit of all classes only when the first has ended, after the reads.
        expect(uploads).toEqual([0, 2_000, 3_000])
        expect(reads).toEqual([0, 1_000, 1_000])
      })))

    it.effect("frees the permit of a request that is interrupted while it waits, starts or runs [R7]", () =>
      Effect.gen(function*() {
        const policy = yield* RatePolicy.concurrent(1)
        const call = (effect: Effect.Effect<void>) => Effect.fork(policy.pace(effect, "read"))
        const yieldAFewTimes = Effect.replicateEffect(Effect.yieldNow(), 5)
        const running = yield* call(Effect.never)
        const waiting = yield* call(Effect.never)
        yield* yieldAFewTimes
        yield* Fiber.interrupt(waiting)
        yield* Fiber.interrupt(running)

        // Granted a permit and interrupted in the same instant.
        let begun = false
        const open = Deferred.unsafeMake<void>(FiberId.none)
        const last = yield* call(Deferred.await(open))
        yield* yieldAFewTimes
        const called = yield* call(Effect.sync(() => {
          begun = true
        }))
        yield* yieldAFewTimes
        last.addObserver(() => called.unsafeInterruptAsFork(FiberId.none))
        Deferred.unsafeDone(open, Effect.void)
        yield* Fiber.await(called)
        expect(begun).toBe(false)
        expect(yield* policy.pace(Effect.succeed("free"), "read")).toBe("free")
      }))

    it.effect.prop(
      "runs at most as many requests at once, whichever fail or are interrupted",
      {
        concurrency: FastCheck.integer({ min: 1, max: 6 }),
        attempts: FastCheck.array(
          FastCheck.record({
            at: FastCheck.integer({ min: 0, max: 50 }),
            takes: FastCheck.integer({ min: 0, max: 30 }),
            ends: FastCheck.constantFrom("success", "defect", "interruption"),
            after: FastCheck.integer({ min: 0, max: 60 })
          }),
          { minLength: 1, maxLength: 60 }
        )
      },
      ({ attempts, concurrency }) =>
        inVirtualTime(Effect.gen(function*() {
          const policy = yield* make({ concurrency })
          const record = recorder()
          yield* Effect.forEach(
            attempts,
            ({ after, at, ends, takes }) => {
              const attempt = record.attempt(() => takes)
              const ending = ends === "defect" ? Effect.zipRight(attempt, Effect.dieMessage("broken")) : attempt
              const call = Effect.asVoid(Effect.delay(Effect.exit(policy.pace(ending, "read")), at))
              return ends === "interruption" ? Effect.asVoid(Effect.timeoutOption(call, after)) : call
            },
            { concurrency: "unbounded", discard: true }
          )
          expect(record.most()).toBeLessThanOrEqual(concurrency)
          expect(record.running()).toBe(0)
          // All permits are free again.
          expect(yield* startsOf(policy, concurrency, { millis: 1_000 })).toHaveLength(concurrency)
          const starts = yield* startsOf(policy, concurrency, { millis: 1_000 })
          expect(new Set(starts).size).toBe(1)
        })),
      { fastCheck: { numRuns: 50 } }
    )
  })

  describe("intersect", () => {
    it.effect("applies the rate again to requests that waited for concurrency", () =>
      inVirtualTime(Effect.gen(function*() {
        // While all permits are taken, many requests pass the rate. They must not all start once the permits are free.
        const policy = RatePolicy.intersect(
          yield* make({ requestsPerSecond: 5 }),
          yield* RatePolicy.concurrent(20)
        )
        const blocking = startsOf(policy, 20, { millis: 60_000 })
        const waiting = Effect.delay(startsOf(policy, 40), "4 seconds")
        const starts = (yield* Effect.all([blocking, waiting], { concurrency: 2 })).flat()
        expect(starts).toHaveLength(60)
        expect(largest(starts, 1_000)).toBe(5)
      })))

    it.effect.prop(
      "starts no more requests than either policy, in any order",
      {
        one: FastCheck.integer({ min: 1, max: 30 }),
        other: FastCheck.integer({ min: 1, max: 30 }),
        concurrency: FastCheck.integer({ min: 1, max: 10 }),
        order: FastCheck.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        nested: FastCheck.boolean(),
        takes: FastCheck.array(FastCheck.integer({ min: 0, max: 3_000 }), { minLength: 40, maxLength: 40 })
      },
      ({ concurrency, nested, one, order, other, takes }) =>
        inVirtualTime(Effect.gen(function*() {
          const policies = [
            yield* make({ requestsPerSecond: one }),
            yield* make({ requestsPerSecond: other }),
            yield* RatePolicy.concurrent(concurrency)
          ]
          const [a, b, c] = order.map((index) => policies[index] ?? RatePolicy.none)
          if (a === undefined || b === undefined || c === undefined) return yield* Effect.dieMessage("three")
          const policy = nested
            ? pipe(a, RatePolicy.intersect(RatePolicy.intersect(b, c)))
            : RatePolicy.intersect(RatePolicy.intersect(a, b), c)
          const both = recorder()
          // Other requests use one of the policies alone at the same time.
          const alone = recorder()
          yield* Effect.all([
            Effect.forEach(takes, () => policy.pace(both.attempt((index) => takes[index] ?? 0), "read"), {
              concurrency: "unbounded"
            }),
            Effect.forEach(
              takes,
              () => (policies[0] ?? RatePolicy.none).pace(alone.attempt(() => 10), "read"),
              { concurrency: "unbounded" }
            )
          ], { concurrency: 2 })
          expect(both.starts).toHaveLength(40)
          expect(largest([...both.starts, ...alone.starts], 1_000)).toBeLessThanOrEqual(one)
          expect(largest(both.starts, 1_000)).toBeLessThanOrEqual(other)
          expect(both.most()).toBeLessThanOrEqual(concurrency)
        })),
      { fastCheck: { numRuns: 50 } }
    )
  })

  describe("the store", () => {
    it.effect("shares a rate between processes", () =>
      inVirtualTime(Effect.gen(function*() {
        const policies = yield* Effect.replicateEffect(RatePolicy.make({ requestsPerSecond: 10 }), 3)
        const starts = yield* Effect.forEach(policies, (policy) => startsOf(policy, 20), { concurrency: 3 })
        const all = starts.flat().sort((a, b) => a - b)
        expect(all).toEqual(Array.from({ length: 60 }, (_, index) => index * 100))
        // Each process gets its share.
        for (const one of starts) expect(Math.max(...one)).toBeGreaterThan(5_000)
      })).pipe(Effect.provide(memory)))

    it.effect("counts another key separately", () =>
      inVirtualTime(Effect.gen(function*() {
        const policies = yield* Effect.forEach(["a", "b"], (key) => RatePolicy.make({ requestsPerSecond: 10, key }))
        const starts = yield* Effect.forEach(policies, (policy) => startsOf(policy, 5), { concurrency: 2 })
        expect(starts).toEqual([[0, 100, 200, 300, 400], [0, 100, 200, 300, 400]])
      })).pipe(Effect.provide(memory)))

    it.effect("counts each limit under its own key, in whole milliseconds", () =>
      Effect.gen(function*() {
        const asked: Array<unknown> = []
        const store = Layer.succeed(RateLimiter.RateLimiterStore, {
          fixedWindow: (options) =>
            Effect.sync(() => {
              asked.push([options.key, options.tokens, options.refillRate, options.limit])
              return [1, 1]
            }),
          tokenBucket: () => Effect.dieMessage("its time would be the time of the calling process")
        })
        const options = { requestsPerSecond: 3, read: { requestsPerSecond: 7 } }
        const policy = yield* Effect.provide(
          RatePolicy.RatePolicy,
          Layer.provide(RatePolicy.layerShared(options), store)
        )
        yield* policy.pace(Effect.void, "read")
        expect(asked.map(String)).toEqual([
          "effect-glacier/read,1,Duration(143ms),",
          "effect-glacier/all,1,Duration(334ms),"
        ])
      }))

    it.effect("may fail: each process then keeps the rate by itself and logs a warning", () =>
      Effect.gen(function*() {
        const failing = Effect.fail(
          new RateLimiter.RateLimitStoreError({ message: "no store", cause: new Error("password") })
        )
        const store = Layer.succeed(RateLimiter.RateLimiterStore, {
          fixedWindow: () => failing,
          tokenBucket: () => failing
        })
        const lines: Array<string> = []
        const logger = Logger.make(({ cause, message }) => lines.push(`${String(message)} ${String(cause)}`))
        const starts = yield* RatePolicy.RatePolicy.pipe(
          Effect.flatMap((policy) => inVirtualTime(startsOf(policy, 5))),
          Effect.provide([
            Layer.provide(RatePolicy.layerShared({ requestsPerSecond: 10 }), store),
            Logger.replace(Logger.defaultLogger, logger)
          ])
        )
        expect(starts).toEqual([100, 200, 300, 400, 500])
        // One warning a minute, however many requests there are.
        expect(lines).toHaveLength(1)
        expect(lines[0]).toContain("no store")
        expect(lines.join()).not.toContain("password")
      }))

    it.effect("is not shared by two layers", () =>
      Effect.gen(function*() {
        const build = Effect.provide(RatePolicy.RatePolicy, RatePolicy.layerWith({ requestsPerSecond: 1 }))
        const [one, other] = yield* Effect.all([build, build])
        const starts = yield* inVirtualTime(
          Effect.all([startsOf(one, 2), startsOf(other, 2)], { concurrency: 2 })
        )
        expect(starts).toEqual([[0, 1_000], [0, 1_000]])
      }))
  })

  it.effect("returns the results and failures of attempts unchanged", () =>
    Effect.gen(function*() {
      const failure = new ServiceError.AccessDenied({ operation: "DescribeVault", status: 403, message: "no" })
      const limited = yield* make({ requestsPerSecond: 1_000, concurrency: 1 })
      const adaptive = yield* RatePolicy.adaptive
      for (const policy of [RatePolicy.none, limited, adaptive, RatePolicy.intersect(limited, adaptive)]) {
        expect(yield* policy.pace(Effect.succeed(1), "read")).toBe(1)
        yield* TestClock.adjust("1 second")
        expect(yield* Effect.flip(policy.pace(Effect.fail(failure), "read"))).toBe(failure)
        yield* TestClock.adjust("1 second")
      }
    }))
})
