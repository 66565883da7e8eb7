import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import type * as Pages from "../../src/client/Pages.ts"
import type { ByteRange } from "../../src/protocol/ByteRange.ts"
import type { AttemptTimeout, ConnectionError, GlacierError } from "../../src/protocol/GlacierError.ts"
import type { ArchiveId, JobId, UploadId, VaultName } from "../../src/protocol/Names.ts"
import type { operations } from "../../src/protocol/Operations.ts"
import type { TreeHash } from "../../src/protocol/TreeHash.ts"

type Service = GlacierClient.Service
type Result<Name extends keyof Service> = ReturnType<Service[Name]>
type Flat<A> = { [K in keyof A]: A[K] }
type Input<Name extends keyof Service> = Flat<Parameters<Service[Name]>[0]>
type Output<Name extends keyof Service> = Effect.Effect.Success<Result<Name>>
type TagOf<E> = E extends { readonly _tag: infer Tag } ? Tag : "no tag"
type Tags<Name extends keyof Service> = TagOf<Effect.Effect.Error<Result<Name>>>

/** What any call can fail with. */
type Common =
  | "AccessDenied"
  | "AttemptTimeout"
  | "BadRequest"
  | "ConnectionError"
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
    expect<Tags<"createVault">>().type.toBe<Common | "LimitExceeded">()
    expect<Tags<"describeVault">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"listVaults">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"deleteVault">>().type.toBe<Common | "ResourceNotFound" | "VaultNotEmpty">()
    expect<Tags<"uploadArchive">>().type.toBe<
      Common | "ChecksumMismatch" | "EmptyArchive" | "RequestTimeout" | "ResourceNotFound"
    >()
    expect<Tags<"deleteArchive">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"initiateMultipartUpload">>().type.toBe<Common | "InvalidPartSize" | "ResourceNotFound">()
    expect<Tags<"uploadMultipartPart">>().type.toBe<
      Common | "ChecksumMismatch" | "EmptyArchive" | "RangeNotAligned" | "RequestTimeout" | "ResourceNotFound"
    >()
    expect<Tags<"completeMultipartUpload">>().type.toBe<Common | "ChecksumMismatch" | "ResourceNotFound">()
    expect<Tags<"abortMultipartUpload">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"listParts">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"listMultipartUploads">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"initiateJob">>().type.toBe<
      Common | "InsufficientCapacity" | "PolicyEnforced" | "RangeNotAligned" | "ResourceNotFound" | "Serialization"
    >()
    expect<Tags<"describeJob">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"listJobs">>().type.toBe<Common | "ResourceNotFound">()
    expect<Tags<"getJobOutput">>().type.toBe<
      Common | "JobNotReady" | "RangeNotSatisfiable" | "ResourceNotFound"
    >()
    expect<Effect.Effect.Error<Result<keyof Service>>>().type.toBeAssignableTo<GlacierError>()
  })

  it("takes plain strings and numbers", () => {
    interface Vault {
      readonly vaultName: string
      readonly accountId?: string | undefined
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
    expect<Input<"createVault" | "describeVault" | "deleteVault">>().type.toBe<Flat<Vault>>()
    expect<Input<"listVaults">>().type.toBe<Flat<{ readonly accountId?: string | undefined } & Paging>>()
    expect<Input<"uploadArchive">>().type.toBe<
      Flat<
        Vault & Hashed & { readonly description?: string | undefined }
      >
    >()
    expect<Input<"deleteArchive">>().type.toBe<Flat<Vault & { readonly archiveId: string }>>()
    expect<Input<"initiateMultipartUpload">>().type.toBe<
      Flat<
        Vault & { readonly partSize: number; readonly description?: string | undefined }
      >
    >()
    expect<Input<"uploadMultipartPart">>().type.toBe<
      Flat<
        Vault & Hashed & { readonly uploadId: string; readonly range: ByteRange }
      >
    >()
    expect<Input<"completeMultipartUpload">>().type.toBe<
      Flat<
        Vault & { readonly uploadId: string; readonly archiveSize: number; readonly treeHash: string }
      >
    >()
    expect<Input<"abortMultipartUpload">>().type.toBe<Flat<Vault & { readonly uploadId: string }>>()
    expect<Input<"listParts">>().type.toBe<Flat<Vault & Paging & { readonly uploadId: string }>>()
    expect<Input<"listMultipartUploads">>().type.toBe<Flat<Vault & Paging>>()
    expect<Input<"describeJob">>().type.toBe<Flat<Vault & { readonly jobId: string }>>()
    expect<Input<"listJobs">>().type.toBe<
      Flat<
        Vault & Paging & {
          readonly statusCode?: "InProgress" | "Succeeded" | "Failed" | undefined
          readonly completed?: boolean | undefined
        }
      >
    >()
    expect<Input<"getJobOutput">>().type.toBe<
      Flat<
        Vault & { readonly jobId: string; readonly range?: ByteRange | undefined }
      >
    >()
  })

  it("takes the ids and hashes that it gives", () => {
    expect<Input<"deleteArchive">>().type.toBeAssignableFrom<{ vaultName: VaultName; archiveId: ArchiveId }>()
    expect<Input<"describeJob">>().type.toBeAssignableFrom<{ vaultName: string; jobId: JobId }>()
    expect<Input<"listParts">>().type.toBeAssignableFrom<{ vaultName: string; uploadId: UploadId }>()
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

  it("refuses what is missing, of another type or of another kind of job", () => {
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
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "archive-retrieval" }>()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "select"; archiveId: string }>()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "archive-retrieval"; archiveId: string; tier: "Slow" }>()
    expect<Parameters>().type.not.toBeAssignableFrom<{ type: "inventory-retrieval"; format: "XML" }>()
  })

  it("gives branded ids and hashes, Options for what may be absent, and dates", () => {
    expect<Output<"createVault">>().type.toBe<{ readonly location: Option.Option<string> }>()
    expect<Output<"deleteVault" | "deleteArchive" | "abortMultipartUpload">>().type.toBe<Record<never, never>>()
    expect<Output<"describeVault">>().type.toBe<{
      readonly creationDate: DateTime.Utc
      readonly lastInventoryDate: Option.Option<DateTime.Utc>
      readonly numberOfArchives: Option.Option<number>
      readonly sizeInBytes: Option.Option<number>
      readonly vaultArn: string
      readonly vaultName: VaultName
    }>()
    expect<Output<"listVaults">>().type.toBe<{
      readonly marker: Option.Option<string>
      readonly vaults: ReadonlyArray<Output<"describeVault">>
    }>()
    expect<Output<"uploadArchive" | "completeMultipartUpload">>().type.toBe<{
      readonly archiveId: ArchiveId
      readonly location: Option.Option<string>
      readonly treeHash: Option.Option<TreeHash>
    }>()
    expect<Output<"initiateMultipartUpload">>().type.toBe<{
      readonly location: Option.Option<string>
      readonly uploadId: UploadId
    }>()
    expect<Output<"uploadMultipartPart">>().type.toBe<{ readonly treeHash: Option.Option<TreeHash> }>()
    expect<Output<"listParts">["parts"]>().type.toBe<
      ReadonlyArray<{ readonly range: ByteRange; readonly treeHash: TreeHash }>
    >()
    expect<Output<"initiateJob">>().type.toBe<{
      readonly jobId: JobId
      readonly jobOutputPath: Option.Option<string>
      readonly location: Option.Option<string>
    }>()
    expect<Output<"listJobs">["jobs"]>().type.toBe<ReadonlyArray<Output<"describeJob">>>()
    expect<Output<"describeJob">["statusCode"]>().type.toBe<"InProgress" | "Succeeded" | "Failed">()
    expect<Output<"describeJob">["archiveId"]>().type.toBe<Option.Option<ArchiveId>>()
    expect<Output<"describeJob">["completionDate"]>().type.toBe<Option.Option<DateTime.Utc>>()
  })

  it("gives a job's output as a Stream, and no other answer has a body", () => {
    expect<Output<"getJobOutput">["body"]>().type.toBe<
      Stream.Stream<Uint8Array, ConnectionError | AttemptTimeout>
    >()
    expect<Output<"getJobOutput">["contentRange"]>().type.toBe<
      Option.Option<{ readonly range: ByteRange; readonly total: number }>
    >()
    expect<Output<Exclude<keyof Service, "getJobOutput">>>().type.not.toHaveProperty("body")
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
