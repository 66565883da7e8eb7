/**
 * The command `effect-glacier du`: adds up the archives in each folder.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import { formatBytes, formatNumber } from "../../policy/Format.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as SafePath from "../../transfer/SafePath.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import * as Listing from "../Listing.ts"
import { Output } from "../Output.ts"
import { printable } from "../Printable.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"
import * as Table from "../Table.ts"
import * as TextOption from "../TextOption.ts"

/** A row of the output: the archives in a folder, those in no folder, those without a name, or all. */
interface Row {
  readonly type: "folder" | "noFolder" | "unnamed" | "total"
  readonly folder: string
  archives: number
  bytes: number
}

/** The folders of a path, the outermost first, not deeper than `depth`. */
const foldersOf = (path: string, depth: number): ReadonlyArray<string> => {
  const folders: Array<string> = []
  for (let end = path.indexOf("/"); end !== -1 && folders.length < depth; end = path.indexOf("/", end + 1)) {
    folders.push(path.slice(0, end))
  }
  return folders
}

const row = (type: Row["type"], folder = ""): Row => ({ type, folder, archives: 0, bytes: 0 })

const count = (row: Row, size: number): void => {
  row.archives++
  row.bytes += size
}

/** A folder comes directly before those in it. */
const byFolder = Order.mapInput(Order.string, ({ folder }: Row) => folder.replaceAll("/", "\0"))

/** Adds up archives. Memory grows with the number of folders, not with that of archives. */
const adder = (depth: number) => {
  const folders = new Map<string, Row>()
  const [noFolder, unnamed, total] = [row("noFolder"), row("unnamed"), row("total")]
  const rowOf = (folder: string): Row => {
    const known = folders.get(folder) ?? row("folder", folder)
    folders.set(folder, known)
    return known
  }
  return {
    add: ({ entry: { size }, name }: Selection.Item): void => {
      count(total, size)
      if (Option.isNone(name)) return count(unnamed, size)
      const path = SafePath.relative(name.value.path)
      if (!path.includes("/")) return count(noFolder, size)
      for (const folder of foldersOf(path, depth)) count(rowOf(folder), size)
    },
    rows: (): ReadonlyArray<Row> => [
      ...Array.from(folders.values()).sort(byFolder),
      ...[noFolder, unnamed].filter(({ archives }) => depth > 0 && archives > 0),
      total
    ]
  }
}

const billedBytes = ({ archives, bytes }: Row): number => bytes + archives * Limits.archiveOverhead

const labels = { noFolder: "(in no folder)", unnamed: "(without a name)", total: "total" }

const cells = (row: Row): ReadonlyArray<string> => [
  formatBytes(row.bytes),
  formatBytes(billedBytes(row)),
  formatNumber(row.archives),
  row.type === "folder" ? printable(row.folder) : labels[row.type]
]

const sum = Effect.fnUntraced(function*(globs: ReadonlyArray<string>, depth: number) {
  const selection = yield* Selection.make(yield* State.offline, globs)
  const { heading, note, results } = yield* Output
  const { add, rows } = adder(depth)
  const tally = Listing.tally(selection)
  yield* Stream.runForEachChunk(Stream.filter(selection.items, Selection.exists), (items) =>
    Effect.sync(() => {
      for (const item of items) {
        tally.add(item)
        add(item)
      }
    }))
  const all = rows()
  const [titles = "", ...lines] = Table.format(["SIZE", "BILLED", "ARCHIVES", "FOLDER"], all.map(cells), [
    "right",
    "right",
    "right"
  ])
  yield* heading(titles)
  yield* results(
    Stream.fromIterable(all.map((row, index) => ({
      json: { ...row, folder: row.type === "folder" ? row.folder : null, billedBytes: billedBytes(row) },
      text: lines[index] ?? ""
    })))
  )
  yield* note("AWS bills 32 KiB more for each archive. Archives that are deleted since are left out")
  yield* tally.print
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "du",
  {
    globs: Selection.globs,
    depth: TextOption.wholeNumber("depth", 0).pipe(
      Options.withDefault(1),
      Options.withDescription("How deep the folders are that have a line. Default: 1. Only the total: 0")
    ),
    globals: Globals.options
  },
  ({ depth, globals, globs }) => CliCommand.withGlobals(globals)(sum(globs, depth))
).pipe(CliCommand.toProgram({
  description: "Add up the archives of the last inventory in each folder, and the storage that AWS bills for them",
  examples: [
    "effect-glacier du --vault photos",
    "effect-glacier du --vault photos --depth 2 'photos/**'",
    "effect-glacier du --vault photos --json | jq -s 'sort_by(-.bytes)[0:10]'"
  ]
}))
