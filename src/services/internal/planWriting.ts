/**
 * Writes the archives of a new plan to its segments. Memory holds a segment, and a hash of 8 bytes for each archive and each
 * folder. Only archives whose hashes occur twice are compared, in later passes over the segments.
 *
 * The hash of an archive is that of its path, or of its id if it has no path. An archive that occurs twice has the same path
 * each time, so one hash finds both repeated archives and shared paths.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Hashes from "./hashes.ts"
import type { Marks, Summary } from "./planLog.ts"
import * as PlanSegment from "./planSegment.ts"

/**
 * Returns the places that the file of an archive needs, as `SafePath.places` does. Returns none for an archive without a
 * usable path.
 */
export type PlacesOf = (row: PlanSegment.Row) => ReadonlyArray<string>

/** The sizes that bound the memory. A reference, so that tests can use small ones. */
export class Sizes extends Context.Reference<Sizes>()("effect-glacier/internal/PlanSizes", {
  defaultValue: () => ({
    /** The maximum number of archives in an entry of a log: few, so that they are in memory for a short time only. */
    entry: 100,
    /** The maximum number of such entries in a segment. */
    segment: 50,
    /** The maximum number of hashes that are compared in one pass over the segments. */
    slice: 100_000
  })
}) {}

function* slices(hashes: Iterable<number>, size: number): Generator<ReadonlySet<number>> {
  let slice = new Set<number>()
  for (const hash of hashes) {
    slice.add(hash)
    if (slice.size < size) continue
    yield slice
    slice = new Set()
  }
  if (slice.size > 0) yield slice
}

type Tally = { -readonly [Key in keyof Summary]: Summary[Key] }

const sum = (tallies: Iterable<Tally>): Tally => {
  const all = { rows: 0, archives: 0, bytes: 0 }
  for (const { archives, bytes, rows } of tallies) {
    all.rows += rows
    all.archives += archives
    all.bytes += bytes
  }
  return all
}

const count = (tally: Tally, { archive }: PlanSegment.Row, by: 1 | -1) => {
  tally.archives += by
  tally.bytes += by * archive.size
}

/** The places of an archive. Undefined if the archives of the plan need none. */
type Places = ReadonlyArray<string> | undefined

/** Whether an archive is to be retrieved or deleted: it has a place, or needs none. */
const isPlaced = (places: Places): boolean => places === undefined || places.length > 0

/** Returns the places of an archive, or its id if it has none. */
const keysOf = ({ archive }: PlanSegment.Row, places: Places): Arr.NonEmptyReadonlyArray<string> =>
  places !== undefined && Arr.isNonEmptyReadonlyArray(places) ? places : [archive.archiveId]

/** Makes the hashes of a plan, and a function that adds an archive. */
const makeIndex = () => {
  const archives = Hashes.make()
  const folders = Hashes.make()
  let last = ""
  const add = (keys: Arr.NonEmptyReadonlyArray<string>): void => {
    Hashes.add(archives, Hashes.hash(Arr.lastNonEmpty(keys)))
    // Files of the same folder often follow one another.
    const folder = keys.at(-2) ?? ""
    if (folder === last) return
    last = folder
    for (const key of keys.slice(0, -1)) Hashes.addOnce(folders, Hashes.hash(key))
  }
  return { archives, folders, add }
}

/** Opens the segments one after the other. */
const forEachSegment = <A, E, R>(
  name: string,
  tallies: ReadonlyArray<Tally>,
  use: (segment: PlanSegment.Segment, tally: Tally) => Effect.Effect<A, E, R>
) =>
  Effect.forEach(
    tallies,
    (tally, number) =>
      Effect.scoped(
        Effect.flatMap(PlanSegment.open(name, number, tally.rows), (segment) => use(segment, tally))
      ),
    { discard: true }
  )

/** Leaves out all but the first of the archives with the same id. */
const excludeRepeated = (
  name: string,
  tallies: ReadonlyArray<Tally>,
  suspects: ReadonlySet<number>,
  placesOf: PlacesOf | undefined
) =>
  Effect.suspend(() => {
    const seen = new Set<string>()
    return forEachSegment(name, tallies, ({ append, rows }, tally) => {
      const indexes: Array<number> = []
      for (const [index, row] of rows.entries()) {
        const places = placesOf?.(row)
        if (!suspects.has(Hashes.hash(Arr.lastNonEmpty(keysOf(row, places))))) continue
        const { archiveId } = row.archive
        if (seen.has(archiveId)) {
          indexes.push(index)
          if (isPlaced(places)) count(tally, row, -1)
        }
        seen.add(archiveId)
      }
      return indexes.length === 0 ? Effect.void : append({ _tag: "Repeated", indexes })
    })
  })

/** The archives that need a place, as their file or a folder. */
interface Group {
  count: number
  readonly first: { readonly segment: number; readonly index: number; readonly path: string }
  second?: string
}

/** Leaves out the archives whose path is that of another archive, or a folder that others need. */
const excludeShared = Effect.fnUntraced(function*(
  name: string,
  tallies: ReadonlyArray<Tally>,
  suspects: ReadonlySet<number>,
  placesOf: PlacesOf
) {
  const groups = new Map<string, Group>()
  const placed = (segment: PlanSegment.Segment) =>
    segment.rows.flatMap((row, index) =>
      row.path === null || segment.repeated.has(index) ? [] : [{ row, index, path: row.path, places: placesOf(row) }]
    )
  yield* forEachSegment(name, tallies, (segment) =>
    Effect.sync(() => {
      for (const { index, path, places } of placed(segment)) {
        for (const place of places) {
          if (!suspects.has(Hashes.hash(place))) continue
          const group = groups.get(place)
          if (group === undefined) groups.set(place, { count: 1, first: { segment: segment.number, index, path } })
          else {
            group.count += 1
            group.second ??= path
          }
        }
      }
    }))
  yield* forEachSegment(name, tallies, (segment, tally) => {
    const conflicts = placed(segment).flatMap(({ index, places, row }) => {
      const group = groups.get(places.at(-1) ?? "")
      if (group?.second === undefined) return []
      count(tally, row, -1)
      const { first, second } = group
      const isFirst = first.segment === segment.number && first.index === index
      return [{ index, count: group.count - 1, other: isFirst ? second : first.path }]
    })
    return conflicts.length === 0 ? Effect.void : segment.append({ _tag: "Shared", conflicts })
  })
})

/**
 * Writes the archives to segments, and leaves out repetitions. With `placesOf`, also leaves out the archives without a place
 * of their own. Returns the summaries of the segments.
 */
export const write = <E, R>(
  name: string,
  log: Marks,
  rows: Stream.Stream<PlanSegment.Row, E, R>,
  placesOf?: PlacesOf
) =>
  Effect.gen(function*() {
    const sizes = yield* Sizes
    const index = makeIndex()
    const tallies: Array<Tally> = []
    const encode = (some: Chunk.Chunk<PlanSegment.Row>) => {
      const tally: Tally = { rows: some.length, archives: 0, bytes: 0 }
      for (const row of some) {
        const places = placesOf?.(row)
        index.add(keysOf(row, places))
        if (isPlaced(places)) count(tally, row, 1)
      }
      return { tally, entry: PlanSegment.encode(some) }
    }
    yield* rows.pipe(
      Stream.grouped(sizes.entry),
      Stream.map(encode),
      Stream.grouped(sizes.segment),
      Stream.runForEach((encoded) =>
        Effect.gen(function*() {
          const segment = tallies.push(sum(Chunk.map(encoded, ({ tally }) => tally))) - 1
          yield* log.append({ _tag: "Writing", segment })
          yield* PlanSegment.write(name, segment, Chunk.map(encoded, ({ entry }) => entry))
        })
      )
    )
    for (const suspects of slices(Hashes.repeated(index.archives), sizes.slice)) {
      yield* excludeRepeated(name, tallies, suspects, placesOf)
    }
    if (placesOf !== undefined) {
      for (const suspects of slices(Hashes.repeated(index.archives, index.folders), sizes.slice)) {
        yield* excludeShared(name, tallies, suspects, placesOf)
      }
    }
    return tallies
  })
