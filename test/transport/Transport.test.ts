/** Requests, responses, inputs and metrics of all operations. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { promptly } from "../support/retryPolicies.ts"
import { call, calls, jobId, uploadId, welcome, welcomeHash } from "./calls.ts"
import { errorResponseOf, over, respondWith, responseOf, type Run, script, scripted, signedAt } from "./support.ts"

const vaultName = "photos"
const text = (body: Uint8Array) => new TextDecoder().decode(body)

describe("Transport", () => {
  it("is tested with a call of every operation", () => {
    expect(calls.map(({ name }) => name).sort()).toEqual(Object.keys(operations).sort())
  })

  describe("a request", () => {
    it.effect.each(calls)(
      "of $name has its method, target, headers and body, and is signed",
      ({ response, body = "", headers = {}, request, run }) =>
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
        })
    )

    it.effect("goes to the configured endpoint", () =>
      Effect.gen(function*() {
        const endpoint = { region: "eu-west-1", endpoint: "http://127.0.0.1:9012/" }
        const { glacier, sent } = yield* scripted(respondWith(call("listVaults").response), { endpoint })
        yield* glacier.listVaults({})
        expect(sent.map(({ url }) => url)).toEqual(["http://127.0.0.1:9012/-/vaults"])
      }))

    it.effect("can be for an operation that this package does not define", () =>
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
    it.effect.each(calls)("of $name is decoded", ({ response, output, run }) =>
      Effect.gen(function*() {
        const { glacier } = yield* scripted(respondWith(response))
        const { body, ...rest } = { body: undefined, ...(yield* run(glacier)) }
        expect(rest).toEqual(output)
        expect(body !== undefined).toBe(response().status === 206)
      }))

    it.effect("has none for null and absent fields", () =>
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

    it.effect.each(inputs)(
      "fails with InvalidInput, and sends nothing: %s, %s",
      ([field, , run]) =>
        Effect.gen(function*() {
          const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)))
          const error = yield* Effect.flip(run(glacier))
          expect({ ...error }).toMatchObject({ _tag: "InvalidInput", field, rule: expect.stringMatching(/./) })
          expect(sent).toEqual([])
        })
    )
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
