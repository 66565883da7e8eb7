/**
 * Quotes and caps for retrievals. A quote computes what retrievals will take before any of them starts. A budget caps the
 * bytes retrieved within an hour and within a day, and the money spent, in a ledger that survives restarts. The budget is
 * a value in a `Reference`: without one nothing is counted or delayed. Provide one to a whole program with a Layer, or
 * around one call with `Effect.provideService(RetrievalBudget, budget)`. The program provides the prices: none are built in.
 *
 * @since 0.1.0
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { BudgetExceeded, GlacierError, InvalidInput, LedgerError } from "../protocol/GlacierError.ts"
import { check } from "../protocol/InputCheck.ts"
import type { PolicyEnforced } from "../protocol/ServiceError.ts"
import * as Ledger from "./internal/ledger.ts"
import { Amount, checkTerms, type Retrieval, type Terms } from "./internal/quote.ts"
import * as Spending from "./internal/spending.ts"

export {
  type Costs,
  format,
  type Part,
  Prices,
  type Quote,
  quote,
  quoteStream,
  type Retrieval,
  type Terms
} from "./internal/quote.ts"

/**
 * The name of the ledger when no `key` is given.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultKey = "retrieval-budget"

/**
 * The options of `make`: the caps of a budget and its ledger.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Terms {
  /**
   * The most that all retrievals in the ledger may cost together, with the transfer of their bytes, in the currency of
   * `prices`. This cap requires the prices of the tiers in use and of the transfer. Spent money never becomes available
   * again: for a new budget use another `key`. Earlier retrievals count at today's `prices`.
   */
  readonly cost?: number | undefined
  /**
   * The outcome for a retrieval without room: it waits (the default), or fails with `BudgetExceeded`.
   */
  readonly onExhausted?: "wait" | "fail" | undefined
  /**
   * The name of the ledger in the store. Use one for each account and region. Default: `retrieval-budget`. Only one
   * program at a time may have the ledger open.
   */
  readonly key?: string | undefined
}

/**
 * The errors of a retrieval under a budget, besides those of its call.
 *
 * @since 0.1.0
 * @category errors
 */
export type SpendError = BudgetExceeded | InvalidInput | LedgerError | PolicyEnforced

/**
 * The parts of the caps that are left: bytes, and money in the currency of the prices. A cap that is not set is undefined.
 *
 * @since 0.1.0
 * @category models
 */
export interface Left {
  readonly bytesPerHour?: number | undefined
  readonly bytesPerDay?: number | undefined
  readonly cost?: number | undefined
}

/**
 * Admits the calls that start jobs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  /**
   * Makes a call of InitiateJob once there is room for its retrieval. Enters the retrieval in the ledger before the call,
   * and removes it when the call certainly started no job.
   */
  readonly spend: <A, E extends GlacierError, R>(
    retrieval: Retrieval,
    initiate: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | SpendError, R>
  /** The parts of the caps that are left now. Calls in flight count as spent. */
  readonly left: Effect.Effect<Left>
}

/**
 * A budget without limits. It counts nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Budget = { spend: (_, initiate) => initiate, left: Effect.succeed({}) }

/**
 * The budget in use. Default: `none`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetrievalBudget } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A retrieval without limits
 * const unlimited = Effect.provideService(RetrievalBudget.RetrievalBudget, RetrievalBudget.none)
 */
export class RetrievalBudget extends Context.Reference<RetrievalBudget>()("effect-glacier/RetrievalBudget", {
  defaultValue: (): Budget => none
}) {}

/**
 * Makes a budget whose ledger is in the `KeyValueStore` in use. Fails with `InvalidInput` when an option breaks its rule,
 * and with `LedgerError` when the ledger cannot be read or written.
 *
 * Retrievals start in the order of arrival, and a waiting retrieval can be interrupted. When the account's own
 * data-retrieval policy rejects a retrieval (`PolicyEnforced`), the budget requests it again after an hour, for up to a
 * day. Standard retrievals of archives therefore start one at a time: while one waits, no other is requested.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Budget, InvalidInput | LedgerError, KeyValueStore.KeyValueStore> =>
  Effect.gen(function*() {
    const { caps, prices } = yield* checkTerms(options)
    const cost = yield* check("RetrievalBudget", "cost", Schema.UndefinedOr(Amount), options.cost)
    if (cost !== undefined && prices === undefined) return yield* Spending.missingPrice("prices")
    const ledger = yield* Ledger.open(yield* KeyValueStore.KeyValueStore, options.key ?? defaultKey)
    const spending = yield* Spending.make({ caps, cost, prices, ledger, waits: options.onExhausted !== "fail" })
    return {
      spend: (retrieval, initiate) => Spending.spend(spending, retrieval, initiate),
      left: Spending.left(spending)
    }
  })

/**
 * Provides a budget to a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (budget: Budget): Layer.Layer<never> => Layer.succeed(RetrievalBudget, budget)

/**
 * Provides a new budget to a whole program. Its ledger is in the `KeyValueStore` in use: in memory it lasts as long as the
 * program, in files it survives restarts and crashes. A `KeyValueStore` does not lock out other programs;
 * `NodeRetrievalBudget.layerWith` of `effect-glacier/node` does.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RetrievalBudget } from "effect-glacier"
 * import { NodeKeyValueStore } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * // At most 100 GiB within any day, and 10 GiB within any hour
 * const careful = RetrievalBudget.layerWith({ bytesPerHour: 10 * 2 ** 30, bytesPerDay: 100 * 2 ** 30 }).pipe(
 *   Layer.provide(NodeKeyValueStore.layerFileSystem("retrievals"))
 * )
 */
export const layerWith = (
  options: Options
): Layer.Layer<never, InvalidInput | LedgerError, KeyValueStore.KeyValueStore> =>
  Layer.effect(RetrievalBudget, make(options))
