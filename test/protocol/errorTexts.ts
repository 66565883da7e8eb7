/** The error codes and texts of the service, with the classes that they mean. */
import { operations } from "../../src/protocol/Operations.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import fixture from "../fixtures/glacier-model.json" with { type: "json" }

export const all = Object.values(operations)

export const classes = Object.entries(ServiceError).flatMap(([name, value]) =>
  typeof value === "function" && "code" in value ? [{ name, Class: value }] : []
)

export const codes = Object.entries(fixture.errors).map(([code, { status }]) => ({
  code,
  status,
  tag: code.replace("Exception", "")
}))

export const translate = (operation: keyof typeof operations, status: number, code: string, message: string) => {
  const { errors, name } = operations[operation]
  return ServiceError.fromResponse<InstanceType<(typeof classes)[number]["Class"]>>(errors, code, {
    operation: name,
    status,
    message,
    requestId: "AAAB"
  })
}

/** Texts of the service, each with the operation and the class that it means. */
export const invalid = "InvalidParameterValueException"

const missing = "MissingParameterValueException"

export const notFound = "ResourceNotFoundException"

const denied = "AccessDeniedException"

const arn = "arn:aws:glacier:us-west-2:012345678901:vaults/examplevault"

export const catalogue: ReadonlyArray<readonly [keyof typeof operations, number, string, string, string]> = [
  ["listVaults", 400, missing, "Required parameter missing: API version", "MissingParameterValue"],
  ["initiateJob", 400, missing, "Required parameter missing: Job Parameters", "MissingParameterValue"],
  ["describeVault", 404, notFound, `Vault not found for ARN: ${arn}`, "VaultNotFound"],
  ["describeJob", 404, notFound, "The job ID was not found: x", "JobNotFound"],
  ["initiateJob", 404, notFound, "The archive ID was not found: x", "ArchiveNotFound"],
  ["initiateJob", 404, notFound, `No initial inventory exists yet for ${arn}`, "InventoryNotReady"],
  ["initiateJob", 404, notFound, `Vault not found for ARN: ${arn}`, "VaultNotFound"],
  ["initiateJob", 404, notFound, "Vault not found for ARN: arn:aws:glacier:x:1:vaults/inventory", "VaultNotFound"],
  ["initiateJob", 404, notFound, "Something else is missing", "ResourceNotFound"],
  ["getJobOutput", 404, notFound, "The job ID was not found: x", "JobNotFound"],
  ["listParts", 404, notFound, "The upload ID was not found: x", "UploadNotFound"],
  ["listParts", 404, notFound, "There is no open upload with the upload ID x", "UploadNotFound"],
  ["listParts", 404, notFound, "Vault not found for ARN: arn:aws:glacier:x:1:vaults/upload", "VaultNotFound"],
  ["uploadMultipartPart", 404, notFound, "The upload ID was not found: x", "UploadNotFound"],
  ["completeMultipartUpload", 404, notFound, "The upload ID was not found: x", "UploadNotFound"],
  ["abortMultipartUpload", 404, notFound, "The upload ID was not found: x", "UploadNotFound"],
  ["deleteArchive", 404, notFound, "The archive ID was not found: x", "ArchiveNotFound"],
  [
    "getVaultNotifications",
    404,
    notFound,
    `No notification configuration is set for vault: ${arn}`,
    "NotificationsNotSet"
  ],
  ["getVaultAccessPolicy", 404, notFound, "No vault access policy is set for: examplevault", "AccessPolicyNotSet"],
  ["getVaultAccessPolicy", 404, notFound, `Vault not found for ARN: ${arn}`, "VaultNotFound"],
  ["getVaultLock", 404, notFound, "No vault lock policy is set for: examplevault", "VaultLockNotSet"],
  ["completeVaultLock", 404, notFound, "No vault lock policy is set for: examplevault", "VaultLockNotSet"],
  ["initiateVaultLock", 403, denied, `A vault lock is in progress already: ${arn}`, "VaultLockInProgress"],
  ["initiateVaultLock", 403, denied, `The vault lock policy is locked and cannot be changed: ${arn}`, "VaultLocked"],
  ["completeVaultLock", 403, denied, `The vault lock policy is locked and cannot be changed: ${arn}`, "VaultLocked"],
  ["abortVaultLock", 403, denied, `The vault lock policy is locked and cannot be changed: ${arn}`, "VaultLocked"],
  [
    "initiateVaultLock",
    403,
    denied,
    `User: x is not authorized to perform: glacier:InitiateVaultLock on resource: ${arn} with an explicit deny`,
    "AccessDenied"
  ],
  ["listJobs", 400, invalid, "The job status code is not valid: x", "InvalidParameterValue"],
  ["getJobOutput", 400, invalid, "The job is not currently available for download: x", "JobNotReady"],
  [
    "getJobOutput",
    400,
    invalid,
    "The start of the range is larger than size of retrieved data: bytes=9-10",
    "RangeNotSatisfiable"
  ],
  [
    "initiateMultipartUpload",
    400,
    invalid,
    "Invalid part size: 3. Part size must be a power of two between 1048576 and 4294967296",
    "InvalidPartSize"
  ],
  [
    "uploadMultipartPart",
    400,
    invalid,
    "Content-Range: bytes 0-4/* is incompatible with Content-Length: 6",
    "InvalidParameterValue"
  ],
  ["uploadMultipartPart", 400, invalid, "Invalid Content-Range: bytes=0-4", "InvalidParameterValue"],
  ["uploadMultipartPart", 400, invalid, "Part 10001 is above the limit of 10000", "InvalidParameterValue"],
  ["uploadMultipartPart", 400, invalid, "The range does not align with the part size", "RangeNotAligned"],
  ["uploadMultipartPart", 400, invalid, "Checksum mismatch: expected a, computed b", "ChecksumMismatch"],
  ["uploadArchive", 400, invalid, "Checksum mismatch: expected a, computed b", "ChecksumMismatch"],
  ["completeMultipartUpload", 400, invalid, "Invalid x-amz-sha256-tree-hash: x", "ChecksumMismatch"],
  ["uploadArchive", 400, invalid, "Invalid Content-Length: 0", "EmptyArchive"],
  ["uploadMultipartPart", 400, invalid, "Invalid Content-Length: 0", "EmptyArchive"],
  ["uploadArchive", 400, invalid, "Invalid Content-Length: 4294967297", "InvalidParameterValue"],
  ["deleteVault", 400, invalid, `Vault not empty or recently written to: ${arn}`, "VaultNotEmpty"],
  ["deleteArchive", 400, invalid, `Invalid vault name: ${arn}`, "ArchiveInOtherVault"],
  ["initiateJob", 400, invalid, `Invalid vault name: ${arn}`, "ArchiveInOtherVault"],
  // The name of a vault is its owner's to choose, so it must not decide what the error means.
  ["initiateJob", 400, invalid, "Invalid vault name: arn:aws:glacier:x:1:vaults/aligned", "ArchiveInOtherVault"],
  ["createVault", 403, "AccessDeniedException", "Access denied for account ID: 012345678901", "AccessDenied"],
  ["initiateJob", 400, "PolicyEnforcedException", "InitiateJob request denied by current policy", "PolicyEnforced"],
  ["initiateJob", 503, "InsufficientCapacityException", "Try another tier", "InsufficientCapacity"],
  ["initiateJob", 400, "InsufficientCapacityException", "Try another tier", "InsufficientCapacity"],
  ["uploadArchive", 408, "RequestTimeoutException", "Request timed out.", "RequestTimeout"],
  ["listVaults", 400, "ThrottlingException", "Rate exceeded", "Throttling"],
  ["listVaults", 403, "ThrottlingException", "Rate exceeded", "Throttling"]
]

/** The retry class of each error. A wrong hash is still wrong the next time. */
export const retries = {
  AccessDenied: "never",
  AccessPolicyNotSet: "never",
  ArchiveInOtherVault: "never",
  ArchiveNotFound: "never",
  BadRequest: "never",
  ChecksumMismatch: "never",
  EmptyArchive: "never",
  ExpiredToken: "never",
  InsufficientCapacity: "never",
  InvalidParameterValue: "never",
  InvalidPartSize: "never",
  InvalidSignature: "never",
  InventoryNotReady: "never",
  JobNotFound: "never",
  JobNotReady: "never",
  LimitExceeded: "never",
  MissingAuthenticationToken: "never",
  MissingParameterValue: "never",
  NoLongerSupported: "never",
  NotificationsNotSet: "never",
  PolicyEnforced: "never",
  RangeNotAligned: "never",
  RangeNotSatisfiable: "never",
  RequestTimeout: "transient",
  ResourceNotFound: "never",
  Serialization: "never",
  ServiceUnavailable: "transient",
  Throttling: "throttle",
  UnrecognizedClient: "never",
  UploadNotFound: "never",
  VaultLockInProgress: "never",
  VaultLockNotSet: "never",
  VaultLocked: "never",
  VaultNotEmpty: "never",
  VaultNotFound: "never"
}
