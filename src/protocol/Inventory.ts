/**
 * What an inventory of a vault says (spec section 14.1). `InventoryReader` reads the documents it comes in.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { required, Seconds } from "./internal/wire.ts"
import { ArchiveId } from "./Names.ts"
import { TreeHash } from "./TreeHash.ts"

/**
 * An archive as an inventory lists it. Dates are to the second; `description` is empty when there is none, also where
 * the document has null or no description at all.
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
 * Of which vault an inventory is, and of when. A document in CSV does not say it.
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
 * A whole inventory as a document in JSON: what was in the vault on `inventoryDate`, not what is in it now. There are
 * inventories of GBs: `InventoryReader` reads one entry by entry.
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
