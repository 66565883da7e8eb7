import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId } from "../transport/calls.ts"
import { errorResponseOf, responseOf, scripted } from "../transport/support.ts"

/**
 * A service that throttles when its bucket is empty. The bucket holds as many tokens as it gains per second. A request takes
 * 20 ms.
 */
const service = (allowed: (second: number) => number) => {
  const requests: Array<{ readonly at: number; readonly isThrottled: boolean }> = []
  let tokens = Infinity
  let last = 0
  return {
    requests,
    respond: () =>
      Effect.gen(function*() {
        const at = yield* Clock.currentTimeMillis
        const rate = allowed(at / 1_000)
        tokens = Math.min(rate, tokens + (at - last) / 1_000 * rate)
        last = at
        const isThrottled = tokens < 1
        if (!isThrottled) tokens--
        requests.push({ at, isThrottled })
        yield* Effect.sleep("20 millis")
        return isThrottled ? errorResponseOf(400, "ThrottlingException", "Rate exceeded") : responseOf(204)
      }),
    /** Returns the requests between two seconds. */
    between: (from: number, to: number) => requests.filter(({ at }) => at >= from * 1_000 && at < to * 1_000)
  }
}

/** Deletes archives with some fibers. Returns the failures, and the requests that the service got. */
const deleting = (
  deletes: number,
  { allowed, fibers, retry, rate }: {
    readonly allowed: (second: number) => number
    readonly fibers: number
    readonly retry: RetryPolicy.Policy
    readonly rate: Layer.Layer<never>
  }
) =>
  Effect.gen(function*() {
    const server = service(allowed)
    const { glacier } = yield* scripted(server.respond, { policies: Layer.merge(RetryPolicy.layer(retry), rate) })
    const failures: Array<string> = []
    const one = Effect.catchAll(
      glacier.deleteArchive({ vaultName: "photos", archiveId }),
      (error) => Effect.sync(() => failures.push(error._tag))
    )
    yield* Effect.replicateEffect(one, deletes, { concurrency: fibers, discard: true })
    return { ...server, failures }
  }).pipe(Effect.withRandom(Random.make("bulk")), Effect.provide(NodeHashing.layer), inVirtualTime)

const bulk = { retry: RetryPolicy.patient, rate: RatePolicy.layerAdaptive }

describe("Bulk deletes with the patient policy and the adaptive rate", () => {
  it.effect(
    "succeed 10,000 times by 16 fibers at about the 50 per second that the service accepts [R5]",
    () =>
      Effect.gen(function*() {
        const { between, failures, requests } = yield* deleting(10_000, { ...bulk, allowed: () => 50, fibers: 16 })
        const end = Math.floor((requests.at(-1)?.at ?? 0) / 1_000)
        expect(failures).toEqual([])
        expect(end).toBeGreaterThan(195)
        expect(end).toBeLessThan(230)
        for (let second = 30; second < end; second++) {
          const { length } = between(second, second + 1)
          expect(length).toBeGreaterThanOrEqual(25)
          expect(length).toBeLessThanOrEqual(75)
        }
        const later = between(30, end)
        expect(later.filter(({ isThrottled }) => isThrottled).length / later.length).toBeLessThan(0.1)
      }),
    120_000
  )

  it.effect("follow a drop from 10,000 to 10 per second within 12 s [R5]", () =>
    Effect.gen(function*() {
      const allowed = (second: number) => second < 3 ? 10_000 : 10
      const { between, failures } = yield* deleting(2_600, { ...bulk, allowed, fibers: 16 })
      expect(between(0, 3).length).toBeGreaterThan(2_000)
      for (let second = 15; second < 22; second++) {
        const { length } = between(second, second + 1)
        expect(length).toBeGreaterThanOrEqual(5)
        expect(length).toBeLessThanOrEqual(15)
      }
      expect(failures).toEqual([])
    }))

  it.effect("succeed by 200 fibers at once [R5]", () =>
    Effect.gen(function*() {
      const { failures, requests } = yield* deleting(1_000, { ...bulk, allowed: () => 50, fibers: 200 })
      expect(failures).toEqual([])
      expect(requests.length).toBeLessThan(1_300)
    }))
})

describe("Bulk deletes with the standard policy", () => {
  it.effect("succeed by 16 fibers at the adaptive rate [R5]", () =>
    Effect.gen(function*() {
      const few = { ...bulk, retry: RetryPolicy.standard, allowed: () => 50, fibers: 16 }
      expect((yield* deleting(1_000, few)).failures).toEqual([])
    }))

  it.effect.each<readonly [string, Layer.Layer<never>, number]>([
    ["by 200 fibers, whose first throttles use up the quota", RatePolicy.layerAdaptive, 200],
    ["without a rate, as three attempts are too few", Layer.empty, 16]
  ])("fail %s [R5]", ([, rate, fibers]) =>
    Effect.gen(function*() {
      const { failures } = yield* deleting(1_000, {
        allowed: () => 50,
        fibers,
        rate,
        retry: RetryPolicy.standard
      })
      expect(failures.length).toBeGreaterThan(10)
      expect(new Set(failures)).toEqual(new Set(["Throttling"]))
    }))
})
