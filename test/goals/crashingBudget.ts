/** Programs that start retrievals under a budget and crash. */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import { type Call, day, fates, hour, makeLife, makeService, storeOn } from "../policy/support.ts"

export const caps = { bytesPerHour: 1_000, bytesPerDay: 9_000 }

/** When a program crashes: during a write, or some time after its start. */
export const crashes = FastCheck.record({
  writes: FastCheck.integer({ min: 1, max: 400 }),
  fate: FastCheck.constantFrom(...fates),
  millis: FastCheck.integer({ min: 1, max: 10 * day }),
  pause: FastCheck.integer({ min: 0, max: hour })
})

/** Crashes so early that retrievals are always left. */
export const earlyCrashes = crashes.map((crash) => ({ ...crash, writes: crash.writes % 12 + 1 }))

/**
 * Runs programs that start retrievals, `concurrency` at a time, until they crash. The next program continues with all
 * retrievals that are not known to have started.
 */
export const runAll = Effect.fnUntraced(function*(
  all: ReadonlyArray<Call>,
  deaths: ReadonlyArray<{ writes: number; fate: (typeof fates)[number]; millis: number; pause: number }>,
  concurrency: number
) {
  const service = makeService()
  const pages = new Map<string, string>()
  const rest = new Set(all)
  let crashed = 0
  for (const death of [...deaths, { writes: Infinity, fate: "whole", millis: Infinity, pause: 0 } as const]) {
    const life = yield* makeLife
    const { store } = storeOn(pages, life, death)
    const program = Effect.gen(function*() {
      const budget = yield* RetrievalBudget.make(caps)
      yield* Effect.forEach(
        [...rest],
        (call) =>
          budget.spend(call, service.initiate(life, call)).pipe(
            Effect.tap(() => rest.delete(call)),
            Effect.catchTags({
              // A retrieval whose response was lost is not repeated, so that the test ends.
              AttemptTimeout: () => Effect.sync(() => rest.delete(call)),
              ConnectionError: () => Effect.sync(() => rest.delete(call)),
              ResourceNotFound: () => Effect.sync(() => rest.delete(call))
            })
          ),
        { concurrency, discard: true }
      )
    }).pipe(Effect.provideService(KeyValueStore.KeyValueStore, store))
    if (death.millis < Infinity) yield* Effect.forkDaemon(Effect.delay(life.die, death.millis))
    if (Option.isNone(yield* life.live(program))) crashed++
    yield* Effect.sleep(death.pause)
  }
  expect(rest.size).toBe(0)
  return { starts: service.starts, crashed }
})
