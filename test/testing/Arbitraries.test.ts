import * as RateLimiter from "@effect/experimental/RateLimiter"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { layerMemory } from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, FastCheck, Layer, Option, TestClock } from "effect"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import { ServiceUnavailable } from "../../src/protocol/ServiceError.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import { treeHash } from "../emulator/support.ts"

const stores = Layer.merge(
  Layer.provide(RateLimiter.layer, Layer.fresh(RateLimiter.layerStoreMemory)),
  Layer.fresh(layerMemory)
)

describe("Arbitraries", () => {
  it("makes archives with their tree hash, and with sizes on both sides of whole MiBs", () => {
    const archives = FastCheck.sample(Arbitraries.archive({ maximumMebibytes: 2 }), { numRuns: 100, seed: 1 })
    for (const { bytes, treeHash: known } of archives) expect(known).toBe(treeHash(bytes))
    const sizes = archives.map(({ bytes }) => bytes.length)
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    for (const more of [-1, 0, 1]) expect(sizes).toContain(mebibyte + more)
    expect(new Set(archives.map(({ treeHash }) => treeHash)).size).toBeGreaterThan(30)
  })

  it("prints an archive that is a counterexample as its size", () => {
    const small = FastCheck.property(Arbitraries.archive(), ({ bytes }) => bytes.length < 3)
    expect(FastCheck.stringify(FastCheck.check(small, { seed: 1 }).counterexample)).toMatch(
      /^\[an archive of \d+ bytes/
    )
  })

  it.effect.prop("makes options that the constructors of policies accept", {
    bandwidth: Arbitraries.bandwidth,
    rate: Arbitraries.ratePolicy,
    budget: Arbitraries.retrievalBudget,
    quota: Arbitraries.retryQuota
  }, ({ bandwidth, budget, quota, rate }) =>
    Effect.gen(function*() {
      yield* Bandwidth.make(bandwidth)
      yield* RatePolicy.make(rate)
      yield* RetrievalBudget.make(budget)
      expect(yield* (yield* RetryQuota.make(quota)).tokens).toBe(quota.capacity)
    }).pipe(Effect.provide(stores)))

  it.effect.prop("makes retry policies that end, and positive time limits", {
    policy: Arbitraries.retryPolicy,
    timeouts: Arbitraries.timeouts
  }, ({ policy, timeouts }) =>
    Effect.gen(function*() {
      for (const limit of Object.values(timeouts)) expect(Duration.toMillis(limit)).toBeGreaterThan(0)
      let attempts = 0
      const error = new ServiceUnavailable({ operation: "ListVaults", status: 503, message: "", requestId: undefined })
      const fiber = yield* Effect.fork(Effect.retry(
        Effect.suspend(() => {
          attempts++
          return Effect.fail(error)
        }),
        { while: (error) => policy.while(error, { name: "ListVaults", repeatable: true }), schedule: policy.schedule }
      ))
      yield* TestClock.adjust("1 hour")
      expect((yield* fiber.await)._tag).toBe("Failure")
      expect(attempts).toBeGreaterThan(0)
      expect(attempts).toBeLessThan(9)
    }), { fastCheck: { numRuns: 20 } })

  it.effect("makes fault scripts whose faults are injected when their request comes", () =>
    Effect.gen(function*() {
      const steps = FastCheck.sample(Arbitraries.faultScript, { numRuns: 300, seed: 1 }).flat()
      expect(new Set(steps.map(({ operation }) => operation)).size).toBeGreaterThan(30)
      const script = steps.filter(({ at, operation }) => operation === "ListVaults" && at === 1)
      expect(script.length).toBeGreaterThan(5)
      for (const step of script) {
        const injected = yield* Effect.gen(function*() {
          const { createVault, listVaults } = yield* GlacierClient
          // A page without entries cannot lose or repeat one.
          yield* createVault({ vaultName: "photos" })
          const fiber = yield* Effect.fork(listVaults({}))
          while (Option.isNone(yield* fiber.poll)) yield* TestClock.adjust("1 minute")
          return yield* (yield* Faults.Faults).injected
        }).pipe(
          Effect.provide(
            Faults.layerClient().pipe(
              Layer.provideMerge(Faults.layer({ script: [step] })),
              Layer.provide(TestGlacier.layer()),
              Layer.provideMerge(RetryPolicy.layer(RetryPolicy.none))
            )
          )
        )
        expect(injected).toEqual([step])
      }
    }))

  it.scopedLive("makes disk fault scripts whose faults are injected when their operation runs", () =>
    Effect.gen(function*() {
      const steps = FastCheck.sample(Arbitraries.diskFaultScript, { numRuns: 100, seed: 1 }).flat()
      const first = new Map(steps.filter(({ at }) => at === 1).map((step) => [`${step.fault} ${step.operation}`, step]))
      expect(first.size).toBe(7)
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const useFiles = Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const file = yield* Effect.retry(fs.open(`${folder}/file`, { flag: "w+" }), { times: 1 })
        yield* Effect.ignore(file.writeAll(Uint8Array.of(1)))
        yield* Effect.ignore(file.sync)
        yield* Effect.ignore(file.read(new Uint8Array(1)))
        yield* Effect.ignore(fs.rename(`${folder}/file`, `${folder}/renamed`))
        return yield* (yield* Faults.Faults).injected
      })
      for (const step of first.values()) {
        const faulty = Layer.provideMerge(Faults.layerFileSystem, Faults.layer({ script: [step] }))
        expect(yield* Effect.provide(useFiles, faulty)).toEqual([step])
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
