/**
 * The operations of the service, one Effect each: the lowest layer an application may want.
 *
 * Inputs are plain strings and numbers; what breaks a rule fails with `InvalidInput` before anything is sent. Without
 * `accountId` an operation is about the account of the credentials.
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
import * as Lost from "./internal/lost.ts"

type Operations = typeof operations

/**
 * The operations as functions.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Creates a vault. Creating it again changes nothing (spec section 12.1). */
  readonly createVault: Method<Operations["createVault"]>
  /** Describes a vault as of its last inventory. */
  readonly describeVault: Method<Operations["describeVault"]>
  /** A page of vaults: at most 10; `Pages.vaults` has them all. */
  readonly listVaults: Method<Operations["listVaults"]>
  /** Deletes a vault that its last inventory shows empty and that was not written to since. */
  readonly deleteVault: Method<Operations["deleteVault"]>
  /** Uploads an archive in one request. Done twice it stores two archives (spec section 12.2). */
  readonly uploadArchive: Method<Operations["uploadArchive"]>
  /** Deletes an archive. Deleting it again changes nothing. */
  readonly deleteArchive: Method<Operations["deleteArchive"]>
  /**
   * Opens a multipart upload (spec section 12.3). When the response is lost, another is opened: the first has no parts,
   * costs nothing, and the service drops it after 24 hours.
   */
  readonly initiateMultipartUpload: Method<Operations["initiateMultipartUpload"]>
  /** Uploads a part: any part, in any order; the last write of a range wins. */
  readonly uploadMultipartPart: Method<Operations["uploadMultipartPart"]>
  /**
   * Makes the parts one archive. A repeat gives the same archive for a short time. `OutcomeUnknown` when a response was
   * lost and the service has forgotten the upload since: the archive may exist.
   */
  readonly completeMultipartUpload: Method<Operations["completeMultipartUpload"]>
  /** Drops an upload and its parts. A repeat succeeds for a short time. */
  readonly abortMultipartUpload: Method<Operations["abortMultipartUpload"]>
  /** A page of the parts the service has: at most 50; `Pages.parts` has them all. */
  readonly listParts: Method<Operations["listParts"]>
  /** A page of the open uploads: at most 50; `Pages.uploads` has them all. */
  readonly listMultipartUploads: Method<Operations["listMultipartUploads"]>
  /**
   * Starts a retrieval of an archive or an inventory, which costs money (spec section 12.4). When the response is lost, the
   * vault's jobs are searched for the job before another is started. So that it can be recognized, a job without a
   * description gets a unique one: `effect-glacier:` and a random number. A job with your own description is recognized by
   * the description and all its parameters. `OutcomeUnknown` when that is not enough: for an inventory with a `limit` or a
   * `marker`.
   */
  readonly initiateJob: Method<Operations["initiateJob"]>
  /** Describes a job (spec section 13). */
  readonly describeJob: Method<Operations["describeJob"]>
  /** A page of jobs: at most 50; `Pages.jobs` has them all. */
  readonly listJobs: Method<Operations["listJobs"]>
  /** Reads a job's output or a range of it. The bytes are not checked: `Job.output` does that. */
  readonly getJobOutput: Method<Operations["getJobOutput"]>
  /** Sets whom a vault tells when a job has ended (spec section 12.5). */
  readonly setVaultNotifications: Method<Operations["setVaultNotifications"]>
  /** Gets the notification configuration of a vault. Fails with `NotificationsNotSet` when there is none. */
  readonly getVaultNotifications: Method<Operations["getVaultNotifications"]>
  /** Lets a vault tell nobody. */
  readonly deleteVaultNotifications: Method<Operations["deleteVaultNotifications"]>
  /** Sets who may do what with a vault (spec section 12.6). */
  readonly setVaultAccessPolicy: Method<Operations["setVaultAccessPolicy"]>
  /** Gets the access policy of a vault. Fails with `AccessPolicyNotSet` when there is none. */
  readonly getVaultAccessPolicy: Method<Operations["getVaultAccessPolicy"]>
  /** Deletes the access policy of a vault, if it has one. */
  readonly deleteVaultAccessPolicy: Method<Operations["deleteVaultAccessPolicy"]>
  /** Puts a lock policy in force for 24 hours, to be tried (spec sections 12.7 and 15). */
  readonly initiateVaultLock: Method<Operations["initiateVaultLock"]>
  /** Makes the lock in progress final: nobody can ever change or remove it. */
  readonly completeVaultLock: Method<Operations["completeVaultLock"]>
  /** Gets the lock of a vault. Fails with `VaultLockNotSet` when there is none. */
  readonly getVaultLock: Method<Operations["getVaultLock"]>
  /** Drops the lock in progress, if there is one. */
  readonly abortVaultLock: Method<Operations["abortVaultLock"]>
  /** Adds 1 to 10 tags to a vault (spec section 12.8). */
  readonly addTagsToVault: Method<Operations["addTagsToVault"]>
  /** All tags of a vault. */
  readonly listTagsForVault: Method<Operations["listTagsForVault"]>
  /** Removes 1 to 10 tags from a vault. */
  readonly removeTagsFromVault: Method<Operations["removeTagsFromVault"]>
  /** Sets how much Standard jobs may retrieve (spec section 12.9). */
  readonly setDataRetrievalPolicy: Method<Operations["setDataRetrievalPolicy"]>
  /** How much Standard jobs may retrieve. */
  readonly getDataRetrievalPolicy: Method<Operations["getDataRetrievalPolicy"]>
  /** Buys a unit of capacity for a month, which costs money (spec section 12.10). */
  readonly purchaseProvisionedCapacity: Method<Operations["purchaseProvisionedCapacity"]>
  /** The units of capacity that the account has. */
  readonly listProvisionedCapacity: Method<Operations["listProvisionedCapacity"]>
  /** Not an operation: retries an effect built from calls of one, by the policies of its calls. */
  readonly retry: Transport.Service["retry"]
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
 * A client over the `Transport` in use.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, Transport.Transport> = Effect.map(Transport.Transport, (transport) => {
  const call = <O extends Operation.Any>(operation: O): Method<O> => (input) => transport.execute(operation, input)

  const initiateJob: Service["initiateJob"] = (input) =>
    Effect.gen(function*() {
      const elapsed = yield* Lost.stopwatch
      if ((input.parameters.description ?? "").trim() !== "") {
        return yield* transport.execute(operations.initiateJob, input, Lost.job(transport, input, elapsed))
      }
      const mark = `effect-glacier:${(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)}`
      const marked = { ...input, parameters: { ...input.parameters, description: mark } }
      return yield* transport.execute(operations.initiateJob, marked, Lost.markedJob(transport, marked, elapsed))
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
    retry: transport.retry
  }
})

/**
 * A client over the `HttpClient`, `Credentials` and `Endpoint` in use. All that is built with it shares its limit on
 * warnings: see `Waiting`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<GlacierClient, never, HttpClient.HttpClient | Credentials | Endpoint> = Layer
  .effect(GlacierClient, make).pipe(
    Layer.provide(Transport.layer),
    Layer.provideMerge(Layer.sync(Waiting.Warnings, Waiting.makeLimiter))
  )
