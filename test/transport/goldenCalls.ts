/** The call of each case of golden-requests.json. */
import * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import golden from "../fixtures/golden-requests.json" with { type: "json" }
import { archiveId, jobId, lockId, policy, topic, uploadId, welcome, welcomeHash } from "./calls.ts"

const accountId = "012345678901"

const vaultName = "photos"

const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 0x20 + index))

const text = "für 日本 😀"

const policyOfText = "{\n\t\"Id\": \"Grüße, 日本 😀 <&>' \\\\ \\\" \u2028 \x7f\",\r\n \"Version\": \"2012-10-17\" }"

const upload = { vaultName, body: welcome, contentSha256: welcomeHash, treeHash: welcomeHash }

type Run = (glacier: GlacierClient.Service) => Effect.Effect<object, GlacierError>

/** The call that sends each case. */
export const calls: Readonly<Record<string, Run>> = {
  "CreateVault": (glacier) => glacier.createVault({ vaultName }),
  "CreateVault of dots": (glacier) => glacier.createVault({ vaultName: "..._-.A9.", accountId }),
  "DescribeVault": (glacier) => glacier.describeVault({ vaultName, accountId }),
  "DeleteVault": (glacier) => glacier.deleteVault({ vaultName }),
  "ListVaults": (glacier) => glacier.listVaults({}),
  "ListVaults after ASCII": (glacier) => glacier.listVaults({ limit: 2, marker: ascii }),
  "ListVaults after text": (glacier) => glacier.listVaults({ limit: 10, marker: `${text}\r\n\t` }),
  "UploadArchive": (glacier) => glacier.uploadArchive(upload),
  "UploadArchive described": (glacier) => glacier.uploadArchive({ ...upload, description: ascii.slice(1) }),
  "UploadArchive with spaces": (glacier) => glacier.uploadArchive({ ...upload, description: "  a   b  " }),
  "DeleteArchive": (glacier) => glacier.deleteArchive({ vaultName, archiveId }),
  "InitiateMultipartUpload": (glacier) =>
    glacier.initiateMultipartUpload({ vaultName, description: ascii, partSize: 4_194_304 }),
  "UploadMultipartPart": (glacier) =>
    glacier.uploadMultipartPart({ ...upload, uploadId, range: { start: 0, end: 25 } }),
  "CompleteMultipartUpload": (glacier) =>
    glacier.completeMultipartUpload({ vaultName, uploadId, archiveSize: 26, treeHash: welcomeHash }),
  "AbortMultipartUpload": (glacier) => glacier.abortMultipartUpload({ vaultName, uploadId }),
  "ListParts": (glacier) => glacier.listParts({ vaultName, uploadId, limit: 1_000, marker: "4194304" }),
  "ListMultipartUploads": (glacier) => glacier.listMultipartUploads({ vaultName }),
  "ListMultipartUploads after ASCII": (glacier) => glacier.listMultipartUploads({ vaultName, marker: ascii }),
  "InitiateJob of an archive": (glacier) =>
    glacier.initiateJob({
      vaultName,
      parameters: {
        type: "archive-retrieval",
        archiveId,
        description: ascii,
        retrievalByteRange: { start: 0, end: 1_048_575 },
        snsTopic: topic,
        tier: "Bulk"
      }
    }),
  "InitiateJob of an inventory": (glacier) =>
    glacier.initiateJob({
      vaultName,
      parameters: {
        type: "inventory-retrieval",
        description: ascii,
        format: "CSV",
        selection: {
          startDate: DateTime.unsafeMake("2013-12-04T21:25:42Z"),
          endDate: DateTime.unsafeMake("2013-12-05T00:00:00Z"),
          limit: 10_000,
          marker: text
        }
      }
    }),
  "DescribeJob": (glacier) => glacier.describeJob({ vaultName, jobId }),
  "ListJobs": (glacier) => glacier.listJobs({ vaultName }),
  "ListJobs after text": (glacier) =>
    glacier.listJobs({ vaultName, statusCode: "InProgress", completed: false, limit: 5, marker: text }),
  "GetJobOutput": (glacier) => glacier.getJobOutput({ vaultName, jobId }),
  "GetJobOutput of a range": (glacier) => glacier.getJobOutput({ vaultName, jobId, range: { start: 0, end: 25 } }),
  "SetVaultNotifications": (glacier) =>
    glacier.setVaultNotifications({
      vaultName,
      configuration: { events: ["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"], snsTopic: topic }
    }),
  "GetVaultNotifications": (glacier) => glacier.getVaultNotifications({ vaultName }),
  "DeleteVaultNotifications": (glacier) => glacier.deleteVaultNotifications({ vaultName }),
  "SetVaultAccessPolicy": (glacier) => glacier.setVaultAccessPolicy({ vaultName, policy }),
  "SetVaultAccessPolicy of text": (glacier) => glacier.setVaultAccessPolicy({ vaultName, policy: policyOfText }),
  "GetVaultAccessPolicy": (glacier) => glacier.getVaultAccessPolicy({ vaultName }),
  "DeleteVaultAccessPolicy": (glacier) => glacier.deleteVaultAccessPolicy({ vaultName }),
  "InitiateVaultLock": (glacier) => glacier.initiateVaultLock({ vaultName, policy: policyOfText }),
  "CompleteVaultLock": (glacier) => glacier.completeVaultLock({ vaultName, lockId }),
  "AbortVaultLock": (glacier) => glacier.abortVaultLock({ vaultName }),
  "GetVaultLock": (glacier) => glacier.getVaultLock({ vaultName }),
  "AddTagsToVault": (glacier) =>
    glacier.addTagsToVault({ vaultName, tags: { year: "2012", "für 日本": "Grüße _./=+-@ 中", empty: "" } }),
  "ListTagsForVault": (glacier) => glacier.listTagsForVault({ vaultName }),
  "RemoveTagsFromVault": (glacier) => glacier.removeTagsFromVault({ vaultName, tagKeys: ["year", "für 日本"] }),
  "SetDataRetrievalPolicy": (glacier) =>
    glacier.setDataRetrievalPolicy({
      policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 10_737_418_240 }] }
    }),
  "GetDataRetrievalPolicy": (glacier) => glacier.getDataRetrievalPolicy({ accountId }),
  "PurchaseProvisionedCapacity": (glacier) => glacier.purchaseProvisionedCapacity({}),
  "ListProvisionedCapacity": (glacier) => glacier.listProvisionedCapacity({})
}

export const keys = {
  accessKeyId: golden.access_key_id,
  secretAccessKey: Redacted.make(golden.secret_access_key)
}

/** The decoded pairs of a query: the same query can be written in several ways, such as `'` and `%27`. */
export const pairs = (query: string) => [...new URLSearchParams(query.replaceAll("+", "%2B"))]
