/**
 * The common parts of the commands that delete archives: the proofs of copies, the records, and the texts about archives.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import { formatBytes, formatCount, formatNumber } from "../policy/Format.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { Listed } from "../services/DecommissionEvent.ts"
import * as DeletionPlan from "../services/DeletionPlan.ts"
import type { Result } from "./Output.ts"
import * as Plans from "./Plans.ts"
import * as Prices from "./Prices.ts"
import { printable } from "./Printable.ts"
import * as Records from "./Records.ts"
import * as Selection from "./Selection.ts"
import type { VaultState } from "./State.ts"

/**
 * The option to delete archives that have no copy.
 *
 * @since 0.1.0
 * @category options
 */
export const withoutCopies = Options.boolean("without-copies").pipe(
  Options.withDescription("Also delete archives without a verified copy. Their bytes are lost")
)

/**
 * The ways to continue when archives have no copy.
 *
 * @since 0.1.0
 * @category constants
 */
export const aboutCopies =
  "effect-glacier get and move make copies. --without-copies deletes archives without a copy, too"

/**
 * Returns whether an archive may be deleted.
 *
 * @since 0.1.0
 * @category models
 */
export type Proof = Effect.Effect.Success<ReturnType<typeof Plans.prover>>

const always: Proof = () => Effect.succeed(true)

/**
 * Returns the proof that an archive needs: a verified copy by any plan of the vault, or nothing.
 *
 * @since 0.1.0
 * @category proofs
 */
export const proofOf = (state: VaultState, withoutCopies: boolean) =>
  withoutCopies ? Effect.succeed(always) : Plans.prover(state)

/**
 * Makes the hook that records each deleted archive. It opens the records of the plan with the first archive: until the plan runs,
 * another process may write to them.
 *
 * @since 0.1.0
 * @category records
 */
export const makeRecorder = (state: VaultState, name: string) =>
  Effect.map(
    Effect.cached(Records.writer(state, name, Records.of(state, name))),
    (writer) => ({ archiveId }: { readonly archiveId: string }) =>
      Effect.gen(function*() {
        const write = yield* writer
        yield* write({ archiveId, state: "deleted", date: yield* DateTime.now })
      })
  )

/**
 * Returns the function that makes the result about an archive. `type` says what happened to it.
 *
 * @since 0.1.0
 * @category formatting
 */
export const resultOf =
  (nameOf: Selection.Selection["nameOf"]) =>
  (type: "deleted" | "unproven" | "failed", entry: Entry, message: string): Result => {
    const { archiveId, size: bytes } = entry
    const name = nameOf(entry)
    return {
      json: { type, archiveId, name: Option.getOrNull(Option.map(name, ({ path }) => path)), bytes, message },
      text: `${printable(Selection.shownName({ entry, name }))}: ${printable(message)}`
    }
  }

/**
 * Counts archives that are to be deleted, and computes the cost of deleting the young ones if `prices.json` has the price of
 * storage in the region.
 *
 * @since 0.1.0
 * @category getters
 */
export const tally = Effect.fnUntraced(function*<E, R>({ region }: VaultState, archives: Stream.Stream<Entry, E, R>) {
  return yield* DeletionPlan.tally(archives, { pricePerGiBMonth: yield* priceOf(region) })
})

/**
 * The price of storage in a region, if `prices.json` has it.
 *
 * @since 0.1.0
 * @category getters
 */
export const priceOf = (region: string) =>
  Effect.map(
    Prices.of(region, { inRegion: false }),
    ({ prices }) => Option.getOrUndefined(prices)?.storage?.perGiBMonth
  )

/**
 * Formats what happens to archives as sentences: `This deletes 12 archives (3.4 GiB) of the vault photos. 2 of them are younger
 * than 90 days, which is billed as 0.100 GiB-months`. `verb` is `deletes` or `would delete`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (verb: string, { vaultName }: VaultState, { archives, bytes, early }: Listed): string =>
  `This ${verb} ${formatCount(archives, "archive")} (${formatBytes(bytes)}) of the vault ${vaultName}${
    Option.match(early, {
      onNone: () => "",
      onSome: ({ archives, cost, gibMonths }) =>
        `. ${formatNumber(archives)} of them ${
          archives === 1 ? "is" : "are"
        } younger than 90 days, which is billed as ${gibMonths.toFixed(3)} GiB-months${
          Option.match(cost, { onNone: () => "", onSome: (cost) => ` (${cost.toFixed(2)})` })
        }`
    })
  }`

/**
 * The counts of archives for `--json`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const jsonOf = ({ archives, bytes, early }: Listed) => ({
  archives,
  bytes,
  early: Option.match(early, {
    onNone: () => null,
    onSome: ({ archives, bytes, cost, gibMonths, until }) => ({
      archives,
      bytes,
      gibMonths,
      cost: Option.getOrNull(cost),
      until: DateTime.formatIso(until)
    })
  })
})
