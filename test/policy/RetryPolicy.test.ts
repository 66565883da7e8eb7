import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Errors from "../../src/protocol/GlacierError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import {
  askingToWait,
  errors,
  errorTable,
  longest,
  lookUp,
  notRepeatable,
  operation,
  repeatable,
  runCall,
  service,
  spaced,
  throttling,
  times,
  unavailable,
  waitsOf
} from "./support.ts"

describe("RetryPolicy", () => {
  describe("isSafe", () => {
    it("is tested with every error", () => {
      const tags = Errors.GlacierError.members.map((member) => member._tag)
      expect(tags.length).toBeGreaterThan(30)
      expect(new Set(errors.map((error) => error._tag))).toEqual(new Set<string>(tags))
    })

    it.each(errorTable.map(([error, safe, alwaysSafe]) => ({ error, tag: error._tag, safe, alwaysSafe })))(
      "of $tag is $safe for a repeatable operation, $alwaysSafe for others",
      ({ alwaysSafe, error, safe }) => {
        expect(RetryPolicy.isSafe(error, repeatable)).toBe(safe)
        expect(RetryPolicy.isSafe(error, notRepeatable)).toBe(alwaysSafe)
        expect(RetryPolicy.standard.while(error, notRepeatable)).toBe(alwaysSafe)
        expect(RetryPolicy.none.while(error, repeatable)).toBe(false)
      }
    )
  })

  describe("make", () => {
    const seeds = Array.from({ length: 200 }, (_, index) => `seed ${index}`)
    const bounded = RetryPolicy.make({
      attempts: 13,
      base: "500 millis",
      throttleBase: "1 second",
      cap: "20 seconds",
      maxExtraWait: "5 seconds",
      metered: true
    })

    it.effect.each([{ error: unavailable, first: 500 }, { error: throttling, first: 1_000 }])(
      "bounds the first wait after $error._tag by $first ms, and doubles the bound up to 20 s",
      ({ error, first }) =>
        Effect.gen(function*() {
          const all = yield* Effect.forEach(seeds, (seed) => waitsOf(bounded, times(20, error), seed))
          for (let retry = 0; retry < 12; retry++) {
            const bound = Math.min(first * 2 ** retry, 20_000)
            const those = all.map((one) => one[retry] ?? NaN)
            expect(Math.min(...those)).toBeGreaterThanOrEqual(0)
            expect(Math.max(...those)).toBeLessThanOrEqual(bound)
            // The whole range is used: the smallest and the largest of 200 waits are near its ends.
            expect(Math.min(...those)).toBeLessThan(bound * 0.1)
            expect(Math.max(...those)).toBeGreaterThan(bound * 0.9)
          }
        })
    )

    it.effect("bounds each wait by the last error", () =>
      Effect.gen(function*() {
        const { waits } = yield* longest(runCall(bounded, [unavailable, throttling, unavailable]))
        expect(waits).toEqual([500, 2_000, 2_000])
      }))

    it.effect("draws the same waits from the same Random", () =>
      Effect.gen(function*() {
        const one = yield* waitsOf(bounded, times(12, throttling), "a")
        expect(one).toHaveLength(12)
        expect(yield* waitsOf(bounded, times(12, throttling), "a")).toEqual(one)
        expect(yield* waitsOf(bounded, times(12, throttling), "b")).not.toEqual(one)
      }))

    it.effect.each([1, 2, 4, 8])("limits a call to %i attempts", (attempts) =>
      Effect.gen(function*() {
        const policy = RetryPolicy.make({
          attempts,
          base: 1,
          throttleBase: 1,
          cap: 1,
          maxExtraWait: 0,
          metered: false
        })
        const failed = yield* runCall(policy, times(20, throttling))
        expect(failed.attempts).toHaveLength(attempts)
        expect(failed.exit).toEqual(Exit.fail(throttling))
      }))
  })

  it.effect.each(
    [
      { policy: "standard", hint: 0, wait: 50 },
      { policy: "standard", hint: 49, wait: 50 },
      { policy: "standard", hint: 51, wait: 51 },
      { policy: "standard", hint: 5_050, wait: 5_050 },
      { policy: "standard", hint: 5_051, wait: 5_050 },
      { policy: "standard", hint: 1e12, wait: 5_050 },
      { policy: "patient", hint: 120_000, wait: 120_000 },
      { policy: "patient", hint: 1e12, wait: 900_500 }
    ] as const
  )("$policy waits $wait ms when the response asks for $hint", ({ hint, policy, wait }) =>
    Effect.gen(function*() {
      const { waits } = yield* longest(runCall(RetryPolicy[policy], [askingToWait(hint)]))
      expect(waits).toEqual([wait])
    }))

  it.effect("standard makes 3 attempts and draws on the quota", () =>
    Effect.gen(function*() {
      expect((yield* runCall(RetryPolicy.standard, times(9, throttling))).attempts).toHaveLength(3)
      expect((yield* longest(runCall(RetryPolicy.standard, times(9, unavailable)))).waits).toEqual([50, 100])
      expect((yield* longest(runCall(RetryPolicy.standard, times(9, throttling)))).waits).toEqual([1_000, 2_000])
      expect(RetryPolicy.standard.metered).toBe(true)
    }))

  it.effect("patient retries for half an hour, with waits of up to 30 s, and does not draw on the quota", () =>
    Effect.gen(function*() {
      const { attempts, exit, waits } = yield* longest(runCall(RetryPolicy.patient, times(500, throttling)))
      expect(exit).toEqual(Exit.fail(throttling))
      expect(waits.slice(0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
      expect(attempts.at(-1)).toBeLessThanOrEqual(30 * 60_000)
      expect(attempts.at(-1)).toBeGreaterThan(29 * 60_000)
      expect(RetryPolicy.patient.metered).toBe(false)
    }))

  it.effect("none makes one attempt", () =>
    Effect.gen(function*() {
      expect((yield* runCall(RetryPolicy.none, [throttling])).attempts).toEqual([0])
    }))

  it.effect("spreads 10,000 waits over 10 bins within 20 % of the mean [R4]", () =>
    Effect.gen(function*() {
      const bins = times(10, 0).map(Number)
      const once = RetryPolicy.attempts(RetryPolicy.standard, 2)
      for (let draw = 0; draw < 10_000; draw++) {
        const [wait = NaN] = (yield* runCall(once, [throttling])).waits
        const bin = Math.min(9, Math.floor(wait / 100))
        bins[bin] = (bins[bin] ?? 0) + 1
      }
      expect(bins.reduce((sum, one) => sum + one)).toBe(10_000)
      for (const bin of bins) expect(Math.abs(bin - 1_000)).toBeLessThan(200)
    }).pipe(Effect.withRandom(Random.make("jitter"))))

  describe("combinators", () => {
    it.effect.each([1, 2, 5])("attempts limits a policy to %i attempts", (attempts) =>
      Effect.gen(function*() {
        const policy = RetryPolicy.attempts(spaced(1), attempts)
        expect((yield* runCall(policy, times(9, throttling))).attempts).toHaveLength(attempts)
        expect((yield* runCall(RetryPolicy.attempts(RetryPolicy.none, attempts), [throttling])).attempts).toHaveLength(
          1
        )
      }))

    it.effect.each([[25, 20_000], [30, 30_000], [9, 0]] as const)(
      "within %i s makes the last attempt after %i ms",
      ([seconds, last]) =>
        Effect.gen(function*() {
          const policy = RetryPolicy.within(spaced(10), `${seconds} seconds`)
          expect((yield* runCall(policy, times(9, throttling))).attempts.at(-1)).toBe(last)
        })
    )

    it.effect("when adds a condition on the error and the operation", () =>
      Effect.gen(function*() {
        const throttles = RetryPolicy.when(spaced(1), (error) => error.retry === "throttle")
        expect((yield* runCall(throttles, [throttling, throttling, unavailable])).attempts).toHaveLength(3)
        const others = RetryPolicy.when(spaced(1), (_, { name }) => name !== operation)
        expect((yield* runCall(others, [throttling])).attempts).toHaveLength(1)
        // A predicate cannot make the policy retry more.
        const all = RetryPolicy.when(spaced(1), () => true)
        expect((yield* runCall(all, [new ServiceError.AccessDenied(service)])).attempts).toHaveLength(1)
      }))

    it.effect("fromSchedule waits as the schedule says and retries what is safe", () =>
      Effect.gen(function*() {
        const policy = RetryPolicy.fromSchedule(Schedule.intersect(Schedule.exponential(100), Schedule.recurs(3)))
        const { exit, waits } = yield* runCall(policy, times(9, unavailable))
        expect(waits).toEqual([100, 200, 400])
        expect(exit).toEqual(Exit.fail(unavailable))
        expect((yield* runCall(policy, [unavailable], notRepeatable)).attempts).toHaveLength(1)
      }))

    it.effect("log logs each retried error and the last error, and changes no wait", () =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const logger = Logger.make(({ logLevel, message }) => void seen.push([logLevel.label, message]))
        const logged = RetryPolicy.log(RetryPolicy.standard)
        const { waits } = yield* longest(runCall(logged, [unavailable, throttling, throttling])).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        expect(waits).toEqual([50, 2_000])
        expect(seen).toEqual([
          ["WARN", ["Glacier call failed: it will be retried", unavailable]],
          ["WARN", ["Glacier call failed: it will be retried", throttling]],
          ["WARN", ["Glacier call failed: it will not be retried", throttling]]
        ])
      }))

    it.effect("intersect waits the longer of two waits, and draws on the quota if one of the policies does", () =>
      Effect.gen(function*() {
        const both = RetryPolicy.intersect(RetryPolicy.standard, spaced(2))
        expect((yield* longest(runCall(both, [throttling, throttling]))).waits).toEqual([2_000, 2_000])
        expect(both.metered).toBe(true)
        expect(RetryPolicy.intersect(RetryPolicy.patient, RetryPolicy.patient).metered).toBe(false)
        expect(RetryPolicy.intersect(RetryPolicy.patient, RetryPolicy.standard).metered).toBe(true)
      }))
  })

  const numbers = FastCheck.integer({ min: 0, max: 40 })
  const simple = FastCheck.oneof(
    FastCheck.constantFrom(RetryPolicy.none, RetryPolicy.standard, RetryPolicy.patient),
    numbers.map(spaced),
    FastCheck.record({
      attempts: FastCheck.integer({ min: 1, max: 9 }),
      base: numbers,
      throttleBase: numbers,
      cap: numbers,
      maxExtraWait: numbers,
      metered: FastCheck.boolean()
    }).map(RetryPolicy.make)
  )
  const policies = FastCheck.oneof(
    simple,
    FastCheck.tuple(simple, FastCheck.integer({ min: 1, max: 5 })).map(([policy, most]) =>
      RetryPolicy.attempts(policy, most)
    ),
    FastCheck.tuple(simple, numbers).map(([policy, most]) => RetryPolicy.within(policy, `${most} seconds`)),
    FastCheck.tuple(simple, FastCheck.constantFrom("throttle", "transient")).map(([policy, retry]) =>
      RetryPolicy.when(policy, (error) => error.retry === retry)
    ),
    FastCheck.tuple(simple, simple).map(([one, another]) => RetryPolicy.intersect(one, another))
  )
  const failures = FastCheck.array(
    FastCheck.constantFrom(...errors, ...times(20, throttling), ...times(20, unavailable))
  )
  const chance = FastCheck.double({ min: 0, max: 1, noNaN: true })

  it.effect.prop(
    "intersect never makes more attempts than either policy, nor any of them earlier",
    [policies, policies, failures, chance],
    ([one, another, failures, chance]) =>
      Effect.gen(function*() {
        const attempts = (policy: RetryPolicy.Policy) =>
          Effect.map(runCall(policy, failures), ({ attempts }) => attempts)
        const both = yield* attempts(RetryPolicy.intersect(one, another))
        for (const alone of [yield* attempts(one), yield* attempts(another)]) {
          expect(both.length).toBeLessThanOrEqual(alone.length)
          both.forEach((at, index) => expect(at).toBeGreaterThanOrEqual(alone[index] ?? NaN))
        }
      }).pipe(Effect.withRandom(Random.fixed([chance]))),
    { fastCheck: { numRuns: 300 } }
  )

  it.effect.prop(
    "never retries a call after an error that no retry can help",
    [policies, FastCheck.constantFrom(...errors.filter((error) => error.retry === "never")), FastCheck.boolean()],
    ([policy, error, repeatable]) =>
      Effect.gen(function*() {
        const { attempts, exit } = yield* runCall(policy, [error], { name: operation, repeatable })
        expect(attempts).toHaveLength(1)
        const isInDoubt = !repeatable && RetryPolicy.isUnknown(error)
        expect(exit).toEqual(
          Exit.fail(
            isInDoubt ? new Errors.OutcomeUnknown({ operation, message: `${error.message} (${lookUp})` }) : error
          )
        )
      }),
    { fastCheck: { numRuns: 200 } }
  )

  const reckless: RetryPolicy.Policy = { while: () => true, schedule: Schedule.forever, metered: false }

  it.effect.prop(
    "never retries a call that is not repeatable when its outcome is unknown",
    [FastCheck.oneof(FastCheck.constant(reckless), policies), failures],
    ([policy, failures]) =>
      Effect.gen(function*() {
        const { attempts, exit } = yield* runCall(policy, failures, notRepeatable)
        const lost = failures.findIndex(RetryPolicy.isUnknown)
        if (lost >= 0) expect(attempts.length).toBeLessThanOrEqual(lost + 1)
        if (lost >= 0 && attempts.length === lost + 1) {
          const { message = "" } = failures[lost] ?? {}
          expect(exit).toEqual(Exit.fail(new Errors.OutcomeUnknown({ operation, message: `${message} (${lookUp})` })))
        }
      }),
    { fastCheck: { numRuns: 300 } }
  )

  describe("onRetry", () => {
    const seen: Array<unknown> = []
    const record = (by: string) => ({ attempt, error, operation, wait }: RetryPolicy.Retry) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        seen.push([by, operation, error._tag, attempt, Duration.toMillis(wait), at])
      })
    const first = [operation, throttling._tag, 1, 1_000, 0]
    const second = [operation, unavailable._tag, 2, 100, 1_000]

    it.effect("is called before the wait of each retry, the outermost hook first, and not for the last error", () =>
      Effect.gen(function*() {
        seen.length = 0
        const { waits } = yield* longest(runCall(RetryPolicy.standard, [throttling, unavailable, unavailable])).pipe(
          RetryPolicy.onRetry(record("inside")),
          RetryPolicy.onRetry(record("outside"))
        )
        expect(waits).toEqual([1_000, 100])
        expect(seen).toEqual([first, second].flatMap((retry) => [["outside", ...retry], ["inside", ...retry]]))
      }))

    it.effect("delays the wait until it has ended", () =>
      Effect.gen(function*() {
        const { waits } = yield* longest(runCall(RetryPolicy.standard, [throttling])).pipe(
          RetryPolicy.onRetry(() => Effect.sleep("1 hour"))
        )
        expect(waits).toEqual([3_601_000])
      }))

    it.effect("can be provided to a whole program", () =>
      Effect.gen(function*() {
        seen.length = 0
        yield* Effect.provide(
          longest(runCall(RetryPolicy.standard, [throttling])),
          Layer.succeed(RetryPolicy.OnRetry, record("all"))
        )
        expect(seen).toEqual([["all", ...first]])
      }))
  })

  it.effect("is standard by default, and a Layer replaces it", () =>
    Effect.gen(function*() {
      expect(yield* RetryPolicy.RetryPolicy).toBe(RetryPolicy.standard)
      expect(yield* Effect.provide(RetryPolicy.RetryPolicy, RetryPolicy.layer(RetryPolicy.none))).toBe(RetryPolicy.none)
    }))
})
