/** The quota that bounds the retries of a client. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { call } from "../transport/calls.ts"
import { errorResponseOf, scripted } from "../transport/support.ts"
import type { Respond } from "../transport/support.ts"

describe("retries", () => {
  const describeVault = call("describeVault")

  /** Makes 1,000 successive calls with the default policies, which all get the same response. Returns the requests sent. */
  const outage = (response: () => Response) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(() => Effect.sync(response), { policies: Layer.empty })
      const failures = yield* Effect.replicateEffect(Effect.flip(describeVault.run(glacier)), 1_000)
      expect(failures).toHaveLength(1_000)
      return sent.length
    }).pipe(inVirtualTime, Effect.provide(NodeHashing.layer))

  it.live("send at most 1,035 requests when 1,000 calls all fail with 500 [R3]", () =>
    Effect.map(outage(() => errorResponseOf(500, "ServiceUnavailableException")), (requests) => {
      expect(requests).toBeLessThanOrEqual(1_035)
      expect(requests).toBeGreaterThan(1_000)
    }))

  it.live("send at most 1,100 requests when 1,000 calls are all throttled [R3]", () =>
    Effect.map(outage(() => errorResponseOf(400, "ThrottlingException")), (requests) => {
      expect(requests).toBeLessThanOrEqual(1_100)
      expect(requests).toBeGreaterThan(1_000)
    }))

  it.live("of 64 fibers keep the tokens of the quota between 0 and its capacity [R3]", () =>
    Effect.gen(function*() {
      const quota = yield* RetryQuota.make()
      const seen: Array<number> = []
      const recorded = <A>(effect: Effect.Effect<A>) =>
        Effect.zipLeft(effect, Effect.map(quota.tokens, (tokens) => seen.push(tokens)))
      const spied: RetryQuota.Quota = {
        ...quota,
        take: (error) => recorded(quota.take(error)),
        giveBack: (taken) => recorded(quota.giveBack(taken))
      }
      const random = new PCGRandom(1)
      // An outage, and then a service that recovers.
      const respond: Respond = (_, attempt) =>
        Effect.gen(function*() {
          yield* Effect.sleep(random.integer(200))
          const chance = random.number() + (attempt > 1_000 ? 0.6 : 0)
          return chance < 0.5
            ? errorResponseOf(500, "ServiceUnavailableException")
            : chance < 0.7
            ? errorResponseOf(400, "ThrottlingException")
            : describeVault.response()
        })
      const { glacier } = yield* scripted(respond, {
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
