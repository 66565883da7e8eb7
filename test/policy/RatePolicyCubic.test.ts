import { describe, expect, it } from "@effect/vitest"
import { DefaultRateLimiter } from "@smithy/core/retry"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { vi } from "vitest"
import * as Cubic from "../../src/policy/internal/cubic.ts"

// The tables come from the tests of AWS's SDKs for Go (aws/retry), Java (core/retries), JavaScript (smithy) and Python
// (botocore tests/unit/retries). Botocore's rows for several tokens at once, and for a lowest rate other than 0.5, do not
// apply: this limiter has neither.

/** The state after a throttle at 10 requests per second, 5 s after the start. */
const throttled: Cubic.State = { ...Cubic.make(0), throttledRate: 10, throttledAt: 5 }

/** A limiter that is on and empty at 0, and fills at `rate`. */
const bucket = (rate: number): Cubic.State => Cubic.setRate({ ...Cubic.make(0), enabled: true }, rate, 0)

/** Tries to take a token at each of the times. Returns the waits. */
const takeAt = (state: Cubic.State, times: ReadonlyArray<number>) => {
  const waits: Array<number> = []
  for (const time of times) {
    const [wait, next] = Cubic.take(state, time)
    waits.push(wait)
    state = next
  }
  return { waits, state }
}

const measureAt = (times: ReadonlyArray<number>) => times.reduce(Cubic.measure, Cubic.make(0)).measured

const count = (length: number, f: (index: number) => number) => Array.from({ length }, (_, index) => f(index))

describe("The adaptive limiter", () => {
  it.each([
    [5, 7.0],
    [6, 9.64893600966],
    [7, 10.000030849917364],
    [8, 10.453284520772092],
    [9, 13.408697022224185],
    [10, 21.26626835427364],
    [11, 36.425998516920465]
  ])("has grown at %d s to %d requests per second [R1]", (time, rate) => {
    expect(Math.abs(Cubic.grown(throttled, time) - rate)).toBeLessThan(1e-8)
  })

  it("grows between throttles and shrinks at each [R1]", () => {
    const rows: ReadonlyArray<readonly [time: number, throttled: boolean, rate: number]> = [
      [5, false, 7.0],
      [6, false, 9.64893600966],
      [7, true, 6.754255206761999],
      [8, true, 4.727978644733399],
      [9, false, 4.670125557970046],
      [10, false, 4.770870456867401],
      [11, false, 6.011819748005445],
      [12, false, 10.792973431384178]
    ]
    let state = throttled
    let rate = 0
    for (const [time, isThrottle, expected] of rows) {
      rate = isThrottle ? Cubic.shrunk(rate) : Cubic.grown(state, time)
      if (isThrottle) state = { ...state, throttledRate: rate, throttledAt: time }
      expect(Math.abs(rate - expected), `at ${time} s`).toBeLessThan(1e-8)
    }
  })

  it("adjusts its rate to each response [R1]", () => {
    const rows: ReadonlyArray<readonly [time: number, throttled: boolean, measured: number, rate: number]> = [
      [0.2, false, 0.0, 0.5],
      [0.4, false, 0.0, 0.5],
      [0.6, false, 4.8, 0.5],
      [0.8, false, 4.8, 0.5],
      [1.0, false, 4.16, 0.5],
      [1.2, false, 4.16, 0.6912],
      [1.4, false, 4.16, 1.0976],
      [1.6, false, 5.632, 1.6384],
      [1.8, false, 5.632, 2.3328],
      [2.0, true, 4.3264, 3.02848],
      [2.2, false, 4.3264, 3.4866391734702598],
      [2.4, false, 4.3264, 3.8218744160402554],
      [2.6, false, 5.66528, 4.053385727709987],
      [2.8, false, 5.66528, 4.200373108479455],
      [3.0, false, 4.333056, 4.282036558348658],
      [3.2, true, 4.333056, 2.99742559084406],
      [3.4, false, 4.333056, 3.4522263943863463]
    ]
    let state = Cubic.make(0)
    for (const [time, isThrottle, measured, rate] of rows) {
      state = Cubic.afterResponse(state, isThrottle, time)
      expect(Math.abs(state.measured - measured), `measured at ${time} s`).toBeLessThan(1e-6)
      expect(Math.abs(state.rate - rate), `rate at ${time} s`).toBeLessThan(1e-6)
    }
  })

  it.each([
    [0.5, 0.8928571428571428],
    [1, 1.7857142857142856],
    [2, 2]
  ])("after a first throttle at %d s allows no request for %d s [R1]", (time, wait) => {
    const state = Cubic.afterResponse(Cubic.make(0), true, time)
    expect(Cubic.take(state, time)[0]).toBeCloseTo(wait, 8)
    expect(Cubic.take(state, time + wait - 0.001)[0]).toBeGreaterThan(0)
    expect(Cubic.take(state, time + wait + 0.001)[0]).toBe(0)
  })

  it.each([
    [5, 0.112],
    [6, 0.09333333],
    [7, 0.08],
    [8, 0.07],
    [9, 0.06222222]
  ])("a throttle at %d s with few requests lowers the rate to %d, which 0.5 replaces [R1]", (time, rate) => {
    const state = Cubic.afterResponse(throttled, true, time)
    expect(Math.abs(Cubic.shrunk(state.throttledRate) - rate)).toBeLessThan(1e-8)
    expect(state.rate).toBe(0.5)
  })

  it("has grown back to the throttled rate at its plateau [R1]", () => {
    const state = { ...throttled, throttledAt: 0 }
    const plateau = Cubic.plateau(state)
    expect(plateau).toBeCloseTo(1.9574338205844317, 12)
    for (const part of [3, 2, 1.1]) expect(Cubic.grown(state, plateau / part)).toBeLessThanOrEqual(10)
    expect(Cubic.grown(state, plateau)).toBeCloseTo(10, 12)
    for (const times of [1.1, 2]) expect(Cubic.grown(state, plateau * times)).toBeGreaterThanOrEqual(10)
  })

  it("loses 30 % of its rate at a throttle [R1]", () => {
    const state = { ...throttled, throttledRate: 8, throttledAt: 1 }
    expect(Cubic.shrunk(8)).toBeCloseTo(5.6, 12)
    expect(Cubic.plateau(state)).toBeCloseTo(1.8171205928321397, 12)
    expect(Cubic.grown(state, 1)).toBeCloseTo(5.6, 12)
  })

  describe("the bucket", () => {
    it("delays no request below the rate [R1]", () => {
      expect(takeAt(bucket(10), [1, 2, 3, 4, 5]).waits).toEqual([0, 0, 0, 0, 0])
    })

    it("delays no request below a lowered rate [R1]", () => {
      const { state } = takeAt(bucket(10), [1, 2, 3, 4, 5])
      expect(takeAt(Cubic.setRate(state, 1, 5), [6, 7, 8, 9, 10]).waits).toEqual([0, 0, 0, 0, 0])
    })

    it("delays no request at exactly the rate [R1]", () => {
      const { waits } = takeAt(bucket(10), count(20, (index) => 1 + 0.1 * index))
      expect(waits).toEqual(Array(20).fill(0))
    })

    it("holds at least one token, and gains at least one in 2 s [R1]", () => {
      for (const rate of [0.5, 0.1, 0]) {
        const state = Cubic.setRate(bucket(10), rate, 0)
        expect(state.rate).toBe(0.5)
        expect(Cubic.capacity(state)).toBe(1)
      }
      expect(Cubic.capacity(bucket(10))).toBe(10)
    })

    it("returns the missing time when it is empty [R1]", () => {
      const { state, waits } = takeAt(bucket(10), [0.1, 0.15])
      expect(waits[0]).toBe(0)
      expect(waits[1]).toBeCloseTo(0.05, 12)
      const later = takeAt(state, [0.2 + 1e-12])
      expect(later.waits).toEqual([0])
      expect(later.state.tokens).toBeCloseTo(0, 9)
    })

    it("shortens waits when the rate rises [R1]", () => {
      const [wait, waiting] = Cubic.take(bucket(0.5), 0)
      expect(wait).toBe(2)
      expect(Cubic.take(Cubic.setRate(waiting, 100, 0.1), 0.11)[0]).toBe(0)
    })

    it.effect("never holds less than 0 tokens or more than its capacity [R1]", () =>
      Effect.gen(function*() {
        let state = bucket(50)
        let now = 0
        for (let step = 0; step < 3_000; step++) {
          now += yield* Random.nextRange(0, 0.01)
          state = (yield* Random.nextBoolean)
            ? Cubic.setRate(state, yield* Random.nextRange(30, 200), now)
            : Cubic.take(state, now)[1]
          expect(state.tokens).toBeGreaterThanOrEqual(0)
          expect(state.tokens).toBeLessThanOrEqual(Cubic.capacity(state))
        }
      }).pipe(Effect.withRandom(Random.make("bucket"))))
  })

  it("measures the rate of responses [R1]", () => {
    expect(measureAt([1])).toBeCloseTo(0.8, 12)
    expect(measureAt(count(20, (index) => index + 1))).toBeCloseTo(1, 6)
    const twice = [1, 1.5, 2, 2.5, 3, 3.5, 4]
    expect(measureAt(twice)).toBeGreaterThanOrEqual(1.99)
    expect(measureAt(twice)).toBeLessThanOrEqual(2)
    expect(measureAt([...twice, 14])).toBeGreaterThanOrEqual(0.1)
    expect(measureAt([...twice, 14])).toBeLessThanOrEqual(2)
    expect(measureAt([1, 1, 1, 2, 3])).toBeGreaterThanOrEqual(1)
    expect(measureAt([0.1, 0.2, 0.3, 0.4, 0.49])).toBe(0)
    expect(measureAt([0.1, 0.2, 0.3, 0.4, 0.49, 0.5])).toBeCloseTo(9.6, 12)
  })

  it("takes no token before the first throttle [R1]", () => {
    expect(takeAt(Cubic.make(0), Array(1_000).fill(0)).waits).toEqual(Array(1_000).fill(0))
    expect(Cubic.afterResponse(Cubic.make(0), false, 1).enabled).toBe(false)
    expect(Cubic.afterResponse(Cubic.make(0), true, 1).enabled).toBe(true)
  })

  it.each([
    [20, 21, 20],
    [100, 20, 40]
  ])("limits a rate of %d to twice the measured %d: %d [R1]", (calculated, measured, rate) => {
    // At the plateau the curve is at the rate of the throttle.
    const state = { ...bucket(1), throttledRate: calculated, throttledAt: 0, measured, bucket: 1_000 }
    expect(Cubic.afterResponse(state, false, Cubic.plateau(state)).rate).toBeCloseTo(rate, 12)
  })

  it.effect("equals AWS's limiter over 10,000 random steps [R2]", () =>
    Effect.gen(function*() {
      let millis = 1_000
      const clock = vi.spyOn(Date, "now").mockImplementation(() => millis)
      const timer: unknown = Reflect.get(DefaultRateLimiter, "setTimeoutFn")
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          clock.mockRestore()
          Reflect.set(DefaultRateLimiter, "setTimeoutFn", timer)
        })
      )
      const theirs = new DefaultRateLimiter()
      let ours = Cubic.make(millis / 1_000)
      const differences: Array<number> = []
      const rates: Array<number> = []
      let waits = 0

      Reflect.set(DefaultRateLimiter, "setTimeoutFn", (resume: () => void, delay: number) => {
        const [wait, next] = Cubic.take(ours, millis / 1_000)
        differences.push(Math.abs(wait - delay / 1_000))
        ours = next
        waits++
        millis += Math.ceil(delay)
        resume()
      })
      for (let step = 0; step < 10_000; step++) {
        // Heavy traffic, light traffic and pauses take turns.
        const pace = [5, 100, 2_000][Math.floor(step / 50) % 3] ?? 0
        millis += yield* Random.nextIntBetween(0, pace)
        yield* Effect.promise(() => theirs.getSendToken())
        const [wait, next] = Cubic.take(ours, millis / 1_000)
        const isThrottle = (yield* Random.next) < (step % 1_000 < 500 ? 0.02 : 0.2)
        theirs.updateClientSendingRate(isThrottle ? { errorType: "THROTTLING" } : {})
        ours = Cubic.afterResponse(next, isThrottle, millis / 1_000)
        rates.push(ours.rate)
        differences.push(
          wait,
          Math.abs(ours.rate - Number(Reflect.get(theirs, "fillRate"))),
          Math.abs(ours.measured - Number(Reflect.get(theirs, "measuredTxRate"))),
          Math.abs(ours.tokens - Number(Reflect.get(theirs, "availableTokens"))),
          Math.abs(Cubic.capacity(ours) - Number(Reflect.get(theirs, "maxCapacity")))
        )
      }
      expect(Math.max(...differences)).toBeLessThan(1e-6)
      // The steps cover waits and the whole range of rates.
      expect(waits).toBeGreaterThan(1_000)
      expect(Math.min(...rates)).toBe(0.5)
      expect(Math.max(...rates)).toBeGreaterThan(50)
    }).pipe(Effect.scoped, Effect.withRandom(Random.make("limiter"))))
})
