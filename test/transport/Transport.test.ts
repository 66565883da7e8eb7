import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Transport from "../../src/transport/Transport.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }
import { promptly } from "../support/retryPolicies.ts"
import { archiveId, call, calls, jobId, uploadId, welcome, welcomeHash } from "./calls.ts"
import type { Call } from "./calls.ts"
import { errorResponseOf, over, respondWith, responseOf, script, scripted, signedAt } from "./support.ts"

const vaultName = "photos"
const requestId = "AAABZpJrTyioDC_HsOmHae8EZp"
const text = (body: Uint8Array) => new TextDecoder().decode(body)

type Run = (glacier: GlacierClient.Service) => Effect.Effect<object, GlacierError>

/** Returns the error of a call that gets a response. */
const failure = (run: Run, response: () => Response) =>
  Effect.flatMap(scripted(respondWith(response)), ({ glacier }) => Effect.flip(run(glacier)))

/** Each error code with an operation that lists it, and for split codes the text that identifies the class. */
const errorResponses: ReadonlyArray<
  readonly [code: string, status: number, name: Call["name"], tag: string, message: string]
> = [
  ["AccessDeniedException", 403, "createVault", "AccessDenied", "Access denied for account ID: 999999999999"],
  ["BadRequest", 400, "describeVault", "BadRequest", "malformed"],
  ["ExpiredTokenException", 403, "listVaults", "ExpiredToken", "The security token included is expired"],
  ["InsufficientCapacityException", 503, "initiateJob", "InsufficientCapacity", "try another tier"],
  ["InsufficientCapacityException", 400, "initiateJob", "InsufficientCapacity", "try another tier"],
  ["InvalidParameterValueException", 400, "listJobs", "InvalidParameterValue", "The job status code is not valid: x"],
  ["InvalidSignatureException", 403, "deleteVault", "InvalidSignature", "Signature expired: 20120525T002453Z"],
  ["LimitExceededException", 400, "createVault", "LimitExceeded", "1000 vaults"],
  ["LimitExceededException", 400, "addTagsToVault", "LimitExceeded", "50 tags"],
  ["LimitExceededException", 400, "purchaseProvisionedCapacity", "LimitExceeded", "2 units"],
  ["MissingAuthenticationTokenException", 400, "listParts", "MissingAuthenticationToken", "no credentials"],
  ["MissingParameterValueException", 400, "initiateJob", "MissingParameterValue", "Required parameter missing: x"],
  ["NoLongerSupportedException", 400, "listVaults", "NoLongerSupported", "closed"],
  ["PolicyEnforcedException", 400, "initiateJob", "PolicyEnforced", "denied by the current data retrieval policy"],
  ["RequestTimeoutException", 408, "uploadArchive", "RequestTimeout", "Request timed out."],
  ["ResourceNotFoundException", 404, "describeJob", "ResourceNotFound", `There is no such job: ${jobId}`],
  ["ResourceNotFoundException", 404, "getVaultLock", "VaultLockNotSet", "No vault lock policy is set"],
  ["SerializationException", 400, "initiateJob", "Serialization", "no JSON"],
  ["ServiceUnavailableException", 500, "abortMultipartUpload", "ServiceUnavailable", "internal"],
  ["ThrottlingException", 400, "deleteArchive", "Throttling", "Rate exceeded"],
  ["ThrottlingException", 403, "deleteArchive", "Throttling", "Rate exceeded"],
  ["UnrecognizedClientException", 400, "listMultipartUploads", "UnrecognizedClient", "The security token is invalid"],
  ["InvalidParameterValueException", 400, "deleteVault", "VaultNotEmpty", "Vault not empty or recently written to: a"],
  ["InvalidParameterValueException", 400, "uploadArchive", "ChecksumMismatch", "Checksum mismatch: expected a"],
  [
    "InvalidParameterValueException",
    400,
    "completeMultipartUpload",
    "ChecksumMismatch",
    "Invalid x-amz-sha256-tree-hash: a"
  ],
  ["InvalidParameterValueException", 400, "uploadArchive", "EmptyArchive", "Invalid Content-Length: 0"],
  ["InvalidParameterValueException", 400, "initiateMultipartUpload", "InvalidPartSize", "Invalid part size: 3."],
  ["InvalidParameterValueException", 400, "getJobOutput", "JobNotReady", "The job is not currently available for a"],
  ["InvalidParameterValueException", 400, "uploadMultipartPart", "RangeNotAligned", "The range is not aligned"],
  [
    "InvalidParameterValueException",
    400,
    "getJobOutput",
    "RangeNotSatisfiable",
    "The start of the range is larger than size of retrieved data: bytes=9-"
  ],
  // The text belongs to another operation, so it identifies nothing here.
  [
    "InvalidParameterValueException",
    400,
    "listVaults",
    "InvalidParameterValue",
    "Vault not empty or recently written to: a"
  ],
  ["InvalidParameterValueException", 400, "uploadArchive", "InvalidParameterValue", "Invalid Content-Length: 05"]
]

describe("Transport", () => {
  it("has a call of every operation", () => {
    expect(calls.map(({ name }) => name).sort()).toEqual(Object.keys(operations).sort())
  })

  describe("a request", () => {
    it.effect.each(calls)("of $name", ({ response, body = "", headers = {}, request, run }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(signedAt)
        const { glacier, sent } = yield* scripted(respondWith(response))
        yield* Effect.withSpan(run(glacier), "outer")
        expect(sent).toHaveLength(1)
        const { authorization, "content-length": length, ...rest } = sent[0]!.headers
        const [method, target] = request.split(" ")
        expect(sent[0]).toMatchObject({ method, url: `https://glacier.us-east-1.amazonaws.com${target}` })
        const expected = { ...headers, "x-amz-date": "20120525T002453Z", "x-amz-glacier-version": "2012-06-01" }
        expect(rest).toEqual(expected)
        expect(authorization).toContain(`SignedHeaders=${[...Object.keys(expected), "host"].sort().join(";")}, `)
        expect(text(sent[0]!.body)).toBe(body)
        expect(length).toBe(body === "" ? undefined : String(new TextEncoder().encode(body).length))
      }))

    it.effect("goes to the configured endpoint", () =>
      Effect.gen(function*() {
        const endpoint = { region: "eu-west-1", endpoint: "http://127.0.0.1:9012/" }
        const { glacier, sent } = yield* scripted(respondWith(call("listVaults").response), { endpoint })
        yield* glacier.listVaults({})
        expect(sent.map(({ url }) => url)).toEqual(["http://127.0.0.1:9012/-/vaults"])
      }))

    it.effect("can be of any operation, even of one that this package does not define", () =>
      Effect.gen(function*() {
        const ping = Operation.make({
          name: "Ping",
          method: "GET",
          path: "/{accountId}/vaults/{vaultName}/ping",
          input: Operation.vault,
          success: [204],
          headers: {},
          body: "none",
          errors: [],
          repeatable: true
        })
        const { http, sent } = script(respondWith(() => responseOf(204)))
        const transport = yield* Effect.provide(Transport.Transport, over(http))
        expect(yield* transport.execute(ping, { vaultName })).toEqual({})
        expect(sent[0]!.url).toBe("https://glacier.us-east-1.amazonaws.com/-/vaults/photos/ping")
      }))
  })

  describe("a response", () => {
    it.effect.each(calls)("of $name", ({ response, output, run }) =>
      Effect.gen(function*() {
        const { glacier } = yield* scripted(respondWith(response))
        const { body, ...rest } = { body: undefined, ...(yield* run(glacier)) }
        expect(rest).toEqual(output)
        expect(body !== undefined).toBe(response().status === 206)
      }))

    it.effect("decodes null and absent fields as none", () =>
      Effect.gen(function*() {
        const fields = ["LastInventoryDate", "NumberOfArchives", "SizeInBytes"]
        const always = { CreationDate: "2012-03-20T17:03:43.221Z", VaultARN: "arn", VaultName: vaultName }
        const nulls = { ...always, ...Object.fromEntries(fields.map((name) => [name, null])) }
        const { glacier } = yield* scripted(
          respondWith(() => responseOf(200, JSON.stringify(nulls)), () => responseOf(200, JSON.stringify(always)))
        )
        const [first, second] = yield* Effect.replicateEffect(glacier.describeVault({ vaultName }), 2)
        expect(first).toMatchObject({ lastInventoryDate: Option.none(), numberOfArchives: Option.none() })
        expect(second).toEqual(first)
      }))

    it.effect.each([200, 206])("provides the bytes of a job's output (%i)", (status) =>
      Effect.gen(function*() {
        const { glacier } = yield* scripted(respondWith(() => responseOf(status, welcome)))
        const { body, treeHash } = yield* glacier.getJobOutput({ vaultName, jobId })
        const pieces = yield* Stream.runCollect(body)
        expect(Buffer.concat([...pieces])).toEqual(Buffer.from(welcome))
        expect(treeHash).toEqual(Option.none())
      }))

    it.effect("can have an output of 0 bytes", () =>
      Effect.gen(function*() {
        const { glacier } = yield* scripted(respondWith(() => responseOf(200)))
        const { body } = yield* glacier.getJobOutput({ vaultName, jobId })
        expect(yield* Stream.runCount(body)).toBe(0)
      }))

    it.effect("whose body breaks off fails with ConnectionError", () =>
      Effect.gen(function*() {
        let pulls = 0
        const broken = () =>
          new ReadableStream<Uint8Array>({
            pull: (controller) => pulls++ === 0 ? controller.enqueue(welcome) : controller.error(new Error("was cut"))
          })
        const { glacier } = yield* scripted(respondWith(() => responseOf(200, broken())))
        const { body } = yield* glacier.getJobOutput({ vaultName, jobId })
        const error = yield* Effect.flip(Stream.runDrain(body))
        expect({ ...error }).toMatchObject({ _tag: "ConnectionError", operation: "GetJobOutput" })
        expect(error.message).toContain("was cut")
      }))
  })

  describe("an error response", () => {
    it("of every code is in the table", () => {
      expect(new Set(errorResponses.map(([code]) => code))).toEqual(new Set(Object.keys(model.errors)))
    })

    it.effect.each(errorResponses)(
      "%s (%i) of %s is %s: %s",
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
      "with %s (%i) is UnknownServiceError",
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

  describe("a response that contradicts its request", () => {
    const other = "0".repeat(64)
    const retrying = { policies: RetryPolicy.layer(promptly(2)) }
    const hashed = () => responseOf(201, null, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": other })

    it.effect.each(["uploadArchive", "completeMultipartUpload"] as const)(
      "in its tree hash is ChecksumMismatch with the id of the archive, and is not retried: %s",
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

    it.effect("is not one that lacks a tree hash", () =>
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
    )("in a name or id is MalformedResponse: %s", ([name, field, problem]) =>
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
      "in the id of its location is rejected: %s",
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
      "with %s is MalformedResponse (%s)",
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

  describe("an input that breaks a rule", () => {
    const upload = { vaultName, contentSha256: welcomeHash, treeHash: welcomeHash, body: welcome }
    const part = { ...upload, uploadId, range: { start: 0, end: 25 } }
    const initiate = (
      glacier: GlacierClient.Service,
      parameters: Operation.Input<(typeof operations)["initiateJob"]>["parameters"]
    ) => glacier.initiateJob({ vaultName, parameters })
    type Rejected = readonly [field: string, about: string, Run]
    const inputs: ReadonlyArray<Rejected> = [
      ...["", ".", "..", "a b", "a/b", "a%2Fb", "é", "a\r\nb", "x".repeat(256)].map((name): Rejected => [
        "vaultName",
        JSON.stringify(name).slice(0, 12),
        (glacier) => glacier.createVault({ vaultName: name })
      ]),
      ["accountId", "too short", (glacier) => glacier.listVaults({ accountId: "12345" })],
      ["accountId", "with hyphens", (glacier) => glacier.describeVault({ vaultName, accountId: "0123-4567-8901" })],
      ["description", "too long", (glacier) => glacier.uploadArchive({ ...upload, description: "x".repeat(1_025) })],
      ["description", "not ASCII", (glacier) => glacier.uploadArchive({ ...upload, description: "Überblick" })],
      ["description", "of two lines", (glacier) => glacier.uploadArchive({ ...upload, description: "a\r\nx-a: b" })],
      ["body", "no byte", (glacier) => glacier.uploadArchive({ ...upload, body: new Uint8Array() })],
      ["body", "no byte", (glacier) => glacier.uploadMultipartPart({ ...part, body: new Uint8Array() })],
      ["contentSha256", "upper case", (glacier) => glacier.uploadArchive({ ...upload, contentSha256: "A".repeat(64) })],
      ["treeHash", "too short", (glacier) => glacier.uploadArchive({ ...upload, treeHash: welcomeHash.slice(1) })],
      ...[0, 1, 1_048_575, 3_145_728, 8_589_934_592, 1_048_576.5, NaN, -1_048_576].map((partSize): Rejected => [
        "partSize",
        String(partSize),
        (glacier) => glacier.initiateMultipartUpload({ vaultName, partSize })
      ]),
      ["archiveSize", "0", (glacier) => glacier.completeMultipartUpload({ ...upload, uploadId, archiveSize: 0 })],
      ...[
        ["range", 2, 1] as const,
        ["range.start", -1, 1] as const,
        ["range.start", 0.5, 1] as const,
        ["range.end", 0, Infinity] as const
      ].flatMap(([field, start, end]): ReadonlyArray<Rejected> => [
        [field, `${start}-${end}`, (glacier) => glacier.getJobOutput({ vaultName, jobId, range: { start, end } })],
        [field, `${start}-${end}`, (glacier) => glacier.uploadMultipartPart({ ...part, range: { start, end } })]
      ]),
      ...[0, -1, 1.5, NaN, Infinity].map((limit): Rejected => [
        "limit",
        String(limit),
        (glacier) => glacier.listVaults({ limit })
      ]),
      ["marker", "half a character", (glacier) => glacier.listVaults({ marker: "\ud800" })],
      ["archiveId", "a path", (glacier) => glacier.deleteArchive({ vaultName, archiveId: "../../vaults" })],
      ["uploadId", "empty", (glacier) => glacier.abortMultipartUpload({ vaultName, uploadId: "" })],
      ["jobId", "a query", (glacier) => glacier.describeJob({ vaultName, jobId: "a?b" })],
      ["parameters.archiveId", "empty", (glacier) => initiate(glacier, { type: "archive-retrieval", archiveId: "" })],
      [
        "parameters.selection.limit",
        "0",
        (glacier) => initiate(glacier, { type: "inventory-retrieval", selection: { limit: 0 } })
      ]
    ]

    it.effect.each(inputs)("%s (%s) is InvalidInput, and nothing is sent", ([field, , run]) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)))
        const error = yield* Effect.flip(run(glacier))
        expect({ ...error }).toMatchObject({ _tag: "InvalidInput", field, rule: expect.stringMatching(/./) })
        expect(sent).toEqual([])
      }))
  })

  describe("metrics", () => {
    const count = (name: string, labels: Record<string, string>) =>
      Effect.map(
        Metric.snapshot,
        (pairs) =>
          pairs.flatMap(({ metricKey, metricState }) =>
            metricKey.name === name && MetricState.isCounterState(metricState) &&
              Object.entries(labels).every(([key, value]) =>
                metricKey.tags.some((tag) => tag.key === key && tag.value === value)
              )
              ? [Number(metricState.count)]
              : []
          ).reduce((sum, count) => sum + count, 0)
      )

    const counted = <A, E, R>(name: string, labels: Record<string, string>, effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        const before = yield* count(name, labels)
        yield* Effect.exit(effect)
        return (yield* count(name, labels)) - before
      })

    it.effect("count each attempt by operation and outcome", () =>
      Effect.gen(function*() {
        const { glacier } = yield* scripted(
          respondWith(() => errorResponseOf(400, "ThrottlingException"), () =>
            errorResponseOf(404, "ResourceNotFoundException")),
          { policies: RetryPolicy.layer(promptly(5)) }
        )
        const call = glacier.deleteArchive({ vaultName, archiveId: "a" })
        const requests = (outcome: string) =>
          ["glacier_requests_total", { operation: "DeleteArchive", outcome }] as const
        expect(yield* counted(...requests("Throttling"), call)).toBe(1)
        expect(yield* counted(...requests("ResourceNotFound"), call)).toBe(1)
        expect(yield* counted(...requests("ok"), call)).toBe(0)
        const { glacier: fine } = yield* scripted(respondWith(() => responseOf(204)))
        expect(yield* counted(...requests("ok"), fine.deleteArchive({ vaultName, archiveId: "a" }))).toBe(1)
      }))

    it.effect("count the bytes that each attempt sends", () =>
      Effect.gen(function*() {
        const up = (...responses: ReadonlyArray<() => Response>) =>
          Effect.flatMap(
            scripted(respondWith(...responses), { policies: RetryPolicy.layer(promptly(5)) }),
            ({ glacier }) => counted("glacier_bytes_total", { direction: "up" }, call("uploadArchive").run(glacier))
          )
        expect(yield* up(call("uploadArchive").response)).toBe(26)
        expect(
          yield* up(() => errorResponseOf(400, "ThrottlingException"), call("uploadArchive").response)
        ).toBe(52)
        expect(yield* up(() => errorResponseOf(403, "AccessDeniedException"))).toBe(26)
      }))

    it.effect("count the bytes received", () =>
      Effect.gen(function*() {
        const { glacier } = yield* scripted(respondWith(() => responseOf(200, welcome)))
        const down = { direction: "down" }
        const { body } = yield* glacier.getJobOutput({ vaultName, jobId })
        expect(yield* counted("glacier_bytes_total", down, Stream.runDrain(body))).toBe(26)
        expect(yield* counted("glacier_bytes_total", down, glacier.getJobOutput({ vaultName, jobId }))).toBe(0)
      }))
  })
})
