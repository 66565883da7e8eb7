import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Room from "../../src/s3/internal/room.ts"
import { inVirtualTime } from "../support/virtualClock.ts"

/** Runs windows that take a second each. Returns the order in which they start. */
const recorder = (total: number) => {
  const whenRoom = Room.make(total)
  const started: Array<number> = []
  let used = 0
  let most = 0
  return {
    started,
    used: () => used,
    most: () => most,
    window: (size: number, time = 1_000) =>
      whenRoom(size)(Effect.acquireUseRelease(
        Effect.sync(() => {
          started.push(size)
          used += size
          most = Math.max(most, used)
        }),
        () => Effect.sleep(time),
        () => Effect.sync(() => void (used -= size))
      ))
  }
}

describe("the room of windows", () => {
  it.effect("starts windows in the order of arrival, so that small ones do not hold up a large one", () =>
    Effect.gen(function*() {
      const room = recorder(4)
      yield* Effect.forEach([3, 4, 1, 2, 1], (size) => room.window(size), { concurrency: "unbounded" })
      expect(room.started).toEqual([3, 4, 1, 2, 1])
      expect(room.most()).toBe(4)
    }).pipe(inVirtualTime))

  it.effect("runs a window that is larger than the room alone", () =>
    Effect.gen(function*() {
      const room = recorder(4)
      yield* Effect.forEach([1, 9, 1], (size) => room.window(size), { concurrency: "unbounded" })
      expect([room.started, room.most()]).toEqual([[1, 9, 1], 9])
    }).pipe(inVirtualTime))

  it.effect.prop(
    "is never exceeded, and is given back, whichever windows are interrupted when",
    [FastCheck.array(
      FastCheck.record({
        size: FastCheck.integer({ min: 1, max: 4 }),
        time: FastCheck.integer({ min: 0, max: 5 }),
        interrupted: FastCheck.option(FastCheck.integer({ min: 0, max: 20 }), { nil: undefined })
      }),
      { maxLength: 20 }
    )],
    ([windows]) =>
      Effect.gen(function*() {
        const room = recorder(4)
        yield* Effect.forEach(windows, ({ interrupted, size, time }) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.fork(room.window(size, time))
            if (interrupted === undefined) return yield* Fiber.await(fiber)
            yield* Effect.sleep(interrupted)
            return yield* Fiber.interrupt(fiber)
          }), { concurrency: "unbounded" })
        expect(room.most()).toBeLessThanOrEqual(4)
        expect(room.used()).toBe(0)
        yield* room.window(4)
      }).pipe(inVirtualTime),
    { fastCheck: { numRuns: 100 } }
  )
})
