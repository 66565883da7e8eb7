/**
 * A bucket of an object store: S3, or any store that speaks its API. It is a tag with few operations, so that a program can
 * run over `S3ObjectStore`, over the store in memory of `effect-glacier/testing`, or over your own.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { ByteRange } from "../protocol/ByteRange.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import {
  type AttemptTimeout,
  type ConnectionError,
  type ConnectionRejected,
  type CredentialsError,
  MalformedResponse
} from "../protocol/GlacierError.ts"
import type { ContentSha256 } from "../protocol/Names.ts"
import type { UnknownServiceError } from "../protocol/ServiceError.ts"
import * as CallPolicies from "../transport/CallPolicies.ts"
import { resumed } from "./internal/resumed.ts"

/**
 * A call of an object store that failed after all retries.
 *
 * @since 0.1.0
 * @category errors
 */
export class ObjectStoreError extends errorClass<ObjectStoreError>()("ObjectStoreError", {
  /** The operation of S3's API, such as `UploadPart`. */
  operation: Schema.String,
  /** The location of the object or of the bucket, such as `s3://bucket/a.txt`. */
  location: Schema.String,
  /** The error code of the store, such as `AccessDenied`, or the tag of an error of the connection. */
  code: Schema.String,
  /** The text of the store. */
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.operation} of ${this.location} failed with ${this.code}: ${this.reason}`
  }
}

/**
 * An object that exists already, and that the call may not replace.
 *
 * @since 0.1.0
 * @category errors
 */
export class ObjectExists extends errorClass<ObjectExists>()("ObjectExists", {
  location: Schema.String
}) {
  override get message(): string {
    return `${this.location} exists already and is not replaced`
  }
}

/**
 * A multipart upload is not open any more: it was completed or aborted.
 *
 * @since 0.1.0
 * @category errors
 */
export class ObjectUploadGone extends errorClass<ObjectUploadGone>()("ObjectUploadGone", {
  location: Schema.String,
  uploadId: Schema.String
}) {
  override get message(): string {
    return `Upload ${this.uploadId} of ${this.location} is not open any more`
  }
}

/**
 * The limits of a store, in bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** The smallest part, except for the last one of an object. */
  readonly minimumPartSize: number
  readonly maximumPartSize: number
  readonly maximumParts: number
  readonly maximumObjectSize: number
}

/**
 * The limits of Amazon S3: parts of 5 MiB to 5 GiB, at most 10,000 of them, and objects of at most 48.8 TiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const s3Limits: Limits = {
  minimumPartSize: 5 * 2 ** 20,
  maximumPartSize: 5 * 2 ** 30,
  maximumParts: 10_000,
  maximumObjectSize: 10_000 * 5 * 2 ** 30
}

/**
 * The bytes of a request, and their SHA-256 in hexadecimal, which the request is signed with. The store compares them, so
 * bytes that were damaged on their way are rejected. The memory is not used after the call has ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface Body {
  readonly bytes: Uint8Array
  readonly contentSha256: ContentSha256
}

/**
 * The properties of a new object.
 *
 * @since 0.1.0
 * @category models
 */
export interface NewObject {
  readonly key: string
  /** Texts of printable ASCII without spaces, by names of lower-case letters and hyphens. */
  readonly metadata: Readonly<Record<string, string>>
  /** Default: that of the store. */
  readonly storageClass?: string | undefined
}

/**
 * The store's own checksums of an object.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Checksums = Schema.Struct({
  /** The ETag without quotes. */
  etag: Schema.String,
  /** The SHA-256 in base64, if the store has one. That of an object with parts is `BASE64-COUNT`: a hash of the parts' hashes. */
  sha256: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Checksums = typeof Checksums.Type

/**
 * An object.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObjectInfo {
  readonly size: number
  readonly checksums: Checksums
  readonly metadata: Readonly<Record<string, string>>
  readonly storageClass: Option.Option<string>
}

/**
 * A multipart upload.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObjectUpload {
  readonly key: string
  readonly uploadId: string
}

/**
 * A multipart upload that is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenObjectUpload extends ObjectUpload {
  readonly initiated: DateTime.Utc
}

/**
 * A part that the store has. Numbers begin with 1.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObjectPart {
  readonly number: number
  readonly etag: string
  readonly size: number
}

/**
 * A part of an object that is completed.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompletedPart extends Pick<ObjectPart, "number" | "etag"> {
  readonly contentSha256: ContentSha256
}

/**
 * Options of the operations that create an object.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateOptions {
  /** Replaces an existing object. Otherwise the call fails with `ObjectExists`, if the store supports the condition. */
  readonly replace: boolean
}

/**
 * The operations of the object store in use. Each call is retried, paced and timed by the policies in use.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly limits: Limits
  /** Returns the location of an object, such as `s3://bucket/a.txt`. */
  readonly locationOf: (key: string) => string
  /** Describes an object. Returns none if it does not exist. See HeadObject (Amazon S3 API Reference). */
  readonly head: (key: string) => Effect.Effect<Option.Option<ObjectInfo>, ObjectStoreError>
  /**
   * Stores an object in one request. If a response was lost, `ObjectExists` can mean that this call has stored the object.
   * See PutObject (Amazon S3 API Reference).
   */
  readonly put: (
    object: NewObject,
    body: Body,
    options: CreateOptions
  ) => Effect.Effect<Checksums, ObjectStoreError | ObjectExists>
  /**
   * Opens a multipart upload. When the response is lost, opens another one. The first one remains, so look for it with
   * `uploads`. See CreateMultipartUpload (Amazon S3 API Reference).
   */
  readonly begin: (object: NewObject) => Effect.Effect<ObjectUpload, ObjectStoreError>
  /** Stores a part, and returns its ETag. See UploadPart (Amazon S3 API Reference). */
  readonly part: (
    upload: ObjectUpload,
    number: number,
    body: Body
  ) => Effect.Effect<string, ObjectStoreError | ObjectUploadGone>
  /** Lists the parts of an upload in their order. See ListParts (Amazon S3 API Reference). */
  readonly parts: (upload: ObjectUpload) => Stream.Stream<ObjectPart, ObjectStoreError | ObjectUploadGone>
  /**
   * Makes the object of its parts. If a response was lost, `ObjectExists` and `ObjectUploadGone` can mean that this call has
   * made the object. See CompleteMultipartUpload (Amazon S3 API Reference).
   */
  readonly complete: (
    upload: ObjectUpload,
    parts: ReadonlyArray<CompletedPart>,
    options: CreateOptions
  ) => Effect.Effect<Checksums, ObjectStoreError | ObjectExists | ObjectUploadGone>
  /** Aborts an upload. Does nothing if it is not open any more. See AbortMultipartUpload (Amazon S3 API Reference). */
  readonly abort: (upload: ObjectUpload) => Effect.Effect<void, ObjectStoreError>
  /** Lists the open uploads whose keys begin with a prefix. See ListMultipartUploads (Amazon S3 API Reference). */
  readonly uploads: (prefix: string) => Stream.Stream<OpenObjectUpload, ObjectStoreError>
  /**
   * Reads a range of an object. When a response breaks, requests the rest of the range. See GetObject (Amazon S3 API
   * Reference).
   */
  readonly get: (key: string, range: ByteRange) => Stream.Stream<Uint8Array, ObjectStoreError>
}

/**
 * The error of one attempt. Its `retry` says whether another attempt can succeed.
 *
 * @since 0.1.0
 * @category groups
 */
export type AttemptError =
  | AttemptTimeout
  | ConnectionError
  | ConnectionRejected
  | CredentialsError
  | MalformedResponse
  | UnknownServiceError

/**
 * A page of a list, and the marker of the next page if there is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page<out A> {
  readonly items: ReadonlyArray<A>
  readonly next: Option.Option<string>
}

/**
 * The operations of a store without policies: each makes one attempt. `make` turns them into a `Service`, which documents
 * the operations.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempts {
  readonly limits: Limits
  readonly locationOf: (key: string) => string
  readonly head: (key: string) => Effect.Effect<Option.Option<ObjectInfo>, AttemptError>
  readonly put: (
    object: NewObject,
    body: Body,
    options: CreateOptions
  ) => Effect.Effect<Checksums, AttemptError | ObjectExists>
  readonly begin: (object: NewObject) => Effect.Effect<ObjectUpload, AttemptError>
  readonly part: (
    upload: ObjectUpload,
    number: number,
    body: Body
  ) => Effect.Effect<string, AttemptError | ObjectUploadGone>
  /** Lists a page of the parts of an upload. `after` is the marker of the page, none for the first one. */
  readonly partsPage: (
    upload: ObjectUpload,
    after: Option.Option<string>
  ) => Effect.Effect<Page<ObjectPart>, AttemptError | ObjectUploadGone>
  readonly complete: (
    upload: ObjectUpload,
    parts: ReadonlyArray<CompletedPart>,
    options: CreateOptions
  ) => Effect.Effect<Checksums, AttemptError | ObjectExists | ObjectUploadGone>
  readonly abort: (upload: ObjectUpload) => Effect.Effect<void, AttemptError>
  /** Lists a page of the open uploads. `after` is the marker of the page, none for the first one. */
  readonly uploadsPage: (
    prefix: string,
    after: Option.Option<string>
  ) => Effect.Effect<Page<OpenObjectUpload>, AttemptError>
  /** Requests a range of an object. The bytes follow the response. */
  readonly get: (
    key: string,
    range: ByteRange
  ) => Effect.Effect<Stream.Stream<Uint8Array, AttemptError>, AttemptError>
}

/**
 * The object store in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class ObjectStore extends Context.Tag("effect-glacier/ObjectStore")<ObjectStore, Service>() {}

/** An error that no other attempt changes, and that the caller handles. */
type Definite = ObjectExists | ObjectUploadGone

const isAttemptError = (error: AttemptError | Definite): error is AttemptError =>
  error._tag !== "ObjectExists" && error._tag !== "ObjectUploadGone"

/** Makes a definite error a success: the policies have nothing to retry. */
const settled = <A, D extends Definite>(
  attempt: Effect.Effect<A, AttemptError | D>
): Effect.Effect<Either.Either<A, D>, AttemptError> =>
  Effect.matchEffect(attempt, {
    onSuccess: (value) => Effect.succeed(Either.right(value)),
    onFailure: (error) => isAttemptError(error) ? Effect.fail(error) : Effect.succeed(Either.left(error))
  })

/** Lists the items of all pages. */
const paginate = <A, E>(page: (after: Option.Option<string>) => Effect.Effect<Page<A>, E>): Stream.Stream<A, E> =>
  Stream.paginateChunkEffect(
    Option.none<string>(),
    (after) =>
      Effect.map(page(after), ({ items, next }) => [Chunk.fromIterable(items), Option.map(next, Option.some)] as const)
  )

/** Fails when a page has its own marker as the next one, because the list would never end. */
const advancing = <A, E>(operation: string, after: Option.Option<string>, page: Effect.Effect<Page<A>, E>) =>
  Effect.filterOrFail(
    page,
    ({ next }) => Option.isNone(next) || !Option.contains(after, next.value),
    () => new MalformedResponse({ operation, status: 200, problem: "the marker of the next page is that of this page" })
  )

/**
 * Makes a store of its attempts: retries, paces and times them by the policies in use, as `CallPolicies` describes.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { ObjectStore } from "effect-glacier/s3"
 * import { Layer } from "effect"
 *
 * // A store of your own, which retries as S3ObjectStore does
 * const layer = (attempts: ObjectStore.Attempts) =>
 *   Layer.effect(ObjectStore.ObjectStore, ObjectStore.make(attempts))
 */
export const make = (attempts: Attempts): Effect.Effect<Service> =>
  Effect.map(CallPolicies.make("ObjectStore"), (policies) => {
    const callOf = (
      operation: string,
      key: string,
      of: CallPolicies.Call["class"],
      limit: CallPolicies.Call["limit"] = "response"
    ) => ({ operation, about: attempts.locationOf(key), class: of, limit })

    const toStoreError = ({ about, operation }: CallPolicies.Call) => (error: AttemptError) =>
      new ObjectStoreError({
        operation,
        location: about,
        code: "code" in error ? error.code : error._tag,
        reason: error.message
      })

    const plainly = <A>(call: CallPolicies.Call, attempt: Effect.Effect<A, AttemptError>) =>
      Effect.mapError(policies.call(call, attempt), toStoreError(call))

    const settling = <A, D extends Definite>(
      call: CallPolicies.Call,
      attempt: Effect.Effect<A, AttemptError | D>
    ): Effect.Effect<A, ObjectStoreError | D> => Effect.flatten(plainly(call, settled(attempt)))

    return {
      limits: attempts.limits,
      locationOf: attempts.locationOf,
      head: (key) => plainly(callOf("HeadObject", key, "read"), attempts.head(key)),
      put: (object, body, options) =>
        settling(callOf("PutObject", object.key, "upload", "upload"), attempts.put(object, body, options)),
      begin: (object) => plainly(callOf("CreateMultipartUpload", object.key, "write"), attempts.begin(object)),
      part: (upload, number, body) =>
        settling(callOf("UploadPart", upload.key, "upload", "upload"), attempts.part(upload, number, body)),
      parts: (upload) => {
        const call = callOf("ListParts", upload.key, "read")
        return paginate((after) => settling(call, advancing(call.operation, after, attempts.partsPage(upload, after))))
      },
      // A store can take minutes to join the parts.
      complete: (upload, parts, options) =>
        settling(
          callOf("CompleteMultipartUpload", upload.key, "write", "upload"),
          attempts.complete(upload, parts, options)
        ),
      abort: (upload) => plainly(callOf("AbortMultipartUpload", upload.key, "write"), attempts.abort(upload)),
      uploads: (prefix) => {
        const call = callOf("ListMultipartUploads", prefix, "read")
        return paginate((after) => plainly(call, advancing(call.operation, after, attempts.uploadsPage(prefix, after))))
      },
      get: (key, range) => {
        const call = callOf("GetObject", key, "download")
        return Stream.mapError(resumed(policies, call, range, (rest) => attempts.get(key, rest)), toStoreError(call))
      }
    }
  })
