import { describe, expect, it } from "@effect/vitest"
import { StandardRetryStrategy } from "@smithy/core/retry"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"
import { vi } from "vitest"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { calling } from "../../src/transport/internal/retrying.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { call } from "../transport/calls.ts"
import { errorResponseOf, scripted } from "../transport/support.ts"
import type { Respond } from "../transport/support.ts"

type Kind = "THROTTLING" | "TRANSIENT" | "CLIENT_ERROR"

interface Failed {
  readonly kind: Kind
  /** How long the service asks to wait (milliseconds). */
  readonly hint: number | undefined
}

/** What calls are answered one after the other; when it is used up, with success. */
interface Sequence {
  readonly attempts: number
  /** What every draw of the jitter gives. */
  readonly jitter: number
  readonly calls: number
  readonly answers: ReadonlyArray<"success" | Failed>
}

const sequenceOf = (seed: number): Sequence => {
  const random = new PCGRandom(seed)
  const pick = <A>(...values: ReadonlyArray<A>): A => values[random.integer(values.length)]!
  const good = pick(0, 0.05, 0.3, 0.6)
  const bad = pick(0, 0, 0.1)
  const kinds = pick<ReadonlyArray<Kind>>(["THROTTLING"], ["TRANSIENT"], ["THROTTLING", "TRANSIENT"])
  // Some drain the bucket.
  const long = random.integer(25) === 0
  return {
    attempts: long ? 10 : 1 + random.integer(10),
    // Halves of all bounds are whole milliseconds: the oracle rounds others down, this package to the nearest.
    jitter: pick(0, 0.5, 1, 1),
    calls: long ? 15 : 1 + random.integer(3),
    answers: Array.from({ length: random.integer(long ? 150 : 15) }, () => {
      const chance = random.number()
      if (chance < good) return "success"
      return {
        kind: chance < good + bad ? "CLIENT_ERROR" : pick(...kinds),
        hint: pick(undefined, undefined, random.integer(30_000))
      }
    })
  }
}

/** Of each call: whether it succeeded, its waits, and the tokens left behind it. */
type Outcome = readonly [success: boolean, waits: ReadonlyArray<number>, tokens: number]

/** What chance and timers do meanwhile. */
const stub = { jitter: 0, wait: (_millis: number): void => {} }

/** As AWS's own strategy does it. */
const byOracle = async ({ answers, attempts, calls, jitter }: Sequence): Promise<ReadonlyArray<Outcome>> => {
  let waits: Array<number> = []
  stub.jitter = jitter
  stub.wait = (millis) => waits.push(millis)
  const strategy = new StandardRetryStrategy(attempts)
  const left = [...answers]
  const outcomes: Array<Outcome> = []
  for (let i = 0; i < calls; i++) {
    waits = []
    let token = await strategy.acquireInitialRetryToken("")
    let success: boolean | undefined
    while (success === undefined) {
      const answer = left.shift() ?? "success"
      if (answer === "success") {
        strategy.recordSuccess(token)
        success = true
      } else {
        const { hint, kind } = answer
        const refreshed = await strategy.refreshRetryTokenForRetry(token, {
          errorType: kind,
          ...(hint === undefined ? {} : { retryAfterHint: new Date(hint) })
        }).catch(() => undefined)
        if (refreshed === undefined) success = false
        else token = refreshed
      }
    }
    outcomes.push([success, waits, strategy.getCapacity()])
  }
  return outcomes
}

const sequences = Array.from({ length: 10_000 }, (_, seed) => sequenceOf(seed))

const errorOf = ({ hint, kind }: Failed) => {
  const Class = {
    THROTTLING: ServiceError.Throttling,
    TRANSIENT: ServiceError.ServiceUnavailable,
    CLIENT_ERROR: ServiceError.BadRequest
  }
  return new Class[kind]({ operation: "GetSomething", status: 400, message: "no", retryAfter: hint })
}

/** A clock on which all waits are over at once. */
const noting = (note: (millis: number) => void): Clock.Clock => ({
  ...Clock.make(),
  unsafeCurrentTimeMillis: () => 0,
  currentTimeMillis: Effect.succeed(0),
  sleep: (duration) => Effect.sync(() => note(Duration.toMillis(duration)))
})

const byPackage = ({ answers, attempts, calls, jitter }: Sequence): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.gen(function*() {
    const quota = yield* RetryQuota.make()
    const policy = RetryPolicy.make({
      attempts,
      base: "50 millis",
      throttleBase: "1 second",
      cap: "20 seconds",
      maxExtraWait: "5 seconds",
      metered: true
    })
    const left = [...answers]
    const attempt = Effect.suspend(() => {
      const answer = left.shift() ?? "success"
      return answer === "success" ? Effect.succeed(answer) : Effect.fail(errorOf(answer))
    })
    const operation = { name: "GetSomething", repeatable: true }
    return yield* Effect.replicateEffect(
      Effect.gen(function*() {
        const waits: Array<number> = []
        const result = yield* Effect.either(
          calling(attempt, { operation, policy, quota, recover: undefined, lookUp: "" })
        ).pipe(
          Effect.withClock(noting((millis) => waits.push(millis)))
        )
        const outcome: Outcome = [Either.isRight(result), waits, yield* quota.tokens]
        return outcome
      }),
      calls
    )
  }).pipe(Effect.withRandom(Random.fixed([jitter])))

/** Of the oracle. Its timers go off at once, and time stands still. */
const allByOracle = Effect.acquireUseRelease(
  Effect.sync(() => {
    vi.stubGlobal("setTimeout", (done: () => void, millis: number) => {
      stub.wait(millis)
      done()
    })
    vi.spyOn(Date, "now").mockReturnValue(0)
    vi.spyOn(Math, "random").mockImplementation(() => stub.jitter)
  }),
  () =>
    Effect.promise(async () => {
      const outcomes: Array<ReadonlyArray<Outcome>> = []
      for (const sequence of sequences) outcomes.push(await byOracle(sequence))
      return outcomes
    }),
  () =>
    Effect.sync(() => {
      vi.unstubAllGlobals()
      vi.restoreAllMocks()
    })
)

describe("retries", () => {
  it.live("R2 are those of AWS's StandardRetryStrategy after 10,000 random sequences of answers", () =>
    Effect.gen(function*() {
      const expected = yield* allByOracle
      const actual = yield* Effect.forEach(sequences, byPackage)
      for (const [index, outcomes] of expected.entries()) {
        if (JSON.stringify(outcomes) === JSON.stringify(actual[index])) continue
        expect({ sequence: sequences[index], outcomes: actual[index] }).toEqual({
          sequence: sequences[index],
          outcomes
        })
      }
      // The sequences are worth something: many retries, and buckets that run dry.
      const all = expected.flat()
      expect(all.flatMap(([, waits]) => waits).length).toBeGreaterThan(30_000)
      expect(all.filter(([success, , tokens]) => !success && tokens < 14).length).toBeGreaterThan(200)
    }))

  const describeVault = call("describeVault")

  /** Calls one after the other by the default policies, all answered alike: the requests they send. */
  const outage = (answer: () => Response) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(() => Effect.sync(answer), { policies: Layer.empty })
      const failures = yield* Effect.replicateEffect(Effect.flip(describeVault.run(glacier)), 1_000)
      expect(failures).toHaveLength(1_000)
      return sent.length
    }).pipe(inVirtualTime, Effect.provide(NodeHashing.layer))

  it.live("R3 of 1,000 calls that all fail with 500 send at most 1,035 requests", () =>
    Effect.map(outage(() => errorResponseOf(500, "ServiceUnavailableException")), (requests) => {
      expect(requests).toBeLessThanOrEqual(1_035)
      expect(requests).toBeGreaterThan(1_000)
    }))

  it.live("R3 of 1,000 calls that are all throttled send at most 1,100 requests", () =>
    Effect.map(outage(() => errorResponseOf(400, "ThrottlingException")), (requests) => {
      expect(requests).toBeLessThanOrEqual(1_100)
      expect(requests).toBeGreaterThan(1_000)
    }))

  it.live("R3 of 64 fibers never take more tokens than there are nor give back too many", () =>
    Effect.gen(function*() {
      const quota = yield* RetryQuota.make()
      const seen: Array<number> = []
      const noting = <A>(effect: Effect.Effect<A>) =>
        Effect.zipLeft(effect, Effect.map(quota.tokens, (tokens) => seen.push(tokens)))
      const spied: RetryQuota.Quota = {
        ...quota,
        take: (error) => noting(quota.take(error)),
        giveBack: (taken) => noting(quota.giveBack(taken))
      }
      const random = new PCGRandom(1)
      // An outage, and then a service that recovers.
      const reply: Respond = (_, attempt) =>
        Effect.gen(function*() {
          yield* Effect.sleep(random.integer(200))
          const chance = random.number() + (attempt > 1_000 ? 0.6 : 0)
          return chance < 0.5
            ? errorResponseOf(500, "ServiceUnavailableException")
            : chance < 0.7
            ? errorResponseOf(400, "ThrottlingException")
            : describeVault.response()
        })
      const { glacier } = yield* scripted(reply, {
        policies: Layer.succeed(RetryQuota.RetryQuota, spied)
      })
      yield* Effect.replicateEffect(
        Effect.replicateEffect(Effect.either(describeVault.run(glacier)), 30),
        64,
        { concurrency: "unbounded" }
      )
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(0)
      expect(Math.min(...seen)).toBeLessThan(14)
      expect(Math.max(...seen)).toBe(500)
    }).pipe(inVirtualTime, Effect.withRandom(Random.make("quota")), Effect.provide(NodeHashing.layer)))
})
