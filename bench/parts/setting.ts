/** The setting of all parts. */
import type { Tools } from "../tools.ts"

export interface Setting {
  readonly tools: Tools
  /** For files that are gone at the end. */
  readonly folder: string
  readonly rounds: number
  /** Whether each program first has to do a small task right, because the rounds take long. */
  readonly rehearses: boolean
  /** A size or number, scaled down where a trial wants it small. */
  readonly scaled: (full: number) => number
}

/** The part size wanted, in MiB, or a smaller one, so that there are several parts. */
export const partSize = (wanted: number, size: number) => Math.min(wanted, 2 ** Math.floor(Math.log2(size / 2)))
