/**
 * The errors of commands, besides those of the package, and the exit code of each error.
 *
 * | code | meaning |
 * |---|---|
 * | 0 | done |
 * | 1 | failed |
 * | 2 | a mistake in the arguments |
 * | 3 | some archives or files failed, the others are done |
 * | 8 | more than the budget permits |
 * | 11 | another process uses the files |
 * | 75 | not ready yet: run the command again later |
 * | 130 | interrupted |
 * | 141 | the reader of stdout has ended |
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"

/**
 * An argument or option is missing or invalid.
 *
 * @since 0.1.0
 * @category errors
 */
export class Usage extends Data.TaggedError("Usage")<{ readonly message: string }> {}

/**
 * Some archives or files failed. The command has printed each of them.
 *
 * @since 0.1.0
 * @category errors
 */
export class SomeFailed extends Data.TaggedError("SomeFailed")<{ readonly message: string }> {}

/**
 * The service needs hours for the next step. Run the command again later.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotReady extends Data.TaggedError("NotReady")<{ readonly message: string }> {}

/**
 * The user has not confirmed, so nothing was changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotConfirmed extends Data.TaggedError("NotConfirmed")<{ readonly message: string }> {}

/**
 * The retrievals that are left do not fit in the budget, now or later.
 *
 * @since 0.1.0
 * @category errors
 */
export class OverBudget extends Data.TaggedError("OverBudget")<{ readonly message: string }> {}

/**
 * Another process uses the ledger of the budget.
 *
 * @since 0.1.0
 * @category errors
 */
export class InUse extends Data.TaggedError("InUse")<{ readonly message: string }> {}

/**
 * The state folder does not have what the command needs, or cannot be read or written.
 *
 * @since 0.1.0
 * @category errors
 */
export class StateError extends Data.TaggedError("StateError")<{ readonly message: string }> {}

/**
 * The region or account does not have the vault, but another one has.
 *
 * @since 0.1.0
 * @category errors
 */
export class VaultElsewhere extends Data.TaggedError("VaultElsewhere")<{ readonly message: string }> {}

/**
 * Any error of a command.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  readonly _tag: string
  readonly message: string
}

const codes: Readonly<Record<string, number>> = {
  Usage: 2,
  InvalidInput: 2,
  SomeFailed: 3,
  BudgetExceeded: 8,
  OverBudget: 8,
  CheckpointInUse: 11,
  FileInUse: 11,
  InUse: 11,
  NotReady: 75,
  InventoryNotReady: 75,
  JobRunning: 75
}

/**
 * Returns the exit code for an error.
 *
 * @since 0.1.0
 * @category getters
 */
export const exitCodeOf = (error: unknown): number =>
  Predicate.hasProperty(error, "_tag") ? codes[String(error._tag)] ?? 1 : 1
