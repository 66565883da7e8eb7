/** The exports of a library that builds on the operations: an Effect of each, without a type annotation. */
import { GlacierClient } from "effect-glacier"
import type { operations } from "effect-glacier/protocol/Operations"
import * as Effect from "effect/Effect"

const vault = { vaultName: "documents" }
const upload = { ...vault, uploadId: "an-upload" }
const job = { ...vault, jobId: "a-job" }
const hashes = { contentSha256: "0".repeat(64), treeHash: "0".repeat(64) }
const body = new Uint8Array(1)
const policy = "{}"

/** An operation without a line does not compile. */
export const calls = Effect.map(GlacierClient.GlacierClient, (glacier) => ({
  abortMultipartUpload: glacier.abortMultipartUpload(upload),
  abortVaultLock: glacier.abortVaultLock(vault),
  addTagsToVault: glacier.addTagsToVault({ ...vault, tags: { color: "blue" } }),
  completeMultipartUpload: glacier.completeMultipartUpload({ ...upload, archiveSize: 1, treeHash: hashes.treeHash }),
  completeVaultLock: glacier.completeVaultLock({ ...vault, lockId: "a-lock" }),
  createVault: glacier.createVault(vault),
  deleteArchive: glacier.deleteArchive({ ...vault, archiveId: "an-archive" }),
  deleteVault: glacier.deleteVault(vault),
  deleteVaultAccessPolicy: glacier.deleteVaultAccessPolicy(vault),
  deleteVaultNotifications: glacier.deleteVaultNotifications(vault),
  describeJob: glacier.describeJob(job),
  describeVault: glacier.describeVault(vault),
  getDataRetrievalPolicy: glacier.getDataRetrievalPolicy({}),
  getJobOutput: glacier.getJobOutput(job),
  getVaultAccessPolicy: glacier.getVaultAccessPolicy(vault),
  getVaultLock: glacier.getVaultLock(vault),
  getVaultNotifications: glacier.getVaultNotifications(vault),
  initiateJob: glacier.initiateJob({ ...vault, parameters: { type: "inventory-retrieval" } }),
  initiateMultipartUpload: glacier.initiateMultipartUpload({ ...vault, partSize: 1_048_576 }),
  initiateVaultLock: glacier.initiateVaultLock({ ...vault, policy }),
  listJobs: glacier.listJobs(vault),
  listMultipartUploads: glacier.listMultipartUploads(vault),
  listParts: glacier.listParts(upload),
  listProvisionedCapacity: glacier.listProvisionedCapacity({}),
  listTagsForVault: glacier.listTagsForVault(vault),
  listVaults: glacier.listVaults({}),
  purchaseProvisionedCapacity: glacier.purchaseProvisionedCapacity({}),
  removeTagsFromVault: glacier.removeTagsFromVault({ ...vault, tagKeys: ["color"] }),
  setDataRetrievalPolicy: glacier.setDataRetrievalPolicy({ policy: { rules: [{ strategy: "FreeTier" }] } }),
  setVaultAccessPolicy: glacier.setVaultAccessPolicy({ ...vault, policy }),
  setVaultNotifications: glacier.setVaultNotifications({
    ...vault,
    configuration: { snsTopic: "arn:topic", events: [] }
  }),
  uploadArchive: glacier.uploadArchive({ ...vault, ...hashes, body }),
  uploadMultipartPart: glacier.uploadMultipartPart({ ...upload, ...hashes, range: { start: 0, end: 0 }, body })
} satisfies Record<keyof typeof operations, unknown>))
