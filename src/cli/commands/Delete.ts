/**
 * The command `effect-glacier delete`: deletes the archives that patterns select.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount, formatNumber } from "../../policy/Format.ts"
import * as DeletionPlan from "../../services/DeletionPlan.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Confirm from "../Confirm.ts"
import * as Deleting from "../Deleting.ts"
import * as Explain from "../Explain.ts"
import { SomeFailed } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import * as Names from "../Names.ts"
import { Output } from "../Output.ts"
import { maximumLines } from "../PlanRuns.ts"
import * as Plans from "../Plans.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"
import * as Work from "../Work.ts"

interface Wanted {
  readonly globs: ReadonlyArray<string>
  readonly withoutCopies: boolean
}

/** The number of copies that are looked for at once. */
const concurrency = 8

/** Prints what would be deleted. */
const dryRun = Effect.fnUntraced(function*(selection: Selection.Selection, withoutCopies: boolean) {
  const { result } = yield* Output
  const prove = yield* Deleting.proofOf(selection.vault, withoutCopies)
  let unproven = 0
  const checked = Stream.mapEffect(Selection.entries(selection), (archive) =>
    Effect.map(prove(archive), (proven) => {
      if (!proven) unproven++
      return archive
    }), { concurrency })
  const listed = yield* Deleting.tally(selection.vault, checked)
  yield* result({
    json: { type: "summary", dryRun: true, ...Deleting.jsonOf(listed), unproven },
    text: Deleting.format("would delete", selection.vault, listed) +
      (unproven === 0 ? "" : `. ${formatNumber(unproven)} would be kept, because they have no verified copy`)
  })
})

/** Finds the plan that the user has confirmed and an earlier run could not end, or makes one of the selection. */
const planOf = Effect.fnUntraced(function*(selection: Selection.Selection, globs: ReadonlyArray<string>) {
  const { asOf, vault } = selection
  const wanted = { kind: "delete", arguments: [...globs, ...yield* Names.argumentsInUse], inventory: asOf } as const
  const file = yield* Effect.flatMap(
    Plans.find(vault, wanted),
    Option.match({
      onNone: () => Effect.tap(Plans.make(wanted), (file) => Plans.save(vault, file)),
      onSome: Effect.succeed
    })
  )
  return { file, plan: yield* DeletionPlan.make(file.name, Selection.entries(selection)) }
})

/** Runs the plan, and counts what was deleted and what was not. */
const runPlan = Effect.fnUntraced(function*(
  { nameOf, vault }: Selection.Selection,
  { file, plan }: Effect.Effect.Success<ReturnType<typeof planOf>>,
  withoutCopies: boolean
) {
  const counts = { archives: 0, bytes: 0, unproven: 0, failed: 0 }
  const proof = yield* Deleting.proofOf(vault, withoutCopies)
  const onDeleted = yield* Deleting.makeRecorder(vault, plan.name)
  const resultOf = Deleting.resultOf(nameOf)
  yield* Work.run(vault, Plans.commandOf(file), (work) =>
    Effect.gen(function*() {
      yield* work.update(() => ({
        archives: { done: 0, total: plan.count },
        bytes: { done: 0, total: plan.bytes }
      }))
      yield* Stream.runForEach(DeletionPlan.run(plan, { onDeleted, proof }), (outcome) => {
        const { archive } = outcome
        switch (outcome._tag) {
          case "Deleted":
            counts.archives++
            counts.bytes += archive.size
            return work.done(archive.size, resultOf("deleted", archive, "deleted"))
          case "Unproven":
            return work.failed(
              resultOf("unproven", archive, "has no verified copy"),
              ++counts.unproven <= maximumLines
            )
          case "Failed":
            return work.failed(
              resultOf("failed", archive, Explain.textOf(outcome.error)),
              ++counts.failed <= maximumLines
            )
        }
      })
    }))
  return counts
})

const remove = ({ globs, withoutCopies }: Wanted) =>
  Effect.fnUntraced(function*(state: State.VaultState) {
    const { note, result } = yield* Output
    const selection = yield* Selection.make(state, globs)
    if ((yield* Globals.Globals).dryRun) return yield* dryRun(selection, withoutCopies)
    yield* Selection.checkAny(selection)
    const planned = yield* planOf(selection, globs)
    const { file, plan } = planned
    if (plan.count === 0) {
      yield* Plans.discard(state, file)
      return yield* note("All archives that the patterns select are deleted already")
    }
    if (file.started !== undefined) {
      yield* note(`Continues the deletion of ${DateTime.formatIso(file.started)}, and skips what is deleted`)
    }
    const listed = yield* Deleting.tally(state, plan.archives)
    const rest = withoutCopies ? "Archives without a copy are lost" : "Archives without a verified copy are kept"
    yield* Confirm.vaultName(state, `${Deleting.format("deletes", state, listed)}. ${rest}`).pipe(
      Effect.onError(() => file.started === undefined ? Effect.ignore(Plans.discard(state, file)) : Effect.void)
    )
    if (file.started === undefined) yield* Plans.start(state, file)
    const counts = yield* runPlan(selection, planned, withoutCopies)
    // The records say what is deleted, so the next run makes a plan of what is left.
    yield* Plans.discard(state, file)
    const { archives, bytes, failed, unproven } = counts
    yield* result({
      json: { type: "summary", ...counts },
      text: `${formatCount(archives, "archive")} deleted, ${formatBytes(bytes)}${
        unproven === 0 ? "" : `, ${formatNumber(unproven)} kept without a verified copy`
      }${failed === 0 ? "" : `, ${formatNumber(failed)} failed`}`
    })
    if (failed + unproven === 0) return
    return yield* new SomeFailed({
      message: `${formatCount(failed + unproven, "archive")} not deleted: see above` +
        (unproven === 0 ? "" : `. ${Deleting.aboutCopies}`)
    })
  })

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "delete",
  {
    globs: Args.text({ name: "glob" }).pipe(
      Args.atLeast(1),
      Args.withDescription("Patterns such as 'photos/2014/**', or ids of archives")
    ),
    withoutCopies: Deleting.withoutCopies,
    globals: Globals.options
  },
  ({ globals, ...wanted }) =>
    State.withVault((state) =>
      remove(wanted)(state).pipe(Effect.scoped, Effect.provide(NodeCheckpoint.layer(state.checkpoints)))
    ).pipe(Effect.provide(NodeGlacier.layer), CliCommand.withGlobals(globals))
).pipe(CliCommand.toProgram({
  description: "Delete the archives that have a verified copy. The same command resumes after an interruption",
  examples: [
    "effect-glacier delete --vault photos '2014/**' --dry-run",
    "effect-glacier delete --vault photos '2014/**'"
  ]
}))
