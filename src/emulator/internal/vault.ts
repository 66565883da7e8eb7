/**
 * The state of a vault: its archives, uploads, jobs and last inventory. Times are epoch milliseconds.
 *
 * @internal
 */
import type { ArchiveId, JobId, PartSize, UploadId } from "../../protocol/Names.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import type * as Event from "./event.ts"
import type { SortedMap } from "./sortedMap.ts"
import type { Settings } from "./vaultSettings.ts"

export interface Archive {
  readonly id: ArchiveId
  /** The description. An archive without one has an empty text, as in inventories. */
  readonly description: string
  readonly createdAt: number
  readonly size: number
  readonly treeHash: TreeHash
  readonly blobs: ReadonlyArray<Event.Blob>
  /** The number of the write that stored the archive. */
  readonly writeNumber: number
  /** When and by which write the archive was deleted. Until the next inventory it is still listed. */
  deleted: { readonly at: number; readonly writeNumber: number } | undefined
  /** The retrievals of the archive that have not expired. */
  jobs: Set<Job> | undefined
}

export interface Upload {
  readonly id: UploadId
  readonly description: string | undefined
  readonly createdAt: number
  readonly partSize: PartSize
  /** The parts by their index in the archive. */
  parts: SortedMap<number, Event.Blob>
  expiresAt: number
  outcome:
    | { readonly _tag: "Open" }
    | { readonly _tag: "Aborted" }
    | { readonly _tag: "Completed"; readonly archiveId: ArchiveId; readonly treeHash: TreeHash; readonly size: number }
}

export interface Job {
  readonly id: JobId
  readonly createdAt: number
  readonly completesAt: number
  readonly expiresAt: number
  readonly description: string | undefined
  readonly snsTopic: string | undefined
  readonly task:
    | { readonly _tag: "Archive"; readonly archive: Archive; readonly retrieval: typeof Event.ArchiveRetrieval.Type }
    | { readonly _tag: "Inventory"; readonly retrieval: typeof Event.InventoryRetrieval.Type }
}

/** An inventory: the archives after the write `lastWrite`. */
export interface Inventory {
  readonly at: number
  readonly lastWrite: number
  readonly archives: number
  readonly bytes: number
}

export interface Vault {
  readonly arn: string
  readonly name: string
  readonly createdAt: number
  /** The archives in the order of their creation. Deleted archives stay until the last inventory does not list them. */
  readonly archives: Map<ArchiveId, Archive>
  readonly uploads: SortedMap<string, Upload>
  readonly jobs: SortedMap<string, Job>
  /** The number of the last write. Each archive that is stored or deleted is a write. */
  lastWrite: number
  /** The number of archives that are not deleted. */
  count: number
  /** The size of the archives that are not deleted. */
  bytes: number
  /** The last inventory. */
  inventory: Inventory | undefined
  /** When the inventory lag ends and the next inventory is taken. Undefined when nothing was written since the last. */
  nextInventoryAt: number | undefined
  /** The deleted archives that the last inventory lists. */
  deletedButListed: Array<Archive>
  readonly settings: Settings
  /** The earliest time at which a job, an upload or a lock may expire. */
  nextExpiryAt: number
}
