/** Error responses, and successful responses that break the API. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { operations } from "../../src/protocol/Operations.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }
import { call, jobId } from "./calls.ts"
import type { Call } from "./calls.ts"
import { errorResponses } from "./errorResponses.ts"
import { errorResponseOf, failure, requestId, respondWith, responseOf, scripted } from "./support.ts"

const vaultName = "photos"

describe("an error response", () => {
  it("is tested with every code of the model", () => {
    expect(new Set(errorResponses.map(([code]) => code))).toEqual(new Set(Object.keys(model.errors)))
  })

  it.effect.each(errorResponses)(
    "with %s (%i) for %s fails the call with %s: %s",
    ([code, status, name, tag, message]) =>
      Effect.gen(function*() {
        const error = yield* failure(call(name).run, () => errorResponseOf(status, code, message))
        expect({ ...error, message: error.message }).toMatchObject({
          _tag: tag,
          operation: operations[name].name,
          status,
          requestId,
          message
        })
        expect(error).toBeInstanceOf(Error)
      })
  )

  const json = (code: string, message: string) => JSON.stringify({ code, message })

  const page = "<html><h1>Bad Gateway</h1></html>"
  const unknown: ReadonlyArray<
    readonly [about: string, status: number, body: string | null, code: string, message: string]
  > = [
    ["a future code", 400, json("NewException", "new"), "NewException", "new"],
    [
      "a code that the operation does not list",
      400,
      json("LimitExceededException", "full"),
      "LimitExceededException",
      "full"
    ],
    ["a proxy's page", 502, page, "HTTP 502", page],
    ["a long page", 503, "x".repeat(100_000), "HTTP 503", "x".repeat(500)],
    ["no body", 500, null, "HTTP 500", "HTTP status 500"],
    ["other JSON", 403, "{\"code\":7}", "HTTP 403", "{\"code\":7}"],
    ["JSON that is not an object", 400, "null", "HTTP 400", "null"],
    ["a redirect", 307, null, "HTTP 307", "HTTP status 307"],
    ["a success of another operation", 201, null, "HTTP 201", "HTTP status 201"]
  ]

  it.effect.each(unknown)(
    "with %s (%i) fails the call with UnknownServiceError",
    ([, status, body, code, message]) =>
      Effect.gen(function*() {
        const error = yield* failure(call("describeVault").run, () => responseOf(status, body))
        expect({ ...error, message: error.message }).toMatchObject({
          _tag: "UnknownServiceError",
          operation: "DescribeVault",
          code,
          status,
          requestId,
          message
        })
        expect(error.retry).toBe(status >= 500 ? "transient" : "never")
      })
  )

  const vaultMessage = "Vault not found for ARN: a"
  const forms: ReadonlyArray<readonly [body: object, headers: Readonly<Record<string, string>>]> = [
    [{ message: vaultMessage, code: "ResourceNotFoundException", type: "Client" }, {}],
    [{ Code: "ResourceNotFoundException", Message: vaultMessage }, {}],
    [{ __type: "com.amazonaws.glacier#ResourceNotFoundException", message: vaultMessage }, {}],
    [
      { code: null, __type: "ResourceNotFoundException:http://amazon.com/#x", message: null, Message: vaultMessage },
      {}
    ],
    [{ message: vaultMessage }, { "x-amzn-errortype": "ResourceNotFoundException:http://amazon.com/" }],
    [{ code: "ResourceNotFoundException", message: vaultMessage }, { "x-amzn-errortype": "" }]
  ]

  it.effect.each(forms)(
    "is decoded in every form that AWS uses: %j %j",
    ([body, headers]) =>
      Effect.gen(function*() {
        const error = yield* failure(call("describeVault").run, () => responseOf(404, JSON.stringify(body), headers))
        expect({ ...error, message: error.message }).toMatchObject({ _tag: "VaultNotFound", message: vaultMessage })
      })
  )

  it.effect("without a request id becomes an error without a request id", () =>
    Effect.gen(function*() {
      const error = yield* failure(call("describeVault").run, () => new Response(null, { status: 500 }))
      expect({ ...error, requestId: error._tag === "UnknownServiceError" ? error.requestId : "?" })
        .toMatchObject({ _tag: "UnknownServiceError", status: 500, requestId: undefined })
    }))
})

describe("a successful response that breaks the API", () => {
  const vault = { CreationDate: "2012-03-20T17:03:43.221Z", VaultARN: "arn", VaultName: vaultName }
  const json = (body: unknown) => () => responseOf(200, JSON.stringify(body))
  const hashed = (treeHash: string) => () => responseOf(200, "x", { "x-amz-sha256-tree-hash": treeHash })
  const ranged = (range: string) => () => responseOf(206, "x", { "content-range": range })
  const malformed: ReadonlyArray<readonly [about: string, Call["name"], () => Response, RegExp]> = [
    ["no JSON", "describeVault", () => responseOf(200, "<html>"), /not JSON/],
    ["no body", "describeVault", () => responseOf(200), /not JSON/],
    ["half a document", "describeVault", () => responseOf(200, "{\"VaultName\":"), /not JSON/],
    ["JSON that is not an object", "describeVault", json([]), /VaultARN|Expected/],
    ["a missing field", "describeVault", json({ ...vault, VaultName: undefined }), /VaultName/],
    ["a field of another type", "describeVault", json({ ...vault, SizeInBytes: "12" }), /SizeInBytes/],
    ["a negative count", "describeVault", json({ ...vault, NumberOfArchives: -1 }), /NumberOfArchives/],
    ["an invalid date", "describeVault", json({ ...vault, CreationDate: "yesterday" }), /CreationDate/],
    ["an unknown job status", "listJobs", json({ JobList: [{ StatusCode: "Resting" }] }), /JobList/],
    ["no archive id", "completeMultipartUpload", () => responseOf(201), /x-amz-archive-id is missing/],
    [
      "an empty upload id",
      "initiateMultipartUpload",
      () => responseOf(201, null, { "x-amz-multipart-upload-id": "" }),
      /x-amz-multipart-upload-id is missing/
    ],
    ["an invalid tree hash", "getJobOutput", hashed("0"), /tree-hash/],
    ["an invalid range", "getJobOutput", ranged("bytes */7"), /content-range/]
  ]

  it.effect.each(malformed)(
    "with %s fails the call with MalformedResponse (%s)",
    ([, name, response, problem]) =>
      Effect.gen(function*() {
        const error = yield* failure(call(name).run, response)
        expect({ ...error }).toMatchObject({
          _tag: "MalformedResponse",
          operation: operations[name].name,
          status: response().status,
          requestId,
          problem: expect.stringMatching(problem)
        })
      })
  )

  it.effect.each(
    [
      ["no archive id", "uploadArchive", () => responseOf(201), /x-amz-archive-id is missing/],
      ["an invalid id", "initiateJob", () => responseOf(202, null, { "x-amz-job-id": "../vaults" }), /x-amz-job-id/],
      ["no lock id", "initiateVaultLock", () => responseOf(201), /x-amz-lock-id is missing/],
      ["another successful status", "uploadArchive", () => responseOf(200), /HTTP status 200/]
    ] as const
  )(
    "with %s leaves the outcome unknown of a call that must not be repeated (%s)",
    ([, name, response, problem]) =>
      Effect.gen(function*() {
        const error = yield* failure(call(name).run, response)
        expect({ ...error, message: error.message }).toMatchObject({
          _tag: "OutcomeUnknown",
          operation: operations[name].name,
          message: expect.stringMatching(problem)
        })
      })
  )

  it.effect("does not keep its connection", () =>
    Effect.gen(function*() {
      let released = false
      const endless = () => new ReadableStream<Uint8Array>({ cancel: () => void (released = true) })
      const { glacier, sent } = yield* scripted(
        respondWith(() => responseOf(200, endless(), { "x-amz-sha256-tree-hash": "0" }))
      )
      yield* Effect.flip(glacier.getJobOutput({ vaultName, jobId }))
      expect(released || sent[0]!.signal.aborted).toBe(true)
    }))
})
