/**
 * The records of the work of commands on archives, as JSON lines in the folder `records` of a vault. Each plan writes a file of its
 * own, which only the process that runs the plan writes to.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TreeHash } from "../protocol/TreeHash.ts"
import { StateError } from "./Failures.ts"
import type { VaultState } from "./State.ts"

/**
 * The state of an archive:
 *
 * - `retrieved`: a file has a verified copy
 * - `moved`: an object has a verified copy
 * - `verified`: a copy was found, and has the bytes of the archive
 * - `uploaded`: stored since, so that the inventory may not list it yet
 * - `deleted`: deleted since, so that the inventory may still list it
 *
 * @since 0.1.0
 * @category schemas
 */
export const State = Schema.Literal("retrieved", "moved", "verified", "uploaded", "deleted")

/**
 * @since 0.1.0
 * @category schemas
 */
export type State = typeof State.Type

/**
 * A record about an archive.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Record = Schema.Struct({
  archiveId: Schema.String,
  state: State,
  date: Schema.DateTimeUtc,
  /** The place of the copy: an absolute path, or a location such as `s3://bucket/a.txt`. */
  location: Schema.optional(Schema.String),
  /** The archive itself, if it was uploaded. */
  archive: Schema.optional(Schema.Struct({
    description: Schema.String,
    size: Schema.NonNegativeInt,
    treeHash: TreeHash
  }))
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Record = typeof Record.Type

const Line = Schema.parseJson(Record)

const encode = Schema.encodeSync(Line)

const parse = Option.liftThrowable((line: string): unknown => JSON.parse(line))

const isState = Schema.is(State)

/** Decodes a record without the archive of an upload, faster than the schema does. None for all others. */
const decodeUsual = (value: unknown): Option.Option<Record> => {
  if (!Predicate.isRecord(value)) return Option.none()
  const { archive, archiveId, date, location, state } = value
  if (archive !== undefined || !Predicate.isString(archiveId) || !isState(state)) return Option.none()
  if (!Predicate.isString(date) || !date.endsWith("Z")) return Option.none()
  const time = Date.parse(date)
  if (Number.isNaN(time) || (location !== undefined && !Predicate.isString(location))) return Option.none()
  return Option.some({ archiveId, state, date: DateTime.unsafeMake(time), location })
}

const decodeAny = Schema.decodeUnknownOption(Record)

const decode = (line: string): Option.Option<Record> =>
  Option.flatMap(parse(line), (value) => Option.orElse(decodeUsual(value), () => decodeAny(value)))

const failed = (what: string) => ({ message }: { readonly message: string }) =>
  new StateError({ message: `${what}: ${message}` })

/** Streams the records in a file. Skips what is no record, such as a last line that was cut off. */
const read = (file: string) =>
  Stream.unwrap(Effect.map(FileSystem.FileSystem, (fs) => fs.stream(file, { chunkSize: 65_536, bufferSize: 2 }))).pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filterMap(decode)
  )

/**
 * Streams the records that a plan has written. A plan that has written nothing yet has none.
 *
 * @since 0.1.0
 * @category getters
 */
export const of = (
  { records }: VaultState,
  name: string
): Stream.Stream<Record, StateError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(records, `${name}.jsonl`)
    return (yield* fs.exists(file)) ? read(file) : Stream.empty
  })).pipe(Stream.mapError(failed(`The records in ${records} cannot be read`)))

/**
 * Streams all records of a vault, in no order. Skips what is no record, such as a last line that was cut off.
 *
 * @since 0.1.0
 * @category getters
 */
export const all = ({ records }: VaultState): Stream.Stream<Record, StateError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const names = (yield* fs.exists(records)) ? yield* fs.readDirectory(records) : []
    return Stream.fromIterable(names.sort().filter((name) => name.endsWith(".jsonl"))).pipe(
      Stream.flatMap((name) => read(path.join(records, name)))
    )
  })).pipe(Stream.mapError(failed(`The records in ${records} cannot be read`)))

/**
 * Makes the file of a plan anew from the records that the plan has, and returns a function that adds records. (A process that
 * died may not have written its last ones, but its plan knows them.)
 *
 * @since 0.1.0
 * @category writing
 */
export const writer = Effect.fn("Records.writer")(function*<E, R>(
  { records }: VaultState,
  name: string,
  before: Stream.Stream<Record, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cannot = failed(`The records in ${records} cannot be written`)
  const file = path.join(records, `${name}.jsonl`)
  const partial = `${file}.partial`
  const lines = Stream.mapChunks(
    before,
    (chunk) =>
      Chunk.of(new TextEncoder().encode(Chunk.toReadonlyArray(chunk).map((record) => `${encode(record)}\n`).join("")))
  )
  yield* Effect.mapError(fs.makeDirectory(records, { recursive: true }), cannot)
  yield* Stream.runForEach(
    Stream.concat(
      Stream.fromEffect(Effect.mapError(fs.writeFileString(partial, ""), cannot)).pipe(Stream.drain),
      lines
    ),
    (bytes) => Effect.mapError(fs.writeFile(partial, bytes, { flag: "a" }), cannot)
  )
  yield* Effect.mapError(fs.rename(partial, file), cannot)
  return (record: Record): Effect.Effect<void, StateError> =>
    Effect.mapError(fs.writeFileString(file, `${encode(record)}\n`, { flag: "a" }), cannot)
})

/**
 * Removes the records of a plan.
 *
 * @since 0.1.0
 * @category writing
 */
export const remove = ({ records }: VaultState, name: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.remove(`${records}/${name}.jsonl`, { force: true })).pipe(
    Effect.mapError(failed(`The records in ${records} cannot be removed`))
  )
