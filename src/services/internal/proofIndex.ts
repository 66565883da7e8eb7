/**
 * Finds the proofs of a plan by the ids of archives. Memory holds 8 bytes for each proof, and the proofs of a few segments.
 * An inventory lists archives in about the order of the plan, so most proofs are found in a segment that was read before.
 *
 * @internal
 */
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Entry } from "../../protocol/Inventory.ts"
import type { ArchiveId } from "../../protocol/Names.ts"
import type { CheckpointError, CheckpointInUse } from "../../transfer/Checkpoint.ts"
import { Checkpoint } from "../../transfer/Checkpoint.ts"
import type { Proof } from "../Destination.ts"
import * as Hashes from "./hashes.ts"
import type { Summary } from "./planLog.ts"
import * as PlanSegment from "./planSegment.ts"

/** The number of segments whose proofs are in memory. */
const cached = 4

/**
 * A number of 53 bits has 35 bits of the hash of an archive's id and 18 bits of the number of its segment: enough for a
 * billion archives. A hash only says where to look.
 */
const segmentsBound = 2 ** 18

const hashOf = (id: ArchiveId): number => Hashes.hash(id) % 2 ** 35 * segmentsBound

/** Returns the index of the first number that is not less than a bound. */
const lowerBound = (sorted: Float64Array, bound: number): number => {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((sorted[middle] ?? Infinity) < bound) from = middle + 1
    else to = middle
  }
  return from
}

/** An archive of a plan by its row, and its proof. */
export interface Found extends PlanSegment.Row {
  readonly proof: Proof
}

/** Reads the proofs of a segment. */
const read = (name: string, number: number, summary: Summary | undefined) =>
  Effect.scoped(
    Effect.map(PlanSegment.open(name, number, summary?.rows ?? 0), ({ proofs, rows }) =>
      new Map(
        Array.from(proofs).flatMap(([index, proof]): Array<[ArchiveId, Found]> => {
          const row = rows[index]
          return row === undefined ? [] : [[row.archive.archiveId, { ...row, proof }]]
        })
      ))
  )

/** Reads a plan once, and returns a function that finds the proof of an archive. */
export const make = Effect.fnUntraced(function*(name: string, summaries: ReadonlyArray<Summary>) {
  const checkpoint = yield* Checkpoint
  const numbers = new Float64Array(summaries.reduce((sum, { rows }) => sum + rows, 0))
  let count = 0
  for (const [number, summary] of summaries.entries()) {
    for (const id of (yield* read(name, number, summary)).keys()) numbers[count++] = hashOf(id) + number
  }
  const sorted = numbers.subarray(0, count).sort()
  const segments = yield* Cache.makeWith({
    capacity: cached,
    lookup: (number: number) => Effect.provideService(read(name, number, summaries[number]), Checkpoint, checkpoint),
    // A segment that could not be read is read again.
    timeToLive: (exit) => Exit.isSuccess(exit) ? Duration.infinity : Duration.zero
  })
  return Effect.fnUntraced(
    function*({ archiveId }: Entry): Effect.fn.Return<Option.Option<Found>, CheckpointError | CheckpointInUse> {
      const hash = hashOf(archiveId)
      for (let at = lowerBound(sorted, hash); at < sorted.length; at++) {
        const number = (sorted[at] ?? Infinity) - hash
        if (number >= segmentsBound) break
        const found = (yield* segments.get(number)).get(archiveId)
        if (found !== undefined) return Option.some(found)
      }
      return Option.none()
    }
  )
})
