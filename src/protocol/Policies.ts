/**
 * The access policy of a vault, and its lock: a policy that nobody can change once it is locked.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nullable, required } from "./internal/wire.ts"
import { id } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

const isJsonText = (text: string) => Option.isSome(Schema.decodeOption(Schema.parseJson())(text))

/**
 * A policy document as JSON text, at most 20,480 bytes.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PolicyText = Schema.String.pipe(
  Schema.filter((text) => new TextEncoder().encode(text).length <= 20_480 && isJsonText(text), {
    identifier: "PolicyText",
    message: () => "must be a policy document as JSON text of at most 20,480 bytes",
    arbitrary: () => (fc) => fc.json()
  })
)

/**
 * The id of a lock in progress.
 *
 * @since 0.1.0
 * @category schemas
 */
export const LockId = id("LockId")

/**
 * @since 0.1.0
 * @category schemas
 */
export type LockId = typeof LockId.Type

const Policy = Schema.Struct({ policy: required("Policy", Schema.String) })

/** The policy as the only member of the body. */
const policy = Operation.json(Schema.pluck(Schema.Struct({ Policy: PolicyText }), "Policy"))

/**
 * The lock of a vault: a policy in force, which is final once its state is `Locked`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const VaultLock = Schema.Struct({
  creationDate: required("CreationDate", Schema.DateTimeUtc),
  /** The time until which the lock must be completed, 24 hours after it was initiated. None once it is locked. */
  expirationDate: nullable("ExpirationDate", Schema.DateTimeUtc),
  policy: required("Policy", Schema.String),
  state: required("State", Schema.Literal("InProgress", "Locked"))
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type VaultLock = typeof VaultLock.Type

/**
 * Sets the access policy of a vault, and replaces the previous one. See SetVaultAccessPolicy (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const SetVaultAccessPolicy = Operation.make({
  name: "SetVaultAccessPolicy",
  method: "PUT",
  path: "/{accountId}/vaults/{vaultName}/access-policy",
  input: { ...Operation.vault, policy },
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.Serialization, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Gets the access policy of a vault. Fails with `AccessPolicyNotSet` when the vault has none. See GetVaultAccessPolicy
 * (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const GetVaultAccessPolicy = Operation.make({
  name: "GetVaultAccessPolicy",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/access-policy",
  input: Operation.vault,
  success: [200],
  headers: {},
  body: Operation.jsonBody(Policy),
  errors: [ServiceError.AccessPolicyNotSet, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Deletes the access policy of a vault, if it has one. See DeleteVaultAccessPolicy (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const DeleteVaultAccessPolicy = Operation.make({
  name: "DeleteVaultAccessPolicy",
  method: "DELETE",
  path: "/{accountId}/vaults/{vaultName}/access-policy",
  input: Operation.vault,
  success: [204],
  headers: {},
  body: "none",
  errors: [...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Puts a lock policy in force for 24 hours, so that it can be tested and then completed or aborted. Fails with
 * `VaultLockInProgress` while another lock is in progress, and with `VaultLocked` when the lock is final. See
 * InitiateVaultLock (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const InitiateVaultLock = Operation.make({
  name: "InitiateVaultLock",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/lock-policy",
  input: { ...Operation.vault, policy },
  success: [201],
  headers: { lockId: Operation.header("x-amz-lock-id", LockId) },
  body: "none",
  errors: [
    ServiceError.Serialization,
    ServiceError.VaultLockInProgress,
    ServiceError.VaultLocked,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: false,
  lookUp:
    "GetVaultLock tells whether vault {vaultName} has a lock; its id is lost, so abort the lock and initiate another"
})

/**
 * Completes the lock in progress. Nobody can change or remove it afterwards. See CompleteVaultLock (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const CompleteVaultLock = Operation.make({
  name: "CompleteVaultLock",
  method: "POST",
  path: "/{accountId}/vaults/{vaultName}/lock-policy/{lockId}",
  input: { ...Operation.vault, lockId: Operation.path("lockId", LockId) },
  success: [204],
  headers: {},
  body: "none",
  errors: [
    ServiceError.VaultLockNotSet,
    ServiceError.VaultLocked,
    ...ServiceError.vaultMissing,
    ...ServiceError.common
  ],
  repeatable: true
})

/**
 * Gets the lock of a vault. Fails with `VaultLockNotSet` when the vault has none. See GetVaultLock (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const GetVaultLock = Operation.make({
  name: "GetVaultLock",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/lock-policy",
  input: Operation.vault,
  success: [200],
  headers: {},
  body: Operation.jsonBody(VaultLock),
  errors: [ServiceError.VaultLockNotSet, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Aborts the lock in progress, if there is one. Fails with `VaultLocked` when the lock is final. See AbortVaultLock (Amazon
 * Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const AbortVaultLock = Operation.make({
  name: "AbortVaultLock",
  method: "DELETE",
  path: "/{accountId}/vaults/{vaultName}/lock-policy",
  input: Operation.vault,
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.VaultLocked, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})
