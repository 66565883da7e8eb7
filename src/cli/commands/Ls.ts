/**
 * The command `effect-glacier ls`: lists archives with their states, sizes, dates and names.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { formatBytes } from "../../policy/Format.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import * as Listing from "../Listing.ts"
import { Output } from "../Output.ts"
import { printable } from "../Printable.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"

/** The widths fit all values, because the first line is printed before the others are known. */
const lineOf = (state: string, size: string, uploaded: string, name: string): string =>
  `${state.padEnd(9)}  ${size.padStart(10)}  ${uploaded.padEnd(10)}  ${name}`

const textOf = (item: Selection.Item): string =>
  lineOf(
    Option.getOrElse(item.state, () => "-"),
    formatBytes(item.entry.size),
    DateTime.formatIso(item.entry.creationDate).slice(0, 10),
    printable(Selection.shownName(item))
  )

const list = Effect.fnUntraced(function*(globs: ReadonlyArray<string>) {
  const { heading, isJson, results } = yield* Output
  const selection = yield* Selection.make(yield* State.offline, globs, { locations: isJson })
  const resultOf = Listing.resultOf(isJson, textOf)
  const { add, print } = Listing.tally(selection)
  yield* heading(lineOf("STATE", "SIZE", "UPLOADED", "NAME"))
  yield* results(Stream.map(selection.items, (item) => {
    add(item)
    return resultOf(item)
  }))
  yield* print
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "ls",
  { globs: Selection.globs, globals: Globals.options },
  ({ globals, globs }) => CliCommand.withGlobals(globals)(list(globs))
).pipe(CliCommand.toProgram({
  description: "List archives of the last inventory: what was done with each, its size, date and name",
  examples: [
    "effect-glacier ls --vault photos",
    "effect-glacier ls --vault photos '2014/**' '*.mov'",
    "effect-glacier ls --vault photos --json | jq -r 'select(.state == \"retrieved\").archiveId'"
  ]
}))
