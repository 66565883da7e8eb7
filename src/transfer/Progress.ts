/**
 * How far a transfer has come.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/**
 * Bytes that are done for good (a part the service has, a window that was verified), of how many.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  readonly bytes: number
  readonly total: number
}

/**
 * Told of progress after each part or window.
 *
 * @since 0.1.0
 * @category models
 */
export type OnProgress = (progress: Progress) => Effect.Effect<void>
