import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Signature from "../../src/emulator/internal/signature.ts"
import { CredentialsError } from "../../src/protocol/GlacierError.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import * as Names from "../../src/protocol/Names.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Signer from "../../src/transport/Signer.ts"
import { archiveId, jobId, lockId, policy, topic, uploadId, welcome, welcomeHash } from "./calls.ts"
import { examples, keys, respondWith, responseOf, scripted, secret, signedAt } from "./support.ts"

const token = "FwoGZXIvYXdzEXAMPLE//session+token=="
const temporary: Credentials.Keys = { ...keys, sessionToken: Redacted.make(token) }
const vaultName = "examplevault"

const sign = (
  request: Omit<Signer.Unsigned, "at">,
  credentials: Layer.Layer<Credentials.Credentials> = Credentials.layer(keys),
  endpoint: Endpoint.Options = { region: "us-east-1" }
) =>
  Effect.gen(function*() {
    const signer = yield* Signer.Signer
    return (yield* signer.sign({ ...request, at: yield* Clock.currentTimeMillis })).headers
  }).pipe(
    Effect.provide(Signer.layer),
    Effect.provide(credentials),
    Effect.provide(Layer.orDie(Endpoint.layer(endpoint)))
  )

const version = { "x-amz-glacier-version": "2012-06-01" }
const listVaults: Omit<Signer.Unsigned, "at"> = {
  method: "GET",
  path: "/-/vaults",
  query: [["limit", "2"]],
  headers: version
}

const unsigned = (example: (typeof examples)[number]): Omit<Signer.Unsigned, "at"> => {
  const url = new URL(example.target, "https://glacier.us-east-1.amazonaws.com")
  const { "content-length": _length, host: _host, "x-amz-date": _date, ...headers } = example.headers
  return { method: example.method, path: url.pathname, query: [...url.searchParams], headers, body: example.body }
}

const sha256 = Effect.runSync(Sha256.Sha256)

/** Verifies a signed request with the code of the emulator, which is independent of the signer. */
const verify = (request: Signature.SignedRequest, bodySha256?: string): string =>
  Either.match(
    Signature.verify({
      sha256,
      now: signedAt,
      keys: () => Option.some({ secretAccessKey: Redacted.make(secret) }),
      request,
      bodySha256
    }),
    { onLeft: () => "rejected", onRight: () => "signed" }
  )

describe("Signer", () => {
  describe("requests that other SDKs signed", () => {
    it("are 39", () => expect(examples).toHaveLength(39))

    it.effect.each(examples)("$method $target ($signed_headers)", (example) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(signedAt)
        const { headers } = unsigned(example)
        expect(yield* sign(unsigned(example))).toEqual({
          ...headers,
          "x-amz-date": "20120525T002453Z",
          authorization: example.authorization
        })
      }))
  })

  it.effect.each([
    {
      vector: "A",
      at: Date.UTC(2012, 4, 25, 0, 24, 53),
      request: { method: "PUT", path: "/-/vaults/examplevault", query: [], headers: version },
      authorization: "Credential=AKIAIOSFODNN7EXAMPLE/20120525/us-east-1/glacier/aws4_request, " +
        "SignedHeaders=host;x-amz-date;x-amz-glacier-version, " +
        "Signature=3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a"
    },
    {
      vector: "B",
      at: Date.UTC(2012, 4, 7),
      request: {
        method: "POST",
        path: "/-/vaults/examplevault/archives",
        query: [],
        headers: { ...version, "x-amz-content-sha256": welcomeHash },
        body: welcome
      },
      authorization: "Credential=AKIAIOSFODNN7EXAMPLE/20120507/us-east-1/glacier/aws4_request, " +
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-glacier-version, " +
        "Signature=b092397439375d59119072764a1e9a144677c43d9906fd98a5742c57a2855de6"
    }
  ])("reproduces test vector $vector", ({ at, authorization, request }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(at)
      expect(yield* sign(request)).toHaveProperty("authorization", `AWS4-HMAC-SHA256 ${authorization}`)
    }))

  it.effect("sends and signs the session token", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(signedAt)
      const headers = yield* sign(listVaults, Credentials.layer(temporary))
      expect(headers["x-amz-security-token"]).toBe(token)
      expect(headers["authorization"]).toContain(
        "SignedHeaders=host;x-amz-date;x-amz-glacier-version;x-amz-security-token, "
      )
      const other = yield* sign(
        listVaults,
        Credentials.layer({ ...keys, sessionToken: Redacted.make("another token") })
      )
      expect(other["authorization"]).not.toBe(headers["authorization"])
      expect(yield* sign(listVaults)).not.toHaveProperty("x-amz-security-token")
    }))

  it.effect("signs for the given time", () =>
    Effect.gen(function*() {
      expect(yield* sign(listVaults)).toHaveProperty("x-amz-date", "19700101T000000Z")
      yield* TestClock.setTime(signedAt)
      expect(yield* sign(listVaults)).toHaveProperty("x-amz-date", "20120525T002453Z")
      yield* TestClock.adjust("1 day")
      const headers = yield* sign(listVaults)
      expect(headers["x-amz-date"]).toBe("20120526T002453Z")
      expect(headers["authorization"]).toContain("/20120526/us-east-1/glacier/aws4_request,")
    }))

  it.effect("signs for the region and the host of the endpoint", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(signedAt)
      const ireland = yield* sign(listVaults, undefined, { region: "eu-west-1" })
      const fips = yield* sign(listVaults, undefined, { region: "fips-us-east-1" })
      expect(ireland["authorization"]).toContain("/20120525/eu-west-1/glacier/aws4_request,")
      expect(fips["authorization"]).toContain("/20120525/us-east-1/glacier/aws4_request,")
      const signed = yield* sign(listVaults, undefined, { region: "eu-west-1", endpoint: "http://127.0.0.1:9012" })
      const judged = (host: string) =>
        verify({ method: "GET", path: "/-/vaults", query: "limit=2", headers: { ...signed, host } })
      expect(judged("127.0.0.1:9012")).toBe("signed")
      expect(judged("127.0.0.1")).toBe("rejected")
    }))

  it.effect("gets the current credentials for each request", () =>
    Effect.gen(function*() {
      let asked = 0
      const next = Effect.sync(() => ({
        accessKeyId: `AKID${++asked}`,
        secretAccessKey: Redacted.make(`secret ${asked}`)
      }))
      const refreshed = Layer.succeed(Credentials.Credentials, { keys: next, refreshed: () => next })
      const sent = yield* Effect.flatMap(Signer.Signer, (signer) =>
        Effect.replicateEffect(signer.sign({ ...listVaults, at: signedAt }), 2)).pipe(
          Effect.provide(Signer.layer),
          Effect.provide(refreshed),
          Effect.provide(Endpoint.layer({ region: "us-east-1" }))
        )
      expect(sent.map(({ headers }) =>
        headers["authorization"]?.slice(0, 33)
      )).toEqual([
        "AWS4-HMAC-SHA256 Credential=AKID1",
        "AWS4-HMAC-SHA256 Credential=AKID2"
      ])
      expect(asked).toBe(2)
    }))

  it.effect("fails with the error of the credentials", () =>
    Effect.gen(function*() {
      const failure = new CredentialsError({ message: "the provider is down" })
      expect(yield* Effect.flip(sign(listVaults, Credentials.layerEffect(Effect.fail(failure))))).toBe(failure)
    }))

  it.effect("never shows the secret in its headers", () =>
    Effect.gen(function*() {
      const headers = yield* sign({ ...listVaults, body: welcome }, Credentials.layer(temporary))
      expect(inspect(headers, { depth: Infinity, showHidden: true })).not.toContain(secret)
    }))

  it.effect("never shows the secret in an error, whatever the cause quotes", () =>
    Effect.gen(function*() {
      const quoting: Sha256.Create = (key) => {
        if (key !== undefined) throw new Error(`no key: ${new TextDecoder().decode(key)}`)
        return sha256()
      }
      const error = yield* sign(listVaults).pipe(Effect.provideService(Sha256.Sha256, quoting), Effect.flip)
      expect(error._tag).toBe("CredentialsError")
      expect([inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error), String(error)].join())
        .not.toContain(secret)
    }))

  it.effect("fails with CredentialsError when the secret was wiped", () =>
    Effect.gen(function*() {
      const wiped = Redacted.make("to be wiped")
      Redacted.unsafeWipe(wiped)
      const exit = yield* Effect.exit(sign(listVaults, Credentials.layer({ ...keys, secretAccessKey: wiped })))
      expect(exit).toMatchObject({ _tag: "Failure", cause: { _tag: "Fail", error: { _tag: "CredentialsError" } } })
    }))
})

interface Example {
  readonly operation: string
  readonly run: (glacier: GlacierClient.Service) => Effect.Effect<object, GlacierError>
}

const upload = { body: welcome, contentSha256: welcomeHash, treeHash: welcomeHash }

/** The calls that send the examples, in the order of the examples of each operation. */
const reproduced: ReadonlyArray<Example> = [
  { operation: "CreateVault", run: (glacier) => glacier.createVault({ vaultName }) },
  { operation: "DeleteVault", run: (glacier) => glacier.deleteVault({ vaultName }) },
  { operation: "DescribeVault", run: (glacier) => glacier.describeVault({ vaultName }) },
  {
    operation: "ListVaults",
    run: (glacier) =>
      glacier.listVaults({ limit: 2, marker: "arn:aws:glacier:us-west-2:012345678901:vaults/examplevault1" })
  },
  {
    operation: "UploadArchive",
    run: (glacier) => glacier.uploadArchive({ vaultName, description: "my archive", ...upload })
  },
  { operation: "DeleteArchive", run: (glacier) => glacier.deleteArchive({ vaultName, archiveId }) },
  {
    operation: "InitiateMultipartUpload",
    run: (glacier) => glacier.initiateMultipartUpload({ vaultName, description: "MyArchive-101", partSize: 4_194_304 })
  },
  {
    operation: "UploadMultipartPart",
    run: (glacier) => glacier.uploadMultipartPart({ vaultName, uploadId, range: { start: 0, end: 25 }, ...upload })
  },
  {
    operation: "CompleteMultipartUpload",
    run: (glacier) => glacier.completeMultipartUpload({ vaultName, uploadId, archiveSize: 26, treeHash: welcomeHash })
  },
  { operation: "AbortMultipartUpload", run: (glacier) => glacier.abortMultipartUpload({ vaultName, uploadId }) },
  { operation: "ListParts", run: (glacier) => glacier.listParts({ vaultName, uploadId, limit: 1, marker: "1001" }) },
  { operation: "ListMultipartUploads", run: (glacier) => glacier.listMultipartUploads({ vaultName }) },
  { operation: "DescribeJob", run: (glacier) => glacier.describeJob({ vaultName, jobId }) },
  {
    operation: "ListJobs",
    run: (glacier) => glacier.listJobs({ vaultName, statusCode: "Succeeded", completed: true, limit: 5 })
  },
  {
    operation: "GetJobOutput",
    run: (glacier) => glacier.getJobOutput({ vaultName, jobId, range: { start: 0, end: 1_023 } })
  },
  { operation: "GetJobOutput", run: (glacier) => glacier.getJobOutput({ vaultName, jobId }) },
  {
    operation: "InitiateJob",
    run: (glacier) =>
      glacier.initiateJob({
        vaultName,
        parameters: {
          type: "archive-retrieval",
          archiveId,
          retrievalByteRange: { start: 0, end: 1_048_575 },
          tier: "Bulk"
        }
      })
  },
  {
    operation: "InitiateJob",
    run: (glacier) =>
      glacier.initiateJob({
        vaultName,
        parameters: {
          type: "inventory-retrieval",
          format: "CSV",
          selection: { startDate: DateTime.unsafeMake("2013-12-04T21:25:42Z"), limit: 10_000 }
        }
      })
  },
  {
    operation: "SetVaultNotifications",
    run: (glacier) =>
      glacier.setVaultNotifications({
        vaultName,
        configuration: { snsTopic: topic, events: ["ArchiveRetrievalCompleted"] }
      })
  },
  { operation: "GetVaultNotifications", run: (glacier) => glacier.getVaultNotifications({ vaultName }) },
  { operation: "DeleteVaultNotifications", run: (glacier) => glacier.deleteVaultNotifications({ vaultName }) },
  { operation: "SetVaultAccessPolicy", run: (glacier) => glacier.setVaultAccessPolicy({ vaultName, policy }) },
  { operation: "GetVaultAccessPolicy", run: (glacier) => glacier.getVaultAccessPolicy({ vaultName }) },
  { operation: "DeleteVaultAccessPolicy", run: (glacier) => glacier.deleteVaultAccessPolicy({ vaultName }) },
  { operation: "InitiateVaultLock", run: (glacier) => glacier.initiateVaultLock({ vaultName, policy }) },
  { operation: "CompleteVaultLock", run: (glacier) => glacier.completeVaultLock({ vaultName, lockId }) },
  { operation: "AbortVaultLock", run: (glacier) => glacier.abortVaultLock({ vaultName }) },
  { operation: "GetVaultLock", run: (glacier) => glacier.getVaultLock({ vaultName }) },
  { operation: "AddTagsToVault", run: (glacier) => glacier.addTagsToVault({ vaultName, tags: { k: "v" } }) },
  { operation: "RemoveTagsFromVault", run: (glacier) => glacier.removeTagsFromVault({ vaultName, tagKeys: ["k"] }) },
  { operation: "ListTagsForVault", run: (glacier) => glacier.listTagsForVault({ vaultName }) },
  {
    operation: "SetDataRetrievalPolicy",
    run: (glacier) =>
      glacier.setDataRetrievalPolicy({
        policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 10_737_418_240 }] }
      })
  },
  { operation: "GetDataRetrievalPolicy", run: (glacier) => glacier.getDataRetrievalPolicy({}) },
  { operation: "PurchaseProvisionedCapacity", run: (glacier) => glacier.purchaseProvisionedCapacity({}) },
  { operation: "ListProvisionedCapacity", run: (glacier) => glacier.listProvisionedCapacity({}) }
]

const examplesOf = (operation: string) => examples.filter((example) => example.operation === operation)

const pairs = reproduced.map(({ operation, run }, index) => {
  const before = reproduced.slice(0, index).filter((example) => example.operation === operation)
  return { run, example: examplesOf(operation)[before.length]! }
})

// The client rejects empty input before it sends a request.
const isEmpty = ({ body, operation }: (typeof examples)[number]) =>
  body === "{}" || (operation === "UploadArchive" && body === "")

/** Returns the request that a call sends at the time of the examples. */
const sentBy = (run: Example["run"]) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(signedAt)
    const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)))
    yield* Effect.flip(run(glacier))
    const { "content-length": _, ...headers } = sent[0]!.headers
    return { ...sent[0]!, headers, text: new TextDecoder().decode(sent[0]!.body) }
  })

describe("the request of a call", () => {
  it.effect.each(pairs.filter(({ example }) => !example.body.startsWith("{")))(
    "equals the signed example: $example.method $example.target",
    ({ example, run }) =>
      Effect.gen(function*() {
        const { headers, method, text, url } = yield* sentBy(run)
        const { "content-length": _length, host: _host, ...expected } = example.headers
        expect([method, url]).toEqual([example.method, `https://glacier.us-east-1.amazonaws.com${example.target}`])
        expect(headers).toEqual({ ...expected, authorization: example.authorization })
        expect(text).toBe(example.body)
      })
  )

  // The examples have spaces in their JSON, so their signature differs.
  it.effect.each(pairs.filter(({ example }) => example.body.startsWith("{")))(
    "equals the example except for JSON spaces and job descriptions, and is signed: $example.method $example.target $example.body",
    ({ example, run }) =>
      Effect.gen(function*() {
        const { body, headers: sentHeaders, method, text, url } = yield* sentBy(run)
        const { "content-length": _length, host = "", ...expected } = example.headers
        expect([method, url]).toEqual([example.method, `https://glacier.us-east-1.amazonaws.com${example.target}`])
        const { authorization, ...headers } = sentHeaders
        expect(headers).toEqual(expected)
        const isUnnamedJob = example.operation === "InitiateJob" && !example.body.includes("Description")
        expect(JSON.parse(text)).toEqual({
          ...JSON.parse(example.body),
          // The client adds a description, to find the job again when the response is lost.
          ...(isUnnamedJob ? { Description: expect.stringMatching(/^effect-glacier:\w+$/) } : {})
        })
        expect(authorization).toContain(`SignedHeaders=${example.signed_headers}, `)
        const { pathname, search } = new URL(url)
        const request = { method, path: pathname, query: search.slice(1), headers: { ...sentHeaders, host } }
        expect(verify(request, Sha256.hex(sha256, body))).toBe("signed")
        expect(verify(request, Sha256.hex(sha256))).toBe("rejected")
      })
  )

  it("is tested for all examples except those that the client rejects", () => {
    expect(examples.filter(isEmpty).map(({ operation }) => operation))
      .toEqual(["UploadArchive", "InitiateJob", "SetVaultNotifications", "AddTagsToVault"])
    expect(pairs.map(({ example }) => examples.indexOf(example)).sort())
      .toEqual(examples.flatMap((example, index) => isEmpty(example) ? [] : [index]).sort())
    expect(new Set(examples.map(({ operation }) => operation)))
      .toEqual(new Set(Object.values(operations).map(({ name }) => name)))
  })

  it.effect.prop(
    "is signed for any description and marker",
    { description: Names.Description, marker: Names.Description },
    ({ description, marker }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(signedAt)
        const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)))
        yield* Effect.flip(glacier.uploadArchive({ vaultName, description, ...upload }))
        yield* Effect.flip(glacier.listVaults({ marker }))
        expect(sent.map((request) => {
          const url = new URL(request.url)
          const headers = { ...request.headers, host: url.host }
          return verify({ method: request.method, path: url.pathname, query: url.search.slice(1), headers })
        })).toEqual(["signed", "signed"])
      }),
    { fastCheck: { numRuns: 40 } }
  )
})
