/** Bytes, and when they were spent (milliseconds). */
export interface Spent {
  readonly at: number
  readonly bytes: number
}

/** A limit on the bytes that are spent in any `span` of milliseconds, and what was spent of it, oldest first. */
export const makeWindow = (limit: number, span: number, spent: ReadonlyArray<Spent> = []) => {
  const entries = [...spent]
  let first = 0
  let sum = entries.reduce((sum, { bytes }) => sum + bytes, 0)

  /** The bytes that are left. Time does not go back: what has left the window is forgotten. */
  const left = (now: number): number => {
    for (let entry = entries[first]; entry !== undefined && entry.at + span <= now; entry = entries[++first]) {
      sum -= entry.bytes
    }
    return limit - sum
  }

  return {
    left,
    /** From when on, now or later, there is room for so many bytes: no more than the limit. */
    opens: (bytes: number, now: number): number => {
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
    add: (entry: Spent): void => {
      entries.push(entry)
      sum += entry.bytes
    }
  }
}
