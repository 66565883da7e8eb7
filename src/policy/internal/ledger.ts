/**
 * A ledger of retrievals that survives restarts and crashes of the program. A retrieval is entered before its call is
 * made, so a crash may count a job that never started, but never forgets one that did.
 *
 * @internal
 */
import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { LedgerError } from "../../protocol/GlacierError.ts"
import { makeFairSemaphore } from "./fairSemaphore.ts"
import { openPages, writeOwnPages, writePages } from "./ledgerPages.ts"
import * as LedgerState from "./ledgerState.ts"

export interface Ledger {
  /** Writes a new state, then adopts it. Changes nothing when `f` fails. */
  readonly change: <E>(
    f: (state: LedgerState.State, now: number) => Either.Either<LedgerState.State, E>
  ) => Effect.Effect<void, E | LedgerError>
  /**
   * Adopts a new state, then writes it. A failed write is only logged: the state in the store then counts too much, not
   * too little.
   */
  readonly note: (f: (state: LedgerState.State, now: number) => LedgerState.State) => Effect.Effect<void>
  /** The state as of now. */
  readonly state: Effect.Effect<LedgerState.State>
}

/**
 * Opens the ledger with a name in a store, and takes it over from the program that had it open. Fails with `LedgerError`
 * when it cannot be read or written.
 */
export const open = (store: KeyValueStore.KeyValueStore, name: string): Effect.Effect<Ledger, LedgerError> =>
  Effect.gen(function*() {
    const [pages, found] = yield* openPages(store, name)
    const openedAt = yield* Clock.currentTimeMillis
    // A call that was in flight when the last program ended started its job before now, if at all.
    const ended = (state: LedgerState.State) => LedgerState.markStarted(state, state.inFlight, openedAt)
    let state = Option.match(found, {
      onNone: () => LedgerState.empty,
      onSome: (state) => LedgerState.asOf(ended(state), openedAt)
    })

    // Changes run one at a time. None is interrupted between the state in memory and the pages.
    const withPermit = makeFairSemaphore(1)
    const exclusively = <A, E>(effect: Effect.Effect<A, E>) => Effect.uninterruptible(withPermit(effect))

    yield* exclusively(writePages(pages, state))
    return {
      change: (f) =>
        exclusively(Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          // Kept even when `f` fails: a clock that was set back has shortened the expiry of entries for good.
          state = LedgerState.asOf(state, now)
          const next = yield* f(state, now)
          yield* writeOwnPages(pages, next)
          state = next
        })),
      note: (f) =>
        exclusively(Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          state = f(LedgerState.asOf(state, now), now)
          yield* Effect.catchAll(writeOwnPages(pages, state), (error) => Effect.logWarning(error.message))
        })),
      state: Effect.map(Clock.currentTimeMillis, (now) => LedgerState.asOf(state, now))
    }
  })
