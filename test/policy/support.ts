/**
 * Support for the tests of policies: a recorder of attempts, a store in which a program crashes, and a service that records
 * the retrievals it starts.
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import type * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import { AttemptTimeout, ConnectionError, type GlacierError } from "../../src/protocol/GlacierError.ts"
import { Tier } from "../../src/protocol/Jobs.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"

/** Makes attempts that record when they start (milliseconds) and how many run at once. */
export const recorder = () => {
  const starts: Array<number> = []
  let running = 0
  let most = 0
  return {
    starts,
    most: () => most,
    running: () => running,
    /** An attempt that takes `millis` of its number. */
    attempt: (millis: (index: number) => number): Effect.Effect<void> =>
      Effect.acquireUseRelease(
        Effect.map(Clock.currentTimeMillis, (now) => {
          running++
          most = Math.max(most, running)
          return starts.push(now) - 1
        }),
        (index) => Effect.sleep(millis(index)),
        () =>
          Effect.sync(() => {
            running--
          })
      )
  }
}

/** Returns how many of the times lie within any `period`, at most. */
export const largest = (times: ReadonlyArray<number>, period: number): number => {
  const sorted = [...times].sort((a, b) => a - b)
  let first = 0
  return sorted.reduce((most, time, last) => {
    while ((sorted[first] ?? time) <= time - period) first++
    return Math.max(most, last - first + 1)
  }, 0)
}

export const hour = 3_600_000

export const day = 24 * hour

/**
 * What the store holds of the write during which a program crashes: nothing, the first half (`torn`), an empty page, a page
 * with changed bytes (`garbled`), or the whole page. A `lost` write seems stored until the program crashes in the next one.
 */
export const fates = ["nothing", "torn", "empty", "garbled", "whole", "lost"] as const

export type Fate = (typeof fates)[number]

/** One run of a program, which can crash. */
export const makeLife = Effect.map(Deferred.make<void>(), (death) => {
  const life = {
    isAlive: true,
    die: Effect.suspend(() => {
      life.isAlive = false
      return Deferred.succeed(death, undefined)
    }),
    /** Runs a program until it ends or crashes. After a crash none of its finalizers run. */
    live: <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
      Effect.raceFirst(Effect.disconnect(Effect.asSome(program)), Effect.as(Deferred.await(death), Option.none()))
  }
  return life
})

export type Life = Effect.Effect.Success<typeof makeLife>

/** Makes a store on `pages`. The run crashes during the write number `writes`, counted from 1. */
export const storeOn = (
  pages: Map<string, string>,
  life: Life,
  options: { readonly writes?: number; readonly fate?: Fate } = {}
) => {
  const { fate = "whole", writes = Infinity } = options
  let count = 0
  // Lost writes, which reads see until the crash.
  const unsaved = new Map<string, string>()
  const store = KeyValueStore.makeStringOnly({
    get: (key) =>
      Effect.suspend(() =>
        life.isAlive ? Effect.succeed(Option.fromNullable(unsaved.get(key) ?? pages.get(key))) : Effect.never
      ),
    set: (key, value) =>
      Effect.suspend(() => {
        if (!life.isAlive) return Effect.never
        count++
        if (fate === "lost" && count === writes) return Effect.sync(() => void unsaved.set(key, value))
        if (count < writes) return Effect.sync(() => void pages.set(key, value))
        if (fate === "torn") pages.set(key, value.slice(0, Math.floor(value.length / 2)))
        if (fate === "empty") pages.set(key, "")
        if (fate === "garbled") pages.set(key, value.replace(/"bytes":\d+/g, "\"bytes\":0"))
        if (fate === "whole") pages.set(key, value)
        return Effect.zipRight(life.die, Effect.never)
      }),
    remove: (key) => Effect.sync(() => void pages.delete(key)),
    clear: Effect.sync(() => pages.clear()),
    size: Effect.sync(() => pages.size)
  })
  return { store, writes: () => count }
}

/** A call of InitiateJob: when its job starts, when the call ends, and how. */
export interface Call extends RetrievalBudget.Retrieval {
  readonly bytes: number
  /** Milliseconds from the call to the start of its job, and from there to the end of the call. */
  readonly before: number
  readonly after: number
  /** `rejected`: no job starts. `lost`: a job starts, and the response is lost. */
  readonly outcome: "started" | "rejected" | "lost"
}

const response = { operation: "InitiateJob", status: 400, message: "no" }

/** Makes a service that records the retrievals it starts, until the calling program crashes. */
export const makeService = () => {
  const starts: Array<{ readonly at: number; readonly bytes: number }> = []
  return {
    starts,
    initiate: (life: Life, call: Call): Effect.Effect<void, GlacierError> =>
      Effect.gen(function*() {
        yield* Effect.sleep(call.before)
        if (!life.isAlive) return yield* Effect.never
        const at = yield* Clock.currentTimeMillis
        if (call.outcome !== "rejected") starts.push({ at, bytes: call.bytes })
        yield* Effect.sleep(call.after)
        if (call.outcome === "rejected") return yield* new ServiceError.ResourceNotFound({ ...response, status: 404 })
        if (call.outcome === "lost") return yield* lostBy(call)
      })
  }
}

/** The error of a call whose response was lost. */
const lostBy = ({ bytes }: Call) =>
  bytes % 2 === 0
    ? new ConnectionError({ operation: "InitiateJob", message: "reset" })
    : new AttemptTimeout({ operation: "InitiateJob", waiting: "call", millis: 1 })

/** `count` calls for up to `bytes` bytes each. Most of them succeed at once. */
export const calls = (count: number, bytes: number): FastCheck.Arbitrary<ReadonlyArray<Call>> => {
  const delay = FastCheck.oneof(
    { weight: 3, arbitrary: FastCheck.constant(0) },
    FastCheck.integer({ min: 0, max: hour })
  )
  return FastCheck.array(
    FastCheck.record({
      bytes: FastCheck.integer({ min: 0, max: bytes }),
      tier: FastCheck.constantFrom(...Tier.literals, undefined),
      before: delay,
      after: delay,
      outcome: FastCheck.constantFrom("started" as const, "started" as const, "rejected" as const, "lost" as const)
    }),
    { minLength: count, maxLength: count }
  )
}

/** Returns the most bytes whose retrieval started within any `span` of milliseconds. */
export const most = (starts: ReadonlyArray<{ readonly at: number; readonly bytes: number }>, span: number): number => {
  const sorted = [...starts].sort((a, b) => a.at - b.at)
  let first = 0
  let sum = 0
  return sorted.reduce((most, { at, bytes }) => {
    sum += bytes
    for (let old = sorted[first]; old !== undefined && old.at <= at - span; old = sorted[++first]) sum -= old.bytes
    return Math.max(most, sum)
  }, 0)
}
