/**
 * The stages of a decommission. Each stage is a Stream of events, and the next stage is chosen by the checkpoint and the
 * description of the vault once it has ended. So nothing happens before the consumer has handled the event that announces it.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../../client/GlacierClient.ts"
import * as Waiting from "../../policy/Waiting.ts"
import type { JobFailed } from "../../protocol/GlacierError.ts"
import type { VaultAddress, VaultDescription } from "../../protocol/Vaults.ts"
import type { Checkpoint } from "../../transfer/Checkpoint.ts"
import { DecommissionStopped, Event, type Next, type Reason, type RunError, type Step } from "../DecommissionEvent.ts"
import * as DeletionPlan from "../DeletionPlan.ts"
import type * as Job from "../Job.ts"
import type * as Vault from "../Vault.ts"
import { deleteRound, type Deletion } from "./decommissionDeletion.ts"
import * as DecommissionLog from "./decommissionLog.ts"
import * as Look from "./decommissionLook.ts"

/** A decommission that is running. */
export interface Run<E, R> extends Deletion<E, R>, Look.Choices {
  readonly address: VaultAddress
  /** The time between two descriptions of the vault while an inventory is awaited. */
  readonly every: Duration.Duration
  /** The inventory that the last `Waiting` event was about. */
  announced: string | undefined
  /** Whether the inventory of the last round was empty. */
  foundEmpty: boolean
  /** Whether the last event is emitted, and the vault is kept. */
  isKept: boolean
  /** The number of inventory jobs that were lost. */
  lostJobs: number
}

type Events<E, R> = Stream.Stream<Event, RunError | E, Checkpoint | GlacierClient | R>

const stopped = ({ vault }: { readonly vault: Vault.Service }, [reason]: ReadonlyArray<Reason>) =>
  reason === undefined ? Effect.void : new DecommissionStopped({ vaultName: vault.name, reason })

const nextAt = (step: Step, after: Duration.DurationInput = 0): Effect.Effect<Next> =>
  Effect.map(DateTime.now, (now) => ({ step, at: DateTime.addDuration(now, after) }))

/** The usual end of an inventory job that started at a time. */
const usualEnd = (started: DateTime.Utc): DateTime.Utc => DateTime.add(started, { hours: 4 })

/**
 * How long an inventory that seems older than the last deletion is not used. It is the longest known lag: after that, the clock of
 * this machine is wrong, and the service takes no other inventory of a vault that nobody writes to.
 */
const longestLag = "3 days"

/** Whether an inventory was taken after a deletion. A date in whole seconds counts from the start of its second. */
const isAfter = (inventory: DateTime.Utc, deletion: DateTime.Utc): boolean => {
  const taken = DateTime.toEpochMillis(inventory)
  const deleted = DateTime.toEpochMillis(deletion)
  return taken >= (taken % 1_000 === 0 ? Math.floor(deleted / 1_000) * 1_000 : deleted)
}

/** Chooses what to do next by the last inventory. */
const verdict = Effect.fnUntraced(function*<E, R>(
  { foundEmpty, log: { state } }: Run<E, R>,
  { lastInventoryDate, numberOfArchives }: VaultDescription
) {
  // A vault that was never written to has no inventory and can be deleted. Otherwise the service rejects the request.
  const isEmpty = foundEmpty || Option.isNone(lastInventoryDate) || Option.contains(numberOfArchives, 0)
  if (isEmpty) return "deleteVault"
  const { lastDeletion } = state
  if (lastDeletion === undefined || isAfter(lastInventoryDate.value, lastDeletion)) return "list"
  const isLate = DateTime.lessThan(DateTime.addDuration(lastDeletion, longestLag), yield* DateTime.now)
  return isLate ? "list" : "wait"
})

/** Waits until it is time to describe the vault again. Reports the wait once for each inventory. */
const wait = <E, R>(run: Run<E, R>, { lastInventoryDate }: VaultDescription): Events<E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    const { every, log: { state }, vault } = run
    const date = Option.match(lastInventoryDate, { onNone: () => "none", onSome: DateTime.formatIso })
    const pause = Stream.execute(Effect.sleep(every))
    if (run.announced === date) return pause
    run.announced = date
    const next = yield* nextAt("wait", every)
    const lastDeletion = Option.fromNullable(state.lastDeletion)
    const message =
      `Waiting for the next inventory of vault ${vault.name}. The last one is of ${date}. The service takes ` +
      `an inventory about a day after a change. The next request for its date is at ${DateTime.formatIso(next.at)}`
    const report = Waiting.report({ reason: "inventory", about: vault.name }, message)
    return Stream.concat(
      Stream.succeed(Event.Waiting({ round: state.round, lastInventoryDate, lastDeletion, next })),
      Stream.concat(Stream.execute(report), pause)
    )
  }))

/** Returns the job of this round and its expected end: the recorded job while it can be used, else another that is recorded. */
const requestInventory = Effect.fnUntraced(function*<E, R>({ log: { append, state }, vault }: Run<E, R>) {
  if (state.jobId !== undefined) {
    const job = yield* vault.job(state.jobId)
    const found = yield* job.describe.pipe(
      Effect.asSome,
      Effect.catchTag("JobExpired", () => Effect.succeedNone)
    )
    if (Option.isSome(found) && found.value.statusCode !== "Failed") {
      return { job, ends: Option.getOrElse(found.value.completionDate, () => usualEnd(found.value.creationDate)) }
    }
  }
  // Also finds a job whose id an earlier run could not record. A job that lists an older inventory than a new job is not used.
  const job = yield* vault.retrieveInventory({ reuse: { lasts: "1 hour", maxAge: 0 } }).pipe(
    // When the response was lost, the repetition finds the job in the list.
    Effect.retry({ times: 3, while: ({ _tag }) => _tag === "OutcomeUnknown" })
  )
  yield* append({ _tag: "Requested", round: state.round, jobId: job.id })
  return { job, ends: usualEnd(yield* DateTime.now) }
})

/** Waits for the job, and makes the plan of the archives in its inventory. */
const plan = Effect.fnUntraced(function*<E, R>({ log }: Run<E, R>, job: Job.Service) {
  yield* job.wait()
  const inventory = yield* job.inventory
  yield* DeletionPlan.make(DecommissionLog.planOf(log.name, log.state.round), inventory.archives())
})

/** The number of inventory jobs of a run that may fail or expire before their inventory is read. */
const maximumLostJobs = 3

/** Retrieves the inventory of this round. */
const list = <E, R>(run: Run<E, R>, description: VaultDescription | undefined): Events<E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    const { ends, job } = yield* requestInventory(run)
    const next: Next = { step: "delete", at: DateTime.max(ends, yield* DateTime.now) }
    const again = (error: JobFailed | Effect.Effect.Error<Job.Service["describe"]>) =>
      ++run.lostJobs < maximumLostJobs ? Effect.void : Effect.fail(error)
    return Stream.concat(
      Stream.succeed(Event.InventoryRequested({ round: run.log.state.round, jobId: job.id, next })),
      Stream.execute(Effect.catchTags(plan(run, job), { JobExpired: again, JobFailed: again }))
    )
  })).pipe(
    Stream.catchTag(
      "InventoryNotReady",
      (error) => description === undefined ? Stream.fail(error) : wait(run, description)
    )
  )

/** Aborts uploads that were listed. */
const abortUploads = <E, R>({ vault }: Run<E, R>, uploads: ReadonlyArray<{ readonly uploadId: string }>, step: Step) =>
  Stream.mapEffect(Stream.fromIterable(uploads), ({ uploadId }) =>
    vault.abortUpload(uploadId).pipe(
      Effect.catchTag("UploadNotFound", () => Effect.void),
      Effect.zipRight(nextAt(step)),
      Effect.map((next) => Event.UploadAborted({ uploadId, next }))
    ))

/** Requests the deletion of the vault, or waits if the service does not consider it empty. */
const requestDeletion = Effect.fnUntraced(function*<E, R>(run: Run<E, R>, description: VaultDescription) {
  const { log, vault } = run
  yield* log.append({ _tag: "Deleting" })
  const isDeleted = yield* Effect.as(vault.delete, true).pipe(
    Effect.catchTags({
      // The response to an earlier request was lost.
      VaultNotFound: () => Effect.succeed(true),
      VaultNotEmpty: () => Effect.succeed(false),
      AccessDenied: ({ message, operation }) =>
        Effect.as(stopped(run, [{ _tag: "AccessDenied", operation, message }]), false)
    })
  )
  run.foundEmpty = false
  if (!isDeleted) return wait(run, description)
  yield* log.append({ _tag: "Deleted" })
  yield* DecommissionLog.clearPlans(log.name, log.state.round)
  return Stream.succeed(Event.VaultDeleted({ vaultArn: description.vaultArn, before: false }))
})

/** Deletes the vault, unless an upload or a job has been started meanwhile. */
const deleteVault = <E, R>(run: Run<E, R>, description: VaultDescription): Events<E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    const uploads = yield* Look.openUploads(run.vault)
    const { running } = yield* Look.countJobs(run.vault)
    yield* stopped(run, Look.reasons({ denials: [], runningJobs: running, uploads }, run))
    return Stream.concat(abortUploads(run, uploads, "deleteVault"), Stream.unwrap(requestDeletion(run, description)))
  }))

/** Ends with an empty vault. */
const keepVault = <E, R>(run: Run<E, R>, { lastInventoryDate, vaultArn }: VaultDescription): Events<E, R> =>
  Stream.suspend(() => {
    run.isKept = true
    return Stream.succeed(Event.VaultKept({ vaultArn, lastInventoryDate }))
  })

/** Returns the plan of this round if it is made. */
const findPlan = ({ name, state }: DecommissionLog.DecommissionLog) =>
  state.jobId === undefined ? Effect.succeedNone : DeletionPlan.make(
    DecommissionLog.planOf(name, state.round),
    Stream.fail({ _tag: "NoPlan" as const })
  ).pipe(Effect.asSome, Effect.catchTag("NoPlan", () => Effect.succeedNone))

/** Chooses the next stage. Returns none at the end. */
const nextStage = <E, R>(run: Run<E, R>): Effect.Effect<
  Option.Option<Events<E, R>>,
  RunError,
  Checkpoint | GlacierClient
> =>
  Effect.gen(function*() {
    const { log, vault } = run
    if (log.state.vault === "deleted" || run.isKept) return Option.none()
    const planned = yield* findPlan(log)
    if (Option.isSome(planned)) return Option.some(deleteRound(run, planned.value))
    if (log.state.jobId !== undefined) return Option.some(list(run, undefined))
    const description = yield* vault.describe
    switch (yield* verdict(run, description)) {
      case "deleteVault":
        return Option.some(
          run.emptyVault === "keep" ? keepVault(run, description) : deleteVault(run, description)
        )
      case "list":
        return Option.some(list(run, description))
      case "wait":
        return Option.some(wait(run, description))
    }
  })

/** Emits that a vault was deleted before, if this program has requested it. */
const gone = <E, R>({ log }: Run<E, R>, error: Extract<RunError, { readonly _tag: "VaultNotFound" }>) =>
  Effect.gen(function*() {
    const { vault, vaultArn } = log.state
    if (vaultArn === undefined || vault === "kept") return yield* error
    if (vault === "deleting") yield* log.append({ _tag: "Deleted" })
    return Stream.succeed(Event.VaultDeleted({ vaultArn, before: true }))
  })

/** Runs a decommission from its checkpoint to its end. */
export const events = <E, R>(run: Run<E, R>): Events<E, R> =>
  Stream.unwrap(
    Effect.gen(function*() {
      const { log, vault } = run
      const look = yield* Look.look(vault, run.address)
      yield* DecommissionLog.begin(log, look.vaultArn)
      run.denials = look.denials
      const { jobId, round } = log.state
      yield* DecommissionLog.clearPlans(log.name, round - 1)
      const step = jobId !== undefined || round === 1 ? look.archives === 0 ? run.lastStep : "list" : "wait"
      const stages = Stream.flatten(
        Stream.unfoldEffect(run, (run) => Effect.map(nextStage(run), Option.map((stage) => [stage, run] as const)))
      )
      return Stream.succeed(Event.Checked({ look, next: yield* nextAt(step) })).pipe(
        Stream.concat(Stream.execute(stopped(run, Look.reasons(look, run)))),
        Stream.concat(abortUploads(run, look.uploads, step)),
        Stream.concat(stages)
      )
    }).pipe(Effect.catchTag("VaultNotFound", (error) => gone(run, error)))
  )
