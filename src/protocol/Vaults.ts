/**
 * The operations on vaults.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { nullable, required } from "./internal/wire.ts"
import { VaultName } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

/**
 * The name of a vault, and its owner if that is not the account of the credentials.
 *
 * @since 0.1.0
 * @category models
 */
export interface VaultAddress {
  readonly vaultName: string
  readonly accountId?: string | undefined
}

/**
 * The description of a vault, as DescribeVault and ListVaults return it. Its counts are those of the last inventory, about a
 * day old. `sizeInBytes` includes the service's overhead for each archive.
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
 * A page of ListVaults. `marker` is the start of the next page.
 *
 * @since 0.1.0
 * @category schemas
 */
export const VaultPage = Schema.Struct({
  marker: nullable("Marker", Schema.String),
  vaults: required("VaultList", Schema.Array(VaultDescription))
})

/**
 * Creates a vault. Does nothing if it exists. See CreateVault (Amazon Glacier API Reference).
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
 * Describes a vault as of its last inventory. See DescribeVault (Amazon Glacier API Reference).
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
 * Lists the vaults of an account in the region of the endpoint by name, at most 10 at a time. See ListVaults (Amazon Glacier
 * API Reference).
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
 * Deletes a vault. It must be empty in its last inventory, and unchanged since. A vault that does not exist counts as deleted.
 * See DeleteVault (Amazon Glacier API Reference).
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
