/**
 * The events that change the state, each a line of the journal. An event contains all dates and ids, so that a replay
 * does not depend on the emulator's options. Times are epoch milliseconds. `vault` is an ARN.
 *
 * @internal
 */
import * as Schema from "effect/Schema"
import { CapacityId } from "../../protocol/Accounts.ts"
import * as Jobs from "../../protocol/Jobs.ts"
import { ArchiveId, JobId, PartSize, UploadId } from "../../protocol/Names.ts"
import { NotificationEvent } from "../../protocol/Notifications.ts"
import { LockId } from "../../protocol/Policies.ts"
import { Tags } from "../../protocol/Tags.ts"
import { TreeHash } from "../../protocol/TreeHash.ts"

// Stays a text, as in the journal: few are ever decoded, and a million byte arrays take much time and memory.
const Base64 = Schema.String.pipe(
  Schema.filter((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
)

/** Stored bytes: their id in the store of blobs, and the digests of their MiBs, 32 bytes each. One MiB has no `leaves`. */
export const Blob = Schema.Struct({
  id: Schema.String,
  size: Schema.NonNegativeInt,
  treeHash: TreeHash,
  leaves: Schema.optional(Base64)
})

export type Blob = typeof Blob.Type

const common = { at: Schema.Number, vault: Schema.String }

export const VaultCreated = Schema.TaggedStruct("VaultCreated", common)

export const VaultDeleted = Schema.TaggedStruct("VaultDeleted", common)

export const ArchiveStored = Schema.TaggedStruct("ArchiveStored", {
  ...common,
  archiveId: ArchiveId,
  description: Schema.optional(Schema.String),
  blob: Blob,
  /** When the next inventory is taken, unless an earlier one is due. */
  inventoryAt: Schema.Number
})

export const ArchiveDeleted = Schema.TaggedStruct("ArchiveDeleted", {
  ...common,
  archiveId: ArchiveId,
  inventoryAt: Schema.Number
})

/** An inventory taken on request, without the inventory lag. */
export const InventoryTaken = Schema.TaggedStruct("InventoryTaken", common)

export const UploadInitiated = Schema.TaggedStruct("UploadInitiated", {
  ...common,
  uploadId: UploadId,
  description: Schema.optional(Schema.String),
  partSize: PartSize,
  expiresAt: Schema.Number
})

export const PartStored = Schema.TaggedStruct("PartStored", {
  ...common,
  uploadId: UploadId,
  index: Schema.NonNegativeInt,
  blob: Blob,
  /** When the upload expires after this part. */
  expiresAt: Schema.Number
})

export const UploadAborted = Schema.TaggedStruct("UploadAborted", { ...common, uploadId: UploadId })

/** The parts of an upload, in the order of their bytes, became an archive. */
export const UploadCompleted = Schema.TaggedStruct("UploadCompleted", {
  ...common,
  uploadId: UploadId,
  archiveId: ArchiveId,
  treeHash: TreeHash,
  inventoryAt: Schema.Number
})

/** A retrieval of bytes `start` to `end` of an archive. Has a `treeHash` if one node of the hash tree spans them. */
export const ArchiveRetrieval = Schema.TaggedStruct("ArchiveRetrieval", {
  archiveId: ArchiveId,
  start: Schema.NonNegativeInt,
  end: Schema.NonNegativeInt,
  tier: Jobs.Tier,
  treeHash: Schema.optional(TreeHash)
})

/** An inventory, written when the job was initiated. `next` is the marker for the job with the rest of the list. */
export const InventoryRetrieval = Schema.TaggedStruct("InventoryRetrieval", {
  format: Jobs.InventoryFormat,
  startDate: Schema.optional(Schema.Number),
  endDate: Schema.optional(Schema.Number),
  limit: Schema.optional(Schema.Number),
  next: Schema.optional(Schema.String),
  blob: Schema.String,
  size: Schema.NonNegativeInt
})

export const JobInitiated = Schema.TaggedStruct("JobInitiated", {
  ...common,
  jobId: JobId,
  completesAt: Schema.Number,
  /** When the job and its output are removed. */
  expiresAt: Schema.Number,
  description: Schema.optional(Schema.String),
  snsTopic: Schema.optional(Schema.String),
  task: Schema.Union(ArchiveRetrieval, InventoryRetrieval)
})

export const TagsAdded = Schema.TaggedStruct("TagsAdded", {
  ...common,
  tags: Tags
})

export const TagsRemoved = Schema.TaggedStruct("TagsRemoved", { ...common, keys: Schema.Array(Schema.String) })

export const NotificationsSet = Schema.TaggedStruct("NotificationsSet", {
  ...common,
  events: Schema.Array(NotificationEvent),
  snsTopic: Schema.String
})

export const NotificationsDeleted = Schema.TaggedStruct("NotificationsDeleted", common)

/** The access policy of a vault, as the unchanged text of the request. */
export const AccessPolicySet = Schema.TaggedStruct("AccessPolicySet", { ...common, policy: Schema.String })

export const AccessPolicyDeleted = Schema.TaggedStruct("AccessPolicyDeleted", common)

export const LockInitiated = Schema.TaggedStruct("LockInitiated", {
  ...common,
  lockId: LockId,
  policy: Schema.String,
  expiresAt: Schema.Number
})

export const LockCompleted = Schema.TaggedStruct("LockCompleted", common)

export const LockAborted = Schema.TaggedStruct("LockAborted", common)

/** An event that changes the settings of a vault. */
export const SettingsChanged = Schema.Union(
  TagsAdded,
  TagsRemoved,
  NotificationsSet,
  NotificationsDeleted,
  AccessPolicySet,
  AccessPolicyDeleted,
  LockInitiated,
  LockCompleted,
  LockAborted
)

/** `place` is an account in a region, as the ARN of its vaults up to their names, or else an account id: all regions. */
const account = { at: Schema.Number, place: Schema.String }

export const RetrievalPolicySet = Schema.TaggedStruct("RetrievalPolicySet", {
  ...account,
  strategy: Schema.Literal("BytesPerHour", "FreeTier", "None"),
  bytesPerHour: Schema.optional(Schema.Number)
})

export const CapacityPurchased = Schema.TaggedStruct("CapacityPurchased", {
  ...account,
  capacityId: CapacityId,
  expiresAt: Schema.Number
})

/** An event that changes the settings of an account. */
export const AccountChanged = Schema.Union(RetrievalPolicySet, CapacityPurchased)

export const Event = Schema.Union(
  VaultCreated,
  VaultDeleted,
  ArchiveStored,
  ArchiveDeleted,
  InventoryTaken,
  UploadInitiated,
  PartStored,
  UploadAborted,
  UploadCompleted,
  JobInitiated,
  SettingsChanged,
  AccountChanged
)

export type Event = typeof Event.Type
