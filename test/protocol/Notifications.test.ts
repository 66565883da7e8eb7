import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Message } from "../../src/protocol/Notifications.ts"
import { id } from "./model.ts"

/** As the service publishes it: all fields, also those that do not apply. */
const job = {
  Action: "InventoryRetrieval",
  ArchiveId: null,
  ArchiveSHA256TreeHash: null,
  ArchiveSizeInBytes: null,
  Completed: true,
  CompletionDate: "2012-12-03T01:51:05.401Z",
  CreationDate: "2012-12-02T21:34:42.378Z",
  InventoryRetrievalParameters: { EndDate: null, Format: "JSON", Limit: null, Marker: null, StartDate: null },
  InventorySizeInBytes: 20_567,
  JobDescription: "the \"monthly\" one",
  JobId: id,
  JobOutputPath: null,
  OutputLocation: null,
  RetrievalByteRange: null,
  SelectParameters: null,
  SHA256TreeHash: null,
  SNSTopic: "arn:aws:sns:us-west-2:123456789012:done",
  StatusCode: "Succeeded",
  StatusMessage: "Succeeded",
  Tier: null,
  VaultARN: "arn:aws:glacier:us-west-2:123456789012:vaults/photos"
}

/** As SNS hands it on to a queue. */
const envelope = {
  Type: "Notification",
  MessageId: "6f4a5b9e-1c0d-5e6f-8a7b-9c0d1e2f3a4b",
  TopicArn: job.SNSTopic,
  Message: JSON.stringify(job),
  Timestamp: "2012-12-03T01:51:06.000Z",
  SignatureVersion: "1",
  Signature: "c2lnbmF0dXJl",
  SigningCertURL: "https://sns.us-west-2.amazonaws.com/cert.pem",
  UnsubscribeURL: "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe"
}

const decode = Schema.decodeUnknownEither(Message)

describe("Message", () => {
  it.each([["raw", job], ["in SNS's envelope", envelope]])(
    "is decoded to the job that it reports, %s",
    (_, message) => {
      expect(Either.getOrThrow(decode(JSON.stringify(message)))).toMatchObject({
        jobId: job.JobId,
        completed: true,
        statusCode: "Succeeded",
        jobDescription: Option.some(job.JobDescription),
        inventorySizeInBytes: Option.some(20_567),
        archiveId: Option.none()
      })
    }
  )

  it("is encoded as the service publishes it", () => {
    expect(JSON.parse(Schema.encodeSync(Message)(Either.getOrThrow(decode(JSON.stringify(envelope)))))).toEqual(job)
  })

  it.each([
    "",
    "not JSON",
    "null",
    "[]",
    "{}",
    JSON.stringify({ ...job, JobId: "a/b" }),
    JSON.stringify({ ...job, StatusCode: "Lost" }),
    JSON.stringify({ ...envelope, Type: "SubscriptionConfirmation" }),
    JSON.stringify({ ...envelope, Message: "hello" }),
    JSON.stringify({ ...envelope, Message: job }),
    JSON.stringify({ ...envelope, Message: JSON.stringify({ ...envelope }) })
  ])("rejects %j", (text) => {
    expect(Either.isLeft(decode(text))).toBe(true)
  })
})
