/**
 * The inventories of a vault in the state folder: the documents as they came, compressed. The last two are kept. The name of a
 * file has the time as of which it lists the vault, such as `20261129T101500Z.json.gz`.
 *
 * @since 0.1.0
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { createGunzip, createGzip } from "node:zlib"
import type { Entry } from "../protocol/Inventory.ts"
import * as InventoryReader from "../protocol/InventoryReader.ts"
import { StateError } from "./Failures.ts"
import type { VaultState } from "./State.ts"

/**
 * A kept inventory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Kept {
  readonly path: string
  readonly format: "JSON" | "CSV"
  /** The time as of which it lists the vault. */
  readonly asOf: DateTime.Utc
}

const stampOf = (date: DateTime.Utc): string => DateTime.formatIso(date).replace(/[-:]|\.\d+/g, "")

const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.(json|csv)\.gz$/

const keptOf = (folder: string, name: string): Option.Option<Kept> => {
  const [, year, month, day, hour, minute, second, format] = pattern.exec(name) ?? []
  return Option.map(
    DateTime.make(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`),
    (asOf): Kept => ({ path: `${folder}/${name}`, format: format === "csv" ? "CSV" : "JSON", asOf })
  )
}

const failed = (what: string) => ({ message }: { readonly message: string }) =>
  new StateError({ message: `${what}: ${message}` })

/** The inventories of a vault, the last one first. */
const all = ({ inventories }: VaultState) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(inventories))) return []
    const names = (yield* fs.readDirectory(inventories)).sort().reverse()
    return names.flatMap((name) => Option.toArray(keptOf(inventories, name)))
  }).pipe(Effect.mapError(failed(`The folder ${inventories} cannot be read`)))

/**
 * The last inventory, if there is one.
 *
 * @since 0.1.0
 * @category getters
 */
export const find = (state: VaultState) => Effect.map(all(state), Arr.head)

/**
 * The last inventory. Fails when there is none.
 *
 * @since 0.1.0
 * @category getters
 */
export const last = (state: VaultState) =>
  Effect.flatten(find(state)).pipe(
    Effect.catchTag("NoSuchElementException", () =>
      new StateError({
        message: `There is no inventory of the vault ${state.vaultName} (${state.region}) in ${state.inventories}. ` +
          `Run effect-glacier inventory --vault ${state.vaultName}`
      }))
  )

/**
 * Streams the bytes of a file, which is compressed if its name ends in `.gz`.
 *
 * @since 0.1.0
 * @category getters
 */
export const bytesOf = (path: string): Stream.Stream<Uint8Array, StateError, FileSystem.FileSystem> => {
  const cannot = failed(`${path} cannot be read`)
  const bytes = Stream.unwrap(
    Effect.map(FileSystem.FileSystem, (fs) => fs.stream(path, { chunkSize: 32_768, bufferSize: 2 }))
  )
  const stored = Stream.mapError(bytes, cannot)
  return path.endsWith(".gz")
    ? NodeStream.pipeThroughDuplex(
      stored,
      () => createGunzip({ chunkSize: 262_144 }),
      (error) => cannot({ message: String(error) })
    )
    : stored
}

/**
 * Streams the archives of a kept inventory. Memory does not grow with their number.
 *
 * @since 0.1.0
 * @category getters
 */
export const archives = (
  { format, path }: Pick<Kept, "format" | "path">
): Stream.Stream<Entry, StateError, FileSystem.FileSystem> =>
  InventoryReader.entries(bytesOf(path), { format, onMalformed: Effect.fail }).pipe(
    Stream.mapError((error) =>
      error._tag === "StateError" ? error : new StateError({ message: `${path}: ${error.message}` })
    )
  )

/** Finds the format of a document by its first character that is not white. A byte order mark counts as white. */
const formatOf = (bytes: Uint8Array): Kept["format"] =>
  new TextDecoder().decode(bytes.subarray(0, 1_024)).trimStart().startsWith("{") ? "JSON" : "CSV"

/**
 * The vault and the time in the head of a document. A CSV document has no head.
 *
 * @since 0.1.0
 * @category getters
 */
export const headOf = Effect.fnUntraced(function*(path: string) {
  const format = Option.match(yield* Stream.runHead(bytesOf(path)), { onNone: () => "CSV" as const, onSome: formatOf })
  if (format === "CSV") return { format, head: Option.none() }
  const head = yield* Effect.mapError(InventoryReader.head(bytesOf(path)), failed(`${path} is not an inventory`))
  return { format, head: Option.some(head) }
})

/**
 * The meaning of the date of a CSV document.
 *
 * @since 0.1.0
 * @category constants
 */
export const csvDate = "the date of its newest archive, because a CSV document has no date"

/** The number of inventories that are kept. */
const count = 2

/**
 * Keeps the document whose bytes a Stream has, and returns it with its totals. It replaces nothing before all of its archives
 * could be read. Rejects a document that is older than the last one.
 *
 * A CSV document has no date. It counts as of the creation of its newest archive: the service cannot have made it before, and
 * with a later date it would hide archives that were stored meanwhile.
 *
 * @since 0.1.0
 * @category writing
 */
export const keep = Effect.fn("Inventories.keep")(function*<E, R>(
  state: VaultState,
  bytes: Stream.Stream<Uint8Array, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = state.inventories
  const cannot = failed(`The inventory cannot be kept in ${folder}`)
  yield* Effect.mapError(fs.makeDirectory(folder, { recursive: true }), cannot)
  const partial = path.join(folder, `partial-${process.pid}.gz`)
  yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(partial, { force: true })))
  yield* bytes.pipe(
    NodeStream.pipeThroughDuplex(() => createGzip(), (error) => cannot({ message: String(error) })),
    Stream.run(Sink.mapError(fs.sink(partial), cannot))
  )
  const { format, head } = yield* headOf(partial)
  const totals = { archives: 0, bytes: 0 }
  let newest: DateTime.Utc | undefined
  yield* Stream.runForEachChunk(archives({ format, path: partial }), (entries) =>
    Effect.sync(() => {
      for (const { creationDate, size } of entries) {
        totals.archives++
        totals.bytes += size
        newest = newest === undefined ? creationDate : DateTime.max(newest, creationDate)
      }
    }))
  const asOf = Option.match(head, { onNone: () => newest, onSome: ({ inventoryDate }) => inventoryDate })
  if (asOf === undefined) {
    return yield* new StateError({
      message: "The inventory lists no archive. As CSV it has no date without one: retrieve the inventory instead"
    })
  }
  const last = yield* find(state)
  if (Option.isSome(last) && DateTime.lessThan(asOf, last.value.asOf)) {
    const date = `${DateTime.formatIso(asOf)}${Option.isNone(head) ? ` (${csvDate})` : ""}`
    return yield* new StateError({
      message: `The inventory is of ${date}, older than that of ${DateTime.formatIso(last.value.asOf)}, ` +
        `which is kept already. If that one is wrong, remove ${last.value.path}`
    })
  }
  const final = path.join(folder, `${stampOf(asOf)}.${format.toLowerCase()}.gz`)
  yield* Effect.mapError(fs.rename(partial, final), cannot)
  const older = (yield* all(state)).slice(count)
  yield* Effect.forEach(older, ({ path }) => Effect.ignore(fs.remove(path)), { discard: true })
  return { format, asOf, ...totals, path: final }
}, Effect.scoped)
