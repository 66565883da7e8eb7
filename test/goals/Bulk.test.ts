import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { formatNumber } from "../../src/policy/Format.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { isFull } from "../support/full.ts"
import { bulk, deleting } from "./throttlingService.ts"

const deletes = isFull ? 10_000 : 2_500

describe("Bulk deletes with the patient policy and the adaptive rate", () => {
  it.effect(
    `succeed ${formatNumber(deletes)} times by 16 fibers at about the 50 per second that the service accepts [R5]`,
    () =>
      Effect.gen(function*() {
        const { between, failures, requests } = yield* deleting(deletes, { ...bulk, allowed: () => 50, fibers: 16 })
        const end = Math.floor((requests.at(-1)?.at ?? 0) / 1_000)
        expect(failures).toEqual([])
        expect(end).toBeGreaterThan(deletes / 50 - 5)
        expect(end).toBeLessThan(deletes / 50 + 30)
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
