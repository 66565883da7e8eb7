/** Every error of the service, raised by an emulator and decoded by the client. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { expect } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../../src/client/GlacierClient.ts"
import * as Emulator from "../../../src/emulator/Emulator.ts"
import * as RetryPolicy from "../../../src/policy/RetryPolicy.ts"
import type * as Operation from "../../../src/protocol/Operation.ts"
import { operations } from "../../../src/protocol/Operations.ts"
import * as ServiceError from "../../../src/protocol/ServiceError.ts"
import * as TreeHash from "../../../src/protocol/TreeHash.ts"
import { denying } from "../../../src/testing/internal/conformance/settings.ts"
import { Transport } from "../../../src/transport/Transport.ts"
import {
  account,
  arnOf,
  type Connection,
  created,
  type It,
  mebibyte,
  putPart,
  ramp,
  rejected,
  retrieve,
  started,
  store
} from "./support.ts"

/** Every error class of the operations. The emulator never throttles, and never sends an unknown message. */
const classes = new Set(Object.values(operations).flatMap(({ errors }): ReadonlyArray<object> => errors))
classes.delete(ServiceError.Throttling)
classes.delete(ServiceError.ResourceNotFound)

/** Calls an operation with encoded fields that the client would not send. */
const callWith = <O extends Operation.Any>(
  operation: O,
  input: Operation.Input<O> & object,
  wire: Readonly<Record<string, string | Uint8Array>>
) =>
  Effect.flatMap(Transport, (transport) =>
    transport.execute<Operation.Any>({
      ...operation,
      input: Object.fromEntries(
        Object.entries(operation.input).map(([key, field]) => [
          key,
          key in wire ? { ...field, encode: () => Either.right(wire[key] ?? "") } : field
        ])
      )
    }, input))

const vaultName = "errors"

/**
 * Makes the body of requests pause after its first byte. It is sent completely, because some HTTP clients read the response
 * only after that.
 */
const pausing = HttpClient.mapRequest((request) =>
  request.body._tag === "Uint8Array"
    ? HttpClientRequest.setBody(
      request,
      HttpBody.stream(
        Stream.concat(
          Stream.succeed(request.body.body.slice(0, 1)),
          Stream.fromEffect(Effect.delay(Effect.succeed(request.body.body.slice(1)), "500 millis"))
        ),
        "",
        request.body.body.length
      )
    )
    : request
)

/** Removes the signature of requests. */
const unsigned = HttpClient.mapRequest(({ body, headers, method, url }) =>
  HttpClientRequest.make(method)(url, { body, headers: Headers.remove(headers, "authorization") })
)

export const errors = (it: It, connect: Connection, streams: boolean) => {
  it.scoped("every error of the service is decoded to its class", () =>
    Effect.gen(function*() {
      const raised = new Set<object>()
      const expectError = <A, E, R>(
        Class: Parameters<typeof rejected>[1],
        effect: Effect.Effect<A, E, R>,
        status = 400
      ) =>
        Effect.map(rejected(effect, Class), (error) => {
          expect(error).toMatchObject({ status })
          raised.add(Class)
        })
      const { glacier } = yield* created(vaultName)
      const { archiveId } = yield* store(vaultName, ramp(1))
      const list = Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({}))

      // Errors of the state and of values.
      yield* expectError(ServiceError.AccessDenied, glacier.listVaults({ accountId: "999999999999" }), 403)
      yield* expectError(ServiceError.VaultNotEmpty, glacier.deleteVault({ vaultName }))
      yield* expectError(ServiceError.ArchiveNotFound, retrieve(vaultName, "none"), 404)
      yield* expectError(ServiceError.VaultNotFound, glacier.describeVault({ vaultName: "none" }), 404)
      yield* expectError(ServiceError.JobNotFound, glacier.describeJob({ vaultName, jobId: "none" }), 404)
      yield* expectError(ServiceError.UploadNotFound, glacier.listParts({ vaultName, uploadId: "none" }), 404)
      yield* expectError(ServiceError.NotificationsNotSet, glacier.getVaultNotifications({ vaultName }), 404)
      yield* expectError(ServiceError.AccessPolicyNotSet, glacier.getVaultAccessPolicy({ vaultName }), 404)
      yield* expectError(ServiceError.VaultLockNotSet, glacier.getVaultLock({ vaultName }), 404)
      const other = yield* created("others")
      yield* expectError(ServiceError.ArchiveInOtherVault, retrieve(other.vaultName, archiveId))
      const policy = denying(arnOf(other.vaultName), "glacier:DeleteArchive")
      const lock = glacier.initiateVaultLock({ vaultName: other.vaultName, policy })
      const { lockId } = yield* lock
      yield* expectError(ServiceError.VaultLockInProgress, lock, 403)
      yield* glacier.completeVaultLock({ vaultName: other.vaultName, lockId })
      yield* expectError(ServiceError.VaultLocked, lock, 403)
      yield* expectError(
        ServiceError.InvalidParameterValue,
        retrieve(vaultName, archiveId, { retrievalByteRange: { start: 0, end: 1 } })
      )
      const { uploadId } = yield* glacier.initiateMultipartUpload({ vaultName, partSize: 2 * mebibyte })
      const hash = TreeHash.TreeHash.make("0".repeat(64))
      yield* expectError(
        ServiceError.RangeNotAligned,
        callWith(
          operations.uploadMultipartPart,
          {
            ...{ vaultName, uploadId, contentSha256: hash, treeHash: hash },
            ...{ range: { start: mebibyte, end: mebibyte }, body: ramp(1) }
          },
          {}
        )
      )
      const job = yield* retrieve(vaultName, archiveId)
      yield* expectError(
        ServiceError.RangeNotSatisfiable,
        glacier.getJobOutput({ ...job, range: { start: 1, end: 1 } })
      )
      yield* expectError(
        ServiceError.ChecksumMismatch,
        Effect.zipRight(
          putPart(vaultName, uploadId, 0, ramp(1)),
          glacier.completeMultipartUpload({ vaultName, uploadId, archiveSize: 1, treeHash: hash })
        )
      )

      // Errors of requests that the client itself would reject.
      yield* expectError(
        ServiceError.InvalidPartSize,
        callWith(operations.initiateMultipartUpload, { vaultName, partSize: mebibyte }, { partSize: "1048577" })
      )
      yield* expectError(
        ServiceError.MissingParameterValue,
        callWith(operations.initiateMultipartUpload, { vaultName, partSize: mebibyte }, { partSize: "" })
      )
      yield* expectError(
        ServiceError.Serialization,
        callWith(operations.addTagsToVault, { vaultName, tags: { key: "" } }, { tags: "{" })
      )
      yield* expectError(
        ServiceError.BadRequest,
        callWith(operations.describeVault, { vaultName }, { vaultName: "a/b" })
      )
      const empty = {
        contentSha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        treeHash: hash
      }
      yield* expectError(
        ServiceError.EmptyArchive,
        callWith(operations.uploadArchive, { vaultName, body: ramp(1), ...empty }, { body: new Uint8Array() })
      )

      // Errors of credentials and signatures.
      const at = (...[options, client]: Parameters<Connection>) => Effect.provide(connect(options, client))
      const secretAccessKey = Redacted.make("wrong")
      const sessionToken = Redacted.make("token")
      yield* expectError(
        ServiceError.InvalidSignature,
        at({}, { key: { ...Emulator.defaultKey, secretAccessKey } })(list),
        403
      )
      yield* expectError(
        ServiceError.UnrecognizedClient,
        at({}, { key: { ...Emulator.defaultKey, sessionToken } })(list)
      )
      yield* expectError(ServiceError.MissingAuthenticationToken, at({}, { alter: unsigned })(list))
      const expiration = DateTime.unsafeMake(0)
      const key = { ...Emulator.defaultKey, sessionToken, expiration }
      yield* expectError(ServiceError.ExpiredToken, at({ keys: [key] }, { key })(list), 403)

      // Errors of limits and delays.
      yield* expectError(ServiceError.NoLongerSupported, at({ withoutStorage: [account] })(list))
      yield* expectError(ServiceError.LimitExceeded, at({ maximumVaults: 0 })(created("one-more")))
      const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        created(vaultName).pipe(
          Effect.zipRight(effect),
          Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)
        )
      yield* expectError(
        ServiceError.InsufficientCapacity,
        alone(Effect.flatMap(store(vaultName, ramp(2)), ({ archiveId }) =>
          retrieve(vaultName, archiveId, { tier: "Expedited" }))).pipe(at({ expeditedLimit: 1 })),
        503
      )
      yield* expectError(
        ServiceError.PolicyEnforced,
        alone(Effect.gen(function*() {
          const glacier = yield* GlacierClient
          yield* glacier.setDataRetrievalPolicy({ policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 1 }] } })
          const { archiveId } = yield* store(vaultName, ramp(2))
          yield* retrieve(vaultName, archiveId)
        })).pipe(at({}))
      )
      yield* expectError(
        ServiceError.InventoryNotReady,
        alone(started(vaultName, { type: "inventory-retrieval" })).pipe(at({})),
        404
      )
      yield* expectError(
        ServiceError.JobNotReady,
        alone(Effect.gen(function*() {
          yield* store(vaultName, ramp(1))
          const job = yield* started(vaultName, { type: "inventory-retrieval" })
          yield* (yield* GlacierClient).getJobOutput(job)
        })).pipe(at({ inventoryDelay: 0 }))
      )
      if (streams) {
        yield* expectError(
          ServiceError.RequestTimeout,
          alone(store(vaultName, ramp(2))).pipe(at({ bodyTimeout: "100 millis" }, { alter: pausing })),
          408
        )
      } else raised.add(ServiceError.RequestTimeout)
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* expectError(
        ServiceError.ServiceUnavailable,
        alone(Effect.gen(function*() {
          const { uploadId } = yield* (yield* GlacierClient).initiateMultipartUpload({ vaultName, partSize: mebibyte })
          yield* fs.remove(`${directory}/blobs`, { recursive: true })
          yield* putPart(vaultName, uploadId, 0, ramp(mebibyte))
        })).pipe(
          at({ directory }),
          Effect.provide(Logger.remove(Logger.defaultLogger))
        ),
        500
      )
      expect(raised).toEqual(classes)
    }))
}
