/** Support for model tests: runs random commands on the emulator and on a small model, and compares the outcomes. */
import { expect } from "@effect/vitest"
import { Clock, Duration, Effect, FastCheck, Layer, Runtime } from "effect"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import type { Emulator } from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"

export const vaultName = "model"

export const hour = 3_600_000

export const day = 24 * hour

/** A clock that only `waits` commands advance. Sleeping never ends, which is fine because the emulator needs no timers. */
const stopped = () => {
  let now = 1_700_000_000_000
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: () => Effect.never
  }
  return { clock, pass: (millis: number) => void (now += millis) }
}

interface Real {
  readonly run: (effect: Effect.Effect<void, unknown, GlacierClient | Emulator>) => Promise<void>
  readonly pass: (millis: number) => void
}

export interface Timed {
  /** Milliseconds since the start. */
  now: number
}

/** The outcome of a call: its response, or the tag of its error. */
const outcome = <A, R>(call: Effect.Effect<A, GlacierError, R>): Effect.Effect<A | GlacierError["_tag"], never, R> =>
  Effect.catchAll(call, ({ _tag }) => Effect.succeed(_tag))

/** A command that calls an operation, compares it with the model, and may change the model. */
export const calling = <Model extends Timed>(
  name: string,
  run: (model: Model, glacier: typeof GlacierClient.Service) => Effect.Effect<void, unknown, GlacierClient | Emulator>
): FastCheck.AsyncCommand<Model, Real> => ({
  check: () => true,
  run: (model, real) => real.run(Effect.flatMap(GlacierClient, (glacier) => run(model, glacier))),
  toString: () => name
})

/** Expects an error tag, or a response that passes a check. */
export const responds = <A extends object, R>(
  call: Effect.Effect<A, GlacierError, R>,
  expected: GlacierError["_tag"] | ((response: A) => void)
): Effect.Effect<void, never, R> =>
  Effect.map(outcome(call), (actual) => {
    if (typeof expected === "string" || typeof actual === "string") expect(actual).toEqual(expected)
    else expected(actual)
  })

/** Commands that advance the clock. */
export const waits = <Model extends Timed>(millis: ReadonlyArray<number>): FastCheck.Arbitrary<
  FastCheck.AsyncCommand<Model, Real>
> =>
  FastCheck.constantFrom(...millis).map((some) => ({
    check: () => true,
    run: async (model, { pass }) => {
      model.now += some
      pass(some)
    },
    toString: () => `wait ${Duration.format(some)}`
  }))

/** Checks that emulator and model agree on random sequences of the commands. */
export const agree = <Model extends Timed>(
  make: () => Model,
  commands: ReadonlyArray<FastCheck.Arbitrary<FastCheck.AsyncCommand<Model, Real>>>,
  numRuns = 25
): Promise<void> =>
  FastCheck.assert(
    FastCheck.asyncProperty(FastCheck.commands([...commands], { maxCommands: 80, size: "max" }), (sequence) => {
      const { clock, pass } = stopped()
      return Effect.gen(function*() {
        const { createVault } = yield* GlacierClient
        yield* createVault({ vaultName })
        const runtime = yield* Effect.runtime<GlacierClient | Emulator>()
        const real = { run: Runtime.runPromise(runtime), pass }
        yield* Effect.promise(() => FastCheck.asyncModelRun(() => ({ model: make(), real }), sequence))
      }).pipe(
        Effect.provide(Layer.provideMerge(TestGlacier.layer(), NodeHashing.layer)),
        Effect.withClock(clock),
        Effect.runPromise
      )
    }),
    { numRuns, seed: 7 }
  )
