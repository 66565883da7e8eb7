/**
 * The store of the emulator: state, journal and blobs. A step reads the state and changes it with events. A response
 * may be sent once `flush` has written them.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Blobs from "./blobs.ts"
import * as ErrorResponse from "./errorResponse.ts"
import type { Event } from "./event.ts"
import * as Journal from "./journal.ts"
import * as State from "./state.ts"
import { at, type EmulatorStorageError } from "./storageError.ts"

/** A synchronous step: a single moment in time, at which no other fiber changes the state. */
export interface Step {
  /** The time of the step in epoch milliseconds. */
  readonly now: number
  readonly state: State.State
  /** Returns a vault, advanced to `now`. */
  readonly vault: (arn: string) => Either.Either<State.Vault, ErrorResponse.ErrorResponse>
  /** Applies an event to the state and appends it to the journal. */
  readonly commit: (event: Event) => void
}

export interface Store {
  readonly blobs: Blobs.Blobs
  readonly run: <A>(
    step: (step: Step) => Either.Either<A, ErrorResponse.ErrorResponse>
  ) => Effect.Effect<A, ErrorResponse.ErrorResponse>
  /**
   * Waits until all events so far are written, and removes the blobs that they released. Every response waits for it,
   * even the response to a read: the read may have seen events of other requests that are not written yet.
   */
  readonly flush: Effect.Effect<void, EmulatorStorageError>
  /** Keeps blobs while a stream runs, even when they are released meanwhile. */
  readonly retaining: (
    ids: ReadonlyArray<string>
  ) => <A, E>(stream: Stream.Stream<A, E>) => Stream.Stream<A, E>
}

const make = (state: State.State, journal: Journal.Journal, blobs: Blobs.Blobs): Store => {
  // The number of streams that read a blob.
  const readers = new Map<string, number>()
  const addReaders = (ids: ReadonlyArray<string>, change: 1 | -1) =>
    Effect.sync(() => {
      for (const id of ids) {
        const count = (readers.get(id) ?? 0) + change
        if (count > 0) readers.set(id, count)
        else readers.delete(id)
      }
    })
  return {
    blobs,
    retaining: (ids) => (stream) =>
      Stream.flatMap(Stream.acquireRelease(addReaders(ids, 1), () => addReaders(ids, -1)), () => stream),
    run: (step) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        step({
          now,
          state,
          vault: (arn) => {
            const vault = state.vaults.get(arn)
            if (vault === undefined) return Either.left(ErrorResponse.notFound(`Vault not found for ARN: ${arn}`))
            State.advance(state, vault, now)
            return Either.right(vault)
          },
          commit: (event) => {
            State.apply(state, event)
            journal.append(event)
          }
        })),
    flush: Effect.suspend(() => {
      if (state.released.length === 0) return journal.flush
      const { released } = state
      state.released = released.filter((id) => readers.has(id))
      const unread = released.filter((id) => !readers.has(id))
      return Effect.zipRight(journal.flush, Effect.forEach(unread, blobs.remove, { discard: true }))
    }).pipe(Effect.uninterruptible)
  }
}

/** Makes a store in memory. */
export const memory: Effect.Effect<Store> = Effect.map(
  Blobs.memory,
  (blobs) => make(State.make(), Journal.none, blobs)
)

/** Opens or creates a store in a directory, which has the files `journal.jsonl` and `blobs/`. */
export const files = (
  directory: string
): Effect.Effect<Store, EmulatorStorageError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* Effect.mapError(
      fs.makeDirectory(directory, { recursive: true }),
      at(directory, "the directory cannot be made")
    )
    const state = State.make()
    const journal = yield* Journal.open(path.join(directory, "journal.jsonl"), (event) => State.apply(state, event))
    const blobs = yield* Blobs.files(path.join(directory, "blobs"), State.referenced(state))
    state.released.length = 0
    return make(state, journal, blobs)
  })
