/** The error responses of the service. */
import { type Call, jobId } from "./calls.ts"

/** Each error code with an operation that lists it, and for split codes the text that identifies the class. */
export const errorResponses: ReadonlyArray<
  readonly [code: string, status: number, name: Call["name"], tag: string, message: string]
> = [
  ["AccessDeniedException", 403, "createVault", "AccessDenied", "Access denied for account ID: 999999999999"],
  ["BadRequest", 400, "describeVault", "BadRequest", "malformed"],
  ["ExpiredTokenException", 403, "listVaults", "ExpiredToken", "The security token included is expired"],
  ["InsufficientCapacityException", 503, "initiateJob", "InsufficientCapacity", "try another tier"],
  ["InsufficientCapacityException", 400, "initiateJob", "InsufficientCapacity", "try another tier"],
  ["InvalidParameterValueException", 400, "listJobs", "InvalidParameterValue", "The job status code is not valid: x"],
  ["InvalidSignatureException", 403, "deleteVault", "InvalidSignature", "Signature expired: 20120525T002453Z"],
  ["LimitExceededException", 400, "createVault", "LimitExceeded", "1000 vaults"],
  ["LimitExceededException", 400, "addTagsToVault", "LimitExceeded", "50 tags"],
  ["LimitExceededException", 400, "purchaseProvisionedCapacity", "LimitExceeded", "2 units"],
  ["MissingAuthenticationTokenException", 400, "listParts", "MissingAuthenticationToken", "no credentials"],
  ["MissingParameterValueException", 400, "initiateJob", "MissingParameterValue", "Required parameter missing: x"],
  ["NoLongerSupportedException", 400, "listVaults", "NoLongerSupported", "closed"],
  ["PolicyEnforcedException", 400, "initiateJob", "PolicyEnforced", "denied by the current data retrieval policy"],
  ["RequestTimeoutException", 408, "uploadArchive", "RequestTimeout", "Request timed out."],
  ["ResourceNotFoundException", 404, "describeJob", "ResourceNotFound", `There is no such job: ${jobId}`],
  ["ResourceNotFoundException", 404, "getVaultLock", "VaultLockNotSet", "No vault lock policy is set"],
  ["SerializationException", 400, "initiateJob", "Serialization", "no JSON"],
  ["ServiceUnavailableException", 500, "abortMultipartUpload", "ServiceUnavailable", "internal"],
  ["ThrottlingException", 400, "deleteArchive", "Throttling", "Rate exceeded"],
  ["ThrottlingException", 403, "deleteArchive", "Throttling", "Rate exceeded"],
  ["UnrecognizedClientException", 400, "listMultipartUploads", "UnrecognizedClient", "The security token is invalid"],
  ["InvalidParameterValueException", 400, "deleteVault", "VaultNotEmpty", "Vault not empty or recently written to: a"],
  ["InvalidParameterValueException", 400, "uploadArchive", "ChecksumMismatch", "Checksum mismatch: expected a"],
  [
    "InvalidParameterValueException",
    400,
    "completeMultipartUpload",
    "ChecksumMismatch",
    "Invalid x-amz-sha256-tree-hash: a"
  ],
  ["InvalidParameterValueException", 400, "uploadArchive", "EmptyArchive", "Invalid Content-Length: 0"],
  ["InvalidParameterValueException", 400, "initiateMultipartUpload", "InvalidPartSize", "Invalid part size: 3."],
  ["InvalidParameterValueException", 400, "getJobOutput", "JobNotReady", "The job is not currently available for a"],
  ["InvalidParameterValueException", 400, "uploadMultipartPart", "RangeNotAligned", "The range is not aligned"],
  [
    "InvalidParameterValueException",
    400,
    "getJobOutput",
    "RangeNotSatisfiable",
    "The start of the range is larger than size of retrieved data: bytes=9-"
  ],
  // The text belongs to another operation, so it identifies nothing here.
  [
    "InvalidParameterValueException",
    400,
    "listVaults",
    "InvalidParameterValue",
    "Vault not empty or recently written to: a"
  ],
  ["InvalidParameterValueException", 400, "uploadArchive", "InvalidParameterValue", "Invalid Content-Length: 05"]
]
