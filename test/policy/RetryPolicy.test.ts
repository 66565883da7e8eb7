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
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as Errors from "../../src/protocol/GlacierError.ts"
import { JobId, PartSize, UploadId } from "../../src/protocol/Names.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { calling } from "../../src/transport/internal/retrying.ts"
import { inVirtualTime } from "../support/virtualClock.ts"

const operation = "GetSomething"
const lookUp = "look in the list"
const service = { operation, status: 400, message: "no" }
const repeatable = { name: operation, repeatable: true }
const other = { name: operation, repeatable: false }

/** Each error, and whether it may be tried again when a repeat does no harm, and when it does. */
const table: ReadonlyArray<readonly [error: Errors.GlacierError, safe: boolean, alwaysSafe: boolean]> = [
  [new ServiceError.AccessDenied(service), false, false],
  [new ServiceError.BadRequest(service), false, false],
  [new ServiceError.ExpiredToken(service), false, false],
  [new ServiceError.InsufficientCapacity(service), false, false],
  [new ServiceError.InvalidSignature(service), false, false],
  [new ServiceError.InvalidSignature({ ...service, because: "clock" }), true, true],
  [new ServiceError.InvalidSignature({ ...service, because: "slow" }), true, true],
  [new ServiceError.LimitExceeded(service), false, false],
  [new ServiceError.MissingAuthenticationToken(service), false, false],
  [new ServiceError.MissingParameterValue(service), false, false],
  [new ServiceError.NoLongerSupported(service), false, false],
  [new ServiceError.PolicyEnforced(service), false, false],
  [new ServiceError.RequestTimeout(service), true, true],
  [new ServiceError.ResourceNotFound(service), false, false],
  [new ServiceError.Serialization(service), false, false],
  [new ServiceError.VaultNotFound(service), false, false],
  [new ServiceError.ArchiveNotFound(service), false, false],
  [new ServiceError.JobNotFound(service), false, false],
  [new ServiceError.UploadNotFound(service), false, false],
  [new ServiceError.InventoryNotReady(service), false, false],
  [new ServiceError.NotificationsNotSet(service), false, false],
  [new ServiceError.AccessPolicyNotSet(service), false, false],
  [new ServiceError.VaultLockNotSet(service), false, false],
  [new ServiceError.VaultLockInProgress(service), false, false],
  [new ServiceError.VaultLocked(service), false, false],
  [new ServiceError.ArchiveInOtherVault(service), false, false],
  [new ServiceError.ServiceUnavailable(service), true, false],
  [new ServiceError.Throttling(service), true, true],
  [new ServiceError.UnrecognizedClient(service), false, false],
  [new ServiceError.ChecksumMismatch(service), false, false],
  [new ServiceError.ChecksumMismatch({ ...service, status: 403 }), true, true],
  [new ServiceError.ChecksumMismatch({ ...service, status: 201 }), false, false],
  [new ServiceError.ChecksumMismatch({ ...service, status: 204 }), true, true],
  [new ServiceError.EmptyArchive(service), false, false],
  [new ServiceError.InvalidPartSize(service), false, false],
  [new ServiceError.JobNotReady(service), false, false],
  [new ServiceError.RangeNotAligned(service), false, false],
  [new ServiceError.RangeNotSatisfiable(service), false, false],
  [new ServiceError.VaultNotEmpty(service), false, false],
  [new ServiceError.InvalidParameterValue(service), false, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 400, code: "New" }), false, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 403, code: "HTTP 403" }), false, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 500, code: "New" }), true, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 503, code: "HTTP 503" }), true, false],
  [new Errors.ConnectionError({ operation, message: "lost" }), true, false],
  [new Errors.ConnectionError({ operation, message: "refused", sent: false }), true, true],
  [new Errors.ConnectionRejected({ operation, message: "certificate" }), false, false],
  [new Errors.AttemptTimeout({ operation, waiting: "response", millis: 1 }), true, false],
  [new Errors.OutcomeUnknown({ operation, message: "lost" }), false, false],
  [new Errors.MalformedResponse({ operation, status: 200, problem: "odd" }), false, false],
  [new Errors.BrokenOutput({ jobId: "a", start: 0, end: 1, problem: "short" }), true, false],
  [new Errors.SourceChanged({ message: "short" }), false, false],
  [new Errors.SourceTooLarge({ partSize: PartSize.make(1_048_576) }), false, false],
  [new Errors.UploadGone({ uploadId: UploadId.make("a"), message: "gone" }), false, false],
  [new Errors.JobRunning({ jobId: JobId.make("a") }), false, false],
  [new Errors.JobFailed({ jobId: JobId.make("a"), message: "gone" }), false, false],
  [new Errors.JobExpired({ jobId: JobId.make("a"), message: "gone" }), false, false],
  [new Errors.MalformedEntry({ entry: 0, offset: 1, text: "{}", problem: "empty" }), false, false],
  [new Errors.MalformedInventory({ offset: 1, problem: "short" }), false, false],
  [new Errors.CredentialsError({ message: "none" }), false, false],
  [new Errors.EndpointError({ message: "none" }), false, false],
  [new Errors.InvalidInput({ operation, field: "a", value: "b", rule: "c" }), false, false],
  [new Errors.BudgetExceeded({ cap: "cost", allowed: 2, left: 1, asked: 3 }), false, false],
  [new Errors.LedgerError({ message: "torn" }), false, false]
]

const errors = table.map(([error]) => error)
const throttling = new ServiceError.Throttling(service)
const unavailable = new ServiceError.ServiceUnavailable(service)
const asking = (retryAfter: number) => new ServiceError.ServiceUnavailable({ ...service, retryAfter })

const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

/** A call that fails with these errors and then succeeds: when its attempts were made, and what came of it. */
const run = (policy: RetryPolicy.Policy, errors: ReadonlyArray<Errors.GlacierError>, operation = repeatable) =>
  Effect.gen(function*() {
    const attempts: Array<number> = []
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const error = errors[attempts.push(now) - 1]
      return error === undefined ? Effect.void : Effect.fail(error)
    })
    const call = calling(attempt, { operation, policy, quota: RetryQuota.unlimited, recover: undefined, lookUp })
    const exit = yield* Effect.exit(call)
    return { attempts, exit, waits: attempts.slice(1).map((at, index) => at - (attempts[index] ?? NaN)) }
  }).pipe(inVirtualTime)

const waits = (policy: RetryPolicy.Policy, errors: ReadonlyArray<Errors.GlacierError>, seed = "seed") =>
  Effect.map(Effect.withRandom(run(policy, errors), Random.make(seed)), ({ waits }) => waits)

/** With the longest waits that chance can give. */
const longest = Effect.withRandom(Random.fixed([1]))

const spaced = (seconds: number) => RetryPolicy.fromSchedule(Schedule.spaced(`${seconds} seconds`))

describe("RetryPolicy", () => {
  describe("isSafe", () => {
    it("is asked of every error", () => {
      const tags = Errors.GlacierError.members.map((member) => member._tag)
      expect(tags.length).toBeGreaterThan(30)
      expect(new Set(errors.map((error) => error._tag))).toEqual(new Set<string>(tags))
    })

    it.each(table.map(([error, safe, alwaysSafe]) => ({ error, tag: error._tag, safe, alwaysSafe })))(
      "of $tag: $safe where a repeat does no harm, else $alwaysSafe",
      ({ alwaysSafe, error, safe }) => {
        expect(RetryPolicy.isSafe(error, repeatable)).toBe(safe)
        expect(RetryPolicy.isSafe(error, other)).toBe(alwaysSafe)
        expect(RetryPolicy.standard.while(error, other)).toBe(alwaysSafe)
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
      "after $error._tag waits up to $first ms, twice as long each time, up to 20 s",
      ({ error, first }) =>
        Effect.gen(function*() {
          const all = yield* Effect.forEach(seeds, (seed) => waits(bounded, times(20, error), seed))
          for (let retry = 0; retry < 12; retry++) {
            const bound = Math.min(first * 2 ** retry, 20_000)
            const those = all.map((one) => one[retry] ?? NaN)
            expect(Math.min(...those)).toBeGreaterThanOrEqual(0)
            expect(Math.max(...those)).toBeLessThanOrEqual(bound)
            // The whole range is used: the smallest and largest of 200 are near its ends.
            expect(Math.min(...those)).toBeLessThan(bound * 0.1)
            expect(Math.max(...those)).toBeGreaterThan(bound * 0.9)
          }
        })
    )

    it.effect("waits by the last error", () =>
      Effect.gen(function*() {
        const { waits } = yield* longest(run(bounded, [unavailable, throttling, unavailable]))
        expect(waits).toEqual([500, 2_000, 2_000])
      }))

    it.effect("waits the same with the same Random", () =>
      Effect.gen(function*() {
        const one = yield* waits(bounded, times(12, throttling), "a")
        expect(one).toHaveLength(12)
        expect(yield* waits(bounded, times(12, throttling), "a")).toEqual(one)
        expect(yield* waits(bounded, times(12, throttling), "b")).not.toEqual(one)
      }))

    it.effect.each([1, 2, 4, 8])("makes %i attempts", (attempts) =>
      Effect.gen(function*() {
        const policy = RetryPolicy.make({
          attempts,
          base: 1,
          throttleBase: 1,
          cap: 1,
          maxExtraWait: 0,
          metered: false
        })
        const failed = yield* run(policy, times(20, throttling))
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
  )("$policy waits $wait ms when the service asks for $hint", ({ hint, policy, wait }) =>
    Effect.gen(function*() {
      const { waits } = yield* longest(run(RetryPolicy[policy], [asking(hint)]))
      expect(waits).toEqual([wait])
    }))

  it.effect("standard makes 3 attempts and takes what they cost from the quota", () =>
    Effect.gen(function*() {
      expect((yield* run(RetryPolicy.standard, times(9, throttling))).attempts).toHaveLength(3)
      expect((yield* longest(run(RetryPolicy.standard, times(9, unavailable)))).waits).toEqual([50, 100])
      expect((yield* longest(run(RetryPolicy.standard, times(9, throttling)))).waits).toEqual([1_000, 2_000])
      expect(RetryPolicy.standard.metered).toBe(true)
    }))

  it.effect("patient goes on for half an hour, with waits of up to 30 s, and whatever the quota", () =>
    Effect.gen(function*() {
      const { attempts, exit, waits } = yield* longest(run(RetryPolicy.patient, times(500, throttling)))
      expect(exit).toEqual(Exit.fail(throttling))
      expect(waits.slice(0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
      expect(attempts.at(-1)).toBeLessThanOrEqual(30 * 60_000)
      expect(attempts.at(-1)).toBeGreaterThan(29 * 60_000)
      expect(RetryPolicy.patient.metered).toBe(false)
    }))

  it.effect("none makes one attempt", () =>
    Effect.gen(function*() {
      expect((yield* run(RetryPolicy.none, [throttling])).attempts).toEqual([0])
    }))

  it.effect("R4: waits are spread evenly: 10,000 draws in 10 bins, each within 20 % of the same", () =>
    Effect.gen(function*() {
      const bins = times(10, 0).map(Number)
      const once = RetryPolicy.attempts(RetryPolicy.standard, 2)
      for (let draw = 0; draw < 10_000; draw++) {
        const [wait = NaN] = (yield* run(once, [throttling])).waits
        const bin = Math.min(9, Math.floor(wait / 100))
        bins[bin] = (bins[bin] ?? 0) + 1
      }
      expect(bins.reduce((sum, one) => sum + one)).toBe(10_000)
      for (const bin of bins) expect(Math.abs(bin - 1_000)).toBeLessThan(200)
    }).pipe(Effect.withRandom(Random.make("jitter"))))

  describe("combinators", () => {
    it.effect.each([1, 2, 5])("upTo lets %i attempts be made", (attempts) =>
      Effect.gen(function*() {
        const policy = RetryPolicy.attempts(spaced(1), attempts)
        expect((yield* run(policy, times(9, throttling))).attempts).toHaveLength(attempts)
        expect((yield* run(RetryPolicy.attempts(RetryPolicy.none, attempts), [throttling])).attempts).toHaveLength(1)
      }))

    it.effect.each([[25, 20_000], [30, 30_000], [9, 0]] as const)(
      "within %i s of the first failure the last attempt comes after %i ms",
      ([seconds, last]) =>
        Effect.gen(function*() {
          const policy = RetryPolicy.within(spaced(10), `${seconds} seconds`)
          expect((yield* run(policy, times(9, throttling))).attempts.at(-1)).toBe(last)
        })
    )

    it.effect("when adds a condition, on the error and the operation", () =>
      Effect.gen(function*() {
        const throttles = RetryPolicy.when(spaced(1), (error) => error.retry === "throttle")
        expect((yield* run(throttles, [throttling, throttling, unavailable])).attempts).toHaveLength(3)
        const others = RetryPolicy.when(spaced(1), (_, { name }) => name !== operation)
        expect((yield* run(others, [throttling])).attempts).toHaveLength(1)
        // What the policy refuses stays refused.
        const all = RetryPolicy.when(spaced(1), () => true)
        expect((yield* run(all, [new ServiceError.AccessDenied(service)])).attempts).toHaveLength(1)
      }))

    it.effect("fromSchedule waits as the schedule says, and repeats what is safe", () =>
      Effect.gen(function*() {
        const policy = RetryPolicy.fromSchedule(Schedule.intersect(Schedule.exponential(100), Schedule.recurs(3)))
        const { exit, waits } = yield* run(policy, times(9, unavailable))
        expect(waits).toEqual([100, 200, 400])
        expect(exit).toEqual(Exit.fail(unavailable))
        expect((yield* run(policy, [unavailable], other)).attempts).toHaveLength(1)
      }))

    it.effect("log tells of each error that is retried and of the last, and changes nothing", () =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const logger = Logger.make(({ logLevel, message }) => void seen.push([logLevel.label, message]))
        const logged = RetryPolicy.log(RetryPolicy.standard)
        const { waits } = yield* longest(run(logged, [unavailable, throttling, throttling])).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        expect(waits).toEqual([50, 2_000])
        expect(seen).toEqual([
          ["WARN", ["Glacier call failed: trying again", unavailable]],
          ["WARN", ["Glacier call failed: trying again", throttling]],
          ["WARN", ["Glacier call failed: no more attempts", throttling]]
        ])
      }))

    it.effect("and waits the longer of two waits, and is metered if one of them is", () =>
      Effect.gen(function*() {
        const both = RetryPolicy.intersect(RetryPolicy.standard, spaced(2))
        expect((yield* longest(run(both, [throttling, throttling]))).waits).toEqual([2_000, 2_000])
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
    "a policy composed with `and` never makes more attempts than either, nor any of them earlier",
    [policies, policies, failures, chance],
    ([one, another, failures, chance]) =>
      Effect.gen(function*() {
        const attempts = (policy: RetryPolicy.Policy) => Effect.map(run(policy, failures), ({ attempts }) => attempts)
        const both = yield* attempts(RetryPolicy.intersect(one, another))
        for (const alone of [yield* attempts(one), yield* attempts(another)]) {
          expect(both.length).toBeLessThanOrEqual(alone.length)
          both.forEach((at, index) => expect(at).toBeGreaterThanOrEqual(alone[index] ?? NaN))
        }
      }).pipe(Effect.withRandom(Random.fixed([chance]))),
    { fastCheck: { numRuns: 300 } }
  )

  it.effect.prop(
    "a call is never repeated after what no repeat can help",
    [policies, FastCheck.constantFrom(...errors.filter((error) => error.retry === "never")), FastCheck.boolean()],
    ([policy, error, repeatable]) =>
      Effect.gen(function*() {
        const { attempts, exit } = yield* run(policy, [error], { name: operation, repeatable })
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
    "a call that must not be made twice is never repeated when nobody knows whether the service acted",
    [FastCheck.oneof(FastCheck.constant(reckless), policies), failures],
    ([policy, failures]) =>
      Effect.gen(function*() {
        const { attempts, exit } = yield* run(policy, failures, other)
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
    const told: Array<unknown> = []
    const note = (by: string) => ({ attempt, error, operation, wait }: RetryPolicy.Retry) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        told.push([by, operation, error._tag, attempt, Duration.toMillis(wait), at])
      })
    const first = [operation, throttling._tag, 1, 1_000, 0]
    const second = [operation, unavailable._tag, 2, 100, 1_000]

    it.effect("tells of each retry before its wait, the outermost first, and not of the last error", () =>
      Effect.gen(function*() {
        told.length = 0
        const { waits } = yield* longest(run(RetryPolicy.standard, [throttling, unavailable, unavailable])).pipe(
          RetryPolicy.onRetry(note("inside")),
          RetryPolicy.onRetry(note("outside"))
        )
        expect(waits).toEqual([1_000, 100])
        expect(told).toEqual([first, second].flatMap((retry) => [["outside", ...retry], ["inside", ...retry]]))
      }))

    it.effect("makes the next attempt wait for what it does", () =>
      Effect.gen(function*() {
        const { waits } = yield* longest(run(RetryPolicy.standard, [throttling])).pipe(
          RetryPolicy.onRetry(() => Effect.sleep("1 hour"))
        )
        expect(waits).toEqual([3_601_000])
      }))

    it.effect("may be provided to a program", () =>
      Effect.gen(function*() {
        told.length = 0
        yield* Effect.provide(
          longest(run(RetryPolicy.standard, [throttling])),
          Layer.succeed(RetryPolicy.OnRetry, note("all"))
        )
        expect(told).toEqual([["all", ...first]])
      }))
  })

  it.effect("is by default the standard one, and a Layer replaces it", () =>
    Effect.gen(function*() {
      expect(yield* RetryPolicy.RetryPolicy).toBe(RetryPolicy.standard)
      expect(yield* Effect.provide(RetryPolicy.RetryPolicy, RetryPolicy.layer(RetryPolicy.none))).toBe(RetryPolicy.none)
    }))
})
