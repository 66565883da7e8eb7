/** Responses that contradict their requests, and bytes that were damaged in transit. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { promptly } from "../support/retryPolicies.ts"
import { archiveId, call, uploadId } from "./calls.ts"
import type { Call } from "./calls.ts"
import { errorResponseOf, failure, requestId, respondWith, responseOf, scripted } from "./support.ts"

describe("a response that contradicts its request", () => {
  const other = "0".repeat(64)
  const retrying = { policies: RetryPolicy.layer(promptly(2)) }
  const hashed = () => responseOf(201, null, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": other })

  it.effect.each(["uploadArchive", "completeMultipartUpload"] as const)(
    "in its tree hash fails the call with ChecksumMismatch and the id of the archive, without a retry: %s",
    (name) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(respondWith(hashed), retrying)
        const error = yield* Effect.flip(call(name).run(glacier))
        expect({ ...error, message: error.message }).toMatchObject({
          _tag: "ChecksumMismatch",
          operation: operations[name].name,
          status: 201,
          requestId,
          archiveId,
          message: expect.stringContaining(other)
        })
        expect(sent).toHaveLength(1)
      })
  )

  it.effect("in the tree hash of a part makes the client send the part again", () =>
    Effect.gen(function*() {
      const wrong = () => responseOf(204, null, { "x-amz-sha256-tree-hash": other })
      const { run } = call("uploadMultipartPart")
      const healed = yield* scripted(respondWith(wrong, call("uploadMultipartPart").response), retrying)
      yield* run(healed.glacier)
      expect(healed.sent).toHaveLength(2)
      const never = yield* scripted(respondWith(wrong), retrying)
      const error = yield* Effect.flip(run(never.glacier))
      expect({ ...error }).toMatchObject({ _tag: "ChecksumMismatch", status: 204 })
      expect(never.sent).toHaveLength(3)
    }))

  it.effect("is not one without a tree hash", () =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(respondWith(() => responseOf(201, null, { "x-amz-archive-id": archiveId })))
      expect(yield* call("uploadArchive").run(glacier)).toMatchObject({ archiveId, treeHash: Option.none() })
    }))

  const changed = (name: Call["name"], field: string) => async () => {
    const body: unknown = await call(name).response().json()
    return responseOf(200, JSON.stringify({ ...Object(body), [field]: "another" }))
  }

  it.effect.each(
    [
      ["describeVault", "VaultName", /vaultName/],
      ["describeJob", "JobId", /jobId/],
      ["listParts", "MultipartUploadId", /uploadId/]
    ] as const
  )("in a name or id fails the call with MalformedResponse: %s", ([name, field, problem]) =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(() => Effect.promise(changed(name, field)))
      const error = yield* Effect.flip(call(name).run(glacier))
      expect({ ...error }).toMatchObject({
        _tag: "MalformedResponse",
        problem: expect.stringMatching(problem),
        requestId
      })
    }))

  it.effect.each(
    [
      ["initiateMultipartUpload", "x-amz-multipart-upload-id", uploadId, "multipart-uploads", "MalformedResponse"],
      ["completeMultipartUpload", "x-amz-archive-id", archiveId, "archives", "MalformedResponse"],
      ["uploadArchive", "x-amz-archive-id", archiveId, "archives", "OutcomeUnknown"]
    ] as const
  )(
    "in the id of its location fails the call: %s",
    ([name, header, id, folder, tag]) =>
      Effect.gen(function*() {
        const located = (last: string) => () =>
          responseOf(201, null, { [header]: id, location: `/012345678901/vaults/photos/${folder}/${last}` })
        yield* Effect.flatMap(scripted(respondWith(located(id))), ({ glacier }) => call(name).run(glacier))
        expect(yield* failure(call(name).run, located("another"))).toHaveProperty("_tag", tag)
      })
  )
})

describe("bytes that were damaged in transit", () => {
  const damaged = () =>
    errorResponseOf(
      403,
      "InvalidSignatureException",
      "The value passed in as x-amz-content-SHA256 does not match the computed payload hash. Computed digest: a"
    )
  const retrying = { policies: RetryPolicy.layer(promptly(2)) }

  it.effect.each(["uploadArchive", "uploadMultipartPart"] as const)(
    "are sent again, because nothing was stored: %s",
    (name) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(respondWith(damaged, call(name).response), retrying)
        yield* call(name).run(glacier)
        expect(sent).toHaveLength(2)
      })
  )

  it.effect.each(["uploadArchive", "uploadMultipartPart"] as const)(
    "end in ChecksumMismatch when every attempt damages them: %s",
    (name) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(respondWith(damaged), retrying)
        const error = yield* Effect.flip(call(name).run(glacier))
        expect({ ...error, message: error.message }).toMatchObject({
          _tag: "ChecksumMismatch",
          status: 403,
          message: expect.stringContaining("payload hash")
        })
        expect(sent).toHaveLength(3)
      })
  )

  it.effect("are not confused with a wrong secret key, which fails without a retry", () =>
    Effect.gen(function*() {
      const wrong = "The request signature we calculated does not match the signature you provided."
      const { glacier, sent } = yield* scripted(
        respondWith(() => errorResponseOf(403, "InvalidSignatureException", wrong)),
        retrying
      )
      expect(yield* Effect.flip(call("uploadArchive").run(glacier))).toHaveProperty("_tag", "InvalidSignature")
      expect(sent).toHaveLength(1)
    }))
})
