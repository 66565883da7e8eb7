/** Backups of files that change, with random faults and crashes. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isFull } from "../support/full.ts"
import * as Backup from "./backup.ts"

const seeds = isFull ? 250 : 15

describe("a backup", () => {
  it(
    `stores each version of a file once and leaves no upload open, for ${seeds} seeds of faults and crashes [I9]`,
    async () => {
      let crashes = 0
      for (let seed = 1; seed <= seeds; seed++) {
        const { problems, ...figures } = await Effect.runPromise(Backup.run(Backup.make(seed)))
        expect(problems, `seed ${seed}`).toEqual([])
        crashes += figures.crashes
      }
      expect(crashes).toBeGreaterThan(seeds)
    },
    1_800_000
  )
})
