/**
 * The output that the commands which list archives have in common: an archive as JSON, and the summary at the end.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { formatBytes, formatCount, formatNumber } from "../policy/Format.ts"
import { Globals } from "./Globals.ts"
import { Output, type Result } from "./Output.ts"
import type * as Records from "./Records.ts"
import type { Item, Selection } from "./Selection.ts"

/** Its `name` is null if the archive has none, and its `state` if there is no record of it. */
const jsonOf = ({ entry, location, name, state }: Item): Result["json"] => ({
  type: "archive",
  archiveId: entry.archiveId,
  name: Option.match(name, { onNone: () => null, onSome: ({ path }) => path }),
  bytes: entry.size,
  created: DateTime.formatIso(entry.creationDate),
  modified: Option.match(name, {
    onNone: () => null,
    onSome: ({ modified }) => Option.getOrNull(Option.map(modified, DateTime.formatIso))
  }),
  state: Option.getOrNull(state),
  location: Option.getOrNull(location),
  treeHash: entry.treeHash,
  description: entry.description
})

/**
 * Returns the function that makes the result about an archive. It makes only the form that the output prints, because lists may
 * have millions of archives.
 *
 * @since 0.1.0
 * @category formatting
 */
export const resultOf = (isJson: boolean, textOf: (item: Item) => string): (item: Item) => Result =>
  isJson ? (item) => ({ json: jsonOf(item), text: "" }) : (item) => ({ json: {}, text: textOf(item) })

/**
 * Counts archives, their bytes, and how many are in each state.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tally {
  readonly add: (item: Item) => void
  /** Prints the counts, and as of when they are: a note, with `--json` a line on stdout. Prints nothing with `--quiet`. */
  readonly print: Effect.Effect<void, never, Globals | Output>
}

/**
 * Makes a tally for archives of a selection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tally = ({ asOf, keptAt, vault }: Selection): Tally => {
  let [archives, bytes] = [0, 0]
  const states = new Map<Records.State, number>()
  const print = Effect.gen(function*() {
    const { isJson, note, result } = yield* Output
    const { quiet } = yield* Globals
    if (quiet) return
    const { region, vaultName } = vault
    const counts = Array.from(states, ([state, count]) => `, ${formatNumber(count)} ${state}`).join("")
    const text =
      `${formatCount(archives, "archive")}, ${formatBytes(bytes)}${counts}. The vault ${vaultName} (${region}) ` +
      `as of ${DateTime.formatIso(asOf)}, kept at ${DateTime.formatIso(keptAt)}`
    if (!isJson) return yield* note(text)
    const json = {
      type: "summary",
      vault: vaultName,
      region,
      archives,
      bytes,
      states: Object.fromEntries(states),
      asOf: DateTime.formatIso(asOf),
      keptAt: DateTime.formatIso(keptAt)
    }
    yield* result({ json, text })
  })
  return {
    add: ({ entry, state }) => {
      archives++
      bytes += entry.size
      if (Option.isSome(state)) states.set(state.value, (states.get(state.value) ?? 0) + 1)
    },
    print
  }
}
