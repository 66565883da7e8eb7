/**
 * The budget of a command that retrieves: its options, and its ledgers in the state folder.
 *
 * The bytes of an hour and of a day are those of all commands of the account in the region. The money is that of one plan.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Number from "effect/Number"
import * as Option from "effect/Option"
import * as NodeRetrievalBudget from "../node/NodeRetrievalBudget.ts"
import { formatBytes } from "../policy/Format.ts"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import * as Bytes from "./Bytes.ts"
import { InUse, Usage } from "./Failures.ts"
import * as Prices from "./Prices.ts"
import type { VaultState } from "./State.ts"
import * as TextOption from "./TextOption.ts"

/**
 * The options of a quote.
 *
 * @since 0.1.0
 * @category options
 */
export const termOptions = {
  bytesPerDay: Bytes.option("bytes-per-day", "The most bytes to retrieve in any 24 hours, such as 100GiB").pipe(
    Options.optional
  ),
  bytesPerHour: Bytes.option("bytes-per-hour", "The most bytes to retrieve in any hour").pipe(Options.optional),
  inRegion: Options.boolean("in-region").pipe(
    Options.withDescription("The copies stay in the region of the vault, so that their transfer is free")
  )
}

const readAmount = (text: string) => Option.filter(Number.parse(text), () => /^\d+(\.\d+)?$/.test(text))

/**
 * The options of a budget.
 *
 * @since 0.1.0
 * @category options
 */
export const options = {
  maxCost: TextOption.make("max-cost", "amount", readAmount, "an amount such as 20 or 12.50").pipe(
    Options.optional,
    Options.withDescription("The most that this may cost, in the currency of prices.json. Nothing is asked then")
  ),
  ...termOptions
}

/**
 * The values of the options of a quote.
 *
 * @since 0.1.0
 * @category models
 */
export interface Terms {
  readonly bytesPerDay: Option.Option<number>
  readonly bytesPerHour: Option.Option<number>
  readonly inRegion: boolean
}

/**
 * The values of the options of a budget.
 *
 * @since 0.1.0
 * @category models
 */
export interface Values extends Terms {
  readonly maxCost: Option.Option<number>
}

const argumentOf = (name: string, value: Option.Option<number>): ReadonlyArray<string> =>
  Option.match(value, { onNone: () => [], onSome: (value) => [`--${name}`, String(value)] })

/**
 * The options of a budget as they are typed.
 *
 * @since 0.1.0
 * @category getters
 */
export const argumentsOf = ({ bytesPerDay, bytesPerHour, inRegion, maxCost }: Values): ReadonlyArray<string> => [
  ...argumentOf("max-cost", maxCost),
  ...argumentOf("bytes-per-day", bytesPerDay),
  ...argumentOf("bytes-per-hour", bytesPerHour),
  ...(inRegion ? ["--in-region"] : [])
]

/**
 * The terms of a quote under a budget.
 *
 * @since 0.1.0
 * @category getters
 */
export const termsOf = (
  { bytesPerDay, bytesPerHour }: Terms,
  prices: Option.Option<Prices.Prices>
): RetrievalBudget.Terms => ({
  prices: Option.getOrUndefined(prices),
  bytesPerDay: Option.getOrUndefined(bytesPerDay),
  bytesPerHour: Option.getOrUndefined(bytesPerHour)
})

const open = (state: VaultState, options: RetrievalBudget.Options) =>
  Layer.build(NodeRetrievalBudget.layerWith(state.ledger, options)).pipe(
    Effect.map((context) => Context.get(context, RetrievalBudget.RetrievalBudget)),
    Effect.mapError((error) =>
      error._tag === "LedgerError" && error.owner !== undefined ? new InUse({ message: error.message }) : error
    )
  )

/**
 * Opens the budget of an account until the Scope closes, and returns a function that opens that of a plan within it. Fails with
 * `InUse` while another command retrieves from the account's vaults in the region.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  state: VaultState,
  values: Values,
  { file, prices }: Effect.Effect.Success<ReturnType<typeof Prices.of>>
) {
  if (Option.isSome(values.maxCost) && Option.isNone(prices)) {
    return yield* new Usage({ message: `--max-cost needs prices. ${Prices.missing(state.region, file)}` })
  }
  const { bytesPerDay, bytesPerHour, prices: known } = termsOf(values, prices)
  const account = yield* open(state, { bytesPerDay, bytesPerHour, key: "account" })
  return (plan: string) =>
    Effect.map(
      open(state, { prices: known, cost: Option.getOrUndefined(values.maxCost), key: plan }),
      (own): RetrievalBudget.Budget => ({
        spend: (retrieval, initiate) => own.spend(retrieval, account.spend(retrieval, initiate)),
        left: Effect.zipWith(own.left, account.left, (own, account) => ({ ...account, ...own }))
      })
    )
})

/**
 * Formats what is left of a budget, such as `12.0 GiB today, 3.50 USD`. Undefined without caps.
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatLeft = (
  { bytesPerDay, bytesPerHour, cost }: RetrievalBudget.Left,
  prices: Option.Option<Prices.Prices>
): string | undefined => {
  const currency = Option.match(prices, { onNone: () => "", onSome: ({ currency }) => ` ${currency}` })
  const parts = [
    ...(bytesPerHour === undefined ? [] : [`${formatBytes(bytesPerHour)} this hour`]),
    ...(bytesPerDay === undefined ? [] : [`${formatBytes(bytesPerDay)} today`]),
    ...(cost === undefined ? [] : [`${cost.toFixed(2)}${currency}`])
  ]
  return parts.length === 0 ? undefined : parts.join(", ")
}
