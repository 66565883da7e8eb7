/**
 * The work of the commands `get` and `move`: they make a plan, ask whether it may cost what it costs, and run it within a budget.
 * Started again, they continue the plan.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
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
import * as JobTracking from "./JobTracking.ts"
import * as Naming from "./Naming.ts"
import { Output } from "./Output.ts"
import * as Places from "./Places.ts"
import * as PlanRuns from "./PlanRuns.ts"
import * as Plans from "./Plans.ts"
import * as Prices from "./Prices.ts"
import * as Selection from "./Selection.ts"
import * as State from "./State.ts"
import * as WrongCopies from "./WrongCopies.ts"

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
 * Prints the quote of a retrieval in one tier. `to` is the place of the copies, `paid` the number of archives that have a
 * job already. Returns the question whether to retrieve.
 *
 * @since 0.1.0
 * @category reporting
 */
export const reportQuote = Effect.fnUntraced(function*(
  { region, vaultName }: State.VaultState,
  quote: RetrievalBudget.Quote,
  tier: Tier,
  { file, prices }: Effect.Effect.Success<ReturnType<typeof Prices.of>>,
  to = "",
  paid = 0
) {
  const { result } = yield* Output
  const { bytes, requests: archives } = quote.tiers[tier]
  const what = `${formatCount(archives, "archive")}, ${formatBytes(bytes)}`
  const cost = Option.getOrNull(quote.cost)
  const currency = Option.getOrNull(Option.map(prices, ({ currency }) => currency))
  const from = Option.match(prices, {
    onNone: () => Prices.missing(region, file),
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
      costs: quote.costs,
      paid
    },
    text: [
      `${what}${to}`,
      RetrievalBudget.format(quote),
      ...(paid === 0 ? [] : [`Included in the cost, but paid already: ${formatCount(paid, "job")}`]),
      from
    ].join("\n")
  })
  return `This retrieves ${what} from the vault ${vaultName}, at ${
    cost === null ? "an unknown cost" : `a cost of ${cost < 0.01 ? "less than 0.01" : cost.toFixed(2)} ${currency}`
  }`
})

/** Shows the quote of what is left of a plan. */
const showQuote = Effect.fnUntraced(function*(state: State.VaultState, plan: RetrievalPlan.Plan, wanted: Wanted) {
  const prices = yield* Prices.of(state.region, wanted)
  const quote = yield* RetrievalPlan.quote({ ...plan, archives: plan.left }, Budgets.termsOf(wanted, prices.prices))
  const retrieved = yield* JobTracking.retrieved(plan.tier)
  const paid = yield* Stream.runCount(Stream.filter(plan.left, ({ archiveId }) => retrieved.has(archiveId)))
  return yield* reportQuote(state, quote, plan.tier, prices, ` to ${Places.nameOf(wanted.place)}`, paid)
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
    limits: Budgets.argumentsOf(wanted),
    inventory: selection.asOf
  })
  yield* Plans.save(state, file)
  return yield* Effect.gen(function*() {
    const made = yield* makePlan(file.name, selection, wanted)
    yield* checkSelected(made.plan, made.rejected, selection)
    yield* confirmPlan(state, made.plan, wanted)
    return { ...made, file: yield* Plans.start(state, { ...file, unconfirmed: Option.isSome(wanted.maxCost) }) }
  }).pipe(Effect.onError(() => Effect.ignore(Plans.discard(state, file))))
})

/**
 * Revokes the proofs of copies that are wrong, and in a finished plan of those that are missing. Returns the number of archives to
 * retrieve again.
 */
const recheck = Effect.fnUntraced(function*(
  state: State.VaultState,
  file: Plans.Plan,
  plan: RetrievalPlan.Plan,
  { isThere, wrong }: WrongCopies.Guarded
) {
  const { note } = yield* Output
  const { finished, name } = file
  if (finished === undefined) {
    if (!(yield* wrong.isAny)) return 0
    // After a crash the next run asks, although it revokes nothing.
    yield* Plans.save(state, { ...file, unconfirmed: true })
    const revoked = yield* RetrievalPlan.revoke(plan, ({ archive }) => wrong.has(archive))
    if (revoked > 0) yield* note(`The plan ${name} continues, but ${PlanRuns.missing(revoked)}`)
    return revoked
  }
  // For millions of objects this takes hours.
  yield* note(`The plan ${name} is finished since ${DateTime.formatIso(finished)}. Looking whether its copies exist`)
  yield* RetrievalPlan.revoke(plan, ({ archive, proof }) => Effect.negate(isThere(archive, proof)))
  // An earlier run may have been interrupted before it asked the user.
  const left = yield* Stream.runCount(plan.left)
  yield* note(left === 0 ? "All copies exist. effect-glacier verify reads them" : PlanRuns.missing(left))
  return left
})

/** Continues a plan. Copies that are missing or wrong since are made again, which is confirmed again. */
const resume = Effect.fnUntraced(function*(
  state: State.VaultState,
  selection: Selection.Selection,
  wanted: Wanted,
  place: WrongCopies.Guarded,
  found: Plans.Plan
) {
  const made = yield* makePlan(found.name, selection, wanted)
  const again = yield* recheck(state, found, made.plan, place)
  const finished = again === 0 ? found.finished : undefined
  const unconfirmed = again > 0 || (found.unconfirmed === true && finished === undefined)
  // The user may have corrected how the store is reached.
  const file = { ...found, place: wanted.place, limits: Budgets.argumentsOf(wanted), finished, unconfirmed }
  yield* Plans.save(state, file)
  if (!unconfirmed) return { ...made, file }
  yield* confirmPlan(state, made.plan, wanted)
  const confirmed = { ...file, unconfirmed: Option.isSome(wanted.maxCost) }
  yield* Plans.save(state, confirmed)
  return { ...made, file: confirmed }
})

/** The plan that the same command has begun, else a new one. */
const findOrBegin = Effect.fnUntraced(
  function*(state: State.VaultState, selection: Selection.Selection, wanted: Wanted, opened: WrongCopies.Guarded) {
    const { kind, place, tier } = wanted
    const found = yield* Plans.find(state, {
      kind,
      arguments: yield* argumentsOf(wanted),
      place,
      tier,
      inventory: selection.asOf
    })
    return yield* Option.match(found, {
      onNone: () => begin(state, selection, wanted),
      onSome: (found) => resume(state, selection, wanted, opened, found)
    })
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
    const known = yield* Prices.of(state.region, wanted)
    const run = Effect.gen(function*() {
      // Before the user is asked: another command may retrieve now.
      const budgetOf = yield* Budgets.make(state, wanted, known)
      const destination = yield* WrongCopies.open(state, wanted.place, wanted.writing)
      yield* destination.check("write")
      const { file, plan, rejected } = yield* findOrBegin(state, selection, wanted, destination)
      const options: PlanRuns.Options<Places.PlaceError, FileSystem.FileSystem | Path.Path | Checkpoint> = {
        file,
        plan,
        destination,
        command: Plans.commandOf(file),
        state: wanted.kind === "get" ? "retrieved" : "moved",
        budget: yield* budgetOf(file.name),
        formatLeft: (left) => Budgets.formatLeft(left, known.prices)
      }
      yield* Effect.tapBoth(PlanRuns.run(state, options, rejected), {
        onFailure: () => Effect.ignoreLogged(after(state, file, plan)),
        onSuccess: () => after(state, file, plan)
      })
    })
    yield* run.pipe(Effect.scoped, Effect.provide(NodeCheckpoint.layer(state.checkpoints)))
  })).pipe(Effect.provide(NodeGlacier.layer))
