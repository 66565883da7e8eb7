/**
 * The state of a ledger of retrievals, and the functions that change it.
 *
 * @internal
 */
import * as Schema from "effect/Schema"
import type { Tier } from "../../protocol/Jobs.ts"
import type { Spent } from "./slidingWindow.ts"

export const hourMillis = 3_600_000

export const dayMillis = 24 * hourMillis

const Used = Schema.Struct({ bytes: Schema.NonNegativeInt, requests: Schema.NonNegativeInt })

export const Tally = Schema.Struct({ Expedited: Used, Standard: Used, Bulk: Used })

/** The bytes and requests of each tier. */
export type Tally = typeof Tally.Type

const unused = { bytes: 0, requests: 0 }

export const emptyTally: Tally = { Expedited: unused, Standard: unused, Bulk: unused }

/** A retrieval in the ledger. */
export interface Entry {
  readonly bytes: number
  readonly tier: Tier
}

const count = (tally: Tally, { bytes, tier }: Entry, sign: 1 | -1): Tally => ({
  ...tally,
  [tier]: { bytes: tally[tier].bytes + sign * bytes, requests: tally[tier].requests + sign }
})

export const addTo = (tally: Tally, entry: Entry): Tally => count(tally, entry, 1)

export interface State {
  /** The bytes of the jobs started within the last day, oldest first. */
  readonly spent: ReadonlyArray<Spent>
  /** The bytes of calls in flight: whether and when they start their jobs is not known yet. */
  readonly inFlight: number
  /** All retrievals that were ever entered and not removed. */
  readonly tally: Tally
  /** The time (milliseconds) before which no retrieval is requested, because the account's own policy rejected one. */
  readonly closedUntil: number
}

export const empty: State = { spent: [], inFlight: 0, tally: emptyTally, closedUntil: 0 }

/** Enters a retrieval whose call is about to be made. */
export const enter = (state: State, entry: Entry): State => ({
  ...state,
  inFlight: state.inFlight + entry.bytes,
  tally: addTo(state.tally, entry)
})

/** Records that a call has ended and may have started its job, now at the latest. */
export const markStarted = (state: State, bytes: number, now: number): State => ({
  ...state,
  inFlight: state.inFlight - bytes,
  spent: bytes === 0 ? state.spent : compact([...state.spent, { at: now, bytes }])
})

/** Removes a retrieval whose call has ended and certainly started no job. */
export const remove = (state: State, entry: Entry): State => ({
  ...state,
  inFlight: state.inFlight - entry.bytes,
  tally: count(state.tally, entry, -1)
})

const maximumEntries = 1_000

/**
 * Merges the entries of the same two minutes once there are more than 1,000. A merged entry has the time of its latest, so
 * that it does not expire too early.
 */
const compact = (spent: ReadonlyArray<Spent>): ReadonlyArray<Spent> => {
  if (spent.length <= maximumEntries) return spent
  const merged = new Map<number, Spent>()
  for (const { at, bytes } of spent) {
    const twoMinutes = Math.floor(at / 120_000)
    merged.set(twoMinutes, { at, bytes: bytes + (merged.get(twoMinutes)?.bytes ?? 0) })
  }
  return [...merged.values()]
}

/**
 * Drops what has expired by `now`. If the clock was set back, entries expire no later than if they had been made now.
 */
export const asOf = (state: State, now: number): State => ({
  ...state,
  spent: state.spent.filter(({ at }) => at > now - dayMillis).map(({ at, bytes }) => ({
    at: Math.min(at, now),
    bytes
  })),
  closedUntil: Math.min(state.closedUntil, now + hourMillis)
})
