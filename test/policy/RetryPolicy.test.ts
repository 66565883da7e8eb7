import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Errors from "../../src/protocol/GlacierError.ts"
import { JobId } from "../../src/protocol/Names.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"

const operation = "GetSomething"
const service = { operation, status: 400, message: "no" }
const idempotent = { name: operation, idempotent: true }
const other = { name: operation, idempotent: false }

/** Each error, and whether it may be tried again when a repeat does no harm, and when it does. */
const table: ReadonlyArray<readonly [error: Errors.GlacierError, safe: boolean, alwaysSafe: boolean]> = [
  [new ServiceError.AccessDenied(service), false, false],
  [new ServiceError.BadRequest(service), false, false],
  [new ServiceError.ExpiredToken(service), false, false],
  [new ServiceError.InsufficientCapacity(service), false, false],
  [new ServiceError.InvalidSignature(service), false, false],
  [new ServiceError.LimitExceeded(service), false, false],
  [new ServiceError.MissingAuthenticationToken(service), false, false],
  [new ServiceError.MissingParameterValue(service), false, false],
  [new ServiceError.NoLongerSupported(service), false, false],
  [new ServiceError.PolicyEnforced(service), false, false],
  [new ServiceError.RequestTimeout(service), true, true],
  [new ServiceError.ResourceNotFound(service), false, false],
  [new ServiceError.Serialization(service), false, false],
  [new ServiceError.ServiceUnavailable(service), true, false],
  [new ServiceError.Throttling(service), true, true],
  [new ServiceError.UnrecognizedClient(service), false, false],
  [new ServiceError.ChecksumMismatch(service), false, false],
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
  [new Errors.AttemptTimeout({ operation, waiting: "answer", millis: 1 }), true, false],
  [new Errors.MalformedResponse({ operation, status: 200, problem: "odd" }), false, false],
  [new Errors.BrokenOutput({ jobId: "a", start: 0, end: 1, problem: "short" }), true, false],
  [new Errors.SourceChanged({ message: "short" }), false, false],
  [new Errors.JobRunning({ jobId: JobId.make("a") }), false, false],
  [new Errors.JobFailed({ jobId: JobId.make("a"), message: "gone" }), false, false],
  [new Errors.CredentialsError({ message: "none" }), false, false],
  [new Errors.EndpointError({ message: "none" }), false, false],
  [new Errors.InvalidInput({ operation, field: "a", value: "b", rule: "c" }), false, false]
]

const throttling = new ServiceError.Throttling(service)
const unavailable = new ServiceError.ServiceUnavailable(service)

const waits = (policy: RetryPolicy.Policy, errors: ReadonlyArray<Errors.GlacierError>, seed = "seed") =>
  Schedule.run(Schedule.delays(policy.schedule), 0, errors).pipe(
    Effect.withRandom(Random.make(seed)),
    Effect.map((delays) => [...delays].map(Duration.toMillis))
  )

describe("RetryPolicy", () => {
  describe("isSafe", () => {
    it("is asked of every error", () => {
      const tags = Errors.GlacierError.members.map((member) => member._tag)
      expect(tags.length).toBeGreaterThan(30)
      expect(new Set(table.map(([error]) => error._tag))).toEqual(new Set<string>(tags))
    })

    it.each(table.map(([error, safe, alwaysSafe]) => ({ error, tag: error._tag, safe, alwaysSafe })))(
      "of $tag: $safe where a repeat does no harm, else $alwaysSafe",
      ({ alwaysSafe, error, safe }) => {
        expect(RetryPolicy.isSafe(error, idempotent)).toBe(safe)
        expect(RetryPolicy.isSafe(error, other)).toBe(alwaysSafe)
        expect(RetryPolicy.backoff(1).while(error, other)).toBe(alwaysSafe)
        expect(RetryPolicy.none.while(error, idempotent)).toBe(false)
      }
    )
  })

  describe("backoff", () => {
    const seeds = Array.from({ length: 200 }, (_, index) => `seed ${index}`)

    it.effect.each([{ error: unavailable, first: 500 }, { error: throttling, first: 1_000 }])(
      "after $error._tag waits up to $first ms, twice as long each time, up to 20 s",
      ({ error, first }) =>
        Effect.gen(function*() {
          const errors = Array(20).fill(error)
          const all = yield* Effect.forEach(seeds, (seed) => waits(RetryPolicy.backoff(20), errors, seed))
          for (let attempt = 0; attempt < 20; attempt++) {
            const bound = Math.min(first * 2 ** attempt, 20_000)
            const those = all.map((one) => one[attempt] ?? NaN)
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
        const all = yield* Effect.forEach(seeds, (seed) =>
          waits(RetryPolicy.backoff(3), [unavailable, throttling, unavailable], seed))
        const largest = [0, 1, 2].map((attempt) =>
          Math.max(...all.map((one) => one[attempt] ?? NaN))
        )
        expect(largest[0]).toBeLessThanOrEqual(500)
        expect(largest[1]).toBeGreaterThan(1_000)
        expect(largest[1]).toBeLessThanOrEqual(2_000)
        expect(largest[2]).toBeLessThanOrEqual(2_000)
      }))

    it.effect("waits the same with the same Random", () =>
      Effect.gen(function*() {
        const run = (seed: string) => waits(RetryPolicy.backoff(7), Array(7).fill(throttling), seed)
        expect(yield* run("a")).toEqual(yield* run("a"))
        expect(yield* run("a")).not.toEqual(yield* run("b"))
      }))

    it.effect.each([0, 1, 3, 7])("makes %i further attempts", (times) =>
      Effect.gen(function*() {
        let attempts = 0
        const failing = Effect.suspend(() => {
          attempts++
          return Effect.fail(throttling)
        })
        const fiber = yield* Effect.fork(Effect.retry(failing, { schedule: RetryPolicy.backoff(times).schedule }))
        yield* TestClock.adjust("3 minutes")
        expect(yield* Effect.flip(fiber)).toBe(throttling)
        expect(attempts).toBe(times + 1)
      }))
  })

  it.effect("none makes no further attempt", () =>
    Effect.gen(function*() {
      let attempts = 0
      const failing = Effect.suspend(() => {
        attempts++
        return Effect.fail(throttling)
      })
      yield* Effect.flip(Effect.retry(failing, { schedule: RetryPolicy.none.schedule }))
      expect(attempts).toBe(1)
    }))

  it.effect("is by default backoff(7), and a Layer replaces it", () =>
    Effect.gen(function*() {
      const byDefault = yield* RetryPolicy.RetryPolicy
      const errors = Array(7).fill(throttling)
      expect(yield* waits(byDefault, errors)).toEqual(yield* waits(RetryPolicy.backoff(7), errors))
      expect(yield* Effect.provide(RetryPolicy.RetryPolicy, RetryPolicy.layer(RetryPolicy.none))).toBe(RetryPolicy.none)
    }))
})
