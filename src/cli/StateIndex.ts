/**
 * The states of the archives in the records of a vault, found by id. Memory holds 20 to 40 bytes for each archive: a hash table
 * in arrays of numbers.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Records from "./Records.ts"
import * as Texts from "./Texts.ts"

/**
 * The states. A slot is the number of an archive in the table.
 *
 * @since 0.1.0
 * @category models
 */
export interface StateIndex {
  /** Whether a record has the archive of an upload. */
  readonly hasUploads: boolean
  /** All slots are less than this number. */
  readonly slots: number
  /** Returns the slot of an archive, -1 if there is no record of it. */
  readonly find: (archiveId: string) => number
  /** Returns the state of the archive in a slot. */
  readonly stateAt: (slot: number) => Option.Option<Records.State>
  /** Returns the place of the copy of the archive in a slot. */
  readonly locationAt: (slot: number) => Option.Option<string>
}

/** Returns two numbers of 32 bits for an id. Among a million ids, a pair occurs twice with a chance of 1 in 10 million. */
const hash = (id: string): readonly [number, number] => {
  let [low, high] = [0x243f6a88 ^ id.length, 0x13198a2e]
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x9e3779b1)
    high = Math.imul(high ^ unit, 0x5f356495)
    low ^= high >>> 15
  }
  low = Math.imul(low ^ low >>> 16, 0x85ebca6b)
  high = Math.imul(high ^ high >>> 13, 0xc2b2ae35) ^ low
  return [(low ^ low >>> 15) >>> 0, high >>> 0]
}

const states = Records.State.literals

const deleted = 2 ** 50

/** A number for a record of an archive: the greatest of them counts, and has the state in its lowest 3 bits. */
const rankOf = ({ date, state }: Records.Record): number =>
  (state === "deleted" ? deleted : 0) + DateTime.toEpochMillis(date) * 8 + states.indexOf(state) + 1

/** An empty slot has the rank 0. */
interface Table {
  readonly hashes: Uint32Array
  readonly ranks: Float64Array
  /** The positions of the locations among the texts, -1 for none. Empty if nobody asks for locations. */
  readonly locations: Float64Array
}

const tableOf = (slots: number, hasLocations: boolean): Table => ({
  hashes: new Uint32Array(2 * slots),
  ranks: new Float64Array(slots),
  locations: new Float64Array(hasLocations ? slots : 0)
})

/** Returns the slot of a hash, or the empty slot where it belongs. The number of slots is a power of two. */
const slotOf = ({ hashes, ranks }: Table, low: number, high: number): number => {
  const mask = ranks.length - 1
  let slot = low & mask
  while (ranks[slot] !== 0 && (hashes[2 * slot] !== low || hashes[2 * slot + 1] !== high)) slot = (slot + 1) & mask
  return slot
}

const put = (
  { hashes, locations, ranks }: Table,
  slot: number,
  low: number,
  high: number,
  rank: number,
  location: number
) => {
  hashes[2 * slot] = low
  hashes[2 * slot + 1] = high
  ranks[slot] = rank
  locations[slot] = location
}

const doubled = (table: Table): Table => {
  const larger = tableOf(2 * table.ranks.length, table.locations.length > 0)
  table.ranks.forEach((rank, slot) => {
    if (rank === 0) return
    const [low = 0, high = 0] = table.hashes.subarray(2 * slot, 2 * slot + 2)
    put(larger, slotOf(larger, low, high), low, high, rank, table.locations[slot] ?? -1)
  })
  return larger
}

/**
 * Reads records once. If an archive has several, that of the latest date counts, but `deleted` counts more than any other.
 * Without `locations`, `locationAt` returns none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R>(
  records: Stream.Stream<Records.Record, E, R>,
  options: { readonly locations: boolean } = { locations: false }
): Effect.Effect<StateIndex, E, R> =>
  Effect.suspend(() => {
    const texts = Texts.make()
    let table = tableOf(1_024, options.locations)
    let count = 0
    let hasUploads = false
    const add = (record: Records.Record) => {
      const { archive, archiveId, location } = record
      hasUploads ||= archive !== undefined
      const [low, high] = hash(archiveId)
      const slot = slotOf(table, low, high)
      const before = table.ranks[slot] ?? 0
      const rank = rankOf(record)
      if (rank <= before) return
      put(table, slot, low, high, rank, options.locations && location !== undefined ? texts.add(location) : -1)
      if (before === 0) count++
      if (count * 4 > table.ranks.length * 3) table = doubled(table)
    }
    return Effect.map(Stream.runForEachChunk(records, (chunk) => Effect.sync(() => Chunk.forEach(chunk, add))), () => ({
      hasUploads,
      slots: table.ranks.length,
      find: (archiveId: string) => {
        if (count === 0) return -1
        const slot = slotOf(table, ...hash(archiveId))
        return table.ranks[slot] === 0 ? -1 : slot
      },
      stateAt: (slot: number) => Option.fromNullable(states[(table.ranks[slot] ?? 0) % 8 - 1]),
      locationAt: (slot: number) =>
        Option.map(Option.liftPredicate((at: number) => at >= 0)(table.locations[slot] ?? -1), texts.at)
    }))
  })
