/**
 * The command `effect-glacier find`: prints the names of archives that meet conditions, for other programs to read.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Bytes from "../Bytes.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Dates from "../Dates.ts"
import * as Globals from "../Globals.ts"
import * as Listing from "../Listing.ts"
import { Output } from "../Output.ts"
import { printable } from "../Printable.ts"
import * as Records from "../Records.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"

const conditions = {
  largerThan: Options.optional(Bytes.option("larger-than", "Only archives of more bytes, such as 500M or 1.5GiB")),
  smallerThan: Options.optional(Bytes.option("smaller-than", "Only archives of fewer bytes")),
  before: Options.optional(Dates.option("before", "Only archives uploaded before this date, such as 2014-12-31")),
  after: Options.optional(Dates.option("after", "Only archives uploaded on this date or after")),
  // --state is the state folder.
  state: Options.choice("in-state", [...Records.State.literals, "none"]).pipe(
    Options.optional,
    Options.withDescription("Only archives in this state; none for those without a record")
  ),
  unnamed: Options.boolean("unnamed").pipe(Options.withDescription("Only archives that have no name"))
}

interface Conditions {
  readonly largerThan: Option.Option<number>
  readonly smallerThan: Option.Option<number>
  readonly before: Option.Option<DateTime.Utc>
  readonly after: Option.Option<DateTime.Utc>
  readonly state: Option.Option<Records.State | "none">
  readonly unnamed: boolean
}

/** Makes the condition of an option. An option that is left out has none. */
const condition = <A>(option: Option.Option<A>, meets: (item: Selection.Item, value: A) => boolean) =>
  Option.toArray(option).map((value): Predicate.Predicate<Selection.Item> => (item) => meets(item, value))

const meetsAll = ({ after, before, largerThan, smallerThan, state, unnamed }: Conditions) => {
  const all = [
    ...condition(largerThan, ({ entry }, size) => entry.size > size),
    ...condition(smallerThan, ({ entry }, size) => entry.size < size),
    ...condition(before, ({ entry }, date) => DateTime.lessThan(entry.creationDate, date)),
    ...condition(after, ({ entry }, date) => DateTime.greaterThanOrEqualTo(entry.creationDate, date)),
    ...condition(state, (item, wanted) => Option.getOrElse(item.state, () => "none") === wanted),
    ...condition(Option.liftPredicate(unnamed, Boolean), ({ name }) => Option.isNone(name))
  ]
  return (item: Selection.Item): boolean => all.every((meets) => meets(item))
}

const find = Effect.fnUntraced(function*(
  globs: ReadonlyArray<string>,
  conditions: Conditions,
  { ids, print0 }: { readonly ids: boolean; readonly print0: boolean }
) {
  const { isJson, isStdoutTerminal, results } = yield* Output
  const selection = yield* Selection.make(yield* State.offline, globs, { locations: isJson })
  const { add, print } = Listing.tally(selection)
  const textOf = (item: Selection.Item): string => {
    const name = ids ? item.entry.archiveId : Selection.shownName(item)
    return isStdoutTerminal ? printable(name) : name
  }
  const resultOf = Listing.resultOf(isJson, textOf)
  const found = selection.items.pipe(
    Stream.filter(meetsAll(conditions)),
    Stream.map((item) => {
      add(item)
      return resultOf(item)
    })
  )
  yield* results(found, print0 ? "\0" : "\n")
  yield* print
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "find",
  {
    globs: Selection.globs,
    conditions,
    output: {
      ids: Options.boolean("ids").pipe(Options.withDescription("Print ids instead of names")),
      print0: Options.boolean("print0").pipe(
        Options.withAlias("0"),
        Options.withDescription("End each name with a NUL, for xargs -0, because a name may have line ends")
      )
    },
    globals: Globals.options
  },
  ({ conditions, globals, globs, output }) => CliCommand.withGlobals(globals)(find(globs, conditions, output))
).pipe(CliCommand.toProgram({
  description: "Print the names of archives in the last inventory that meet conditions, one in a line. " +
    "An archive without a name is printed by its id",
  examples: [
    "effect-glacier find --vault photos --larger-than 1GiB --before 2015-01-01",
    "effect-glacier find --vault photos '*.jpg' --in-state none --print0 | xargs -0 -n 1 basename",
    "effect-glacier find --vault photos --unnamed --ids"
  ]
}))
