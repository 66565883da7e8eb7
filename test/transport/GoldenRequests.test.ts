/** Compares each operation with the request that botocore sends and signs for it: see scripts/golden-requests.py. */
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import { operations } from "../../src/protocol/Operations.ts"
import golden from "../fixtures/golden-requests.json" with { type: "json" }
import { archiveId, jobId, lockId, policy, topic, uploadId, welcome, welcomeHash } from "./calls.ts"
import { respondWith, responseOf, scripted } from "./support.ts"

const accountId = "012345678901"
const vaultName = "photos"
const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 0x20 + index))
const text = "für 日本 😀"
const policyOfText = "{\n\t\"Id\": \"Grüße, 日本 😀 <&>' \\\\ \\\" \u2028 \x7f\",\r\n \"Version\": \"2012-10-17\" }"
const upload = { vaultName, body: welcome, contentSha256: welcomeHash, treeHash: welcomeHash }

type Run = (glacier: GlacierClient.Service) => Effect.Effect<object, GlacierError>

/** The call that sends each case. */
const calls: Readonly<Record<string, Run>> = {
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

const keys = {
  accessKeyId: golden.access_key_id,
  secretAccessKey: Redacted.make(golden.secret_access_key)
}

/** The decoded pairs of a query: the same query can be written in several ways, such as `'` and `%27`. */
const pairs = (query: string) => [...new URLSearchParams(query.replaceAll("+", "%2B"))]

describe("golden requests [S1]", () => {
  it("cover every operation, and each has a call [S1]", () => {
    const names = golden.cases.map(({ name }) => name)
    expect(names).toEqual(Object.keys(calls))
    expect(new Set(names.map((name) => name.split(" ")[0])))
      .toEqual(new Set(Object.values(operations).map(({ name }) => name)))
    expect(golden.settings.map(({ at }) => at.slice(11, 19))).toEqual(
      expect.arrayContaining(["00:00:00", "23:59:59"])
    )
    expect(new Set(golden.settings.map(({ token }) => token))).toEqual(new Set([true, false]))
    expect(golden.cases.flatMap(({ authorization }) => authorization)).toHaveLength(43 * 5)
  })

  it.effect.each(golden.cases)("$name has the signature of botocore [S1]", (expected) =>
    Effect.gen(function*() {
      for (const [index, { at, endpoint, region, token, url }] of golden.settings.entries()) {
        yield* TestClock.setTime(Date.parse(at))
        const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)), {
          keys: token ? { ...keys, sessionToken: Redacted.make(golden.session_token) } : keys,
          endpoint: { region, endpoint }
        })
        yield* Effect.flip(calls[expected.name]!(glacier))
        const { body, headers: { "content-length": _, ...headers }, method, url: sentTo } = sent[0]!
        const { origin, pathname, search } = new URL(sentTo)
        expect({ method, url: origin + pathname, query: pairs(search), headers, body: new TextDecoder().decode(body) })
          .toEqual({
            method: expected.method,
            url: url + expected.path,
            query: pairs(expected.query),
            headers: {
              ...expected.headers,
              "x-amz-date": at.replace(/[-:]|\.\d+/g, ""),
              ...(token ? { "x-amz-security-token": golden.session_token } : {}),
              authorization: expected.authorization[index]
            },
            body: expected.body ?? ""
          })
      }
    }))
})
