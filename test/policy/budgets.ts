/** What tests of retrieval budgets are made of: a store that breaks, and a service that notes what was started when. */
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

export const hour = 3_600_000

export const day = 24 * hour

/**
 * What becomes of the write in which a program dies: nothing of it is stored, the beginning, or something
 * else; or all, and it dies right afterwards. A `lost` one seems to be stored, and the program dies in the next.
 */
export const fates = ["nothing", "torn", "empty", "garbled", "whole", "lost"] as const

export type Fate = (typeof fates)[number]

/** A life of a program. */
export const makeLife = Effect.map(Deferred.make<void>(), (death) => {
  const life = {
    isAlive: true,
    die: Effect.suspend(() => {
      life.isAlive = false
      return Deferred.succeed(death, undefined)
    }),
    /** Runs until the end or the death of the program. Of what it has to do at its end it does nothing. */
    live: <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
      Effect.raceFirst(Effect.disconnect(Effect.asSome(program)), Effect.as(Deferred.await(death), Option.none()))
  }
  return life
})

export type Life = Effect.Effect.Success<typeof makeLife>

/** A store on these pages, in which a life ends in the write of that number, counted from 1. */
export const storeOn = (
  pages: Map<string, string>,
  life: Life,
  options: { readonly writes?: number; readonly fate?: Fate } = {}
) => {
  const { fate = "whole", writes = Infinity } = options
  let count = 0
  // What reads see of a lost write as long as the life lasts.
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

/** A call of InitiateJob: when its job starts, when it ends, and how. */
export interface Call extends RetrievalBudget.Retrieval {
  readonly bytes: number
  /** Milliseconds from the call to the start, and from there to its end. */
  readonly before: number
  readonly after: number
  /** `refused`: no job was started. `lost`: one was, and nobody learns of it. */
  readonly outcome: "started" | "refused" | "lost"
}

const answer = { operation: "InitiateJob", status: 400, message: "no" }

/** A service that notes what it was asked to retrieve, while the life that asks lasts. */
export const makeService = () => {
  const starts: Array<{ readonly at: number; readonly bytes: number }> = []
  return {
    starts,
    initiate: (life: Life, call: Call): Effect.Effect<void, GlacierError> =>
      Effect.gen(function*() {
        yield* Effect.sleep(call.before)
        if (!life.isAlive) return yield* Effect.never
        const at = yield* Clock.currentTimeMillis
        if (call.outcome !== "refused") starts.push({ at, bytes: call.bytes })
        yield* Effect.sleep(call.after)
        if (call.outcome === "refused") return yield* new ServiceError.ResourceNotFound({ ...answer, status: 404 })
        if (call.outcome === "lost") return yield* lostBy(call)
      })
  }
}

/** Ways in which an answer is lost. */
const lostBy = ({ bytes }: Call) =>
  bytes % 2 === 0
    ? new ConnectionError({ operation: "InitiateJob", message: "reset" })
    : new AttemptTimeout({ operation: "InitiateJob", waiting: "call", millis: 1 })

/** Calls for up to so many bytes, most of which succeed at once. */
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
      outcome: FastCheck.constantFrom("started" as const, "started" as const, "refused" as const, "lost" as const)
    }),
    { minLength: count, maxLength: count }
  )
}

/** The most bytes that were started within any `span` of milliseconds. */
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
