/** Downloads of bytes and headers that are damaged in transit. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { promptly } from "../support/retryPolicies.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { bytes, download, fault, from, through } from "./damagedOutputs.ts"
import * as Support from "./support.ts"

const { mebibyte, same } = Support

describe("an output that is damaged in transit", () => {
  it.effect.prop(
    "is complete with the default policy, and only damaged windows are fetched again",
    [FastCheck.array(fault, { maxLength: 12 }), from],
    ([faults, from]) => {
      const { requested, change } = through(faults)
      return Effect.gen(function*() {
        const { emitted, exit } = yield* download(from)
        expect(exit).toEqual(Exit.void)
        expect(same(emitted, bytes.subarray(from))).toBe(true)
        const windows = 4 - Math.floor(from / mebibyte)
        expect(new Set(requested).size).toBe(windows)
        expect(requested).toHaveLength(windows + faults.length)
      }).pipe(Effect.provide(Support.layer(change)), inVirtualTime)
    },
    { fastCheck: { numRuns: 20 } }
  )

  it.effect.prop(
    "never emits a wrong byte, and fails with a typed error when it stays damaged",
    [FastCheck.array(fault, { minLength: 1, maxLength: 12 }), from],
    ([faults, from]) => {
      const { change } = through(faults)
      return Effect.gen(function*() {
        const { emitted, exit } = yield* download(from)
        expect(same(emitted, bytes.subarray(from, from + emitted.length))).toBe(true)
        const ending = Exit.mapBoth(exit, { onFailure: (error) => error._tag, onSuccess: () => emitted.length })
        if (Exit.isSuccess(ending)) expect(ending.value).toBe(bytes.length - from)
        else expect(ending).toEqual(Exit.fail("BrokenOutput"))
      }).pipe(
        Effect.provideService(RetryPolicy.RetryPolicy, promptly(1)),
        Effect.provide(Support.layer(change))
      )
    },
    { fastCheck: { numRuns: 20 } }
  )
})
