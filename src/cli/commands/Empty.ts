/**
 * The command `effect-glacier empty`: deletes all archives of a vault, and the vault too if asked to.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount } from "../../policy/Format.ts"
import * as Decommission from "../../services/Decommission.ts"
import * as DecommissionEvent from "../../services/DecommissionEvent.ts"
import * as Vault from "../../services/Vault.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Confirm from "../Confirm.ts"
import * as Deleting from "../Deleting.ts"
import { NotReady, SomeFailed } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import * as Names from "../Names.ts"
import { Output } from "../Output.ts"
import { maximumLines } from "../PlanRuns.ts"
import * as Plans from "../Plans.ts"
import * as State from "../State.ts"
import * as Work from "../Work.ts"

/**
 * The vault cannot be emptied now, for a reason that is not about single archives.
 *
 * @since 0.1.0
 * @category errors
 */
export class Stopped extends Data.TaggedError("Stopped")<{ readonly message: string }> {}

interface Wanted {
  readonly deleteVault: boolean
  readonly withoutCopies: boolean
  readonly deleteYoung: boolean
  readonly abortUploads: boolean
  readonly ignoreJobs: boolean
  readonly tryDenials: boolean
}

const remedies: DecommissionEvent.Remedies = {
  youngArchives: "use --delete-young",
  openUploads: "use --abort-uploads",
  runningJobs: "use --ignore-jobs",
  uncertainDenials: "use --try-denials"
}

const optionsOf = (
  { account }: State.VaultState,
  wanted: Wanted,
  proof: Deleting.Proof,
  pricePerGiBMonth: number | undefined
) => ({
  accountId: account,
  proof,
  pricePerGiBMonth,
  youngArchives: wanted.deleteYoung ? "delete" : "stop",
  openUploads: wanted.abortUploads ? "abort" : "stop",
  runningJobs: wanted.ignoreJobs ? "ignore" : "stop",
  uncertainDenials: wanted.tryDenials ? "try" : "stop",
  emptyVault: wanted.deleteVault ? "delete" : "keep"
} as const)

/** Prints what a run would do. */
const dryRun = Effect.fnUntraced(function*(state: State.VaultState, wanted: Wanted) {
  const { result } = yield* Output
  const proof = yield* Deleting.proofOf(state, wanted.withoutCopies)
  const report = yield* Decommission.dryRun(
    state.vaultName,
    optionsOf(state, wanted, proof, yield* Deleting.priceOf(state.region))
  )
  const { inventory, steps, stops } = report
  yield* result({
    json: {
      type: "summary",
      dryRun: true,
      ...Option.match(inventory, {
        onNone: () => ({ archives: 0, bytes: 0 }),
        onSome: ({ unproven, unprovenBytes, ...listed }) => ({ ...Deleting.jsonOf(listed), unproven, unprovenBytes })
      }),
      stops: stops.map((reason) => ({
        reason: reason._tag,
        message: DecommissionEvent.formatReason(reason, remedies)
      })),
      steps: steps.map(({ at, step }) => ({ step, at: DateTime.formatIso(at) }))
    },
    text: Decommission.format(report, remedies)
  })
})

const confirm = Effect.fnUntraced(function*(
  state: State.VaultState,
  { abortUploads, deleteVault, withoutCopies }: Wanted
) {
  const { describe } = yield* Vault.Vault
  const { lastInventoryDate, numberOfArchives, sizeInBytes } = yield* describe
  const counts = Option.match(lastInventoryDate, {
    onNone: () => "",
    onSome: (date) =>
      `: ${formatCount(Option.getOrElse(numberOfArchives, () => 0), "archive")} (${
        formatBytes(Option.getOrElse(sizeInBytes, () => 0))
      }) in the inventory of ${DateTime.formatIso(date)}, and those that were stored since`
  })
  yield* Confirm.vaultName(
    state,
    `This deletes all archives of the vault ${state.vaultName}${deleteVault ? ", and the vault" : ""}${counts}. ` +
      (abortUploads ? "It aborts all open uploads. " : "") +
      (withoutCopies ? "Archives without a copy are lost" : "Archives without a verified copy are kept")
  )
})

const nextOf = ({ at, step }: DecommissionEvent.Next): string =>
  `next: ${DecommissionEvent.formatStep(step)}, ${DateTime.formatIso(at)}`

const eventOf = (event: DecommissionEvent.Event) => ({
  json: {
    type: "event",
    event: event._tag,
    ...("round" in event ? { round: event.round } : {}),
    ...("next" in event ? { next: event.next.step, at: DateTime.formatIso(event.next.at) } : {}),
    message: DecommissionEvent.format(event)
  },
  text: DecommissionEvent.format(event)
})

const argumentsOf = (wanted: Wanted) => {
  const flags = {
    "--delete-vault": wanted.deleteVault,
    "--without-copies": wanted.withoutCopies,
    "--delete-young": wanted.deleteYoung,
    "--abort-uploads": wanted.abortUploads,
    "--ignore-jobs": wanted.ignoreJobs,
    "--try-denials": wanted.tryDenials
  }
  const given = Object.entries(flags).flatMap(([flag, isGiven]) => isGiven ? [flag] : [])
  return Effect.map(Names.argumentsInUse, (names) => [...given, ...names])
}

/** Runs the decommission to its end, and returns the last event. */
const runAll = Effect.fnUntraced(function*(state: State.VaultState, wanted: Wanted, command: string) {
  const { isJson, note, result } = yield* Output
  const resultOf = Deleting.resultOf(yield* Names.inUse)
  const prove = yield* Deleting.proofOf(state, wanted.withoutCopies)
  const price = yield* Deleting.priceOf(state.region)
  const record = yield* Deleting.makeRecorder(state, "empty")
  let unproven = 0
  const events = (work: Work.Work) => {
    const proof: Deleting.Proof = (archive) =>
      Effect.tap(prove(archive), (proven) =>
        proven
          ? Effect.void
          : work.failed(
            resultOf("unproven", archive, "has no verified copy"),
            ++unproven <= maximumLines
          ))
    return Decommission.run(state.vaultName, {
      ...optionsOf(state, wanted, proof, price),
      onDeleted: (archive) =>
        Effect.zipRight(
          record(archive),
          work.done(archive.size, resultOf("deleted", archive, "deleted"))
        )
    })
  }
  return yield* Work.run(
    state,
    command,
    (work) =>
      Stream.runFoldEffect(events(work), Option.none<DecommissionEvent.Event>(), (_, event) =>
        Effect.gen(function*() {
          if (event._tag === "Planned") {
            const { archives, bytes } = event.listed
            yield* work.update(() => ({ archives: { done: 0, total: archives }, bytes: { done: 0, total: bytes } }))
          }
          yield* work.update(() => ({ wait: "next" in event ? nextOf(event.next) : undefined }))
          // For people, the progress shows it.
          if (isJson) yield* result(eventOf(event))
          else if (event._tag !== "Progress") yield* note(eventOf(event).text)
          return Option.some(event)
        }))
  )
})

const toFailure = (
  { reason, vaultName }: DecommissionEvent.DecommissionStopped
): Effect.Effect<never, SomeFailed | Stopped> => {
  const message = `The vault ${vaultName} is not empty: ${DecommissionEvent.formatReason(reason, remedies)}` +
    (reason._tag === "Unproven" ? `. ${Deleting.aboutCopies}` : "")
  return reason._tag === "Unproven" || reason._tag === "DeletionsFailed"
    ? new SomeFailed({ message })
    : new Stopped({ message })
}

/** The vault, or its folder if an earlier run has deleted it. */
const find = Effect.map(State.online, ({ state, vault }) => ({ state, vault: Option.some(vault) })).pipe(
  Effect.catchTag("VaultNotFound", (error) =>
    Effect.mapBoth(State.offline, {
      onFailure: () => error,
      onSuccess: (state) => ({ state, vault: Option.none<Vault.Service>() })
    }))
)

const empty = (wanted: Wanted) =>
  Effect.gen(function*() {
    const { state, vault } = yield* find
    const work = Effect.gen(function*() {
      if ((yield* Globals.Globals).dryRun) return yield* dryRun(state, wanted)
      if (Option.isSome(vault)) yield* Effect.provideService(confirm(state, wanted), Vault.Vault, vault.value)
      const plan = yield* Plans.begin(state, { kind: "empty", name: "empty", arguments: yield* argumentsOf(wanted) })
      const last = yield* Effect.catchTag(
        runAll(state, wanted, Plans.commandOf(plan)),
        "DecommissionStopped",
        toFailure
      )
      if (Option.exists(last, (last) => last._tag === "VaultKept" && Option.isNone(last.lastInventoryDate))) {
        return yield* new NotReady({
          message:
            `The vault ${state.vaultName} has no inventory yet, so its archives are unknown. Run the command again ` +
            "about a day after the first archive was stored"
        })
      }
      yield* Plans.finish(state, plan)
    })
    yield* work.pipe(Effect.scoped, Effect.provide(NodeCheckpoint.layer(state.checkpoints)))
  }).pipe(Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "empty",
  {
    deleteVault: Options.boolean("delete-vault").pipe(Options.withDescription("Delete the vault once it is empty")),
    withoutCopies: Deleting.withoutCopies,
    deleteYoung: Options.boolean("delete-young").pipe(
      Options.withDescription("Delete archives younger than 90 days, which is billed")
    ),
    abortUploads: Options.boolean("abort-uploads").pipe(Options.withDescription("Abort the open multipart uploads")),
    ignoreJobs: Options.boolean("ignore-jobs").pipe(
      Options.withDescription("Continue although archives are being retrieved, whose outputs are lost")
    ),
    tryDenials: Options.boolean("try-denials").pipe(
      Options.withDescription("Continue although a policy may deny the deletion")
    ),
    globals: Globals.options
  },
  ({ globals, ...wanted }) => CliCommand.withGlobals(globals)(empty(wanted))
).pipe(CliCommand.toProgram({
  description: "Delete all archives of a vault that have a verified copy. This takes days; the same command resumes",
  examples: [
    "effect-glacier empty --vault photos --dry-run",
    "effect-glacier empty --vault photos --delete-vault"
  ]
}))
