/**
 * The command `effect-glacier quote`: what the retrieval of archives takes in each tier.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { formatBytes, formatNumber } from "../../policy/Format.ts"
import * as RetrievalBudget from "../../policy/RetrievalBudget.ts"
import { Tier } from "../../protocol/Jobs.ts"
import * as JobWaiting from "../../services/JobWaiting.ts"
import * as Budgets from "../Budgets.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Prices from "../Prices.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"
import * as Table from "../Table.ts"

interface Values extends Budgets.Terms {
  readonly globs: ReadonlyArray<string>
  readonly tier: Option.Option<Tier>
}

const money = (amount: number): string => amount.toFixed(amount < 1 ? 4 : 2)

const rowOf = (tier: Tier, { cost, costs, duration, tiers }: RetrievalBudget.Quote) => {
  const { bytes, requests: archives } = tiers[tier]
  const { requests, retrieval, transfer, unpriced } = costs
  const shown = (amount: number, part: RetrievalBudget.Part) => unpriced.includes(part) ? "-" : money(amount)
  const delay = Duration.toMillis(duration) === 0
    ? ""
    : `${Duration.format(Duration.seconds(Duration.toSeconds(duration)))} and `
  return {
    json: {
      type: "quote",
      tier,
      archives,
      bytes,
      cost: Option.getOrNull(cost),
      costs,
      secondsUntilLastStart: Duration.toSeconds(duration)
    },
    cells: [
      tier,
      formatNumber(archives),
      formatBytes(bytes),
      shown(retrieval, tier),
      shown(requests, tier),
      shown(transfer, "transfer"),
      Option.match(cost, { onNone: () => "-", onSome: money }),
      `${delay}${JobWaiting.usualTimes[tier].text}`
    ]
  }
}

const print = Effect.fnUntraced(function*(values: Values) {
  const state = yield* State.offline
  const { file, prices } = yield* Prices.of(state.region, values)
  const selection = yield* Selection.make(state, values.globs)
  const { heading, note, results } = yield* Output
  const sizes = Stream.map(Selection.entries(selection), ({ size }) => size)
  const tiers = Option.match(values.tier, { onNone: () => Tier.literals, onSome: (tier) => [tier] })
  const rows = yield* Effect.scoped(
    Effect.flatMap(Stream.broadcast(sizes, tiers.length, 16), (streams) =>
      Effect.forEach(
        tiers,
        (tier, index) =>
          RetrievalBudget.quoteStream(
            Stream.map(streams[index] ?? Stream.empty, (bytes) => ({ bytes, tier })),
            Budgets.termsOf(values, prices)
          ).pipe(Effect.map((quote) => rowOf(tier, quote))),
        { concurrency: "unbounded" }
      ))
  )
  const [titles = "", ...lines] = Table.format(
    ["TIER", "JOBS", "SIZE", "RETRIEVAL", "REQUESTS", "TRANSFER", "COST", "READY AFTER"],
    rows.map(({ cells }) => cells),
    ["left", "right", "right", "right", "right", "right", "right"]
  )
  yield* heading(titles)
  yield* results(Stream.fromIterable(rows.map(({ json }, row) => ({
    json: { ...json, prices: Option.getOrNull(Option.map(prices, ({ currency, date }) => ({ currency, date }))) },
    text: lines[row] ?? ""
  }))))
  yield* note(Option.match(prices, {
    onNone: () => Prices.missing(state.region, file),
    onSome: ({ currency, date }) => `In ${currency}, by the prices of ${date} in ${file}`
  }))
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "quote",
  {
    globs: Selection.globs,
    tier: Options.choice("tier", Tier.literals).pipe(
      Options.optional,
      Options.withDescription("Show only this tier. Default: all")
    ),
    globals: Globals.options,
    ...Budgets.termOptions
  },
  ({ globals, ...values }) => CliCommand.withGlobals(globals)(print(values))
).pipe(CliCommand.toProgram({
  description: "Show what the retrieval of archives costs and how long it takes in each tier. Sends no request",
  examples: [
    "effect-glacier quote --vault photos",
    "effect-glacier quote --vault photos '2014/**' --tier Bulk --bytes-per-day 100GiB --in-region"
  ]
}))
