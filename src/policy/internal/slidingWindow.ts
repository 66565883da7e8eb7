/**
 * A limit on the bytes spent within a sliding window of time, such as 10 GiB within any hour.
 *
 * @internal
 */

/** Bytes, and the time at which they were spent (milliseconds). */
export interface Spent {
  readonly at: number
  readonly bytes: number
}

/** The number of entries that have left the window and are worth removing from memory. */
const minimumDropped = 1_000

/** Allows at most `limit` bytes within any `span` of milliseconds. `spent` was spent before, oldest first. */
export const makeSlidingWindow = (limit: number, span: number, spent: ReadonlyArray<Spent> = []) => {
  const entries = [...spent]
  let first = 0
  let sum = entries.reduce((sum, { bytes }) => sum + bytes, 0)

  /** Returns the bytes that are left. Drops entries older than the window for good: call it with rising times. */
  const left = (now: number): number => {
    for (let entry = entries[first]; entry !== undefined && entry.at + span <= now; entry = entries[++first]) {
      sum -= entry.bytes
    }
    if (first > minimumDropped && first * 2 > entries.length) {
      entries.splice(0, first)
      first = 0
    }
    return limit - sum
  }

  return {
    left,
    /** Returns the earliest time, not before `now`, at which `bytes` fit. They must not exceed the limit. */
    roomAt: (bytes: number, now: number): number => {
      let free = left(now)
      let at = now
      for (let next = first; bytes > free; next++) {
        const entry = entries[next]
        if (entry === undefined) break
        free += entry.bytes
        at = entry.at + span
      }
      return at
    },
    add: ({ at, bytes }: Spent): void => {
      const last = entries.at(-1)
      // Entries of the same time leave the window together, so a million small ones take no more memory than one.
      if (last?.at === at) entries[entries.length - 1] = { at, bytes: last.bytes + bytes }
      else entries.push({ at, bytes })
      sum += bytes
    }
  }
}
