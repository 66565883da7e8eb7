/**
 * A case of the conformance suite and its error.
 *
 * @internal
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { GlacierClient } from "../../../client/GlacierClient.ts"

export type Need = "jobs" | "inventories" | "locks" | "account"

export class ConformanceFailure extends Data.TaggedError("ConformanceFailure")<{
  readonly name: string
  readonly problem: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.name}: ${this.problem}`
  }
}

export interface Case {
  readonly name: string
  readonly needs: ReadonlyArray<Need>
  readonly run: Effect.Effect<void, ConformanceFailure, GlacierClient>
}

/** Makes a case. Failures and thrown errors of its body both become a `ConformanceFailure`. */
export const test = (
  name: string,
  body: () => Effect.Effect<unknown, unknown, GlacierClient>,
  ...needs: ReadonlyArray<Need>
): Case => ({
  name,
  needs,
  run: Effect.suspend(body).pipe(
    Effect.catchAllDefect(Effect.fail),
    Effect.mapError((cause) =>
      new ConformanceFailure({ name, problem: cause instanceof Error ? cause.message : String(cause), cause })
    ),
    Effect.asVoid
  )
})
