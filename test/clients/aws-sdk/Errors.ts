/** Errors that any operation may return. The other areas test the errors of their operations. */
import * as Aws from "@aws-sdk/client-glacier"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect } from "@effect/vitest"
import { DateTime, Effect, Logger, Redacted } from "effect"
import { Readable } from "node:stream"
import { Emulator } from "../../../src/emulator/index.ts"
import { call, defaultKey, mebibyte, ramp } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { alter, altered, client, created, denied, emulated, missing, rejected, Sdk, stored } = Support

const here = { accountId: "-" }

/** Replaces the body, and removes the hashes of the previous one. */
const replaceBody = (request: Support.Request, body: string) => {
  request.body = body
  request.headers["content-length"] = String(body.length)
  delete request.headers["x-amz-content-sha256"]
  delete request.headers["x-amz-sha256-tree-hash"]
}

export const errors = (it: Support.It) => {
  it.scoped("throws RequestTimeoutException when a body pauses", () =>
    Effect.gen(function*() {
      const glacier = yield* emulated({ bodyTimeout: "300 millis" })
      const vault = yield* created(glacier, "pausing")
      const body = ramp(mebibyte)
      alter(glacier, "signed", (request) =>
        request.body = Readable.from((async function*() {
          yield body.subarray(0, 1000)
          await new Promise(() => {})
        })()))
      yield* rejected(
        () => glacier.uploadArchive({ ...vault, body }),
        Aws.RequestTimeoutException,
        408,
        "Request timed out."
      )
    }))

  it.scoped("throws ServiceUnavailableException when the storage fails", () =>
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
      ) yield* rejected(run, Aws.ServiceUnavailableException, 500, /unavailable/)
    }).pipe(Effect.provide([NodeContext.layer, Logger.remove(Logger.defaultLogger)])))

  it.scoped("throws NoLongerSupportedException for an account without storage", () =>
    Effect.gen(function*() {
      const glacier = yield* emulated({ withoutStorage: [Support.account] })
      yield* rejected(() => glacier.listVaults(here), Aws.NoLongerSupportedException, 400, /no longer supported/)
    }))

  it.scoped("rejects wrong credentials, and accepts temporary ones", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const { accessKeyId, secretAccessKey } = defaultKey
      const list = (glacier: Aws.Glacier) => () => glacier.listVaults(here)
      yield* denied(
        () => glacier.listVaults({ accountId: "999999999999" }),
        "Access denied for account ID: 999999999999"
      )
      const unknown = yield* client({ accessKeyId: "AKIANOBODY", secretAccessKey })
      yield* rejected(list(unknown), "UnrecognizedClientException", 400, /security token/)
      const wrong = yield* client({ accessKeyId, secretAccessKey: "wrong" })
      yield* rejected(list(wrong), "InvalidSignatureException", 403, /does not match the signature you provided/)
      const unexpected = yield* client({ accessKeyId, secretAccessKey, sessionToken: "unexpected" })
      yield* rejected(list(unexpected), "UnrecognizedClientException", 400, /security token/)

      const expired = yield* emulated({ keys: [{ ...Emulator.defaultKey, expiration: DateTime.unsafeMake(0) }] })
      yield* rejected(
        list(expired),
        "ExpiredTokenException",
        403,
        "The security token included in the request is expired"
      )

      const temporary = yield* emulated({ keys: [{ ...Emulator.defaultKey, sessionToken: Redacted.make("token") }] })
      yield* rejected(list(temporary), "UnrecognizedClientException", 400, /security token/)
      temporary.config.credentials = () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken: "token" })
      expect((yield* call(list(temporary))).VaultList).toEqual([])
    }))

  it.scoped("rejects a wrong clock, which the client then corrects", () =>
    Effect.gen(function*() {
      const glacier = yield* client()
      glacier.config.systemClockOffset = 3_600_000
      const list = () => glacier.listVaults(here)
      yield* rejected(list, "InvalidSignatureException", 403, /^Signature not yet current: /)
      expect(Math.abs(glacier.config.systemClockOffset)).toBeLessThan(60_000)
      expect((yield* call(list)).$metadata.httpStatusCode).toBe(200)
    }))

  it.scoped("rejects requests that were altered on the way", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "altered")
      const unsigned = yield* altered("signed", ({ headers }) => delete headers["authorization"])
      yield* rejected(
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
      yield* rejected(
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
      yield* rejected(() => dated.listVaults(here), "InvalidSignatureException", 403, /^Date in Credential/)
      yield* rejected(
        () => glacier.describeVault({ ...vault, vaultName: "a/b" }),
        "BadRequest",
        400,
        /target is not valid/
      )
    }))
}
