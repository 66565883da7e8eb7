/** Budgets over a ledger, and a store whose writes fail. */
import * as PlatformError from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import type * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"

export const caps = { bytesPerHour: 100, onExhausted: "fail" } as const

export const spend = (budget: RetrievalBudget.Budget, bytes: number) =>
  budget.spend({ bytes, tier: "Bulk" }, Effect.void)

/** Returns the bytes that an hourly budget of 100 has left. */
export const left = (budget: RetrievalBudget.Budget) =>
  Effect.match(spend(budget, 100), {
    onFailure: (error) => error._tag === "BudgetExceeded" ? error.left : NaN,
    onSuccess: () => 100
  })

/** A store whose writes fail while `isBroken`. */
export const failing = Effect.map(KeyValueStore.KeyValueStore, (store) => {
  const broken = { isBroken: false }
  const failure = new PlatformError.SystemError({ reason: "WriteZero", module: "KeyValueStore", method: "set" })
  return {
    broken,
    store: {
      ...store,
      set: (key: string, value: string | Uint8Array) => broken.isBroken ? Effect.fail(failure) : store.set(key, value)
    }
  }
})
