/**
 * The checkpoint of a decommission: its round, the inventory job of the round, and the last deletion. The archives of a round
 * are in a plan of their own.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { JobId } from "../../protocol/Names.ts"
import { type Checkpoint, CheckpointError, type CheckpointInUse, clear as clearLog } from "../../transfer/Checkpoint.ts"
import * as DeletionPlan from "../DeletionPlan.ts"
import { openLog } from "./manyArchives.ts"

const Recorded = Schema.Union(
  Schema.TaggedStruct("Began", { vaultArn: Schema.String, date: Schema.DateTimeUtc }),
  /** A job retrieves the inventory of a round. */
  Schema.TaggedStruct("Requested", { round: Schema.Int, jobId: JobId }),
  /** The options allow all deletions of a round. `date` is earlier than the first deletion. */
  Schema.TaggedStruct("Allowed", { round: Schema.Int, date: Schema.DateTimeUtc }),
  /** A part of a round is deleted. `date` is the time of the last deletion. */
  Schema.TaggedStruct("Progressed", { date: Schema.DateTimeUtc }),
  /** All archives of a round are deleted. `archives` is their number. */
  Schema.TaggedStruct("Emptied", { round: Schema.Int, archives: Schema.Int }),
  /** The deletion of the vault is about to be requested. */
  Schema.TaggedStruct("Deleting", {}),
  Schema.TaggedStruct("Deleted", {})
)

const Line = Schema.parseJson(Recorded)

/** The state of a decommission. */
export interface State {
  /** Undefined until the vault is known to exist. */
  vaultArn: string | undefined
  /** The current round; the first is 1. */
  round: number
  /** The job of this round. */
  jobId: JobId | undefined
  /** Whether the options allow the deletions of this round. */
  allowed: boolean
  /**
   * The time of the last deletion of this round. If the program died, later deletions may not be recorded. They can cause
   * repeated deletions, which do no harm. A time that is too late could exclude the last inventory that the service takes.
   */
  deleted: DateTime.Utc | undefined
  /** The time of the last deletion of the rounds before. */
  lastDeletion: DateTime.Utc | undefined
  /** Whether the deletion of the vault was requested, and whether it succeeded. */
  vault: "kept" | "deleting" | "deleted"
}

const initial = (vaultArn?: string): State => ({
  vaultArn,
  round: 1,
  jobId: undefined,
  allowed: false,
  deleted: undefined,
  lastDeletion: undefined,
  vault: "kept"
})

const apply = (state: State, entry: typeof Recorded.Type): void => {
  switch (entry._tag) {
    case "Began":
      return void Object.assign(state, initial(entry.vaultArn))
    case "Requested":
      state.jobId = entry.jobId
      return
    case "Allowed":
      state.allowed = true
      state.deleted = entry.date
      return
    case "Progressed":
      state.deleted = entry.date
      return
    case "Emptied":
      state.round = entry.round + 1
      state.jobId = undefined
      state.allowed = false
      if (entry.archives > 0) state.lastDeletion = state.deleted
      state.deleted = undefined
      return
    case "Deleting":
      state.vault = "deleting"
      return
    case "Deleted":
      state.vault = "deleted"
  }
}

/** The log of a decommission, while it is open. */
export interface DecommissionLog {
  readonly name: string
  readonly state: Readonly<State>
  /** Changes the state once the entry is durable. */
  readonly append: (entry: typeof Recorded.Type) => Effect.Effect<void, CheckpointError>
}

/** Opens the log until the Scope closes. */
export const open = (name: string): Effect.Effect<
  DecommissionLog,
  CheckpointError | CheckpointInUse,
  Checkpoint | Scope.Scope
> =>
  Effect.gen(function*() {
    const state = initial()
    const append = yield* openLog(name, Line, (entry) => apply(state, entry))
    return { name, state, append: (entry) => Effect.map(append(entry), () => apply(state, entry)) }
  })

/** The name of the plan of a round. */
export const planOf = (name: string, round: number): string => `${name}/round ${round}`

/**
 * Records that the decommission of a vault begins, if the log is empty or the vault of that name was deleted before. Fails
 * when the log belongs to another vault.
 */
export const begin = Effect.fnUntraced(function*({ append, name, state }: DecommissionLog, vaultArn: string) {
  if (state.vaultArn === undefined || state.vault === "deleted") {
    return yield* append({ _tag: "Began", vaultArn, date: yield* DateTime.now })
  }
  if (state.vaultArn === vaultArn) return
  return yield* new CheckpointError({
    name,
    problem: `belongs to the vault ${state.vaultArn}, not ${vaultArn}: use another name`
  })
})

/** Removes the plans of a round and of the round before, which a program that died may have left. */
export const clearPlans = Effect.fnUntraced(function*(name: string, round: number) {
  for (const number of [round - 1, round]) if (number > 0) yield* DeletionPlan.clear(planOf(name, number))
})

/** Removes the log and its plans. */
export const clear = Effect.fnUntraced(function*(name: string) {
  yield* Effect.scoped(Effect.flatMap(open(name), ({ state }) => clearPlans(name, state.round)))
  yield* clearLog(name)
})
