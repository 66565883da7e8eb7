/**
 * State, journal and blobs as one: steps look at the state and change it by events, and what they answer may be sent
 * once it is settled.
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

/** What a step can do. It runs in one go, at one time. */
export interface Step {
  readonly now: number
  readonly state: State.State
  /** The vault as it is now. */
  readonly vault: (arn: string) => Either.Either<State.Vault, ErrorResponse.ErrorResponse>
  readonly commit: (event: Event) => void
}

export interface Store {
  readonly blobs: Blobs.Blobs
  readonly run: <A>(
    step: (step: Step) => Either.Either<A, ErrorResponse.ErrorResponse>
  ) => Effect.Effect<A, ErrorResponse.ErrorResponse>
  /**
   * Waits until all that happened so far is written, and drops the bytes it released. Every answer waits for it, also
   * that of a read, which may have seen what others have not written yet.
   */
  readonly flush: Effect.Effect<void, EmulatorStorageError>
  /** While a stream of blobs runs, they stay, even if nothing else refers to them any more. */
  readonly retaining: (
    ids: ReadonlyArray<string>
  ) => <A, E>(stream: Stream.Stream<A, E>) => Stream.Stream<A, E>
}

const make = (state: State.State, journal: Journal.Journal, blobs: Blobs.Blobs): Store => {
  // How many streams read a blob.
  const held = new Map<string, number>()
  const hold = (ids: ReadonlyArray<string>, change: 1 | -1) =>
    Effect.sync(() => {
      for (const id of ids) {
        const readers = (held.get(id) ?? 0) + change
        if (readers > 0) held.set(id, readers)
        else held.delete(id)
      }
    })
  return {
    blobs,
    retaining: (ids) => (stream) =>
      Stream.flatMap(Stream.acquireRelease(hold(ids, 1), () => hold(ids, -1)), () => stream),
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
      state.released = released.filter((id) => held.has(id))
      const free = released.filter((id) => !held.has(id))
      return Effect.zipRight(journal.flush, Effect.forEach(free, blobs.remove, { discard: true }))
    }).pipe(Effect.uninterruptible)
  }
}

/** A store in memory. */
export const memory: Effect.Effect<Store> = Effect.map(
  Blobs.memory,
  (blobs) => make(State.make(), Journal.none, blobs)
)

/** A store in a directory: `journal.jsonl` and `blobs/`. */
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
