import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import { ConnectionError } from "../../src/protocol/GlacierError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { recorder } from "./support.ts"

const throttling = new ServiceError.Throttling({ operation: "DeleteArchive", status: 400, message: "Rate exceeded" })

/**
 * A service that throttles when its bucket is empty. The bucket holds as many tokens as it gains per second. A request takes
 * 20 ms.
 */
const service = (allowed: (second: number) => number) => {
  const requests: Array<number> = []
  const throttles: Array<number> = []
  let tokens = Infinity
  let last = 0
  return {
    requests,
    throttles,
    request: Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      requests.push(now)
      const rate = allowed(Math.floor(now / 1_000))
      tokens = Math.min(rate, tokens + (now - last) / 1_000 * rate)
      last = now
      const isThrottled = tokens < 1
      if (isThrottled) throttles.push(now)
      else tokens--
      yield* Effect.sleep("20 millis")
      if (isThrottled) return yield* throttling
    }),
    /** Returns the requests per second between two seconds. */
    rate: (from: number, to: number) =>
      requests.filter((time) => time >= from * 1_000 && time < to * 1_000).length / (to - from)
  }
}

const isThrottle = (error: { readonly retry: string }) => error.retry === "throttle"

describe("adaptive", () => {
  it.effect("delays nothing before the first throttle", () =>
    inVirtualTime(Effect.gen(function*() {
      const policy = yield* RatePolicy.adaptive
      const record = recorder()
      const call = policy.pace(record.attempt(() => 5), "write")
      yield* Effect.replicateEffect(call, 200, { concurrency: 50, discard: true })
      expect(record.starts.at(-1)).toBe(15)
    })))

  it.effect("delays the next request after a throttle to the millisecond", () =>
    Effect.gen(function*() {
      const policy = yield* RatePolicy.adaptive
      const record = recorder()
      yield* TestClock.adjust("1 second")
      yield* Effect.flip(policy.pace(throttling, "write"))
      // One response in a second: 0.8 per second measured, 0.56 after the throttle, so a token takes 1,785.7 ms.
      const fiber = yield* Effect.fork(policy.pace(record.attempt(() => 0), "write"))
      yield* TestClock.adjust("1785 millis")
      expect(record.starts).toEqual([])
      yield* TestClock.adjust("1 millis")
      expect(record.starts).toEqual([2_786])
      yield* Fiber.join(fiber)
    }))

  it.effect("starts waiting requests in the order of arrival, and gives interrupted ones no token", () =>
    Effect.gen(function*() {
      const policy = yield* RatePolicy.adaptive
      const order: Array<number> = []
      yield* Effect.flip(policy.pace(throttling, "write"))
      const fibers = yield* Effect.forEach(
        [0, 1, 2, 3],
        (index) => Effect.fork(policy.pace(Effect.sync(() => order.push(index)), "write"))
      )
      yield* TestClock.adjust("1 second")
      const [first, , third] = fibers
      if (first !== undefined && third !== undefined) yield* Fiber.interruptAll([first, third])
      yield* TestClock.adjust("1 second")
      expect(order).toEqual([1])
      yield* TestClock.adjust("10 seconds")
      expect(order).toEqual([1, 3])
    }))

  it.effect("stays off after other errors and interruptions", () =>
    Effect.gen(function*() {
      const policy = yield* RatePolicy.adaptive
      const lost = new ConnectionError({ operation: "DeleteArchive", message: "lost" })
      yield* Effect.flip(policy.pace(lost, "write"))
      yield* Effect.exit(policy.pace(Effect.interrupt, "write"))
      yield* Effect.exit(policy.pace(Effect.dieMessage("broken"), "write"))
      expect(yield* policy.pace(Effect.succeed("at once"), "write")).toBe("at once")
    }))

  it.effect("keeps 2,000 deletes by 16 fibers at about the 50 per second that the service accepts [R5]", () =>
    inVirtualTime(Effect.gen(function*() {
      const { rate, request, requests, throttles } = service(() => 50)
      const policy = yield* Effect.provide(RatePolicy.RatePolicy, RatePolicy.layerAdaptive)
      let done = 0
      const one = Effect.retry(policy.pace(request, "write"), { while: isThrottle })
      yield* Effect.forEach(Array.from({ length: 2_000 }), () => Effect.zipRight(one, Effect.sync(() => done++)), {
        concurrency: 16,
        discard: true
      })
      const end = Math.floor(Math.max(...requests) / 1_000)
      expect(done).toBe(2_000)
      expect(end).toBeGreaterThan(35)
      for (let second = 30; second < end; second++) {
        expect(rate(second, second + 1)).toBeGreaterThan(25)
        expect(rate(second, second + 1)).toBeLessThan(75)
      }
      // By then hardly any request is throttled.
      const throttled = throttles.filter((time) => time >= 30_000).length
      expect(throttled / rate(30, end) / (end - 30)).toBeLessThan(0.1)
      expect(requests.length).toBeLessThan(2_100)
    })))

  /** Runs 10 fibers that send requests for some seconds. */
  const flood = (allowed: (second: number) => number, seconds: number) =>
    inVirtualTime(Effect.gen(function*() {
      const server = service(allowed)
      const policy = yield* RatePolicy.adaptive
      const forever = Effect.forever(Effect.retry(policy.pace(server.request, "write"), { while: isThrottle }))
      yield* Effect.timeoutOption(
        Effect.replicateEffect(forever, 10, { concurrency: 10, discard: true }),
        seconds * 1_000
      )
      return server
    }))

  it.effect("finds a rate of 20 per second within 15 s [R1]", () =>
    Effect.gen(function*() {
      const { rate } = yield* flood(() => 20, 15)
      expect(rate(13, 15)).toBeGreaterThan(10)
      expect(rate(13, 15)).toBeLessThan(30)
    }))

  it.effect("follows a drop from 10,000 to 10 per second within 12 s [R5]", () =>
    Effect.gen(function*() {
      const { rate } = yield* flood((second) => second < 3 ? 10_000 : 10, 15)
      expect(rate(0, 3)).toBeGreaterThan(400)
      expect(rate(13, 15)).toBeGreaterThanOrEqual(3)
      expect(rate(13, 15)).toBeLessThanOrEqual(20)
    }))

  it.effect("grows again when the service recovers [R1]", () =>
    Effect.gen(function*() {
      const { rate } = yield* flood((second) => second === 2 || second === 3 ? 20 : 10_000, 15)
      expect(rate(12, 15)).toBeGreaterThan(20)
    }))
})
