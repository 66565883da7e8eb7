/** The error or the result that each fault leads to. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { address, collect, mebibyte, pattern, sendingParts, treeHash } from "../transfer/support.ts"

export const bytes = pattern(2 * mebibyte + 10)

/** Runs an effect with a vault and a client without retries. Jobs complete at once. */
export const withFaults = (options: Faults.Options) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.zipRight(Effect.flatMap(GlacierClient, (glacier) => glacier.createVault(address)), effect).pipe(
    Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
    Effect.provide(Faults.layerClient()),
    Effect.provide(Layer.merge(Faults.layer(options), TestGlacier.layer({ jobDelay: 0 }))),
    Effect.provide(NodeHashing.layer),
    inVirtualTime
  )

/** Uploads an archive in 3 parts and downloads its first 2 MiB, one call after the other. */
export const roundTrip = Effect.gen(function*() {
  const glacier = yield* GlacierClient
  const { uploadId } = yield* glacier.initiateMultipartUpload({ ...address, partSize: mebibyte, description: "a" })
  const sending = yield* sendingParts(uploadId)
  for (const index of [0, 1, 2]) yield* sending(bytes, index)
  const { parts } = yield* glacier.listParts({ ...address, uploadId })
  const whole = { archiveSize: bytes.length, treeHash: treeHash(bytes) }
  const { archiveId } = yield* glacier.completeMultipartUpload({ ...address, uploadId, ...whole })
  const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
  yield* glacier.describeJob({ ...address, jobId })
  const range = ByteRange.make(0, 2 * mebibyte)
  const output = yield* glacier.getJobOutput({ ...address, jobId, range })
  const body = yield* collect(output.body)
  return {
    parts: parts.map(({ range }) => range.start / mebibyte),
    sum: treeHash(body) === treeHash(bytes.subarray(0, 2 * mebibyte)) ? "right" : "wrong",
    length: body.length,
    responseTreeHash: output.treeHash,
    range: output.contentRange
  }
})

export const right = { parts: [0, 1, 2], sum: "right", length: 2 * mebibyte }

export const withFault = (fault: Faults.Kind, operation: string, at = 1) =>
  withFaults({ script: [{ fault, operation, at }] })

/** The error of a client without retries, for each fault. */
export const failures: ReadonlyArray<readonly [fault: Faults.Kind, operation: string, error: object]> = [
  ["LostRequest", "DescribeJob", { _tag: "AttemptTimeout", waiting: "response" }],
  ["LostResponse", "UploadMultipartPart", { _tag: "AttemptTimeout", limit: Duration.minutes(5) }],
  ["Throttled", "UploadMultipartPart", { _tag: "Throttling" }],
  ["TimedOut", "UploadMultipartPart", { _tag: "RequestTimeout" }],
  ["Failed", "ListParts", { _tag: "ServiceUnavailable", status: 500 }],
  ["Unavailable", "DescribeJob", { _tag: "ServiceUnavailable", status: 503 }],
  ["ProxyPage", "ListParts", { _tag: "UnknownServiceError", status: 502 }],
  ["ResetBeforeHeaders", "UploadMultipartPart", { _tag: "ConnectionError" }],
  ["ResetAfterHeaders", "DescribeJob", { _tag: "ConnectionError" }],
  ["ResetMidBody", "GetJobOutput", { _tag: "ConnectionError" }],
  ["Stalled", "GetJobOutput", { _tag: "AttemptTimeout", waiting: "body" }],
  ["Trickled", "UploadMultipartPart", { _tag: "AttemptTimeout", limit: Duration.minutes(5) }],
  ["FlippedBit", "UploadMultipartPart", { _tag: "ChecksumMismatch", status: 403 }],
  ["DamagedBodies", "UploadMultipartPart", { _tag: "ChecksumMismatch", status: 403 }],
  ["RejectedTreeHash", "UploadMultipartPart", { _tag: "ChecksumMismatch", status: 400 }],
  ["RejectedTreeHash", "CompleteMultipartUpload", { _tag: "ChecksumMismatch", status: 400 }],
  ["WrongTreeHash", "UploadMultipartPart", { _tag: "ChecksumMismatch", status: 204 }],
  ["WrongTreeHash", "CompleteMultipartUpload", { _tag: "ChecksumMismatch", status: 201 }],
  ["GoneAfterComplete", "CompleteMultipartUpload", { _tag: "UploadNotFound" }],
  ["ExpiredUpload", "UploadMultipartPart", { _tag: "UploadNotFound" }],
  ["ExpiredJob", "DescribeJob", { _tag: "JobNotFound" }]
]

/** The result of the client for each fault that it does not detect. */
export const changes: ReadonlyArray<readonly [fault: Faults.Kind, operation: string, outcome: object]> = [
  ["Trickled", "GetJobOutput", right],
  ["Truncated", "GetJobOutput", { sum: "wrong", length: mebibyte }],
  ["ExtraBytes", "GetJobOutput", { sum: "wrong", length: 2 * mebibyte + 100 }],
  ["FlippedBit", "GetJobOutput", { sum: "wrong", length: 2 * mebibyte }],
  ["WrongContentRange", "GetJobOutput", { range: { value: { range: { start: mebibyte, end: 3 * mebibyte - 1 } } } }],
  ["StalePage", "ListParts", { parts: [0, 1] }],
  ["RepeatedPage", "ListParts", { parts: [2, 2, 1, 1, 0, 0] }],
  ["NoTreeHash", "UploadMultipartPart", right],
  ["NoTreeHash", "CompleteMultipartUpload", right],
  ["NoTreeHash", "GetJobOutput", { sum: "right", responseTreeHash: { _tag: "None" } }],
  // The client signs the request again without a retry policy.
  ["ExpiredCredentials", "ListParts", right],
  ["ClockJump", "ListParts", right]
]
