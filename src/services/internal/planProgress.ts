/**
 * The progress of a plan: that of all its transfers together.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Wait } from "../../policy/Waiting.ts"
import { Event, type OnProgress } from "../../transfer/Progress.ts"

interface Reporter {
  readonly progress: OnProgress
  readonly waiting: (wait: Wait) => Effect.Effect<void>
}

/** Makes the reporter of one transfer. */
export type MakeReporter = () => Reporter

/**
 * Makes reporters, one for each transfer, that report its progress and its waits as those of the plan. `total` is the size of
 * the whole plan.
 */
export const makeReporters = (total: Option.Option<number>, onProgress: OnProgress | undefined) => {
  let bytes = 0
  /** Adds bytes that earlier runs have transferred. */
  const addBefore = (transferred: number): void => {
    bytes += transferred
  }
  const reporter: MakeReporter = () => {
    // The bytes of this transfer so far. A transfer that starts again reports them again.
    let own = 0
    const progress: OnProgress = (event) =>
      Effect.suspend(() => {
        bytes += event.bytes - own
        own = event.bytes
        return onProgress?.({ ...event, bytes, total }) ?? Effect.void
      })
    const waiting = (wait: Wait): Effect.Effect<void> =>
      Effect.suspend(() => onProgress?.(Event.Waiting({ range: Option.none(), bytes, total, ...wait })) ?? Effect.void)
    return { progress, waiting }
  }
  return { addBefore, reporter }
}
