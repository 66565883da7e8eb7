/** AWS's StandardRetryStrategy and this package, each with the same sequence of responses. */
import { StandardRetryStrategy } from "@smithy/core/retry"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"
import { vi } from "vitest"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { calling } from "../../src/transport/internal/retrying.ts"
import { isFull } from "../support/full.ts"

type Kind = "THROTTLING" | "TRANSIENT" | "CLIENT_ERROR"

interface Failed {
  readonly kind: Kind
  /** The wait that the response asks for (milliseconds). */
  readonly hint: number | undefined
}

/** The responses to successive calls. After the last, every call succeeds. */
interface Sequence {
  readonly attempts: number
  /** The value of every random draw. */
  readonly jitter: number
  readonly calls: number
  readonly responses: ReadonlyArray<"success" | Failed>
}

const sequenceOf = (seed: number): Sequence => {
  const random = new PCGRandom(seed)
  const pick = <A>(...values: ReadonlyArray<A>): A => values[random.integer(values.length)]!
  const good = pick(0, 0.05, 0.3, 0.6)
  const bad = pick(0, 0, 0.1)
  const kinds = pick<ReadonlyArray<Kind>>(["THROTTLING"], ["TRANSIENT"], ["THROTTLING", "TRANSIENT"])
  // Some sequences are long enough to empty the bucket.
  const long = random.integer(25) === 0
  return {
    attempts: long ? 10 : 1 + random.integer(10),
    // Half of every bound is a whole number of milliseconds. Others AWS rounds down, this package to the nearest.
    jitter: pick(0, 0.5, 1, 1),
    calls: long ? 15 : 1 + random.integer(3),
    responses: Array.from({ length: random.integer(long ? 150 : 15) }, () => {
      const chance = random.number()
      if (chance < good) return "success"
      return {
        kind: chance < good + bad ? "CLIENT_ERROR" : pick(...kinds),
        hint: pick(undefined, undefined, random.integer(30_000))
      }
    })
  }
}

/** The outcome of a call: whether it succeeded, its waits, and the tokens left. */
type Outcome = readonly [success: boolean, waits: ReadonlyArray<number>, tokens: number]

/** The replacements for chance and timers. */
const stub = { jitter: 0, wait: (_millis: number): void => {} }

/** Runs a sequence with AWS's own strategy. */
const runWithOracle = async ({ responses, attempts, calls, jitter }: Sequence): Promise<ReadonlyArray<Outcome>> => {
  let waits: Array<number> = []
  stub.jitter = jitter
  stub.wait = (millis) => waits.push(millis)
  const strategy = new StandardRetryStrategy(attempts)
  const left = [...responses]
  const outcomes: Array<Outcome> = []
  for (let i = 0; i < calls; i++) {
    waits = []
    let token = await strategy.acquireInitialRetryToken("")
    let success: boolean | undefined
    while (success === undefined) {
      const response = left.shift() ?? "success"
      if (response === "success") {
        strategy.recordSuccess(token)
        success = true
      } else {
        const { hint, kind } = response
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

export const sequences = Array.from({ length: isFull ? 10_000 : 2_500 }, (_, seed) => sequenceOf(seed))

const errorOf = ({ hint, kind }: Failed) => {
  const Class = {
    THROTTLING: ServiceError.Throttling,
    TRANSIENT: ServiceError.ServiceUnavailable,
    CLIENT_ERROR: ServiceError.BadRequest
  }
  const retryAfter = hint === undefined ? undefined : Duration.millis(hint)
  return new Class[kind]({ operation: "GetSomething", status: 400, message: "no", retryAfter })
}

/** A clock on which all waits end at once. */
const instantClock = (note: (millis: number) => void): Clock.Clock => ({
  ...Clock.make(),
  unsafeCurrentTimeMillis: () => 0,
  currentTimeMillis: Effect.succeed(0),
  sleep: (duration) => Effect.sync(() => note(Duration.toMillis(duration)))
})

/** Runs a sequence with this package. */
export const runWithPackage = (
  { responses, attempts, calls, jitter }: Sequence
): Effect.Effect<ReadonlyArray<Outcome>> =>
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
    const left = [...responses]
    const attempt = Effect.suspend(() => {
      const response = left.shift() ?? "success"
      return response === "success" ? Effect.succeed(response) : Effect.fail(errorOf(response))
    })
    const operation = { name: "GetSomething", repeatable: true }
    return yield* Effect.replicateEffect(
      Effect.gen(function*() {
        const waits: Array<number> = []
        const result = yield* Effect.either(
          calling(attempt, { operation, policy, quota, recover: undefined, lookUp: "" })
        ).pipe(
          Effect.withClock(instantClock((millis) => waits.push(millis)))
        )
        const outcome: Outcome = [Either.isRight(result), waits, yield* quota.tokens]
        return outcome
      }),
      calls
    )
  }).pipe(Effect.withRandom(Random.fixed([jitter])))

/** Runs all sequences with AWS's strategy. Its timers fire at once, and time stands still. */
export const runAllWithOracle = Effect.acquireUseRelease(
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
      for (const sequence of sequences) outcomes.push(await runWithOracle(sequence))
      return outcomes
    }),
  () =>
    Effect.sync(() => {
      vi.unstubAllGlobals()
      vi.restoreAllMocks()
    })
)
