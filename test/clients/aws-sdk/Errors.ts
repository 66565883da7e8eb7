/** Errors that belong to no operation in particular; the others are with their areas. */
import * as Aws from "@aws-sdk/client-glacier"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect } from "@effect/vitest"
import { DateTime, Effect, Logger, Redacted } from "effect"
import { Readable } from "node:stream"
import { Emulator } from "../../../src/emulator/index.ts"
import { call, defaultKey, mebibyte, ramp } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { alter, altered, client, created, denied, emulated, missing, refused, Sdk, stored } = Support

const here = { accountId: "-" }

/** Replaces the body, and takes the hashes of the one before away. */
const replaceBody = (request: Support.Request, body: string) => {
  request.body = body
  request.headers["content-length"] = String(body.length)
  delete request.headers["x-amz-content-sha256"]
  delete request.headers["x-amz-sha256-tree-hash"]
}

export const errors = (it: Support.It) => {
  it.scoped("errors: a body that pauses", () =>
    Effect.gen(function*() {
      const glacier = yield* emulated({ bodyTimeout: "300 millis" })
      const vault = yield* created(glacier, "pausing")
      const body = ramp(mebibyte)
      alter(glacier, "signed", (request) =>
        request.body = Readable.from((async function*() {
          yield body.subarray(0, 1000)
          await new Promise(() => {})
        })()))
      yield* refused(
        () => glacier.uploadArchive({ ...vault, body }),
        Aws.RequestTimeoutException,
        408,
        "Request timed out."
      )
    }))

  it.scoped("errors: a storage that fails", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const glacier = yield* emulated({ directory, jobDelay: 0 })
      const vault = yield* created(glacier, "failing")
      const archiveId = yield* stored(glacier, vault, ramp(mebibyte))
      const { jobId } = yield* call(() =>
        glacier.initiateJob({ ...vault, jobParameters: { Type: "archive-retrieval", ArchiveId: archiveId } })
      )
      yield* fs.remove(`${directory}/blobs`, { recursive: true })
      for (
        const run of [
          () => glacier.getJobOutput({ ...vault, jobId }),
          () => glacier.uploadArchive({ ...vault, body: Buffer.from("bytes") })
        ]
      ) yield* refused(run, Aws.ServiceUnavailableException, 500, /unavailable/)
    }).pipe(Effect.provide([NodeContext.layer, Logger.remove(Logger.defaultLogger)])))

  it.scoped("errors: an account without storage", () =>
    Effect.gen(function*() {
      const glacier = yield* emulated({ withoutStorage: [Support.account] })
      yield* refused(() => glacier.listVaults(here), Aws.NoLongerSupportedException, 400, /no longer supported/)
    }))

  it.scoped("errors: wrong credentials, and temporary ones", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const { accessKeyId, secretAccessKey } = defaultKey
      const list = (glacier: Aws.Glacier) => () => glacier.listVaults(here)
      yield* denied(
        () => glacier.listVaults({ accountId: "999999999999" }),
        "Access denied for account ID: 999999999999"
      )
      const unknown = yield* client({ accessKeyId: "AKIANOBODY", secretAccessKey })
      yield* refused(list(unknown), "UnrecognizedClientException", 400, /security token/)
      const wrong = yield* client({ accessKeyId, secretAccessKey: "wrong" })
      yield* refused(list(wrong), "InvalidSignatureException", 403, /does not match the signature you provided/)
      const unexpected = yield* client({ accessKeyId, secretAccessKey, sessionToken: "unexpected" })
      yield* refused(list(unexpected), "UnrecognizedClientException", 400, /security token/)

      const expired = yield* emulated({ keys: [{ ...Emulator.defaultKey, expiration: DateTime.unsafeMake(0) }] })
      yield* refused(
        list(expired),
        "ExpiredTokenException",
        403,
        "The security token included in the request is expired"
      )

      const temporary = yield* emulated({ keys: [{ ...Emulator.defaultKey, sessionToken: Redacted.make("token") }] })
      yield* refused(list(temporary), "UnrecognizedClientException", 400, /security token/)
      temporary.config.credentials = () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken: "token" })
      expect((yield* call(list(temporary))).VaultList).toEqual([])
    }))

  it.scoped("errors: a clock that is wrong, which the client corrects", () =>
    Effect.gen(function*() {
      const glacier = yield* client()
      glacier.config.systemClockOffset = 3_600_000
      const list = () => glacier.listVaults(here)
      yield* refused(list, "InvalidSignatureException", 403, /^Signature not yet current: /)
      expect(Math.abs(glacier.config.systemClockOffset)).toBeLessThan(60_000)
      expect((yield* call(list)).$metadata.httpStatusCode).toBe(200)
    }))

  it.scoped("errors: requests that were altered on their way", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "altered")
      const unsigned = yield* altered("signed", ({ headers }) => delete headers["authorization"])
      yield* refused(
        () => unsigned.listVaults(here),
        "MissingAuthenticationTokenException",
        400,
        "Missing Authentication Token"
      )
      const unversioned = yield* altered("unsigned", ({ headers }) => delete headers["x-amz-glacier-version"])
      yield* missing(() => unversioned.listVaults(here), "Required parameter missing: API version")
      const newer = yield* altered("unsigned", ({ headers }) => headers["x-amz-glacier-version"] = "2099-01-01")
      yield* Support.invalid(() => newer.listVaults(here), "Invalid API version: 2099-01-01")
      const cut = yield* altered("unsigned", (request) => replaceBody(request, "{"))
      yield* refused(
        () => cut.addTagsToVault({ ...vault, Tags: { key: "value" } }),
        "SerializationException",
        400,
        "The request body is not valid JSON."
      )
      const emptied = yield* altered("unsigned", (request) => replaceBody(request, ""))
      yield* missing(
        () => emptied.initiateJob({ ...vault, jobParameters: { Type: "inventory-retrieval" } }),
        "Required parameter missing: Job Parameters"
      )
      const dated = yield* altered("signed", ({ headers }) => headers["x-amz-date"] = "20120601T000000Z")
      yield* refused(() => dated.listVaults(here), "InvalidSignatureException", 403, /^Date in Credential/)
      yield* refused(
        () => glacier.describeVault({ ...vault, vaultName: "a/b" }),
        "BadRequest",
        400,
        /target is not valid/
      )
    }))
}
