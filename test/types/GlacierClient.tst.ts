import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import type * as Pages from "../../src/client/Pages.ts"
import type { CapacityId } from "../../src/protocol/Accounts.ts"
import type { ByteRange } from "../../src/protocol/ByteRange.ts"
import type { AttemptTimeout, ConnectionError, GlacierError } from "../../src/protocol/GlacierError.ts"
import type { ArchiveId, JobId, PartSize, UploadId, VaultName } from "../../src/protocol/Names.ts"
import type { operations } from "../../src/protocol/Operations.ts"
import type { LockId } from "../../src/protocol/Policies.ts"
import type { TreeHash } from "../../src/protocol/TreeHash.ts"
import type { Body } from "../../src/transport/ResponseBody.ts"

type Service = { [Name in keyof typeof operations]: GlacierClient.Service[Name] }
type Result<Name extends keyof Service> = ReturnType<Service[Name]>
type Flat<A> = { [K in keyof A]: A[K] }
type Input<Name extends keyof Service> = Flat<Parameters<Service[Name]>[0]>
type Output<Name extends keyof Service> = Effect.Effect.Success<Result<Name>>
type TagOf<E> = E extends { readonly _tag: infer Tag } ? Tag : "no tag"
type Tags<Name extends keyof Service> = TagOf<Effect.Effect.Error<Result<Name>>>

/** The errors of any call. */
type Common =
  | "AccessDenied"
  | "AttemptTimeout"
  | "BadRequest"
  | "ConnectionError"
  | "ConnectionRejected"
  | "CredentialsError"
  | "ExpiredToken"
  | "InvalidInput"
  | "InvalidParameterValue"
  | "InvalidSignature"
  | "MalformedResponse"
  | "MissingAuthenticationToken"
  | "MissingParameterValue"
  | "NoLongerSupported"
  | "ServiceUnavailable"
  | "Throttling"
  | "UnknownServiceError"
  | "UnrecognizedClient"

describe("GlacierClient", () => {
  it("has a method for each operation, and needs nothing more", () => {
    expect<keyof Service>().type.toBe<keyof typeof operations>()
    expect<Effect.Effect.Context<Result<keyof Service>>>().type.toBe<never>()
  })

  it("fails with exactly the errors of the operation", () => {
    expect<{ -readonly [Name in keyof Service]: Tags<Name> }>().type.toBe<{
      abortMultipartUpload: Common | "OutcomeUnknown" | "ResourceNotFound" | "UploadNotFound" | "VaultNotFound"
      abortVaultLock: Common | "ResourceNotFound" | "VaultLocked" | "VaultNotFound"
      addTagsToVault: Common | "LimitExceeded" | "ResourceNotFound" | "Serialization" | "VaultNotFound"
      completeMultipartUpload:
        | Common
        | "ChecksumMismatch"
        | "OutcomeUnknown"
        | "ResourceNotFound"
        | "UploadNotFound"
        | "VaultNotFound"
      completeVaultLock: Common | "ResourceNotFound" | "VaultLockNotSet" | "VaultLocked" | "VaultNotFound"
      createVault: Common | "LimitExceeded"
      deleteArchive: Common | "ArchiveInOtherVault" | "ArchiveNotFound" | "ResourceNotFound" | "VaultNotFound"
      deleteVault: Common | "ResourceNotFound" | "VaultNotEmpty" | "VaultNotFound"
      deleteVaultAccessPolicy: Common | "ResourceNotFound" | "VaultNotFound"
      deleteVaultNotifications: Common | "ResourceNotFound" | "VaultNotFound"
      describeJob: Common | "JobNotFound" | "ResourceNotFound" | "VaultNotFound"
      describeVault: Common | "ResourceNotFound" | "VaultNotFound"
      getDataRetrievalPolicy: Common
      getJobOutput:
        | Common
        | "JobNotFound"
        | "JobNotReady"
        | "RangeNotSatisfiable"
        | "ResourceNotFound"
        | "VaultNotFound"
      getVaultAccessPolicy: Common | "AccessPolicyNotSet" | "ResourceNotFound" | "VaultNotFound"
      getVaultLock: Common | "ResourceNotFound" | "VaultLockNotSet" | "VaultNotFound"
      getVaultNotifications: Common | "NotificationsNotSet" | "ResourceNotFound" | "VaultNotFound"
      initiateJob:
        | Common
        | "ArchiveInOtherVault"
        | "ArchiveNotFound"
        | "InsufficientCapacity"
        | "InventoryNotReady"
        | "OutcomeUnknown"
        | "PolicyEnforced"
        | "RangeNotAligned"
        | "ResourceNotFound"
        | "Serialization"
        | "VaultNotFound"
      initiateMultipartUpload: Common | "InvalidPartSize" | "ResourceNotFound" | "VaultNotFound"
      initiateVaultLock:
        | Common
        | "OutcomeUnknown"
        | "ResourceNotFound"
        | "Serialization"
        | "VaultLockInProgress"
        | "VaultLocked"
        | "VaultNotFound"
      listJobs: Common | "ResourceNotFound" | "VaultNotFound"
      listMultipartUploads: Common | "ResourceNotFound" | "VaultNotFound"
      listParts: Common | "ResourceNotFound" | "UploadNotFound" | "VaultNotFound"
      listProvisionedCapacity: Common
      listTagsForVault: Common | "ResourceNotFound" | "VaultNotFound"
      listVaults: Common | "ResourceNotFound"
      purchaseProvisionedCapacity: Common | "LimitExceeded" | "OutcomeUnknown"
      removeTagsFromVault: Common | "ResourceNotFound" | "Serialization" | "VaultNotFound"
      setDataRetrievalPolicy: Common | "Serialization"
      setVaultAccessPolicy: Common | "ResourceNotFound" | "Serialization" | "VaultNotFound"
      setVaultNotifications: Common | "ResourceNotFound" | "Serialization" | "VaultNotFound"
      uploadArchive:
        | Common
        | "ChecksumMismatch"
        | "EmptyArchive"
        | "OutcomeUnknown"
        | "RequestTimeout"
        | "ResourceNotFound"
        | "VaultNotFound"
      uploadMultipartPart:
        | Common
        | "ChecksumMismatch"
        | "EmptyArchive"
        | "RangeNotAligned"
        | "RequestTimeout"
        | "ResourceNotFound"
        | "UploadNotFound"
        | "VaultNotFound"
    }>()
    expect<Effect.Effect.Error<Result<keyof Service>>>().type.toBeAssignableTo<GlacierError>()
  })

  it("takes plain strings and numbers", () => {
    interface Account {
      readonly accountId?: string | undefined
    }
    interface Vault extends Account {
      readonly vaultName: string
    }
    interface Paging {
      readonly limit?: number | undefined
      readonly marker?: string | undefined
    }
    interface Hashed {
      readonly contentSha256: string
      readonly treeHash: string
      readonly body: Uint8Array
    }
    // Jobs of both kinds have a test of their own.
    expect<{ [Name in Exclude<keyof Service, "initiateJob">]: Input<Name> }>().type.toBe<{
      abortMultipartUpload: Flat<Vault & { readonly uploadId: string }>
      abortVaultLock: Flat<Vault>
      addTagsToVault: Flat<Vault & { readonly tags: { readonly [key: string]: string } }>
      completeMultipartUpload: Flat<
        Vault & { readonly uploadId: string; readonly archiveSize: number; readonly treeHash: string }
      >
      completeVaultLock: Flat<Vault & { readonly lockId: string }>
      createVault: Flat<Vault>
      deleteArchive: Flat<Vault & { readonly archiveId: string }>
      deleteVault: Flat<Vault>
      deleteVaultAccessPolicy: Flat<Vault>
      deleteVaultNotifications: Flat<Vault>
      describeJob: Flat<Vault & { readonly jobId: string }>
      describeVault: Flat<Vault>
      getDataRetrievalPolicy: Flat<Account>
      getJobOutput: Flat<Vault & { readonly jobId: string; readonly range?: ByteRange | undefined }>
      getVaultAccessPolicy: Flat<Vault>
      getVaultLock: Flat<Vault>
      getVaultNotifications: Flat<Vault>
      initiateMultipartUpload: Flat<
        Vault & { readonly partSize: number; readonly description?: string | undefined }
      >
      initiateVaultLock: Flat<Vault & { readonly policy: string }>
      listJobs: Flat<
        Vault & Paging & {
          readonly statusCode?: "InProgress" | "Succeeded" | "Failed" | undefined
          readonly completed?: boolean | undefined
        }
      >
      listMultipartUploads: Flat<Vault & Paging>
      listParts: Flat<Vault & Paging & { readonly uploadId: string }>
      listProvisionedCapacity: Flat<Account>
      listTagsForVault: Flat<Vault>
      listVaults: Flat<Account & Paging>
      purchaseProvisionedCapacity: Flat<Account>
      removeTagsFromVault: Flat<Vault & { readonly tagKeys: ReadonlyArray<string> }>
      setDataRetrievalPolicy: Flat<
        Account & {
          readonly policy: {
            readonly rules: readonly [
              {
                readonly strategy: "BytesPerHour" | "FreeTier" | "None"
                readonly bytesPerHour?: number | undefined
              }
            ]
          }
        }
      >
      setVaultAccessPolicy: Flat<Vault & { readonly policy: string }>
      setVaultNotifications: Flat<
        Vault & {
          readonly configuration: {
            readonly events: ReadonlyArray<"ArchiveRetrievalCompleted" | "InventoryRetrievalCompleted">
            readonly snsTopic: string
          }
        }
      >
      uploadArchive: Flat<Vault & Hashed & { readonly description?: string | undefined }>
      uploadMultipartPart: Flat<Vault & Hashed & { readonly uploadId: string; readonly range: ByteRange }>
    }>()
  })

  it("takes the ids and hashes that it gives", () => {
    expect<Input<"deleteArchive">>().type.toBeAssignableFrom<{ vaultName: VaultName; archiveId: ArchiveId }>()
    expect<Input<"describeJob">>().type.toBeAssignableFrom<{ vaultName: string; jobId: JobId }>()
    expect<Input<"listParts">>().type.toBeAssignableFrom<{ vaultName: string; uploadId: UploadId }>()
    expect<Input<"completeVaultLock">>().type.toBeAssignableFrom<{ vaultName: string; lockId: LockId }>()
    expect<Input<"setVaultNotifications">>().type.toBeAssignableFrom<
      { vaultName: string; configuration: Output<"getVaultNotifications"> }
    >()
    expect<Input<"setVaultAccessPolicy">>().type.toBeAssignableFrom<
      { vaultName: string } & Output<"getVaultAccessPolicy">
    >()
    expect<Input<"setDataRetrievalPolicy">>().type.toBeAssignableFrom<Output<"getDataRetrievalPolicy">>()
    expect<Input<"addTagsToVault">>().type.toBeAssignableFrom<{ vaultName: string } & Output<"listTagsForVault">>()
  })

  it("takes jobs of both kinds as plain strings and numbers", () => {
    type Parameters = Input<"initiateJob">["parameters"]
    expect<Parameters>().type.toBeAssignableFrom<{
      type: "archive-retrieval"
      archiveId: string
      description: string
      retrievalByteRange: { start: number; end: number }
      snsTopic: string
      tier: "Bulk"
    }>()
    expect<Parameters>().type.toBeAssignableFrom<{ type: "archive-retrieval"; archiveId: string }>()
    expect<Parameters>().type.toBeAssignableFrom<{
      type: "inventory-retrieval"
      description: string
      format: "CSV"
      snsTopic: string
      selection: { startDate: DateTime.Utc; endDate: DateTime.Utc; limit: number; marker: string }
    }>()
    expect<Parameters>().type.toBeAssignableFrom<{ type: "inventory-retrieval" }>()
    expect<Parameters>().type.toBeAssignableFrom<{ type: "inventory-retrieval"; description: undefined }>()
  })

  it("rejects members that are missing, of another type or of another kind of job", () => {
    type Parameters = Input<"initiateJob">["parameters"]
    expect<Input<"createVault">>().type.not.toBeAssignableFrom<{ accountId: string }>()
    expect<Input<"createVault">>().type.not.toBeAssignableFrom<string>()
    expect<Input<"createVault">>().type.not.toBeAssignableFrom<{ vaultName: undefined }>()
    expect<Input<"createVault">>().type.not.toBeAssignableFrom<{ vaultName: number }>()
    expect<Input<"listVaults">>().type.not.toBeAssignableFrom<{ limit: string }>()
    expect<Input<"listVaults">>().type.not.toBeAssignableFrom<undefined>()
    expect<Input<"uploadArchive">>().type.not.toBeAssignableFrom<
      { vaultName: string; contentSha256: string; treeHash: string; body: string }
    >()
    expect<Input<"uploadArchive">>().type.not.toBeAssignableFrom<{ vaultName: string; body: Uint8Array }>()
    expect<Input<"getJobOutput">>().type.not.toBeAssignableFrom<
      { vaultName: string; jobId: string; range: "bytes=0-1" }
    >()
    expect<Input<"listJobs">>().type.not.toBeAssignableFrom<{ vaultName: string; statusCode: "Running" }>()
    expect<Input<"addTagsToVault">>().type.not.toBeAssignableFrom<{ vaultName: string; tags: { k: number } }>()
    expect<Input<"setVaultAccessPolicy">>().type.not.toBeAssignableFrom<{ vaultName: string; policy: object }>()
    expect<Input<"setVaultNotifications">>().type.not.toBeAssignableFrom<
      { vaultName: string; configuration: { events: ["Done"]; snsTopic: string } }
    >()
    expect<Input<"setDataRetrievalPolicy">>().type.not.toBeAssignableFrom<
      { policy: { rules: [{ strategy: "None" }, { strategy: "None" }] } }
    >()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "archive-retrieval" }>()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "select"; archiveId: string }>()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "archive-retrieval"; archiveId: string; tier: "Slow" }>()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "inventory-retrieval"; format: "XML" }>()
  })

  it("gives branded ids and hashes, Options for what may be absent, and dates", () => {
    type Nothing = Record<never, never>
    interface Uploaded {
      readonly archiveId: ArchiveId
      readonly location: Option.Option<string>
      readonly treeHash: Option.Option<TreeHash>
    }
    interface Vault {
      readonly creationDate: DateTime.Utc
      readonly lastInventoryDate: Option.Option<DateTime.Utc>
      readonly numberOfArchives: Option.Option<number>
      readonly sizeInBytes: Option.Option<number>
      readonly vaultArn: string
      readonly vaultName: VaultName
    }
    interface Upload {
      readonly archiveDescription: Option.Option<string>
      readonly creationDate: DateTime.Utc
      readonly uploadId: UploadId
      readonly partSize: PartSize
      readonly vaultArn: string
    }
    interface Job {
      readonly action: "ArchiveRetrieval" | "InventoryRetrieval" | "Select"
      readonly archiveId: Option.Option<ArchiveId>
      readonly archiveTreeHash: Option.Option<TreeHash>
      readonly archiveSizeInBytes: Option.Option<number>
      readonly completed: boolean
      readonly completionDate: Option.Option<DateTime.Utc>
      readonly creationDate: DateTime.Utc
      readonly inventoryRetrievalParameters: Option.Option<{
        readonly endDate: Option.Option<DateTime.Utc>
        readonly format: Option.Option<"JSON" | "CSV">
        readonly limit: Option.Option<number>
        readonly marker: Option.Option<string>
        readonly startDate: Option.Option<DateTime.Utc>
      }>
      readonly inventorySizeInBytes: Option.Option<number>
      readonly jobDescription: Option.Option<string>
      readonly jobId: JobId
      readonly jobOutputPath: Option.Option<string>
      readonly outputLocation: Option.Option<{ readonly [key: string]: unknown }>
      readonly retrievalByteRange: Option.Option<ByteRange>
      readonly selectParameters: Option.Option<{ readonly [key: string]: unknown }>
      readonly snsTopic: Option.Option<string>
      readonly statusCode: "InProgress" | "Succeeded" | "Failed"
      readonly statusMessage: Option.Option<string>
      readonly tier: Option.Option<"Expedited" | "Standard" | "Bulk">
      readonly treeHash: Option.Option<TreeHash>
      readonly vaultArn: string
    }
    expect<Body>().type.toBeAssignableTo<Stream.Stream<Uint8Array, ConnectionError | AttemptTimeout>>()
    expect<{ -readonly [Name in keyof Service]: Flat<Output<Name>> }>().type.toBe<{
      abortMultipartUpload: Nothing
      abortVaultLock: Nothing
      addTagsToVault: Nothing
      completeMultipartUpload: Flat<Uploaded>
      completeVaultLock: Nothing
      createVault: { readonly location: Option.Option<string> }
      deleteArchive: Nothing
      deleteVault: Nothing
      deleteVaultAccessPolicy: Nothing
      deleteVaultNotifications: Nothing
      describeJob: Flat<Job>
      describeVault: Flat<Vault>
      getDataRetrievalPolicy: {
        readonly policy: {
          readonly rules: readonly [
            {
              readonly strategy: "BytesPerHour" | "FreeTier" | "None"
              readonly bytesPerHour?: number | undefined
            }
          ]
        }
      }
      getJobOutput: {
        readonly acceptRanges: Option.Option<string>
        readonly archiveDescription: Option.Option<string>
        readonly body: Body
        readonly contentRange: Option.Option<{ readonly range: ByteRange; readonly total: number }>
        readonly contentType: Option.Option<string>
        readonly treeHash: Option.Option<TreeHash>
      }
      getVaultAccessPolicy: { readonly policy: string }
      getVaultLock: {
        readonly creationDate: DateTime.Utc
        readonly expirationDate: Option.Option<DateTime.Utc>
        readonly policy: string
        readonly state: "InProgress" | "Locked"
      }
      getVaultNotifications: {
        readonly events: ReadonlyArray<"ArchiveRetrievalCompleted" | "InventoryRetrievalCompleted">
        readonly snsTopic: string
      }
      initiateJob: {
        readonly jobId: JobId
        readonly jobOutputPath: Option.Option<string>
        readonly location: Option.Option<string>
      }
      initiateMultipartUpload: { readonly location: Option.Option<string>; readonly uploadId: UploadId }
      initiateVaultLock: { readonly lockId: LockId }
      listJobs: { readonly jobs: ReadonlyArray<Flat<Job>>; readonly marker: Option.Option<string> }
      listMultipartUploads: { readonly marker: Option.Option<string>; readonly uploads: ReadonlyArray<Flat<Upload>> }
      listParts: Flat<
        Upload & {
          readonly marker: Option.Option<string>
          readonly parts: ReadonlyArray<{ readonly range: ByteRange; readonly treeHash: TreeHash }>
        }
      >
      listProvisionedCapacity: {
        readonly units: ReadonlyArray<{
          readonly capacityId: CapacityId
          readonly expirationDate: DateTime.Utc
          readonly startDate: DateTime.Utc
        }>
      }
      listTagsForVault: { readonly tags: { readonly [key: string]: string } }
      listVaults: { readonly marker: Option.Option<string>; readonly vaults: ReadonlyArray<Flat<Vault>> }
      purchaseProvisionedCapacity: { readonly capacityId: CapacityId }
      removeTagsFromVault: Nothing
      setDataRetrievalPolicy: Nothing
      setVaultAccessPolicy: Nothing
      setVaultNotifications: Nothing
      uploadArchive: Flat<Uploaded>
      uploadMultipartPart: { readonly treeHash: Option.Option<TreeHash> }
    }>()
  })
})

describe("Pages", () => {
  type Input<Name extends keyof typeof Pages> = NonNullable<Parameters<(typeof Pages)[Name]>[0]>

  it("give the entries, and fail as their operation does", () => {
    expect<ReturnType<typeof Pages.vaults>>().type.toBe<
      Stream.Stream<Output<"describeVault">, Effect.Effect.Error<Result<"listVaults">>, GlacierClient.GlacierClient>
    >()
    expect<ReturnType<typeof Pages.jobs>>().type.toBe<
      Stream.Stream<Output<"describeJob">, Effect.Effect.Error<Result<"listJobs">>, GlacierClient.GlacierClient>
    >()
  })

  it("take neither limit nor marker", () => {
    expect<Input<"vaults">>().type.toBe<{ readonly accountId?: string | undefined }>()
    expect<Input<"parts">>().type.toBe<
      { readonly vaultName: string; readonly accountId?: string | undefined; readonly uploadId: string }
    >()
    expect<Parameters<typeof Pages.vaults>>().type.toBeAssignableFrom<[]>()
    expect<Parameters<typeof Pages.jobs>>().type.not.toBeAssignableFrom<[]>()
  })
})
