import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { LedgerError } from "../../protocol/GlacierError.ts"
import type { Tier } from "../../protocol/Jobs.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import { makeFairSemaphore } from "./fairSemaphore.ts"
import type { Spent } from "./slidingWindow.ts"

export const hourMillis = 3_600_000

export const dayMillis = 24 * hourMillis

const Used = Schema.Struct({ bytes: Schema.NonNegativeInt, requests: Schema.NonNegativeInt })

const Tally = Schema.Struct({ Expedited: Used, Standard: Used, Bulk: Used })

/** What was retrieved by each tier. */
export type Tally = typeof Tally.Type

const nothing = { bytes: 0, requests: 0 }

export const emptyTally: Tally = { Expedited: nothing, Standard: nothing, Bulk: nothing }

/** A retrieval as it is entered. */
export interface Entry {
  readonly bytes: number
  readonly tier: Tier
}

const tallied = (tally: Tally, { bytes, tier }: Entry, sign: 1 | -1): Tally => ({
  ...tally,
  [tier]: { bytes: tally[tier].bytes + sign * bytes, requests: tally[tier].requests + sign }
})

export const addTo = (tally: Tally, entry: Entry): Tally => tallied(tally, entry, 1)

/** What a ledger knows. */
export interface State {
  /** The bytes of the jobs that have been started in the last day, oldest first. */
  readonly spent: ReadonlyArray<Spent>
  /** The bytes of the calls that are under way: nobody knows yet when they start their jobs, or if. */
  readonly open: number
  /** All that was ever entered and not taken back. */
  readonly tally: Tally
  /** Until when the account's own policy lets nothing through (milliseconds). */
  readonly closedUntil: number
}

const empty: State = { spent: [], open: 0, tally: emptyTally, closedUntil: 0 }

/** Enters a retrieval whose call is about to be made. */
export const enter = (state: State, entry: Entry): State => ({
  ...state,
  open: state.open + entry.bytes,
  tally: addTo(state.tally, entry)
})

/** The call has ended and may have started its job, at the latest now. */
export const settle = (state: State, bytes: number, now: number): State => ({
  ...state,
  open: state.open - bytes,
  spent: bytes === 0 ? state.spent : compact([...state.spent, { at: now, bytes }])
})

/** The call has ended and has certainly started no job. */
export const takeBack = (state: State, entry: Entry): State => ({
  ...state,
  open: state.open - entry.bytes,
  tally: tallied(state.tally, entry, -1)
})

const maximumEntries = 1_000

/** Of more than a thousand entries those of the same two minutes become one, which counts as of its latest. */
const compact = (spent: ReadonlyArray<Spent>): ReadonlyArray<Spent> => {
  if (spent.length <= maximumEntries) return spent
  const merged = new Map<number, Spent>()
  for (const { at, bytes } of spent) {
    const minutes = Math.floor(at / 120_000)
    merged.set(minutes, { at, bytes: bytes + (merged.get(minutes)?.bytes ?? 0) })
  }
  return [...merged.values()]
}

/** What of it matters at a time. A clock that was set back makes nothing count longer than if it were spent now. */
const asOf = (state: State, now: number): State => ({
  ...state,
  spent: state.spent.filter(({ at }) => at > now - dayMillis).map(({ at, bytes }) => ({
    at: Math.min(at, now),
    bytes
  })),
  closedUntil: Math.min(state.closedUntil, now + hourMillis)
})

const Page = Schema.parseJson(Schema.Struct({
  /** Who wrote it, and as which of its pages. */
  owner: Schema.String,
  version: Schema.NonNegativeInt,
  spent: Schema.Array(Schema.Struct({ at: Schema.Finite, bytes: Schema.NonNegativeInt })),
  open: Schema.NonNegativeInt,
  tally: Tally,
  closedUntil: Schema.Finite
}))

type Page = typeof Page.Type

const hashOf = (create: Sha256.Create, text: string): string => Sha256.hex(create, new TextEncoder().encode(text))

/** A page begins with its hash: a write may have been cut off, or have left something else. */
const print = (create: Sha256.Create, page: Page): string => {
  const text = Schema.encodeSync(Page)(page)
  return `${hashOf(create, text)} ${text}`
}

const read = (create: Sha256.Create, page: string): Option.Option<Page> => {
  const text = page.slice(65)
  return page.startsWith(`${hashOf(create, text)} `) ? Schema.decodeOption(Page)(text) : Option.none()
}

/** A state that outlives the program. */
export interface Ledger {
  /** Changes the state, once the new one is written, unless `f` says why not. */
  readonly change: <E>(
    f: (state: State, now: number) => Either.Either<State, E>
  ) => Effect.Effect<void, E | LedgerError>
  /** Changes the state. Where that cannot be written it is logged: what is written then counts more, not less. */
  readonly note: (f: (state: State, now: number) => State) => Effect.Effect<void>
  /** The state as of now. */
  readonly state: Effect.Effect<State>
}

/**
 * Opens the ledger of that name, and takes it over from whoever had it.
 *
 * It is two pages that say the same, written one after the other, first the one that is not known to be whole. So
 * whichever write is torn or lost, the other page has all that was entered before a call was made. What it says of a
 * call that had not ended is that it was open: that one counts from when the ledger is opened again.
 */
export const open = (store: KeyValueStore.KeyValueStore, name: string): Effect.Effect<Ledger, LedgerError> =>
  Effect.gen(function*() {
    const create = yield* Sha256.Sha256
    const owner = (yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)
    const keys = [`${name}-1`, `${name}-2`] as const
    const fail = (problem: string) => new LedgerError({ message: `The ledger "${name}" of retrievals ${problem}` })

    const texts = Effect.all([store.get(keys[0]), store.get(keys[1])]).pipe(
      Effect.mapError((error) => fail(`cannot be read: ${error.message}`))
    )
    /** The newest whole page, and which one it is. */
    const newest = (texts: readonly [Option.Option<string>, Option.Option<string>]) => {
      const [one, two] = texts.map((text) => Option.getOrUndefined(Option.flatMap(text, (text) => read(create, text))))
      if (one !== undefined && !(two !== undefined && two.version > one.version)) return { ...one, place: 0 } as const
      return two === undefined ? undefined : { ...two, place: 1 } as const
    }

    const found = yield* texts
    const page = newest(found)
    // As long as there is no second page nothing can have been retrieved.
    if (page === undefined && Option.isSome(found[1])) {
      return yield* fail(
        `is damaged. Wait until a day after the last retrieval, then remove its keys ${keys.join(" and ")}: ` +
          "what counts towards a cap of cost is lost with them"
      )
    }
    // Nobody knows when the jobs of calls that had not ended began: not later than now.
    const openedAt = yield* Clock.currentTimeMillis
    let state = page === undefined ? empty : asOf(settle(page, page.open, openedAt), openedAt)
    let version = page?.version ?? 0
    let whole = page?.place
    let written = ""

    const write = (state: State) =>
      Effect.gen(function*() {
        written = print(create, { ...state, owner, version: ++version })
        for (const place of whole === 0 ? [1, 0] as const : [0, 1] as const) {
          yield* store.set(keys[place], written)
          whole = place
        }
      }).pipe(Effect.mapError((error) => fail(`cannot be written: ${error.message}`)))

    const isForeign = (text: string) =>
      text !== written && Option.exists(read(create, text), (page) => page.owner !== owner)

    const writeOwn = (state: State) =>
      Effect.flatMap(texts, (texts) =>
        texts.some(Option.exists(isForeign))
          ? fail("was opened by another program, or twice by this one: each needs a key of its own")
          : write(state))

    // Who changes the state is alone, and is not interrupted between the state and its pages.
    const withPermit = makeFairSemaphore(1)
    const alone = <A, E>(effect: Effect.Effect<A, E>) => Effect.uninterruptible(withPermit(effect))

    yield* alone(write(state))
    return {
      change: (f) =>
        alone(Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          // Also when nothing comes of it: what a clock that was set back has changed counts from now on.
          state = asOf(state, now)
          const next = yield* f(state, now)
          yield* writeOwn(next)
          state = next
        })),
      note: (f) =>
        alone(Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          state = f(asOf(state, now), now)
          yield* Effect.catchAll(writeOwn(state), (error) => Effect.logWarning(error.message))
        })),
      state: Effect.map(Clock.currentTimeMillis, (now) => asOf(state, now))
    }
  })
