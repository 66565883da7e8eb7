import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Hasher } from "../../transport/Hasher.ts"

/** Memory to be hashed in, and what gives it to others. */
export interface Memory {
  readonly bytes: Uint8Array
  readonly free: Effect.Effect<void>
}

/** What allocates memory that is given back when it is freed, or else when the Scope closes. */
export const allocator = Effect.gen(function*() {
  const hasher = yield* Hasher
  const outer = yield* Effect.scope
  return (size: number): Effect.Effect<Memory> =>
    Effect.gen(function*() {
      const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
      return { bytes: yield* Scope.extend(hasher.allocate(size), scope), free: Scope.close(scope, Exit.void) }
    })
})
