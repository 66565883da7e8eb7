/** Each operation once: a call, what it must send, what comes back, and what the caller gets. */
import * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import type { operations } from "../../src/protocol/Operations.ts"
import { responseOf } from "./support.ts"

export const archiveId =
  "NkbByEejwEggmBz2fTHgJrg0XBoDfjP4q6iu87-TjhqG6eGoOY9Z8i1_AUyUsuhPAdTqLHy8pTl5nfCFJmDl2yEZONi5L26" +
  "Omw12vcs01MNGntHEQL8MBfGlqrEXAMPLEArchiveId"
export const uploadId = "OW2fM5iVylEpFEMM9_HpKowRapC3vn5sSL39_396UW9zLFUWVrnRHaPjUJddQ5OxSHVXjYtrN47NBZ-khxOjyEXAMPLE"
export const jobId = "HkF9p6o7yjhFx-K3CGl6fuSm6VzW9T7esGQfco8nUXVYwS0jlb5gq1JZ55yHgt5vP54ZShjoQzQVVh7vEXAMPLEjobID"
const capacityId = "zSaq7NzHFQDANTfQkDen4V7z"
export const lockId = "AE863rKkWZU53SLW5be4DUcW"
export const policy = "{\"Version\":\"2012-10-17\"}"
export const topic = "arn:aws:sns:us-west-2:012345678901:mytopic"
export const welcome = new TextEncoder().encode("Welcome to Amazon Glacier.")
export const welcomeHash = "726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628"

const arn = "arn:aws:glacier:us-east-1:012345678901:vaults/photos"
const date = "2012-03-20T17:03:43.221Z"
const when = DateTime.unsafeMake(date)
const none = Option.none()
const some = Option.some

const vaultWire = {
  CreationDate: date,
  LastInventoryDate: null,
  NumberOfArchives: 0,
  SizeInBytes: 78_088_912,
  VaultARN: arn,
  VaultName: "photos"
}
const vault = {
  creationDate: when,
  lastInventoryDate: none,
  numberOfArchives: some(0),
  sizeInBytes: some(78_088_912),
  vaultArn: arn,
  vaultName: "photos"
}
const uploadWire = { CreationDate: date, MultipartUploadId: uploadId, PartSizeInBytes: 4_194_304, VaultARN: arn }
const upload = { creationDate: when, uploadId, partSize: 4_194_304, vaultArn: arn }
const jobWire = {
  Action: "InventoryRetrieval",
  Completed: false,
  CreationDate: date,
  JobId: jobId,
  StatusCode: "InProgress",
  VaultARN: arn
}
const job = {
  action: "InventoryRetrieval",
  archiveId: none,
  archiveTreeHash: none,
  archiveSizeInBytes: none,
  completed: false,
  completionDate: none,
  creationDate: when,
  inventoryRetrievalParameters: none,
  inventorySizeInBytes: none,
  jobDescription: none,
  jobId,
  jobOutputPath: none,
  outputLocation: none,
  retrievalByteRange: none,
  selectParameters: none,
  treeHash: none,
  snsTopic: none,
  statusCode: "InProgress",
  statusMessage: none,
  tier: none,
  vaultArn: arn
}

type Service = GlacierClient.Service

export interface Call {
  readonly name: keyof typeof operations
  readonly run: (glacier: Service) => Effect.Effect<object, GlacierError>
  readonly request: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly response: () => Response
  /** The decoded output, without a `body` of bytes. */
  readonly output: object
}

const json = (body: object) => () => responseOf(200, JSON.stringify(body))
const noContent = () => responseOf(204)

export const calls: ReadonlyArray<Call> = [
  {
    name: "createVault",
    run: (glacier) => glacier.createVault({ vaultName: "photos" }),
    request: "PUT /-/vaults/photos",
    response: () => responseOf(201, null, { location: "/012345678901/vaults/photos" }),
    output: { location: some("/012345678901/vaults/photos") }
  },
  {
    name: "describeVault",
    run: (glacier) => glacier.describeVault({ vaultName: "photos", accountId: "012345678901" }),
    request: "GET /012345678901/vaults/photos",
    response: json(vaultWire),
    output: vault
  },
  {
    name: "listVaults",
    run: (glacier) => glacier.listVaults({ limit: 2, marker: `${arn} ~*'()` }),
    request: "GET /-/vaults?limit=2" +
      "&marker=arn%3Aaws%3Aglacier%3Aus-east-1%3A012345678901%3Avaults%2Fphotos%20~*%27()",
    response: json({ VaultList: [vaultWire], Marker: arn }),
    output: { vaults: [vault], marker: some(arn) }
  },
  {
    name: "deleteVault",
    run: (glacier) => glacier.deleteVault({ vaultName: "photos" }),
    request: "DELETE /-/vaults/photos",
    response: noContent,
    output: {}
  },
  {
    name: "uploadArchive",
    run: (glacier) =>
      glacier.uploadArchive({
        vaultName: "photos",
        description: "a  year",
        contentSha256: welcomeHash,
        treeHash: welcomeHash,
        body: welcome
      }),
    request: "POST /-/vaults/photos/archives",
    headers: {
      "x-amz-archive-description": "a  year",
      "x-amz-content-sha256": welcomeHash,
      "x-amz-sha256-tree-hash": welcomeHash
    },
    body: "Welcome to Amazon Glacier.",
    response: () => responseOf(201, null, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": welcomeHash }),
    output: { archiveId, location: none, treeHash: some(welcomeHash) }
  },
  {
    name: "deleteArchive",
    run: (glacier) => glacier.deleteArchive({ vaultName: "photos", archiveId }),
    request: `DELETE /-/vaults/photos/archives/${archiveId}`,
    response: noContent,
    output: {}
  },
  {
    name: "initiateMultipartUpload",
    run: (glacier) => glacier.initiateMultipartUpload({ vaultName: "photos", partSize: 4_194_304, description: "" }),
    request: "POST /-/vaults/photos/multipart-uploads",
    headers: { "x-amz-part-size": "4194304" },
    response: () => responseOf(201, null, { "x-amz-multipart-upload-id": uploadId }),
    output: { location: none, uploadId }
  },
  {
    name: "uploadMultipartPart",
    run: (glacier) =>
      glacier.uploadMultipartPart({
        vaultName: "photos",
        uploadId,
        range: { start: 0, end: 25 },
        contentSha256: welcomeHash,
        treeHash: welcomeHash,
        body: welcome
      }),
    request: `PUT /-/vaults/photos/multipart-uploads/${uploadId}`,
    headers: {
      "content-range": "bytes 0-25/*",
      "x-amz-content-sha256": welcomeHash,
      "x-amz-sha256-tree-hash": welcomeHash
    },
    body: "Welcome to Amazon Glacier.",
    response: () => responseOf(204, null, { "x-amz-sha256-tree-hash": welcomeHash }),
    output: { treeHash: some(welcomeHash) }
  },
  {
    name: "completeMultipartUpload",
    run: (glacier) =>
      glacier.completeMultipartUpload({ vaultName: "photos", uploadId, archiveSize: 26, treeHash: welcomeHash }),
    request: `POST /-/vaults/photos/multipart-uploads/${uploadId}`,
    headers: { "x-amz-archive-size": "26", "x-amz-sha256-tree-hash": welcomeHash },
    response: () => responseOf(201, null, { "x-amz-archive-id": archiveId }),
    output: { archiveId, location: none, treeHash: none }
  },
  {
    name: "abortMultipartUpload",
    run: (glacier) => glacier.abortMultipartUpload({ vaultName: "photos", uploadId }),
    request: `DELETE /-/vaults/photos/multipart-uploads/${uploadId}`,
    response: noContent,
    output: {}
  },
  {
    name: "listParts",
    run: (glacier) => glacier.listParts({ vaultName: "photos", uploadId, limit: 1_000 }),
    request: `GET /-/vaults/photos/multipart-uploads/${uploadId}?limit=1000`,
    response: json({
      ...uploadWire,
      ArchiveDescription: "a year",
      Marker: null,
      Parts: [{ RangeInBytes: "0-4194303", SHA256TreeHash: welcomeHash }]
    }),
    output: {
      ...upload,
      archiveDescription: some("a year"),
      marker: none,
      parts: [{ range: { start: 0, end: 4_194_303 }, treeHash: welcomeHash }]
    }
  },
  {
    name: "listMultipartUploads",
    run: (glacier) => glacier.listMultipartUploads({ vaultName: "photos", marker: "a/b+c" }),
    request: "GET /-/vaults/photos/multipart-uploads?marker=a%2Fb%2Bc",
    response: json({ Marker: null, UploadsList: [{ ...uploadWire, ArchiveDescription: null }] }),
    output: { marker: none, uploads: [{ ...upload, archiveDescription: none }] }
  },
  {
    name: "initiateJob",
    run: (glacier) =>
      glacier.initiateJob({
        vaultName: "photos",
        parameters: {
          type: "archive-retrieval",
          archiveId,
          description: "a year",
          retrievalByteRange: { start: 0, end: 1_048_575 },
          tier: "Bulk"
        }
      }),
    request: "POST /-/vaults/photos/jobs",
    headers: { "content-type": "application/json" },
    body: `{"Type":"archive-retrieval","ArchiveId":"${archiveId}","Description":"a year",` +
      `"RetrievalByteRange":"0-1048575","Tier":"Bulk"}`,
    response: () => responseOf(202, null, { "x-amz-job-id": jobId, "x-amz-job-output-path": "" }),
    output: { jobId, jobOutputPath: none, location: none }
  },
  {
    name: "describeJob",
    run: (glacier) => glacier.describeJob({ vaultName: "photos", jobId }),
    request: `GET /-/vaults/photos/jobs/${jobId}`,
    response: json({
      ...jobWire,
      Action: "ArchiveRetrieval",
      ArchiveId: archiveId,
      ArchiveSHA256TreeHash: welcomeHash,
      ArchiveSizeInBytes: 2_097_152,
      Completed: true,
      CompletionDate: date,
      InventorySizeInBytes: null,
      JobDescription: "a year",
      RetrievalByteRange: "0-1048575",
      SHA256TreeHash: welcomeHash,
      SNSTopic: null,
      StatusCode: "Succeeded",
      StatusMessage: "Succeeded",
      Tier: "Bulk"
    }),
    output: {
      ...job,
      action: "ArchiveRetrieval",
      archiveId: some(archiveId),
      archiveTreeHash: some(welcomeHash),
      archiveSizeInBytes: some(2_097_152),
      completed: true,
      completionDate: some(when),
      jobDescription: some("a year"),
      retrievalByteRange: some({ start: 0, end: 1_048_575 }),
      treeHash: some(welcomeHash),
      statusCode: "Succeeded",
      statusMessage: some("Succeeded"),
      tier: some("Bulk")
    }
  },
  {
    name: "listJobs",
    run: (glacier) => glacier.listJobs({ vaultName: "photos", statusCode: "InProgress", completed: false }),
    request: "GET /-/vaults/photos/jobs?statuscode=InProgress&completed=false",
    response: json({ JobList: [jobWire] }),
    output: { jobs: [job], marker: none }
  },
  {
    name: "getJobOutput",
    run: (glacier) => glacier.getJobOutput({ vaultName: "photos", jobId, range: { start: 0, end: 25 } }),
    request: `GET /-/vaults/photos/jobs/${jobId}/output`,
    headers: { range: "bytes=0-25" },
    response: () =>
      responseOf(206, welcome, {
        "accept-ranges": "bytes",
        "content-range": "bytes 0-25/100",
        "content-type": "application/octet-stream",
        "x-amz-sha256-tree-hash": welcomeHash
      }),
    output: {
      acceptRanges: some("bytes"),
      archiveDescription: none,
      contentRange: some({ range: { start: 0, end: 25 }, total: 100 }),
      contentType: some("application/octet-stream"),
      treeHash: some(welcomeHash)
    }
  },
  {
    name: "setVaultNotifications",
    run: (glacier) =>
      glacier.setVaultNotifications({
        vaultName: "photos",
        configuration: { events: ["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"], snsTopic: topic }
      }),
    request: "PUT /-/vaults/photos/notification-configuration",
    headers: { "content-type": "application/json" },
    body: `{"Events":["InventoryRetrievalCompleted","ArchiveRetrievalCompleted"],"SNSTopic":"${topic}"}`,
    response: noContent,
    output: {}
  },
  {
    name: "getVaultNotifications",
    run: (glacier) => glacier.getVaultNotifications({ vaultName: "photos" }),
    request: "GET /-/vaults/photos/notification-configuration",
    response: json({ Events: ["ArchiveRetrievalCompleted"], SNSTopic: topic }),
    output: { events: ["ArchiveRetrievalCompleted"], snsTopic: topic }
  },
  {
    name: "deleteVaultNotifications",
    run: (glacier) => glacier.deleteVaultNotifications({ vaultName: "photos" }),
    request: "DELETE /-/vaults/photos/notification-configuration",
    response: noContent,
    output: {}
  },
  {
    name: "setVaultAccessPolicy",
    run: (glacier) => glacier.setVaultAccessPolicy({ vaultName: "photos", policy }),
    request: "PUT /-/vaults/photos/access-policy",
    headers: { "content-type": "application/json" },
    body: "{\"Policy\":\"{\\\"Version\\\":\\\"2012-10-17\\\"}\"}",
    response: noContent,
    output: {}
  },
  {
    name: "getVaultAccessPolicy",
    run: (glacier) => glacier.getVaultAccessPolicy({ vaultName: "photos" }),
    request: "GET /-/vaults/photos/access-policy",
    response: json({ Policy: policy }),
    output: { policy }
  },
  {
    name: "deleteVaultAccessPolicy",
    run: (glacier) => glacier.deleteVaultAccessPolicy({ vaultName: "photos" }),
    request: "DELETE /-/vaults/photos/access-policy",
    response: noContent,
    output: {}
  },
  {
    name: "initiateVaultLock",
    run: (glacier) => glacier.initiateVaultLock({ vaultName: "photos", policy }),
    request: "POST /-/vaults/photos/lock-policy",
    headers: { "content-type": "application/json" },
    body: "{\"Policy\":\"{\\\"Version\\\":\\\"2012-10-17\\\"}\"}",
    response: () => responseOf(201, null, { "x-amz-lock-id": lockId }),
    output: { lockId }
  },
  {
    name: "completeVaultLock",
    run: (glacier) => glacier.completeVaultLock({ vaultName: "photos", lockId }),
    request: `POST /-/vaults/photos/lock-policy/${lockId}`,
    response: noContent,
    output: {}
  },
  {
    name: "getVaultLock",
    run: (glacier) => glacier.getVaultLock({ vaultName: "photos" }),
    request: "GET /-/vaults/photos/lock-policy",
    response: json({ CreationDate: date, ExpirationDate: null, Policy: policy, State: "Locked" }),
    output: { creationDate: when, expirationDate: none, policy, state: "Locked" }
  },
  {
    name: "abortVaultLock",
    run: (glacier) => glacier.abortVaultLock({ vaultName: "photos" }),
    request: "DELETE /-/vaults/photos/lock-policy",
    response: noContent,
    output: {}
  },
  {
    name: "addTagsToVault",
    run: (glacier) => glacier.addTagsToVault({ vaultName: "photos", tags: { year: "2012", "für": "" } }),
    request: "POST /-/vaults/photos/tags?operation=add",
    headers: { "content-type": "application/json" },
    body: "{\"Tags\":{\"year\":\"2012\",\"für\":\"\"}}",
    response: noContent,
    output: {}
  },
  {
    name: "listTagsForVault",
    run: (glacier) => glacier.listTagsForVault({ vaultName: "photos" }),
    request: "GET /-/vaults/photos/tags",
    response: json({ Tags: { year: "2012", "für": "" } }),
    output: { tags: { year: "2012", "für": "" } }
  },
  {
    name: "removeTagsFromVault",
    run: (glacier) => glacier.removeTagsFromVault({ vaultName: "photos", tagKeys: ["year", "für"] }),
    request: "POST /-/vaults/photos/tags?operation=remove",
    headers: { "content-type": "application/json" },
    body: "{\"TagKeys\":[\"year\",\"für\"]}",
    response: noContent,
    output: {}
  },
  {
    name: "setDataRetrievalPolicy",
    run: (glacier) =>
      glacier.setDataRetrievalPolicy({
        policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 10_737_418_240 }] }
      }),
    request: "PUT /-/policies/data-retrieval",
    headers: { "content-type": "application/json" },
    body: "{\"Policy\":{\"Rules\":[{\"BytesPerHour\":10737418240,\"Strategy\":\"BytesPerHour\"}]}}",
    response: noContent,
    output: {}
  },
  {
    name: "getDataRetrievalPolicy",
    run: (glacier) => glacier.getDataRetrievalPolicy({ accountId: "012345678901" }),
    request: "GET /012345678901/policies/data-retrieval",
    response: json({ Policy: { Rules: [{ BytesPerHour: null, Strategy: "FreeTier" }] } }),
    output: { policy: { rules: [{ strategy: "FreeTier" }] } }
  },
  {
    name: "purchaseProvisionedCapacity",
    run: (glacier) => glacier.purchaseProvisionedCapacity({}),
    request: "POST /-/provisioned-capacity",
    response: () => responseOf(201, null, { "x-amz-capacity-id": capacityId }),
    output: { capacityId }
  },
  {
    name: "listProvisionedCapacity",
    run: (glacier) => glacier.listProvisionedCapacity({}),
    request: "GET /-/provisioned-capacity",
    response: json({
      ProvisionedCapacityList: [{ CapacityId: capacityId, ExpirationDate: "2012-04-20T17:03:43.000Z", StartDate: date }]
    }),
    output: {
      units: [{ capacityId, expirationDate: DateTime.unsafeMake("2012-04-20T17:03:43Z"), startDate: when }]
    }
  }
]

/** The operations that a repeat would carry out, and charge for, twice. */
export const notRepeatable: ReadonlyArray<string> = [
  "uploadArchive",
  "initiateJob",
  "initiateVaultLock",
  "purchaseProvisionedCapacity"
]

/** Returns the call of a method. */
export const call = (name: Call["name"]): Call => calls.find((call) => call.name === name)!
