/** Inputs of operations that break a rule, with the field and the rule that the error must name. */
import * as DateTime from "effect/DateTime"
import { mebibyte } from "../../src/protocol/Limits.ts"
import type { operations } from "../../src/protocol/Operations.ts"
import { id } from "./model.ts"

export const long = "x".repeat(256)

export const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`key ${n}`, "v"]))

/** JSON text of that many characters. */
export const document = (length: number) => JSON.stringify("x".repeat(length - 2))

const shown = (text: string) => `${JSON.stringify(text).slice(0, 100)}...`

export const rules = (...rules: ReadonlyArray<object>) => ({ policy: { rules } })

export const notifying = (change: object) => ({
  configuration: {
    events: ["InventoryRetrievalCompleted"],
    snsTopic: "arn:aws:sns:us-east-1:123456789012:a",
    ...change
  }
})

export const cases: ReadonlyArray<readonly [keyof typeof operations, Record<string, unknown>, string, string, RegExp]> =
  [
    ["createVault", { vaultName: "a/b" }, "vaultName", "\"a/b\"", /1 to 255 characters/],
    ["createVault", { vaultName: ".." }, "vaultName", "\"..\"", /1 to 255 characters/],
    ["createVault", { vaultName: long }, "vaultName", `"${long.slice(0, 99)}...`, /1 to 255 characters/],
    ["createVault", { accountId: "0123-4567-8901" }, "accountId", "\"0123-4567-8901\"", /12 digits/],
    ["deleteArchive", { archiveId: "" }, "archiveId", "\"\"", /an id as the service gave it/],
    ["listParts", { uploadId: "a/b" }, "uploadId", "\"a/b\"", /an id as the service gave it/],
    ["getJobOutput", { jobId: "a?b" }, "jobId", "\"a?b\"", /an id as the service gave it/],
    ["listVaults", { limit: 0 }, "limit", "0", /a whole number of 1 or more/],
    ["listVaults", { limit: 1.5 }, "limit", "1.5", /a whole number of 1 or more/],
    ["listVaults", { limit: NaN }, "limit", "NaN", /a whole number of 1 or more/],
    ["listJobs", { statusCode: "Done" }, "statusCode", "\"Done\"", /InProgress.*Succeeded.*Failed/],
    ["uploadArchive", { description: "é" }, "description", "\"é\"", /printable ASCII/],
    ["uploadArchive", { description: "a\r\nx-amz-y: z" }, "description", "\"a\\r\\nx-amz-y: z\"", /printable ASCII/],
    ["uploadArchive", { treeHash: "A" }, "treeHash", "\"A\"", /64 lower-case hex digits/],
    ["uploadArchive", { contentSha256: "A" }, "contentSha256", "\"A\"", /64 lower-case hex digits/],
    ["uploadArchive", { body: new Uint8Array() }, "body", "0 bytes", /1 byte to 4 GiB/],
    ["uploadMultipartPart", { body: new Uint8Array() }, "body", "0 bytes", /1 byte to 4 GiB/],
    ["uploadMultipartPart", { range: { start: 5, end: 4 } }, "range", "{\"start\":5,\"end\":4}", /before its end/],
    ["uploadMultipartPart", { range: { start: -1, end: 4 } }, "range.start", "-1", /0 (or more|to)/],
    ["uploadMultipartPart", { range: { start: 0, end: 1e15 } }, "range.end", "1000000000000000", /42,949,672,9/],
    [
      "uploadMultipartPart",
      { range: { start: 0, end: 3 } },
      "range",
      "{\"start\":0,\"end\":3}",
      /as long as the body, .* 3 b/
    ],
    [
      "uploadMultipartPart",
      { range: { start: 0, end: 1 } },
      "range",
      "{\"start\":0,\"end\":1}",
      /as long as the body, .* 3 b/
    ],
    [
      "uploadMultipartPart",
      { range: { start: 5, end: 7 } },
      "range",
      "{\"start\":5,\"end\":7}",
      /at least 1048576 for 3 b/
    ],
    [
      "uploadMultipartPart",
      { range: { start: mebibyte, end: 2 * mebibyte }, body: new Uint8Array(mebibyte + 1) },
      "range",
      "{\"start\":1048576,\"end\":2097152}",
      /multiple of its part size, which is at least 2097152 for 1048577 bytes/
    ],
    [
      "initiateJob",
      { parameters: { type: "archive-retrieval", archiveId: id, retrievalByteRange: { start: 1, end: mebibyte } } },
      "parameters.retrievalByteRange",
      "{\"start\":1,\"end\":1048576}",
      /must start on a MiB/
    ],
    [
      "initiateJob",
      { parameters: { type: "archive-retrieval", archiveId: id, format: "CSV" } },
      "parameters.format",
      "\"CSV\"",
      /must be left out/
    ],
    [
      "initiateJob",
      { parameters: { type: "inventory-retrieval", archiveId: "an id" } },
      "parameters.archiveId",
      "\"an id\"",
      /must be left out/
    ],
    [
      "initiateJob",
      { parameters: { type: "inventory-retrieval", tier: "Bulk" } },
      "parameters.tier",
      "\"Bulk\"",
      /must be left out/
    ],
    [
      "initiateJob",
      {
        parameters: {
          type: "inventory-retrieval",
          selection: { startDate: DateTime.unsafeMake(2_000), endDate: DateTime.unsafeMake(1_000) }
        }
      },
      "parameters.selection",
      "{\"startDate\":\"1970-01-01T00:00:02.000Z\",\"endDate\":\"1970-01-01T00:00:01.000Z\"}",
      /startDate that is not after its endDate/
    ],
    ["initiateMultipartUpload", { partSize: 3 * mebibyte }, "partSize", "3145728", /1 MiB times a power of two/],
    ["completeMultipartUpload", { archiveSize: 0 }, "archiveSize", "0", /1 byte to 42,949,672,960,000/],
    ["completeMultipartUpload", { archiveSize: 1.5 }, "archiveSize", "1.5", /a whole number of bytes/],
    [
      "initiateJob",
      { parameters: { type: "archive-retrieval", archiveId: "" } },
      "parameters.archiveId",
      "\"\"",
      /an id as the service gave it/
    ],
    [
      "initiateJob",
      { parameters: { type: "archive-retrieval", archiveId: id, tier: "Slow" } },
      "parameters.tier",
      "\"Slow\"",
      /Expedited.*Standard.*Bulk/
    ],
    [
      "initiateJob",
      { parameters: { type: "archive-retrieval", archiveId: id, retrievalByteRange: { start: 2, end: 1 } } },
      "parameters.retrievalByteRange",
      "{\"start\":2,\"end\":1}",
      /before its end/
    ],
    [
      "initiateJob",
      { parameters: { type: "inventory-retrieval", selection: { limit: 0 } } },
      "parameters.selection.limit",
      "0",
      /a whole number of 1 or more/
    ],
    ["addTagsToVault", { tags: {} }, "tags", "{}", /1 to 10 tags/],
    [
      "addTagsToVault",
      { tags: numbered(11) },
      "tags",
      JSON.stringify(numbered(11)).slice(0, 100) + "...",
      /1 to 10 tags/
    ],
    ["addTagsToVault", { tags: { "aws:x": "v" } }, "tags.aws:x", "\"v\"", /key .* does not begin with aws:/],
    ["addTagsToVault", { tags: { "aws": "v", "": "w" } }, "tags.", "\"w\"", /key of 1 to 128 letters/],
    [
      "addTagsToVault",
      { tags: { [long.slice(0, 129)]: "v" } },
      `tags.${long.slice(0, 129)}`,
      "\"v\"",
      /key of 1 to 128/
    ],
    ["addTagsToVault", { tags: { "a#": "v" } }, "tags.a#", "\"v\"", /key of .*letters, digits, spaces and _/],
    ["addTagsToVault", { tags: { k: long } }, "tags.k", `"${long.slice(0, 99)}...`, /at most 255/],
    ["addTagsToVault", { tags: { k: "a\n" } }, "tags.k", "\"a\\n\"", /letters, digits, spaces and _/],
    ["removeTagsFromVault", { tagKeys: [] }, "tagKeys", "[]", /1 to 10 keys/],
    [
      "removeTagsFromVault",
      { tagKeys: Object.keys(numbered(11)) },
      "tagKeys",
      JSON.stringify(Object.keys(numbered(11))),
      /1 to 10 keys/
    ],
    ["removeTagsFromVault", { tagKeys: ["k", "aws:x"] }, "tagKeys.1", "\"aws:x\"", /does not begin with aws:/],
    ["removeTagsFromVault", { tagKeys: [long.slice(0, 129)] }, "tagKeys.0", `"${long.slice(0, 99)}...`, /1 to 128/],
    ["setVaultAccessPolicy", { policy: "{" }, "policy", "\"{\"", /JSON text/],
    ["setVaultAccessPolicy", { policy: "" }, "policy", "\"\"", /JSON text/],
    ["setVaultAccessPolicy", { policy: document(20_481) }, "policy", shown(document(20_481)), /at most 20,480 bytes/],
    ["initiateVaultLock", { policy: "Deny" }, "policy", "\"Deny\"", /JSON text/],
    [
      "initiateVaultLock",
      { policy: document(10_242).replaceAll("x", "é") },
      "policy",
      shown(document(10_242).replaceAll("x", "é")),
      /at most 20,480 bytes/
    ],
    ["completeVaultLock", { lockId: "a/b" }, "lockId", "\"a/b\"", /an id as the service gave it/],
    ["completeVaultLock", { lockId: "" }, "lockId", "\"\"", /an id as the service gave it/],
    ["setDataRetrievalPolicy", rules(), "policy.rules", "[]", /exactly one rule/],
    [
      "setDataRetrievalPolicy",
      rules({ strategy: "None" }, { strategy: "None" }),
      "policy.rules",
      "[{\"strategy\":\"None\"},{\"strategy\":\"None\"}]",
      /exactly one rule/
    ],
    [
      "setDataRetrievalPolicy",
      rules({ strategy: "BytesPerHour" }),
      "policy.rules.0",
      "{\"strategy\":\"BytesPerHour\"}",
      /bytesPerHour with the strategy BytesPerHour/
    ],
    [
      "setDataRetrievalPolicy",
      rules({ strategy: "FreeTier", bytesPerHour: 1 }),
      "policy.rules.0",
      "{\"strategy\":\"FreeTier\",\"bytesPerHour\":1}",
      /bytesPerHour .* with no other/
    ],
    [
      "setDataRetrievalPolicy",
      rules({ strategy: "BytesPerHour", bytesPerHour: 0 }),
      "policy.rules.0.bytesPerHour",
      "0",
      /a whole number of 1 or more/
    ],
    [
      "setDataRetrievalPolicy",
      rules({ strategy: "BytesPerHour", bytesPerHour: 2 ** 53 }),
      "policy",
      "{\"rules\":[{\"strategy\":\"BytesPerHour\",\"bytesPerHour\":9007199254740992}]}",
      /bytesPerHour of 9,007,199,254,740,991 or less/
    ],
    ["addTagsToVault", { tags: JSON.parse("{\"__proto__\":\"#\"}") }, "tags.__proto__", "\"#\"", /letters, digits/],
    [
      "setDataRetrievalPolicy",
      rules({ strategy: "Free" }),
      "policy.rules.0.strategy",
      "\"Free\"",
      /BytesPerHour.*None/
    ],
    ["setVaultNotifications", notifying({ events: [] }), "configuration.events", "[]", /1 event or more/],
    [
      "setVaultNotifications",
      notifying({ events: ["ArchiveRetrievalCompleted", "Done"] }),
      "configuration.events.1",
      "\"Done\"",
      /ArchiveRetrievalCompleted, InventoryRetrievalCompleted/
    ],
    [
      "setVaultNotifications",
      notifying({ events: ["ArchiveRetrievalCompleted", "ArchiveRetrievalCompleted"] }),
      "configuration.events",
      "[\"ArchiveRetrievalCompleted\",\"ArchiveRetrievalCompleted\"]",
      /none of them twice/
    ],
    ["setVaultNotifications", notifying({ snsTopic: "" }), "configuration.snsTopic", "\"\"", /ARN of a topic/],
    ["setVaultNotifications", notifying({ snsTopic: "topic" }), "configuration.snsTopic", "\"topic\"", /ARN of a topic/]
  ]
