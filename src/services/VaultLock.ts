/**
 * The lock of a vault: a policy that nobody can change once it is completed. The service first puts the policy in force for 24
 * hours, in which it can be tested, and then completed or aborted. A lock begun here is aborted when its Scope closes, unless it
 * was completed.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../client/GlacierClient.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import { type InvalidInput, show } from "../protocol/GlacierError.ts"
import { check } from "../protocol/InputCheck.ts"
import * as Limits from "../protocol/Limits.ts"
import { AccountId, VaultName } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import * as Policies from "../protocol/Policies.ts"
import type { VaultLockNotSet } from "../protocol/ServiceError.ts"
import { Checkpoint, CheckpointError, type CheckpointInUse, type Log } from "../transfer/Checkpoint.ts"
import type { Failure } from "../transport/Method.ts"
import { capture } from "./internal/builtContext.ts"
import * as PolicyMeaning from "./internal/policyMeaning.ts"

/**
 * The 24 hours of a lock have passed: its policy is no longer in force. Begin another.
 *
 * @since 0.1.0
 * @category errors
 */
export class LockExpired extends errorClass<LockExpired>()("LockExpired", {
  vaultName: VaultName,
  lockId: Policies.LockId,
  expires: Schema.DateTimeUtc
}) {
  override get message(): string {
    return `The lock ${this.lockId} of vault ${this.vaultName} expired at ${DateTime.formatIso(this.expires)}: ` +
      "begin another, and complete it within 24 hours"
  }
}

/**
 * The vault no longer has this lock, although it has not expired: it was aborted, or replaced by another with another policy or
 * from another time. This lock was not completed.
 *
 * @since 0.1.0
 * @category errors
 */
export class LockReplaced extends errorClass<LockReplaced>()("LockReplaced", {
  vaultName: VaultName,
  lockId: Policies.LockId,
  /** The lock that the vault has instead. */
  found: Schema.Option(Schema.Struct({ policy: Schema.String, creationDate: Schema.DateTimeUtc }))
}) {
  override get message(): string {
    return `The vault ${this.vaultName} no longer has the lock ${this.lockId}: another program ${
      Option.match(this.found, {
        onNone: () => "aborted it",
        onSome: ({ creationDate, policy }) =>
          `began another at ${DateTime.formatIso(creationDate)} with the policy ${show(policy)}`
      })
    }`
  }
}

type Failures<Name extends keyof typeof operations> = Failure<(typeof operations)[Name]>

type GetError = Exclude<Failures<"getVaultLock">, VaultLockNotSet>

/**
 * The errors of a lock in progress: it is gone, or the service cannot be asked.
 *
 * @since 0.1.0
 * @category errors
 */
export type VerifyError = GetError | LockExpired | LockReplaced

/**
 * The errors of completing a lock.
 *
 * @since 0.1.0
 * @category errors
 */
export type CompleteError = VerifyError | Failures<"completeVaultLock"> | CheckpointError

/**
 * The errors of beginning a lock.
 *
 * @since 0.1.0
 * @category errors
 */
export type BeginError =
  | InvalidInput
  | GetError
  | Failures<"initiateVaultLock">
  | Failures<"abortVaultLock">
  | LockExpired
  | LockReplaced
  | CheckpointError
  | CheckpointInUse

/**
 * A lock in progress.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lock {
  readonly lockId: Policies.LockId
  /** The policy in force, as the service returns it. */
  readonly policy: string
  /** The time until which the lock can be completed: 24 hours after it was begun. */
  readonly expires: DateTime.Utc
  /**
   * Runs a test of the policy, such as a deletion that must be denied. Before and after the test it verifies that the vault
   * still has this lock. Fails with `LockExpired` or `LockReplaced` when it has not: then the test shows nothing.
   */
  readonly test: <A, E, R>(test: Effect.Effect<A, E, R>) => Effect.Effect<A, E | VerifyError, R>
  /**
   * Completes the lock: nobody can change or remove the policy afterwards. First verifies that the vault still has this lock, so
   * that what was tested is what becomes final. See CompleteVaultLock (Amazon Glacier API Reference).
   */
  readonly complete: Effect.Effect<void, CompleteError>
}

/**
 * Options of a lock.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The owner of the vault, if it is not the account of the credentials. */
  readonly accountId?: string | undefined
  /**
   * The fate of a lock that is not completed when the Scope closes: `abort` (the default), or `keep`, so that a later `begin`
   * with the same policy resumes it.
   */
  readonly onClose?: "abort" | "keep" | undefined
}

/** A lock that this program has begun, or may have begun: an entry of the checkpoint, of which the last one counts. */
const Own = Schema.Struct({
  policy: Schema.String,
  /** The time of the request by the clock of this machine. */
  at: Schema.DateTimeUtc,
  /** The id. It is missing while the response is: then the lock can only be aborted. */
  lockId: Schema.optional(Policies.LockId),
  /** The time at which the lock began, by the service. */
  creationDate: Schema.optional(Schema.DateTimeUtc)
})

type Own = typeof Own.Type

const Entry = Schema.parseJson(Own)

const encode = Schema.encodeSync(Entry)

/** The time in which a lock must be completed. */
const lifetime = Duration.millis(Limits.lifetimeMillis)

/** The most by which the clock of this machine may be ahead of that of the service. */
const clockError = Duration.minutes(15)

/**
 * Whether the lock that a vault has is our own. The service aborts whatever lock the vault has, so its policy and its time must
 * fit before that.
 */
const isOwn = ({ at, creationDate, policy }: Own, found: Policies.VaultLock): boolean =>
  PolicyMeaning.isSame(policy, found.policy) && (creationDate === undefined
    ? DateTime.greaterThanOrEqualTo(found.creationDate, DateTime.subtractDuration(at, clockError))
    : DateTime.Equivalence(found.creationDate, creationDate))

interface Address {
  readonly vaultName: VaultName
  readonly accountId: AccountId | undefined
}

/** A vault whose lock this program holds: with its checkpoint open, nobody else on this machine does. */
interface Held {
  readonly vault: Address
  readonly log: Log
  /** The lock that is aborted when the Scope closes. */
  own: Own | undefined
}

const addressOf = Effect.fnUntraced(function*(vaultName: string, accountId: string | undefined) {
  const address: Address = {
    vaultName: yield* check("lock", "vaultName", VaultName, vaultName),
    accountId: yield* check("lock", "accountId", Schema.UndefinedOr(AccountId), accountId)
  }
  return address
})

/** Opens the checkpoint. `own` is then the lock that an earlier run has begun, and neither completed nor aborted. */
const open = Effect.fnUntraced(function*(
  vault: Address
): Effect.fn.Return<Held, CheckpointError | CheckpointInUse, Checkpoint | Scope.Scope> {
  const name = `lock of vault ${vault.vaultName}`
  const log = yield* Effect.flatMap(Checkpoint, (store) => store.open(name))
  const last = yield* Effect.catchTag(
    Stream.runLast(Stream.mapEffect(log.entries, Schema.decode(Entry))),
    "ParseError",
    () => new CheckpointError({ name, problem: "belongs to other work" })
  )
  return { vault, log, own: Option.getOrUndefined(last) }
})

const note = (held: Held, own: Own) => {
  held.own = own
  return held.log.append(encode(own))
}

/** The lock that the vault has. */
const current = (vault: Address): Effect.Effect<Option.Option<Policies.VaultLock>, GetError, GlacierClient> =>
  Effect.flatMap(GlacierClient, (glacier) => glacier.getVaultLock(vault)).pipe(
    Effect.asSome,
    Effect.catchTag("VaultLockNotSet", () => Effect.succeedNone)
  )

/** Aborts the lock that the vault has, if it is our own and in progress, and forgets it. */
const abort = Effect.fnUntraced(function*(held: Held) {
  const { log, own, vault } = held
  if (own === undefined) return
  const glacier = yield* GlacierClient
  const found = yield* current(vault)
  if (Option.exists(found, (found) => found.state === "InProgress" && isOwn(own, found))) {
    yield* glacier.abortVaultLock(vault)
  }
  yield* log.clear
  held.own = undefined
})

/** Aborts a lock that was not completed. Logs a warning when it may still be in progress: then the next run finds it. */
const release = (held: Held) =>
  abort(held).pipe(
    Effect.interruptible,
    Effect.timeout("15 seconds"),
    Effect.catchAllCause((cause) =>
      Effect.logWarning(
        `The lock of vault ${held.vault.vaultName} may still be in progress: it could not be aborted (${
          String(Cause.squash(cause))
        })`
      )
    )
  )

/** How often a lock is begun again after its response was lost. */
const maximumLosses = 3

/** A lock whose id is known. */
type Begun = Own & { readonly lockId: Policies.LockId }

/** Returns the lock that an earlier run has begun, if the vault still has it and it has this policy. */
const findBegun = Effect.fnUntraced(function*({ own, vault }: Held, policy: string) {
  if (own?.lockId === undefined || !PolicyMeaning.isSame(policy, own.policy)) return Option.none<Begun>()
  const begun: Begun = { ...own, lockId: own.lockId }
  return Option.map(Option.filter(yield* current(vault), (found) => isOwn(own, found)), () => begun)
})

/**
 * Begins a lock. The service returns the id only once, so it is stored before anything else happens. When the response is lost, the
 * lock that the request may have begun is aborted, and another one is begun.
 */
const initiate = (held: Held, policy: string, losses = 0): Effect.Effect<Begun, BeginError, GlacierClient> =>
  Effect.gen(function*() {
    const { vault } = held
    const glacier = yield* GlacierClient
    const own: Own = { policy, at: yield* DateTime.now }
    yield* note(held, own)
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.tap(
        Effect.map(
          restore(glacier.initiateVaultLock({ ...vault, policy })),
          ({ lockId }): Begun => ({ ...own, lockId })
        ),
        (begun) => note(held, begun)
      )
    ).pipe(
      Effect.catchIf(
        (error) => error._tag === "OutcomeUnknown" && losses < maximumLosses,
        () => Effect.zipRight(abort(held), initiate(held, policy, losses + 1))
      )
    )
  })

/** Returns the lock that the vault has. Fails unless it is this one. */
const verify = Effect.fnUntraced(function*(vault: Address, own: Begun) {
  const { vaultName } = vault
  const found = yield* current(vault)
  if (Option.isSome(found) && isOwn(own, found.value)) return found.value
  const expires = DateTime.addDuration(own.creationDate ?? own.at, lifetime)
  const { lockId } = own
  return yield* DateTime.greaterThanOrEqualTo(yield* DateTime.now, expires)
    ? new LockExpired({ vaultName, lockId, expires })
    : new LockReplaced({ vaultName, lockId, found })
})

/** Makes the lock that the caller tests and completes. */
const toLock = Effect.fnUntraced(function*(held: Held, begun: Begun) {
  const { lockId } = begun
  const { log, vault } = held
  const { creationDate, policy } = yield* verify(vault, begun)
  const own = { ...begun, creationDate }
  yield* note(held, own)
  const run = yield* capture
  const verified = run.effect(verify(vault, own))
  const complete = Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const { state } = yield* verified
    if (state === "InProgress") yield* glacier.completeVaultLock({ ...vault, lockId })
    held.own = undefined
    yield* log.clear
  })
  const lock: Lock = {
    lockId,
    policy,
    expires: DateTime.addDuration(creationDate, lifetime),
    test: (test) => Effect.zipRight(verified, Effect.zipLeft(test, verified)),
    complete: run.effect(complete)
  }
  return lock
})

/**
 * Begins the lock of a vault with a policy, which is in force at once. When the Scope closes, the lock is aborted, unless it was
 * completed or is to be kept (`onClose`).
 *
 * The id of the lock is stored in the checkpoint `lock of vault NAME`. If a program dies, its next run resumes the lock if it has
 * the same policy, and otherwise aborts it. Policies are compared by their meaning, not as texts.
 *
 * Fails with
 *
 * - `InvalidInput` when the name or the policy is invalid;
 * - `VaultLockInProgress` when another program has begun a lock, and `VaultLocked` when the vault has a final one;
 * - `CheckpointInUse` while another user of the checkpoint store holds the lock of this vault.
 *
 * See InitiateVaultLock (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { Checkpoint, Vault, VaultLock } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // Archives cannot be deleted for a year
 * const policy = JSON.stringify({
 *   Version: "2012-10-17",
 *   Statement: [{
 *     Effect: "Deny",
 *     Principal: "*",
 *     Action: "glacier:DeleteArchive",
 *     Resource: "arn:aws:glacier:us-east-1:123456789012:vaults/records",
 *     Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": "365" } }
 *   }]
 * })
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   const archive = "the id of an archive that may be deleted if the policy is wrong"
 *   const lock = yield* VaultLock.begin("records", policy)
 *   // Fails, and so aborts the lock, if the archive can be deleted
 *   yield* lock.test(Effect.flip(vault.deleteArchive(archive)))
 *   yield* lock.complete
 * }).pipe(Effect.scoped, Effect.provide(Checkpoint.layerMemory))
 */
export const begin: (
  vaultName: string,
  policy: string,
  options?: Options
) => Effect.Effect<Lock, BeginError, GlacierClient | Checkpoint | Scope.Scope> = Effect.fn("VaultLock.begin")(
  function*(vaultName, policy, { accountId, onClose = "abort" } = {}) {
    const vault = yield* addressOf(vaultName, accountId)
    yield* check("lock", "policy", Policies.PolicyText, policy)
    const held = yield* open(vault)
    const begun = yield* findBegun(held, policy)
    // Not earlier: a call that fails before this leaves the lock of an earlier run as it is.
    if (onClose === "abort") yield* Effect.addFinalizer(() => release(held))
    if (Option.isSome(begun)) return yield* toLock(held, begun.value)
    yield* abort(held)
    return yield* toLock(held, yield* initiate(held, policy))
  }
)

/**
 * Resumes a lock in progress by its id, for instance one that another program has begun. Its policy is the one that the vault
 * has. Fails with `VaultLockNotSet` when the vault has no lock. By default, the lock is kept when the Scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resume: (
  vaultName: string,
  lockId: string,
  options?: Options
) => Effect.Effect<Lock, BeginError | VaultLockNotSet, GlacierClient | Checkpoint | Scope.Scope> = Effect.fn(
  "VaultLock.resume"
)(
  function*(vaultName, lockId, { accountId, onClose = "keep" } = {}) {
    const glacier = yield* GlacierClient
    const vault = yield* addressOf(vaultName, accountId)
    const id = yield* check("lock", "lockId", Policies.LockId, lockId)
    const held = yield* open(vault)
    const { creationDate, policy } = yield* glacier.getVaultLock(vault)
    if (onClose === "abort") yield* Effect.addFinalizer(() => release(held))
    return yield* toLock(held, { policy, at: creationDate, creationDate, lockId: id })
  }
)

/**
 * Finds the lock in progress that an earlier run has begun, by its id in the checkpoint. Returns none if the checkpoint has no id.
 * Fails with `LockExpired` or `LockReplaced` when the vault no longer has this lock. By default, the lock is kept when the Scope
 * closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const find: (
  vaultName: string,
  options?: Options
) => Effect.Effect<Option.Option<Lock>, BeginError, GlacierClient | Checkpoint | Scope.Scope> = Effect.fn(
  "VaultLock.find"
)(
  function*(vaultName, { accountId, onClose = "keep" } = {}) {
    const held = yield* open(yield* addressOf(vaultName, accountId))
    const { own } = held
    if (own?.lockId === undefined) return Option.none()
    if (onClose === "abort") yield* Effect.addFinalizer(() => release(held))
    return Option.some(yield* toLock(held, { ...own, lockId: own.lockId }))
  }
)
