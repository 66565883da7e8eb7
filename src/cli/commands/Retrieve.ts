/**
 * The command `effect-glacier retrieve`: starts the jobs that retrieve archives. `get` and `move` use them later.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatCount, formatNumber } from "../../policy/Format.ts"
import * as RetrievalBudget from "../../policy/RetrievalBudget.ts"
import type { Tier } from "../../protocol/Jobs.ts"
import * as JobWaiting from "../../services/JobWaiting.ts"
import * as Vault from "../../services/Vault.ts"
import * as Budgets from "../Budgets.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Confirm from "../Confirm.ts"
import * as Copies from "../Copies.ts"
import * as Explain from "../Explain.ts"
import { OverBudget, SomeFailed } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import * as JobTracking from "../JobTracking.ts"
import * as Names from "../Names.ts"
import { Output } from "../Output.ts"
import { maximumLines } from "../PlanRuns.ts"
import * as Plans from "../Plans.ts"
import * as Prices from "../Prices.ts"
import { printable } from "../Printable.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"
import * as Work from "../Work.ts"

interface Values extends Budgets.Values {
  readonly globs: ReadonlyArray<string>
  readonly tier: Tier
}

/** Whether an archive exists and has no copy. */
const isWanted = (item: Selection.Item): boolean =>
  Selection.exists(item) && !Option.exists(item.state, (state) => state !== "uploaded")

/** Starts a job for each archive. */
const startAll = (
  state: State.VaultState,
  file: Plans.Plan,
  items: Selection.Selection["items"],
  total: { readonly archives: number; readonly bytes: number }
) =>
  Work.run(state, Plans.commandOf(file), (work) =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const counts = { started: 0, failed: 0, overBudget: 0 }
      yield* work.update(() => ({
        archives: { done: 0, total: total.archives },
        bytes: { done: 0, total: total.bytes }
      }))
      const start = (item: Selection.Item) => {
        const { archiveId, size } = item.entry
        const name = Option.getOrNull(Option.map(item.name, ({ path }) => path))
        const about = { archiveId, name, bytes: size }
        const shown = printable(Selection.shownName(item))
        return Effect.matchEffect(vault.retrieveArchive(archiveId, { size, tier: file.tier }), {
          onSuccess: ({ id }) => {
            counts.started++
            return work.done(size, { json: { type: "job", ...about, jobId: id }, text: `${shown}: ${id}` })
          },
          onFailure: (error) => {
            counts.failed++
            if (error._tag === "BudgetExceeded") counts.overBudget++
            const message = Explain.textOf(error)
            return work.failed(
              {
                json: { type: "failed", ...about, error: error._tag, message },
                text: `${shown}: ${printable(message)}`
              },
              counts.failed <= maximumLines
            )
          }
        })
      }
      yield* Stream.runDrain(Stream.mapEffect(items, start, { concurrency: 8, unordered: true }))
      return counts
    }))

const report = Effect.fnUntraced(function*(
  { tier }: Values,
  { failed, overBudget, started }: { readonly started: number; readonly failed: number; readonly overBudget: number },
  before: number
) {
  const { result } = yield* Output
  const ready = DateTime.add(yield* DateTime.now, { millis: JobWaiting.usualTimes[tier].to })
  yield* result({
    json: { type: "summary", started, before, failed, ready },
    text: [
      `${formatCount(started, "job")} started${before === 0 ? "" : `, ${formatNumber(before)} started before`}`,
      `${tier} jobs take ${JobWaiting.usualTimes[tier].text}. Run effect-glacier get or move after ${
        DateTime.formatIso(ready)
      }: each output can be read for 24 hours`
    ].join("\n")
  })
  if (failed === 0) return
  const message = `${formatCount(failed, "job")} could not be started. Run the same command again to retry`
  return yield* failed === overBudget ? new OverBudget({ message }) : new SomeFailed({ message })
})

/** Finds the plan that the same command has begun and not finished. `wanted` is what another plan would be made of. */
const find = Effect.fnUntraced(function*(
  state: State.VaultState,
  { asOf }: Selection.Selection,
  { globs, tier }: Values
) {
  const wanted = {
    kind: "retrieve",
    arguments: [...globs, ...yield* Names.argumentsInUse],
    tier,
    inventory: asOf
  } as const
  const found = yield* Plans.find(state, wanted)
  return { wanted, begun: Option.filter(found, ({ finished }) => finished === undefined) }
})

/** The plan that the same command has begun and not finished, whose budget continues, else a new one. */
const planOf = Effect.fnUntraced(function*(state: State.VaultState, selection: Selection.Selection, values: Values) {
  const { begun, wanted } = yield* find(state, selection, values)
  const limits = Budgets.argumentsOf(values)
  if (Option.isNone(begun)) {
    return yield* Effect.flatMap(Plans.make({ ...wanted, limits }), (made) => Plans.start(state, made))
  }
  const plan = { ...begun.value, limits }
  return yield* Effect.as(Plans.save(state, plan), plan)
})

const retrieve = (values: Values) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const { dryRun } = yield* Globals.Globals
    const { note } = yield* Output
    const { globs, tier } = values
    const selection = yield* Selection.make(state, globs)
    yield* Selection.checkAny(selection)
    const known = yield* Prices.of(state.region, values)
    const { prices } = known
    const retrieved = yield* JobTracking.retrieved(tier)
    const wanted = Stream.filter(selection.items, isWanted)
    const items = Stream.filter(wanted, ({ entry }) => !retrieved.has(entry.archiveId))
    const before = yield* Stream.runCount(Stream.filter(wanted, ({ entry }) => retrieved.has(entry.archiveId)))
    const quote = yield* RetrievalBudget.quoteStream(
      Stream.map(items, ({ entry }) => ({ bytes: entry.size, tier })),
      Budgets.termsOf(values, prices)
    )
    const { bytes, requests: archives } = quote.tiers[tier]
    if (archives === 0) {
      const { begun } = yield* find(state, selection, values)
      if (Option.isSome(begun) && !dryRun) yield* Plans.finish(state, begun.value)
      return yield* note("All archives that the patterns select have a copy or a job")
    }
    const question = yield* Copies.reportQuote(state, quote, tier, known)
    if (dryRun) return
    yield* Effect.scoped(Effect.gen(function*() {
      const budgetOf = yield* Budgets.make(state, values, known)
      // Also when it continues: there may be more archives, or their jobs may have expired.
      if (Option.isNone(values.maxCost)) yield* Confirm.yesOrNo(question)
      const file = yield* planOf(state, selection, values)
      const counts = yield* startAll(state, file, items, { archives, bytes }).pipe(
        Effect.provideService(RetrievalBudget.RetrievalBudget, yield* budgetOf(file.name))
      )
      if (counts.failed === 0) yield* Plans.finish(state, file)
      yield* report(values, counts, before)
    }))
  })).pipe(Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "retrieve",
  {
    globs: Selection.globs,
    tier: Copies.tier,
    globals: Globals.options,
    ...Budgets.options
  },
  ({ globals, ...values }) => CliCommand.withGlobals(globals)(retrieve(values))
).pipe(CliCommand.toProgram({
  description: "Start the jobs that retrieve archives, within a budget. effect-glacier get and move use them later",
  examples: ["effect-glacier retrieve --vault photos '2014/**' --tier Bulk --max-cost 5"]
}))
