/**
 * The work of the commands `get` and `move`: they make a plan, ask whether it may cost what it costs, and run it within a budget.
 * Started again, they continue the plan.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as NodeCheckpoint from "../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../node/NodeGlacier.ts"
import { formatBytes, formatCount } from "../policy/Format.ts"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import { Tier } from "../protocol/Jobs.ts"
import * as RetrievalPlan from "../services/RetrievalPlan.ts"
import type { Checkpoint } from "../transfer/Checkpoint.ts"
import * as Budgets from "./Budgets.ts"
import * as Confirm from "./Confirm.ts"
import { Globals } from "./Globals.ts"
import * as Naming from "./Naming.ts"
import { Output } from "./Output.ts"
import * as Places from "./Places.ts"
import * as PlanRuns from "./PlanRuns.ts"
import * as Plans from "./Plans.ts"
import * as Prices from "./Prices.ts"
import * as Selection from "./Selection.ts"
import * as State from "./State.ts"

/**
 * The option for the tier.
 *
 * @since 0.1.0
 * @category options
 */
export const tier = Options.choice("tier", Tier.literals).pipe(
  Options.withDefault("Standard" as const),
  Options.withDescription("How fast and how expensive the retrieval is, see effect-glacier quote. Default: Standard")
)

/**
 * The options of both commands.
 *
 * @since 0.1.0
 * @category options
 */
export const options = {
  tier,
  overwrite: Options.boolean("overwrite").pipe(
    Options.withDescription("Replace files or objects that are not copies of the archives")
  ),
  ...Naming.options,
  ...Budgets.options
}

/**
 * Copies to make.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wanted extends Naming.Values, Budgets.Values {
  readonly kind: "get" | "move"
  readonly globs: ReadonlyArray<string>
  readonly place: Places.Place
  readonly tier: Tier
  readonly writing: Places.Writing
}

const argumentsOf = ({ globs, place, ...naming }: Wanted) =>
  Effect.map(Naming.argumentsOf(naming), (names) => [...globs, Places.nameOf(place), ...names])

/** A plan, with the number of its rejected archives. */
const makePlan = Effect.fnUntraced(function*(name: string, selection: Selection.Selection, wanted: Wanted) {
  const plan = yield* Naming.plan(name, selection, { ...wanted, platform: Places.platformOf(wanted.place) })
  return { plan, rejected: yield* PlanRuns.reportRejected(plan) }
})

/**
 * Prints the quote of a retrieval in one tier. `to` is the place of the copies. Returns the question whether to retrieve.
 *
 * @since 0.1.0
 * @category reporting
 */
export const reportQuote = Effect.fnUntraced(function*(
  { region, vaultName }: State.VaultState,
  quote: RetrievalBudget.Quote,
  tier: Tier,
  { file, prices }: Effect.Effect.Success<ReturnType<typeof Prices.of>>,
  to = ""
) {
  const { result } = yield* Output
  const { bytes, requests: archives } = quote.tiers[tier]
  const what = `${formatCount(archives, "archive")}, ${formatBytes(bytes)}`
  const cost = Option.getOrNull(quote.cost)
  const currency = Option.getOrNull(Option.map(prices, ({ currency }) => currency))
  const from = Option.match(prices, {
    onNone: () => `There are no prices of ${region} in ${file}: add them to see the cost`,
    onSome: ({ currency, date }) => `Prices in ${currency} of ${date}, from ${file}`
  })
  yield* result({
    json: {
      type: "quote",
      archives,
      bytes,
      tier,
      cost,
      currency,
      costs: quote.costs
    },
    text: [`${what}${to}`, RetrievalBudget.format(quote), from].join("\n")
  })
  return `This retrieves ${what} from the vault ${vaultName}, at ${
    cost === null ? "an unknown cost" : `a cost of ${cost < 0.01 ? "less than 0.01" : cost.toFixed(2)} ${currency}`
  }`
})

/** Shows the quote of a plan. */
const showQuote = Effect.fnUntraced(function*(state: State.VaultState, plan: RetrievalPlan.Plan, wanted: Wanted) {
  const prices = yield* Prices.of(state.region, wanted)
  const quote = yield* RetrievalPlan.quote(plan, Budgets.termsOf(wanted, prices.prices))
  return yield* reportQuote(state, quote, plan.tier, prices, ` to ${Places.nameOf(wanted.place)}`)
})

/** Shows a new plan and asks for a confirmation. */
const confirmPlan = Effect.fnUntraced(function*(state: State.VaultState, plan: RetrievalPlan.Plan, wanted: Wanted) {
  const question = yield* showQuote(state, plan, wanted)
  if (Option.isNone(wanted.maxCost) && plan.count > 0) yield* Confirm.yesOrNo(question)
})

const checkSelected = (plan: RetrievalPlan.Plan, rejected: number, { asOf }: Selection.Selection) =>
  plan.count + rejected > 0 ? Effect.void : Selection.noArchive(asOf)

/** Makes a new plan, and keeps it once the user has confirmed it. */
const begin = Effect.fnUntraced(function*(state: State.VaultState, selection: Selection.Selection, wanted: Wanted) {
  const { kind, place, tier } = wanted
  const file = yield* Plans.make({
    kind,
    arguments: yield* argumentsOf(wanted),
    place,
    tier,
    inventory: selection.asOf
  })
  yield* Plans.save(state, file)
  return yield* Effect.gen(function*() {
    const made = yield* makePlan(file.name, selection, wanted)
    yield* checkSelected(made.plan, made.rejected, selection)
    yield* confirmPlan(state, made.plan, wanted)
    return { ...made, file: yield* Plans.start(state, { ...file, capped: Option.isSome(wanted.maxCost) }) }
  }).pipe(Effect.onError(() => Effect.ignore(Plans.discard(state, file))))
})

/** The plan that the same command has begun, else a new one. */
const findOrBegin = Effect.fnUntraced(
  function*(state: State.VaultState, selection: Selection.Selection, wanted: Wanted) {
    const { kind, place, tier } = wanted
    const found = yield* Plans.find(state, {
      kind,
      arguments: yield* argumentsOf(wanted),
      place,
      tier,
      inventory: selection.asOf
    })
    if (Option.isNone(found)) return yield* begin(state, selection, wanted)
    if (found.value.started === undefined) {
      yield* Plans.discard(state, found.value)
      return yield* begin(state, selection, wanted)
    }
    const made = yield* makePlan(found.value.name, selection, wanted)
    const { capped, finished } = found.value
    const isLimitGone = capped === true && finished === undefined && Option.isNone(wanted.maxCost)
    if (isLimitGone) yield* confirmPlan(state, made.plan, wanted)
    // The user may have corrected how the store is reached.
    const file = { ...found.value, place, capped: capped === true && !isLimitGone }
    yield* Plans.save(state, file)
    return { ...made, file }
  }
)

const preview = Effect.fnUntraced(function*(state: State.VaultState, selection: Selection.Selection, wanted: Wanted) {
  const { plan, rejected } = yield* makePlan("preview", selection, wanted)
  yield* checkSelected(plan, rejected, selection)
  yield* showQuote(state, plan, wanted)
}, Naming.withScratch)

/**
 * Makes copies in the place that `wantedOf` returns for the vault. `after` runs at the end, also if archives have failed.
 *
 * @since 0.1.0
 * @category running
 */
export const make = <E, R, E2, R2>(
  wantedOf: (state: State.VaultState) => Effect.Effect<Wanted, E, R>,
  after: (state: State.VaultState, file: Plans.Plan, plan: RetrievalPlan.Plan) => Effect.Effect<void, E2, R2>
) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const wanted = yield* wantedOf(state)
    const selection = yield* Selection.make(state, wanted.globs)
    if ((yield* Globals).dryRun) return yield* preview(state, selection, wanted)
    const { prices } = yield* Prices.of(state.region, wanted)
    const run = Effect.gen(function*() {
      // Before the user is asked: another command may retrieve now.
      const budgetOf = yield* Budgets.make(state, wanted, prices)
      const destination = yield* Places.open(wanted.place, wanted.writing)
      const { file, plan, rejected } = yield* findOrBegin(state, selection, wanted)
      const options: PlanRuns.Options<Places.PlaceError, FileSystem.FileSystem | Path.Path | Checkpoint> = {
        file,
        plan,
        destination,
        command: Plans.commandOf(file),
        state: wanted.kind === "get" ? "retrieved" : "moved",
        budget: yield* budgetOf(file.name),
        formatLeft: (left) => Budgets.formatLeft(left, prices)
      }
      yield* Effect.tapBoth(PlanRuns.run(state, options, rejected), {
        onFailure: () => Effect.ignoreLogged(after(state, file, plan)),
        onSuccess: () => after(state, file, plan)
      })
    })
    yield* run.pipe(Effect.scoped, Effect.provide(NodeCheckpoint.layer(state.checkpoints)))
  })).pipe(Effect.provide(NodeGlacier.layer))
