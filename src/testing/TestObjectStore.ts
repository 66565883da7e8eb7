/**
 * An object store for tests: a bucket in memory, with the rules of S3. It compares the SHA-256 of each body, makes ETags and
 * composite checksums, checks the parts of an upload, and lists in pages. A bucket outlives its Layers, so several programs
 * can use it one after the other. A function around each attempt injects faults.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConnectionError } from "../protocol/GlacierError.ts"
import { mebibyte } from "../protocol/Limits.ts"
import { UnknownServiceError } from "../protocol/ServiceError.ts"
import * as ObjectStore from "../s3/ObjectStore.ts"
import * as Memory from "./internal/objectMemory.ts"

/**
 * An object in a bucket.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredObject extends ObjectStore.ObjectInfo {
  readonly bytes: Uint8Array
}

/**
 * An open upload in a bucket, with its parts by their numbers.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredUpload extends ObjectStore.OpenObjectUpload {
  readonly object: ObjectStore.NewObject
  readonly parts: Map<number, ObjectStore.CompletedPart & Pick<StoredObject, "bytes">>
}

/**
 * A bucket in memory. A test can look at it, and can change or remove its objects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bucket {
  readonly name: string
  readonly limits: ObjectStore.Limits
  /** The objects by their keys. */
  readonly objects: Map<string, StoredObject>
  /** The open multipart uploads by their ids. */
  readonly uploads: Map<string, StoredUpload>
  /** The operations of the bucket, without faults. */
  readonly attempts: ObjectStore.Attempts
}

/**
 * The options of a bucket.
 *
 * @since 0.1.0
 * @category models
 */
export interface BucketOptions {
  /** Default: `bucket`. */
  readonly name?: string | undefined
  /** Default: those of S3, but parts of 1 MiB or more. */
  readonly limits?: Partial<ObjectStore.Limits> | undefined
  /** The number of items in a page of a list. Default: 3. */
  readonly pageSize?: number | undefined
  /** Whether objects have a SHA-256 besides their ETag. Default: true. */
  readonly sha256?: boolean | undefined
}

/**
 * Makes an empty bucket.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBucket = (options: BucketOptions = {}): Effect.Effect<Bucket> =>
  Effect.sync(() => {
    const { name = "bucket", pageSize = 3, sha256 = true } = options
    const limits = { ...ObjectStore.s3Limits, minimumPartSize: mebibyte, ...options.limits }
    const state: Memory.State = { name, limits, objects: new Map(), uploads: new Map() }
    return { ...state, attempts: Memory.make(state, { pageSize, sha256 }) }
  })

/**
 * An attempt: the operation of S3's API, such as `UploadPart`, and the key of its object (or the prefix of its list).
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  readonly operation: string
  readonly key: string
}

/**
 * Runs an attempt, and may inject a fault: it fails instead of the attempt, or after the attempt has changed the bucket.
 *
 * @since 0.1.0
 * @category models
 */
export type Around = <A, E>(
  effect: Effect.Effect<A, E>,
  attempt: Attempt
) => Effect.Effect<A, E | ObjectStore.AttemptError>

/**
 * Makes the error of a store that throttles. The attempt does not reach the bucket if it fails with this error instead.
 *
 * @since 0.1.0
 * @category faults
 */
export const throttled = ({ operation }: Attempt): UnknownServiceError =>
  new UnknownServiceError({ operation, status: 503, code: "SlowDown", message: "Please reduce your request rate" })

/**
 * Makes the error of a connection that broke. Run the attempt before it to lose the response, or do not to lose the request.
 *
 * @since 0.1.0
 * @category faults
 */
export const lost = ({ operation }: Attempt): ConnectionError =>
  new ConnectionError({ operation, message: "the connection was reset" })

/**
 * The options of a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Default: a new bucket. */
  readonly bucket?: Bucket | undefined
  /** Runs each attempt. Default: without faults. */
  readonly around?: Around | undefined
}

/** Runs each attempt of a store by a function. */
const surround = (attempts: ObjectStore.Attempts, inject: Around): ObjectStore.Attempts => {
  // Suspended, because a call makes its attempt once and runs it again for each retry.
  const around: Around = (effect, attempt) => Effect.suspend(() => inject(effect, attempt))
  return {
    ...attempts,
    head: (key) => around(attempts.head(key), { operation: "HeadObject", key }),
    put: (object, body, options) =>
      around(attempts.put(object, body, options), { operation: "PutObject", key: object.key }),
    begin: (object) => around(attempts.begin(object), { operation: "CreateMultipartUpload", key: object.key }),
    part: (upload, number, body) =>
      around(attempts.part(upload, number, body), { operation: "UploadPart", key: upload.key }),
    partsPage: (upload, after) =>
      around(attempts.partsPage(upload, after), { operation: "ListParts", key: upload.key }),
    complete: (upload, parts, options) =>
      around(attempts.complete(upload, parts, options), { operation: "CompleteMultipartUpload", key: upload.key }),
    abort: (upload) => around(attempts.abort(upload), { operation: "AbortMultipartUpload", key: upload.key }),
    uploadsPage: (prefix, after) =>
      around(attempts.uploadsPage(prefix, after), { operation: "ListMultipartUploads", key: prefix }),
    get: (key, range) => around(attempts.get(key, range), { operation: "GetObject", key })
  }
}

/**
 * Provides a store on a bucket. Its calls are retried by the policies in use, as those of `S3ObjectStore` are.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { TestObjectStore } from "effect-glacier/testing"
 * import { Effect } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   const bucket = yield* TestObjectStore.makeBucket()
 *   let parts = 0
 *   // The response to the second part is lost
 *   const layer = TestObjectStore.layer({
 *     bucket,
 *     around: (effect, attempt) =>
 *       attempt.operation === "UploadPart" && ++parts === 2
 *         ? Effect.zipRight(effect, TestObjectStore.lost(attempt))
 *         : effect
 *   })
 *   return { bucket, layer }
 * })
 */
export const layer = (options: Options = {}): Layer.Layer<ObjectStore.ObjectStore> =>
  Layer.effect(
    ObjectStore.ObjectStore,
    Effect.gen(function*() {
      const { attempts } = options.bucket ?? (yield* makeBucket())
      return yield* ObjectStore.make(options.around === undefined ? attempts : surround(attempts, options.around))
    })
  )
