/**
 * The common parts of the commands that delete archives: the proofs of copies, the records, and the texts about archives.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { formatBytes, formatCount, formatNumber } from "../policy/Format.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { Listed } from "../services/DecommissionEvent.ts"
import type { StateError } from "./Failures.ts"
import type { Result } from "./Output.ts"
import * as Plans from "./Plans.ts"
import * as Prices from "./Prices.ts"
import { printable } from "./Printable.ts"
import * as Records from "./Records.ts"
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
 * A proof of copies.
 *
 * @since 0.1.0
 * @category models
 */
export type Proof = (
  archive: Entry
) => Effect.Effect<boolean, Plans.ProofError | StateError, FileSystem.FileSystem | Path.Path>

/**
 * Returns the proof that an archive needs: a verified copy by any plan of the vault, or nothing.
 *
 * @since 0.1.0
 * @category proofs
 */
export const proofOf = (state: VaultState, withoutCopies: boolean) =>
  withoutCopies
    ? Effect.succeed<Proof>(() => Effect.succeed(true))
    : Effect.map(Plans.prover(state), (prove): Proof => prove)

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
    (writer) => ({ archiveId }: Entry) =>
      Effect.gen(function*() {
        const write = yield* writer
        yield* write({ archiveId, state: "deleted", date: yield* DateTime.now })
      })
  )

/**
 * Returns the result about an archive. `type` says what happened to it.
 *
 * @since 0.1.0
 * @category formatting
 */
export const resultOf = (
  type: "deleted" | "unproven" | "failed",
  { archiveId, size }: Entry,
  path: string,
  message: string
): Result => ({
  json: { type, archiveId, path, bytes: size, message },
  text: `${printable(path)}: ${printable(message)}`
})

/**
 * The price of storage in the region of a vault, if `prices.json` has it.
 *
 * @since 0.1.0
 * @category getters
 */
export const priceOf = ({ region }: VaultState) =>
  Effect.map(
    Prices.of(region, { inRegion: false }),
    ({ prices }) => Option.getOrUndefined(prices)?.storage?.perGiBMonth
  )

/**
 * Formats counts of archives: `12 archives (3.4 GiB), 2 of them younger than 90 days, which is billed as 0.100 GiB-months`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = ({ archives, bytes, early }: Listed): string =>
  `${formatCount(archives, "archive")} (${formatBytes(bytes)})${
    Option.match(early, {
      onNone: () => "",
      onSome: ({ archives, cost, gibMonths }) =>
        `, ${formatNumber(archives)} of them younger than 90 days, which is billed as ${
          gibMonths.toFixed(3)
        } GiB-months${Option.match(cost, { onNone: () => "", onSome: (cost) => ` (${cost.toFixed(2)})` })}`
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
