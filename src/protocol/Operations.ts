/**
 * All operations by the name of their client method.
 *
 * @since 0.1.0
 */
import * as Archives from "./Archives.ts"
import * as Jobs from "./Jobs.ts"
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
  completeMultipartUpload: Uploads.CompleteMultipartUpload,
  createVault: Vaults.CreateVault,
  deleteArchive: Archives.DeleteArchive,
  deleteVault: Vaults.DeleteVault,
  describeJob: Jobs.DescribeJob,
  describeVault: Vaults.DescribeVault,
  getJobOutput: Jobs.GetJobOutput,
  initiateJob: Jobs.InitiateJob,
  initiateMultipartUpload: Uploads.InitiateMultipartUpload,
  listJobs: Jobs.ListJobs,
  listMultipartUploads: Uploads.ListMultipartUploads,
  listParts: Uploads.ListParts,
  listVaults: Vaults.ListVaults,
  uploadArchive: Archives.UploadArchive,
  uploadMultipartPart: Uploads.UploadMultipartPart
}
