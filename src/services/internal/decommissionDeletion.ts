/**
 * Deletes the archives of a round, and reports the progress.
 *
 * @internal
 */
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { InvalidInput } from "../../protocol/GlacierError.ts"
import type { Entry } from "../../protocol/Inventory.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../../transfer/Checkpoint.ts"
import { DecommissionStopped, type Denial, Event, type Next, type Reason } from "../DecommissionEvent.ts"
import * as DeletionPlan from "../DeletionPlan.ts"
import * as Vault from "../Vault.ts"
import * as DecommissionLog from "./decommissionLog.ts"
import * as Tally from "./decommissionTally.ts"

/** The part of a decommission that deletes archives. */
export interface Deletion<E, R> extends Pick<DeletionPlan.RunOptions<E, R>, "concurrency" | "onDeleted" | "proof"> {
  readonly vault: Vault.Service
  readonly log: DecommissionLog.DecommissionLog
  readonly youngArchives: "stop" | "delete"
  /** The step after an empty inventory. */
  readonly lastStep: "deleteVault" | "keepVault"
  readonly pricePerGiBMonth: number | undefined
  denials: ReadonlyArray<Denial>
  /** Whether the inventory of the last round was empty. */
  foundEmpty: boolean
}

type DeletionError = DecommissionStopped | CheckpointError | CheckpointInUse | InvalidInput

/** The number of archives, and the time, after which progress is reported. */
const batch = { archives: 1_000, time: "1 minute" } as const

interface Counts {
  /** The time at which the last deletion was requested. */
  last: DateTime.Utc | undefined
  deleted: number
  bytes: number
  unproven: { archives: number; bytes: number }
  failed: { archives: number; message: string }
}

const count = (counts: Counts, outcome: DeletionPlan.Outcome): void => {
  switch (outcome._tag) {
    case "Deleted":
      counts.deleted += 1
      counts.bytes += outcome.archive.size
      return
    case "Unproven":
      counts.unproven.archives += 1
      counts.unproven.bytes += outcome.archive.size
      return
    case "Failed":
      counts.failed.archives += 1
      counts.failed.message = outcome.error.message
  }
}

const stop = ({ vault }: { readonly vault: Vault.Service }, reason: Reason) =>
  new DecommissionStopped({ vaultName: vault.name, reason })

/** Estimates when all archives are deleted, at the speed of this run. */
const nextOf = ({ deleted }: Counts, left: number, start: number): Effect.Effect<Next> =>
  Effect.map(DateTime.now, (now) => {
    const elapsed = DateTime.toEpochMillis(now) - start
    return { step: "wait", at: DateTime.add(now, { millis: Math.ceil(elapsed / Math.max(deleted, 1) * left) }) }
  })

/** Tries to delete each archive that is left. Repeats it while some fail and others are deleted. */
const passes = <E, R>(
  deletion: Deletion<E, R>,
  plan: DeletionPlan.Plan,
  counts: Counts
): Stream.Stream<Event, DeletionError | E, Checkpoint | R> =>
  Stream.unwrap(Effect.map(DateTime.now, (date) => {
    const start = DateTime.toEpochMillis(date)
    const deletedBefore = counts.deleted
    counts.unproven = { archives: 0, bytes: 0 }
    counts.failed = { archives: 0, message: "" }
    let seen = 0
    const { concurrency, log, onDeleted, proof, vault } = deletion
    // Also records the time of each deletion, by its request: the service may take an inventory before its response arrives.
    const timed = (archive: Entry): Effect.Effect<boolean, E, R> =>
      Effect.zipLeft(
        proof === undefined ? Effect.succeed(true) : proof(archive),
        Effect.map(DateTime.now, (now) => {
          counts.last = now
        })
      )
    const pass = DeletionPlan.run(plan, { concurrency, onDeleted, proof: timed }).pipe(
      Stream.provideService(Vault.Vault, vault),
      Stream.tap((outcome) => {
        count(counts, outcome)
        seen += 1
        // Thousands of other requests would be denied, too.
        return outcome._tag === "Failed" && outcome.error._tag === "AccessDenied"
          ? stop(deletion, { _tag: "AccessDenied", operation: "DeleteArchive", message: outcome.error.message })
          : Effect.void
      }),
      Stream.groupedWithin(batch.archives, batch.time),
      Stream.filter(Chunk.isNonEmpty),
      Stream.tap(() => counts.last === undefined ? Effect.void : log.append({ _tag: "Progressed", date: counts.last })),
      Stream.mapEffect(() =>
        Effect.map(nextOf(counts, plan.count - seen, start), (next) =>
          Event.Progress({
            round: log.state.round,
            archives: plan.count,
            deleted: counts.deleted,
            bytes: counts.bytes,
            unproven: counts.unproven.archives,
            failed: counts.failed.archives,
            next
          }))
      )
    )
    const again = Stream.suspend(() =>
      counts.failed.archives > 0 && counts.deleted > deletedBefore ? passes(deletion, plan, counts) : Stream.empty
    )
    return Stream.concat(pass, again)
  }))

/** Ends a round, unless archives of it remain. */
const finish = Effect.fnUntraced(function*<E, R>(deletion: Deletion<E, R>, plan: DeletionPlan.Plan, counts: Counts) {
  if (counts.failed.archives > 0) return yield* stop(deletion, { _tag: "DeletionsFailed", ...counts.failed })
  if (counts.unproven.archives > 0) return yield* stop(deletion, { _tag: "Unproven", ...counts.unproven })
  const { append, name, state } = deletion.log
  const { round } = state
  const now = yield* DateTime.now
  yield* append({ _tag: "Emptied", round, archives: plan.count })
  deletion.foundEmpty = plan.count === 0
  yield* DeletionPlan.clear(DecommissionLog.planOf(name, round))
  const next: Next = plan.count === 0
    ? { step: deletion.lastStep, at: now }
    : { step: "wait", at: DateTime.add(now, { days: 1 }) }
  return Event.Emptied({ round, archives: plan.count, next })
})

/** Looks at the archives before the first is deleted. Stops if the options do not allow to delete them. */
const allow = <E, R>(deletion: Deletion<E, R>, plan: DeletionPlan.Plan) =>
  Stream.unwrap(Effect.gen(function*() {
    const { log: { append, state }, pricePerGiBMonth, youngArchives } = deletion
    const { round } = state
    if (state.allowed) return Stream.empty
    const tally = yield* Tally.count(plan.archives, deletion.denials, pricePerGiBMonth)
    const date = yield* DateTime.now
    const next: Next = { step: "delete", at: date }
    const [reason] = Tally.reasons(tally, youngArchives)
    const check: Effect.Effect<void, DeletionError> = reason === undefined
      ? append({ _tag: "Allowed", round, date })
      : stop(deletion, reason)
    return Stream.concat(Stream.succeed(Event.Planned({ round, listed: tally.listed, next })), Stream.execute(check))
  }))

/** Deletes the archives of the plan of this round that are left. */
export const deleteRound = <E, R>(
  deletion: Deletion<E, R>,
  plan: DeletionPlan.Plan
): Stream.Stream<Event, DeletionError | E, Checkpoint | R> => {
  const counts: Counts = {
    last: undefined,
    deleted: 0,
    bytes: 0,
    unproven: { archives: 0, bytes: 0 },
    failed: { archives: 0, message: "" }
  }
  return allow(deletion, plan).pipe(
    Stream.concat(Stream.suspend(() => passes(deletion, plan, counts))),
    Stream.concat(Stream.suspend(() => Stream.fromEffect(finish(deletion, plan, counts))))
  )
}
