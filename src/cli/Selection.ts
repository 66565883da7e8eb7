/**
 * The archives that a command works on: those of the last inventory that the patterns in its arguments select, with their names
 * and what the commands did with them.
 *
 *     const selection = yield* Selection.make(yield* State.offline, globs)
 *     yield* Stream.runForEach(selection.items, ({ entry, name, state }) => ...)
 *
 * A command that sends requests anyway takes the vault from `State.withVault`. `items` streams in the order of the inventory.
 * Each run reads the inventory again, so a command can count first and work afterwards.
 *
 * The items include archives that are `deleted` since, which `ls` shows. A command that retrieves or deletes leaves these out:
 *
 *     Selection.entries(selection)
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Entry } from "../protocol/Inventory.ts"
import { ArchiveId } from "../protocol/Names.ts"
import { StateError, Usage } from "./Failures.ts"
import * as Glob from "./Glob.ts"
import * as Inventories from "./Inventories.ts"
import * as Names from "./Names.ts"
import * as Records from "./Records.ts"
import type { VaultState } from "./State.ts"
import * as StateIndex from "./StateIndex.ts"

/**
 * The arguments that select archives.
 *
 * @since 0.1.0
 * @category options
 */
export const globs = Args.text({ name: "glob" }).pipe(
  Args.repeated,
  Args.withDescription("A pattern such as '*.jpg' or 'photos/2014', or an id. Default: all archives")
)

/**
 * An archive.
 *
 * @since 0.1.0
 * @category models
 */
export interface Item {
  readonly entry: Entry
  readonly name: Option.Option<Names.Name>
  /** None if there is no record of the archive. */
  readonly state: Option.Option<Records.State>
  /** The place of the copy. None unless the command asks for locations. */
  readonly location: Option.Option<string>
}

/**
 * The archives that a command works on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Selection {
  readonly vault: VaultState
  /** The time as of which the inventory lists the vault. */
  readonly asOf: DateTime.Utc
  /** The time when the inventory was retrieved or imported. */
  readonly keptAt: DateTime.Utc
  readonly nameOf: (entry: Entry) => Option.Option<Names.Name>
  readonly items: Stream.Stream<Item, StateError, FileSystem.FileSystem | Path.Path>
}

/**
 * Whether an archive still exists: no record reports that it was deleted.
 *
 * @since 0.1.0
 * @category getters
 */
export const exists = ({ state }: Item): boolean => !Option.contains(state, "deleted")

/**
 * The archives of a selection that still exist.
 *
 * @since 0.1.0
 * @category getters
 */
export const entries = ({ items }: Pick<Selection, "items">) =>
  Stream.map(Stream.filter(items, exists), ({ entry }) => entry)

/**
 * The path of an archive, else its id.
 *
 * @since 0.1.0
 * @category getters
 */
export const shownName = ({ entry, name }: Pick<Item, "entry" | "name">): string =>
  Option.match(name, { onNone: () => entry.archiveId, onSome: ({ path }) => path })

/**
 * The error of a command whose patterns select no archive.
 *
 * @since 0.1.0
 * @category errors
 */
export const noArchive = (asOf: DateTime.Utc): StateError =>
  new StateError({ message: `The patterns select no archive of the inventory as of ${DateTime.formatIso(asOf)}` })

/**
 * Fails when the patterns select no archive, not even one that was deleted before.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkAny = ({ asOf, items }: Selection) =>
  Effect.flatMap(Stream.runHead(items), (first) => Option.isSome(first) ? Effect.void : noArchive(asOf))

const decodeId = Schema.decodeOption(ArchiveId)

/**
 * The archive in the record of an upload. None for other records.
 *
 * @since 0.1.0
 * @category getters
 */
export const uploaded = ({ archive, archiveId, date }: Records.Record): Option.Option<Entry> =>
  Option.all({ archive: Option.fromNullable(archive), archiveId: decodeId(archiveId) }).pipe(
    Option.map(({ archive, archiveId }) => ({ ...archive, archiveId, creationDate: date }))
  )

/** The time when the file of an inventory was written. */
const writtenAt = Effect.fnUntraced(function*({ asOf, path }: Inventories.Kept) {
  const fs = yield* FileSystem.FileSystem
  const { mtime } = yield* Effect.orElseSucceed(fs.stat(path), () => ({ mtime: Option.none<Date>() }))
  return Option.getOrElse(Option.flatMap(mtime, DateTime.make), () => asOf)
})

/**
 * Returns the archives of the last inventory that the patterns select, see `Glob`. At the end come those that were uploaded
 * since, and not deleted. Fails if there is no inventory.
 *
 * Memory does not grow with the number of archives, but by 20 to 40 bytes for each archive in the records. With `locations`,
 * items have the places of copies, which also stay in memory.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("Selection.make")(function*(
  vault: VaultState,
  globs: ReadonlyArray<string>,
  options: { readonly locations: boolean } = { locations: false }
) {
  const selects = yield* Effect.mapError(Glob.make(globs), ({ message }) => new Usage({ message }))
  const inventory = yield* Inventories.last(vault)
  const nameOf = yield* Names.inUse
  const index = yield* StateIndex.make(Records.all(vault), options)
  // The inventory may miss uploads of the day before its date. An older upload that it does not list belongs to an archive that
  // another program has deleted.
  const listed = DateTime.subtract(inventory.asOf, { days: 1 })

  const itemOf = (entry: Entry, slot: number): Option.Option<Item> => {
    const name = nameOf(entry)
    return selects({ archiveId: entry.archiveId, path: Option.getOrUndefined(name)?.path })
      ? Option.some({ entry, name, state: index.stateAt(slot), location: index.locationAt(slot) })
      : Option.none()
  }

  const items = Stream.suspend(() => {
    const seen = new Uint8Array(index.slots)
    const listing = Stream.mapError(Inventories.archives(inventory), ({ message }) =>
      new StateError({
        message:
          `${message}. If the file is damaged, remove it, and run effect-glacier inventory --vault ${vault.vaultName}`
      }))
    const inInventory = Stream.filterMap(listing, (entry) => {
      const slot = index.find(entry.archiveId)
      if (slot >= 0) seen[slot] = 1
      return itemOf(entry, slot)
    })
    const since = Stream.filterMap(Records.all(vault), (record) => {
      if (record.archive === undefined || DateTime.lessThan(record.date, listed)) return Option.none()
      const slot = index.find(record.archiveId)
      if (seen[slot] === 1) return Option.none()
      seen[slot] = 1
      return Option.filter(Option.flatMap(uploaded(record), (entry) => itemOf(entry, slot)), exists)
    })
    return index.hasUploads ? Stream.concat(inInventory, since) : inInventory
  })

  return { vault, asOf: inventory.asOf, keptAt: yield* writtenAt(inventory), nameOf, items } satisfies Selection
})
