/**
 * The 33 operations by the names of their client methods.
 *
 * @since 0.1.0
 */
import * as Accounts from "./Accounts.ts"
import * as Archives from "./Archives.ts"
import * as Jobs from "./Jobs.ts"
import * as Notifications from "./Notifications.ts"
import * as Policies from "./Policies.ts"
import * as Tags from "./Tags.ts"
import * as Uploads from "./Uploads.ts"
import * as Vaults from "./Vaults.ts"

/**
 * The descriptor of each operation.
 *
 * @since 0.1.0
 * @category operations
 */
export const operations = {
  abortMultipartUpload: Uploads.AbortMultipartUpload,
  abortVaultLock: Policies.AbortVaultLock,
  addTagsToVault: Tags.AddTagsToVault,
  completeMultipartUpload: Uploads.CompleteMultipartUpload,
  completeVaultLock: Policies.CompleteVaultLock,
  createVault: Vaults.CreateVault,
  deleteArchive: Archives.DeleteArchive,
  deleteVault: Vaults.DeleteVault,
  deleteVaultAccessPolicy: Policies.DeleteVaultAccessPolicy,
  deleteVaultNotifications: Notifications.DeleteVaultNotifications,
  describeJob: Jobs.DescribeJob,
  describeVault: Vaults.DescribeVault,
  getDataRetrievalPolicy: Accounts.GetDataRetrievalPolicy,
  getJobOutput: Jobs.GetJobOutput,
  getVaultAccessPolicy: Policies.GetVaultAccessPolicy,
  getVaultLock: Policies.GetVaultLock,
  getVaultNotifications: Notifications.GetVaultNotifications,
  initiateJob: Jobs.InitiateJob,
  initiateMultipartUpload: Uploads.InitiateMultipartUpload,
  initiateVaultLock: Policies.InitiateVaultLock,
  listJobs: Jobs.ListJobs,
  listMultipartUploads: Uploads.ListMultipartUploads,
  listParts: Uploads.ListParts,
  listProvisionedCapacity: Accounts.ListProvisionedCapacity,
  listTagsForVault: Tags.ListTagsForVault,
  listVaults: Vaults.ListVaults,
  purchaseProvisionedCapacity: Accounts.PurchaseProvisionedCapacity,
  removeTagsFromVault: Tags.RemoveTagsFromVault,
  setDataRetrievalPolicy: Accounts.SetDataRetrievalPolicy,
  setVaultAccessPolicy: Policies.SetVaultAccessPolicy,
  setVaultNotifications: Notifications.SetVaultNotifications,
  uploadArchive: Archives.UploadArchive,
  uploadMultipartPart: Uploads.UploadMultipartPart
}
