/**
 * The 33 operations of the service, one Effect each. Each is documented under its name in the Amazon Glacier API Reference.
 *
 * Inputs are plain strings and numbers. Input that breaks a rule fails with `InvalidInput` before anything is sent. Without
 * `accountId` an operation uses the account of the credentials.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Waiting from "../policy/Waiting.ts"
import type * as Operation from "../protocol/Operation.ts"
import { operations } from "../protocol/Operations.ts"
import type { Credentials } from "../transport/Credentials.ts"
import type { Endpoint } from "../transport/Endpoint.ts"
import type { Method } from "../transport/Method.ts"
import * as Transport from "../transport/Transport.ts"
import * as LostResponses from "./internal/lostResponses.ts"

type Operations = typeof operations

/**
 * The key of an optional method, which is no operation: it retries a response whose body was damaged by the policies of the
 * call (`Transport.retry`). `Job.output` uses it. Without it a damaged window fails at once.
 *
 * @since 0.1.0
 * @category type ids
 */
export const Retry: unique symbol = Symbol.for("effect-glacier/GlacierClient/Retry")

/**
 * The operations as methods.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Creates a vault. Does nothing if the vault exists. */
  readonly createVault: Method<Operations["createVault"]>
  /** Describes a vault. Counts and sizes are those of its last inventory. */
  readonly describeVault: Method<Operations["describeVault"]>
  /** Lists a page of at most 10 vaults. `Pages.vaults` lists all. */
  readonly listVaults: Method<Operations["listVaults"]>
  /** Deletes a vault. The service rejects a vault that its last inventory does not show as empty, or that was written to since. */
  readonly deleteVault: Method<Operations["deleteVault"]>
  /** Uploads an archive in one request. Two calls store two archives. */
  readonly uploadArchive: Method<Operations["uploadArchive"]>
  /** Deletes an archive. Does nothing if it was deleted before. */
  readonly deleteArchive: Method<Operations["deleteArchive"]>
  /**
   * Opens a multipart upload. When the response is lost, opens another one: the first has no parts, costs nothing, and
   * expires after 24 hours.
   */
  readonly initiateMultipartUpload: Method<Operations["initiateMultipartUpload"]>
  /** Uploads a part, in any order. A part that is uploaded twice holds the bytes of the last request. */
  readonly uploadMultipartPart: Method<Operations["uploadMultipartPart"]>
  /**
   * Completes a multipart upload. For a short time, repeating it returns the same archive. Fails with `OutcomeUnknown` when a
   * response was lost and the service no longer knows the upload: the archive may exist.
   */
  readonly completeMultipartUpload: Method<Operations["completeMultipartUpload"]>
  /** Aborts a multipart upload and discards its parts. For a short time, repeating it succeeds. */
  readonly abortMultipartUpload: Method<Operations["abortMultipartUpload"]>
  /** Lists a page of at most 50 complete parts. `Pages.parts` lists all. */
  readonly listParts: Method<Operations["listParts"]>
  /** Lists a page of at most 50 open uploads. `Pages.uploads` lists all. */
  readonly listMultipartUploads: Method<Operations["listMultipartUploads"]>
  /**
   * Starts the retrieval of an archive or an inventory, which costs money. When the response is lost, searches the jobs of
   * the vault before it starts another one. A job without a description gets a unique one, `effect-glacier:` and a random
   * number, so that the search can recognize it. A job with your own description is recognized by the description and all its
   * parameters. Fails with `OutcomeUnknown` when they are not enough: for an inventory with a `limit` or a `marker`.
   */
  readonly initiateJob: Method<Operations["initiateJob"]>
  /** Describes a job. */
  readonly describeJob: Method<Operations["describeJob"]>
  /** Lists a page of at most 50 jobs. `Pages.jobs` lists all. */
  readonly listJobs: Method<Operations["listJobs"]>
  /** Reads the output of a job or a range of it. Does not verify the bytes: `Job.output` does. */
  readonly getJobOutput: Method<Operations["getJobOutput"]>
  /** Sets the notification configuration of a vault: the SNS topic and the events to publish. */
  readonly setVaultNotifications: Method<Operations["setVaultNotifications"]>
  /** Gets the notification configuration of a vault. Fails with `NotificationsNotSet` when there is none. */
  readonly getVaultNotifications: Method<Operations["getVaultNotifications"]>
  /** Deletes the notification configuration of a vault, if there is one. */
  readonly deleteVaultNotifications: Method<Operations["deleteVaultNotifications"]>
  /** Sets the access policy of a vault. */
  readonly setVaultAccessPolicy: Method<Operations["setVaultAccessPolicy"]>
  /** Gets the access policy of a vault. Fails with `AccessPolicyNotSet` when there is none. */
  readonly getVaultAccessPolicy: Method<Operations["getVaultAccessPolicy"]>
  /** Deletes the access policy of a vault, if there is one. */
  readonly deleteVaultAccessPolicy: Method<Operations["deleteVaultAccessPolicy"]>
  /** Starts to lock a vault: the policy is in force for 24 hours, so that you can test it. */
  readonly initiateVaultLock: Method<Operations["initiateVaultLock"]>
  /** Completes the lock in progress. Nobody can change or remove it afterwards. */
  readonly completeVaultLock: Method<Operations["completeVaultLock"]>
  /** Gets the lock of a vault. Fails with `VaultLockNotSet` when there is none. */
  readonly getVaultLock: Method<Operations["getVaultLock"]>
  /** Aborts the lock in progress, if there is one. */
  readonly abortVaultLock: Method<Operations["abortVaultLock"]>
  /** Adds 1 to 10 tags to a vault. */
  readonly addTagsToVault: Method<Operations["addTagsToVault"]>
  /** Lists all tags of a vault. */
  readonly listTagsForVault: Method<Operations["listTagsForVault"]>
  /** Removes 1 to 10 tags from a vault. */
  readonly removeTagsFromVault: Method<Operations["removeTagsFromVault"]>
  /** Sets the data retrieval policy of the account, which limits Standard retrievals in the region. */
  readonly setDataRetrievalPolicy: Method<Operations["setDataRetrievalPolicy"]>
  /** Gets the data retrieval policy of the account in the region. */
  readonly getDataRetrievalPolicy: Method<Operations["getDataRetrievalPolicy"]>
  /** Buys a unit of provisioned capacity for a month, which costs money. */
  readonly purchaseProvisionedCapacity: Method<Operations["purchaseProvisionedCapacity"]>
  /** Lists the units of provisioned capacity of the account. */
  readonly listProvisionedCapacity: Method<Operations["listProvisionedCapacity"]>
  readonly [Retry]?: Transport.Service["retry"] | undefined
}

/**
 * The client in use.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { GlacierClient } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const glacier = yield* GlacierClient.GlacierClient
 *   const vault = yield* glacier.describeVault({ vaultName: "photos" })
 *   return vault.numberOfArchives
 * })
 */
export class GlacierClient extends Context.Tag("effect-glacier/GlacierClient")<GlacierClient, Service>() {}

/**
 * Makes a client over the `Transport` in use.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, Transport.Transport> = Effect.map(Transport.Transport, (transport) => {
  const call = <O extends Operation.Any>(operation: O): Method<O> => (input) => transport.execute(operation, input)

  const initiateJob: Service["initiateJob"] = (input) =>
    Effect.gen(function*() {
      const elapsed = yield* LostResponses.stopwatch
      if ((input.parameters.description ?? "").trim() !== "") {
        return yield* transport.execute(operations.initiateJob, input, LostResponses.job(transport, input, elapsed))
      }
      const mark = `effect-glacier:${(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)}`
      const marked = { ...input, parameters: { ...input.parameters, description: mark } }
      return yield* transport.execute(
        operations.initiateJob,
        marked,
        LostResponses.markedJob(transport, marked, elapsed)
      )
    })

  return {
    createVault: call(operations.createVault),
    describeVault: call(operations.describeVault),
    listVaults: call(operations.listVaults),
    deleteVault: call(operations.deleteVault),
    uploadArchive: call(operations.uploadArchive),
    deleteArchive: call(operations.deleteArchive),
    initiateMultipartUpload: call(operations.initiateMultipartUpload),
    uploadMultipartPart: call(operations.uploadMultipartPart),
    completeMultipartUpload: call(operations.completeMultipartUpload),
    abortMultipartUpload: call(operations.abortMultipartUpload),
    listParts: call(operations.listParts),
    listMultipartUploads: call(operations.listMultipartUploads),
    initiateJob,
    describeJob: call(operations.describeJob),
    listJobs: call(operations.listJobs),
    getJobOutput: call(operations.getJobOutput),
    setVaultNotifications: call(operations.setVaultNotifications),
    getVaultNotifications: call(operations.getVaultNotifications),
    deleteVaultNotifications: call(operations.deleteVaultNotifications),
    setVaultAccessPolicy: call(operations.setVaultAccessPolicy),
    getVaultAccessPolicy: call(operations.getVaultAccessPolicy),
    deleteVaultAccessPolicy: call(operations.deleteVaultAccessPolicy),
    initiateVaultLock: call(operations.initiateVaultLock),
    completeVaultLock: call(operations.completeVaultLock),
    getVaultLock: call(operations.getVaultLock),
    abortVaultLock: call(operations.abortVaultLock),
    addTagsToVault: call(operations.addTagsToVault),
    listTagsForVault: call(operations.listTagsForVault),
    removeTagsFromVault: call(operations.removeTagsFromVault),
    setDataRetrievalPolicy: call(operations.setDataRetrievalPolicy),
    getDataRetrievalPolicy: call(operations.getDataRetrievalPolicy),
    purchaseProvisionedCapacity: call(operations.purchaseProvisionedCapacity),
    listProvisionedCapacity: call(operations.listProvisionedCapacity),
    [Retry]: transport.retry
  }
})

/**
 * Provides a client over the `HttpClient`, `Credentials` and `Endpoint` in use. Services that are built with it share its
 * limit on warnings: see `Waiting`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<GlacierClient, never, HttpClient.HttpClient | Credentials | Endpoint> = Layer
  .effect(GlacierClient, make).pipe(
    Layer.provide(Transport.layer),
    Layer.provideMerge(Layer.sync(Waiting.Warnings, Waiting.makeLimiter))
  )
