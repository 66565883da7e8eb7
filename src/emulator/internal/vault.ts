/**
 * A vault and what is in it, as the emulator remembers them.
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
  /** Empty when there is none, as in inventories. */
  readonly description: string
  readonly createdAt: number
  readonly size: number
  readonly treeHash: TreeHash
  readonly blobs: ReadonlyArray<Event.Blob>
  /** The number of the write that made it. */
  readonly written: number
  /** When it was deleted, and by which write: until the next inventory it is still listed. */
  deleted: { readonly at: number; readonly written: number } | undefined
  /** The jobs that read it and have not expired. */
  jobs: Set<Job> | undefined
}

export interface Upload {
  readonly id: UploadId
  readonly description: string | undefined
  readonly createdAt: number
  readonly partSize: PartSize
  /** By place in the archive. */
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

/** What the last inventory saw: all writes up to the number `written`. */
export interface Inventory {
  readonly at: number
  readonly written: number
  readonly archives: number
  readonly bytes: number
}

export interface Vault {
  readonly arn: string
  readonly name: string
  readonly createdAt: number
  /** In the order of their creation; deleted ones stay until no inventory shows them. */
  readonly archives: Map<ArchiveId, Archive>
  readonly uploads: SortedMap<string, Upload>
  readonly jobs: SortedMap<string, Job>
  /** The number of writes so far: archives stored and deleted. */
  written: number
  /** Archives not deleted, and their bytes. */
  count: number
  bytes: number
  inventory: Inventory | undefined
  nextInventoryAt: number | undefined
  /** Deleted archives that the last inventory still shows. */
  deletedButListed: Array<Archive>
  /** Tags and policies. */
  readonly settings: Settings
  /** Nothing expires before this time. */
  nextExpiryAt: number
}
