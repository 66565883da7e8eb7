/**
 * The operations on vaults (spec section 12.1).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { nullable, required } from "./internal/wire.ts"
import { VaultName } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

/**
 * A vault, and its owner when that is not the account of the credentials.
 *
 * @since 0.1.0
 * @category models
 */
export interface VaultAddress {
  readonly vaultName: string
  readonly accountId?: string | undefined
}

/**
 * A vault as DescribeVault and ListVaults show it. Its counts are those of the last inventory, about a day old, and
 * `sizeInBytes` includes the service's overhead for each archive.
 *
 * @since 0.1.0
 * @category schemas
 */
export const VaultDescription = Schema.Struct({
  creationDate: required("CreationDate", Schema.DateTimeUtc),
  /** None until the first inventory. */
  lastInventoryDate: nullable("LastInventoryDate", Schema.DateTimeUtc),
  numberOfArchives: nullable("NumberOfArchives", Schema.NonNegativeInt),
  sizeInBytes: nullable("SizeInBytes", Schema.NonNegativeInt),
  vaultArn: required("VaultARN", Schema.String),
  vaultName: required("VaultName", VaultName)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type VaultDescription = typeof VaultDescription.Type

/**
 * A page of ListVaults; `marker` leads to the next.
 *
 * @since 0.1.0
 * @category schemas
 */
export const VaultPage = Schema.Struct({
  marker: nullable("Marker", Schema.String),
  vaults: required("VaultList", Schema.Array(VaultDescription))
})

/**
 * Creates a vault. Creating it again changes nothing.
 *
 * @since 0.1.0
 * @category operations
 */
export const CreateVault = Operation.make({
  name: "CreateVault",
  method: "PUT",
  path: "/{accountId}/vaults/{vaultName}",
  input: Operation.vault,
  success: [201],
  headers: { location: Operation.optionalHeader("location", Schema.String) },
  body: "none",
  errors: [ServiceError.LimitExceeded, ...ServiceError.common],
  repeatable: true
})

/**
 * Describes a vault as of its last inventory.
 *
 * @since 0.1.0
 * @category operations
 */
export const DescribeVault = Operation.make({
  name: "DescribeVault",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}",
  input: Operation.vault,
  success: [200],
  headers: {},
  body: Operation.jsonBody(VaultDescription),
  errors: [...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true,
  echoes: ["vaultName"]
})

/**
 * Lists the vaults of an account in the endpoint's region by name, at most 10 at a time.
 *
 * @since 0.1.0
 * @category operations
 */
export const ListVaults = Operation.make({
  name: "ListVaults",
  method: "GET",
  path: "/{accountId}/vaults",
  input: { accountId: Operation.vault.accountId, ...Operation.paging },
  success: [200],
  headers: {},
  body: Operation.jsonBody(VaultPage),
  errors: [ServiceError.ResourceNotFound, ...ServiceError.common],
  repeatable: true
})

/**
 * Deletes a vault that its last inventory shows empty and that was not written to since. A vault that is not there
 * counts as deleted.
 *
 * @since 0.1.0
 * @category operations
 */
export const DeleteVault = Operation.make({
  name: "DeleteVault",
  method: "DELETE",
  path: "/{accountId}/vaults/{vaultName}",
  input: Operation.vault,
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.VaultNotEmpty, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})
