/**
 * How long the service takes.
 *
 * @internal
 */
import * as Duration from "effect/Duration"

/** The last date there is: an infinite delay must still be written as JSON. */
const never = 8.64e15

const after = (delay: Duration.Duration) => (now: number): number => Math.min(now + Duration.toMillis(delay), never)

export interface Delays {
  /** When an inventory shows what is written at a time. */
  readonly inventoryAt: (now: number) => number
  /** When a job initiated at a time is complete. */
  readonly completesAt: (now: number) => number
}

export const make = (inventory: Duration.Duration, job: Duration.Duration): Delays => ({
  inventoryAt: after(inventory),
  completesAt: after(job)
})
