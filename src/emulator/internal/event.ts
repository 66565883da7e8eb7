/**
 * What can happen to the state: each a line of the journal. Events say what was decided, with every date and id in
 * them, so that they can be replayed under other options. Times are epoch milliseconds; a vault goes by its ARN.
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

// Kept as the text it is in the journal: few are ever read, and a million byte arrays are slow to make and to keep.
const Base64 = Schema.String.pipe(
  Schema.filter((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
)

/** Stored bytes: where they are, and the digests of their MiBs (32 bytes each; left out when there is one MiB only). */
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
  /** When the next inventory is taken, unless one is due already. */
  inventoryAt: Schema.Number
})

export const ArchiveDeleted = Schema.TaggedStruct("ArchiveDeleted", {
  ...common,
  archiveId: ArchiveId,
  inventoryAt: Schema.Number
})

/** An inventory that somebody asked for: it was not due. */
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
  /** When the upload expires now. */
  expiresAt: Schema.Number
})

export const UploadAborted = Schema.TaggedStruct("UploadAborted", { ...common, uploadId: UploadId })

/** The parts, in their order, are one archive now. */
export const UploadCompleted = Schema.TaggedStruct("UploadCompleted", {
  ...common,
  uploadId: UploadId,
  archiveId: ArchiveId,
  treeHash: TreeHash,
  inventoryAt: Schema.Number
})

/** A retrieval of bytes `start` to `end` of an archive; `treeHash` if one node of its hash tree spans them. */
export const ArchiveRetrieval = Schema.TaggedStruct("ArchiveRetrieval", {
  archiveId: ArchiveId,
  start: Schema.NonNegativeInt,
  end: Schema.NonNegativeInt,
  tier: Jobs.Tier,
  treeHash: Schema.optional(TreeHash)
})

/** An inventory, written when the job was initiated. `next` is the marker of the job that goes on from there. */
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
  /** When the job is forgotten, and its output with it. */
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

/** A policy is kept as the text it came as. */
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

/** What changes the settings of a vault. */
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

/** `place` is an account and region, the ARN of any vault in it up to its name; or an account with all its regions. */
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

/** What an account agrees with the service. */
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
