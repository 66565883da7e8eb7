import { describe, expect, it } from "@effect/vitest"
import { operations } from "../../src/protocol/Operations.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import fixture from "../fixtures/glacier-model.json" with { type: "json" }

const all = Object.values(operations)
const classes = Object.entries(ServiceError).flatMap(([name, value]) =>
  typeof value === "function" && "code" in value ? [{ name, Class: value }] : []
)
const codes = Object.entries(fixture.errors).map(([code, { status }]) => ({
  code,
  status,
  tag: code.replace("Exception", "")
}))

const translate = (operation: keyof typeof operations, status: number, code: string, message: string) => {
  const { errors, name } = operations[operation]
  return ServiceError.fromResponse<InstanceType<(typeof classes)[number]["Class"]>>(errors, code, {
    operation: name,
    status,
    message,
    requestId: "AAAB"
  })
}

/** Texts of the service, each with the operation and the class that it means. */
const invalid = "InvalidParameterValueException"
const missing = "MissingParameterValueException"
const notFound = "ResourceNotFoundException"
const denied = "AccessDeniedException"
const arn = "arn:aws:glacier:us-west-2:012345678901:vaults/examplevault"
const catalogue: ReadonlyArray<readonly [keyof typeof operations, number, string, string, string]> = [
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
const retries = {
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

describe("ServiceError", () => {
  it("has a class for every code, named after it", () => {
    const named = classes.map(({ Class }) => Class).filter((Class) => !("text" in Class))
    expect(named.map(({ code }) => code).sort()).toEqual(codes.map(({ code }) => code).sort())
    for (const { Class, name } of classes) {
      expect(new Class({ operation: "", status: 400, message: "" })._tag).toBe(name)
      if (!("text" in Class)) expect(name).toBe(Class.code.replace("Exception", ""))
    }
  })

  describe("ServiceError.fromResponse", () => {
    it.each(codes)("translates $code for the operations that list it, and for no other", ({ code, status, tag }) => {
      for (const operation of all) {
        const response = { operation: operation.name, status, message: "Some text: ä, \"b\"", requestId: "AAAB" }
        const error = ServiceError.fromResponse<object>(operation.errors, code, response)
        const listed = operation.errors.some((Class) => Class.code === code)
        expect(error).toMatchObject({
          ...response,
          ...(listed ? { _tag: tag } : { _tag: "UnknownServiceError", code })
        })
      }
      expect(all.some(({ errors }) => errors.some((Class) => Class.code === code))).toBe(true)
    })

    it.each(catalogue)("decodes %s %i %s %j to %s", (operation, status, code, message, _tag) => {
      expect(translate(operation, status, code, message))
        .toMatchObject({ _tag, operation: operations[operation].name, status, requestId: "AAAB" })
    })

    it.each(catalogue)("keeps the text of %s %i %s %j", (operation, status, code, message) => {
      const error = translate(operation, status, code, message)
      const known: ReadonlyArray<ServiceError.Known<object>> = operations[operation].errors
      const advice = known.find((Class) => error instanceof Class)?.advice
      expect(error).toMatchObject({ message: advice === undefined ? message : `${message} (${advice})` })
    })

    it("adds advice to the message for a job that may have expired", () => {
      expect(translate("getJobOutput", 404, notFound, "The job ID was not found: x")).toMatchObject({
        message: "The job ID was not found: x " +
          "(the service keeps a job and its output for 24 hours after completion; start another job)"
      })
    })

    it("returns InvalidParameterValue when the operation cannot fail with the narrower error", () => {
      for (const [, , code, message] of catalogue.filter(([, , code]) => code === invalid)) {
        const response = { operation: "DescribeVault", status: 400, message }
        const error = ServiceError.fromResponse<object>(operations.describeVault.errors, code, response)
        expect(error).toBeInstanceOf(ServiceError.InvalidParameterValue)
      }
    })

    it.each(["", "BrandNewException", "ResourceNotFound", "resourcenotfoundexception", "toString", "__proto__"])(
      "keeps the unknown code %j",
      (code) => {
        for (const { errors, name } of all) {
          const response = { operation: name, status: 418, message: "text" }
          const error = ServiceError.fromResponse<object>(errors, code, response)
          expect(error).toBeInstanceOf(ServiceError.UnknownServiceError)
          expect(error).toMatchObject({ ...response, code, retry: "never" })
        }
      }
    )
  })

  describe("retry", () => {
    it("is defined for every class", () => {
      const response = { operation: "", status: 400, message: "" }
      expect(Object.fromEntries(classes.map(({ Class, name }) => [name, new Class(response).retry]))).toEqual(retries)
    })

    it.each([
      [400, "BrandNewException", "never"],
      [403, "BrandNewException", "never"],
      [404, "BrandNewException", "never"],
      [408, "RequestTimeoutException", "transient"],
      [500, "BrandNewException", "transient"],
      [502, "", "transient"],
      [504, "", "transient"],
      [501, "", "never"],
      [400, "Throttling", "throttle"],
      [503, "SlowDown", "throttle"],
      [429, "", "throttle"],
      [400, "RequestTimeout", "transient"]
    ])("of an unknown %i %j is %j", (status, code, retry) => {
      const response = { operation: "", status, message: "" }
      expect(ServiceError.fromResponse<object>(operations.listVaults.errors, code, response))
        .toMatchObject({ _tag: "UnknownServiceError", retry })
    })
  })
})
