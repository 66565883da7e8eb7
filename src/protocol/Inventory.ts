/**
 * The content of a vault's inventory. `InventoryReader` reads the documents.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { required, Seconds } from "./internal/wire.ts"
import { ArchiveId } from "./Names.ts"
import { TreeHash } from "./TreeHash.ts"

/**
 * An archive in an inventory. Dates are exact to the second. `description` is empty when the document has none.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Entry = Schema.Struct({
  archiveId: required("ArchiveId", ArchiveId),
  description: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" }).pipe(
    Schema.fromKey("ArchiveDescription")
  ),
  creationDate: required("CreationDate", Seconds),
  size: required("Size", Schema.NonNegativeInt),
  treeHash: required("SHA256TreeHash", TreeHash)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Entry = typeof Entry.Type

/**
 * The vault and the date of an inventory. A CSV document has neither.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Head = Schema.Struct({
  vaultArn: required("VaultARN", Schema.String),
  inventoryDate: required("InventoryDate", Seconds)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Head = typeof Head.Type

/**
 * A whole inventory as a JSON document: the archives of the vault at `inventoryDate`, not now. Inventories can have
 * gigabytes: `InventoryReader` reads them entry by entry.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Inventory = Schema.Struct({
  ...Head.fields,
  archives: required("ArchiveList", Schema.Array(Entry))
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Inventory = typeof Inventory.Type
