/**
 * Memory that bytes are hashed in, which can be freed before the Scope ends.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Hasher } from "../../transport/Hasher.ts"

export interface Memory {
  readonly bytes: Uint8Array
  /** Frees the memory: other transfers may fill it from then on. */
  readonly free: Effect.Effect<void>
}

/** Provides a function that allocates memory. Memory that is not freed earlier is freed when the Scope ends. */
export const allocator = Effect.gen(function*() {
  const hasher = yield* Hasher
  const outer = yield* Effect.scope
  return (size: number): Effect.Effect<Memory> =>
    Effect.gen(function*() {
      const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
      return { bytes: yield* Scope.extend(hasher.allocate(size), scope), free: Scope.close(scope, Exit.void) }
    })
})
