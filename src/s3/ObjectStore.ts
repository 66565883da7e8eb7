/**
 * A bucket of an object store: S3, or any store that speaks its API. It is a tag with few operations, so that a program can
 * run over `S3ObjectStore`, over the store in memory of `effect-glacier/testing`, or over your own.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { ByteRange } from "../protocol/ByteRange.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import type { ContentSha256 } from "../protocol/Names.ts"

/**
 * A call of an object store has failed, after all retries.
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
 * An object exists already, and the store was told not to replace it.
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
  /** Replaces an existing object. Otherwise the call fails with `ObjectExists`, if the store can tell. */
  readonly replace: boolean
}

/**
 * The operations on the objects of a bucket. `E` is the error of a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operations<out E> {
  readonly limits: Limits
  /** Returns the location of an object, such as `s3://bucket/a.txt`. */
  readonly locationOf: (key: string) => string
  /** Describes an object. Returns none if it does not exist. See HeadObject (Amazon S3 API Reference). */
  readonly head: (key: string) => Effect.Effect<Option.Option<ObjectInfo>, E>
  /** Stores an object in one request. See PutObject (Amazon S3 API Reference). */
  readonly put: (
    object: NewObject,
    body: Body,
    options: CreateOptions
  ) => Effect.Effect<Checksums, E | ObjectExists>
  /**
   * Opens a multipart upload. When the response is lost, opens another one. The first one remains, so look for it with
   * `uploads`. See CreateMultipartUpload (Amazon S3 API Reference).
   */
  readonly begin: (object: NewObject) => Effect.Effect<ObjectUpload, E>
  /** Stores a part, and returns its ETag. See UploadPart (Amazon S3 API Reference). */
  readonly part: (upload: ObjectUpload, number: number, body: Body) => Effect.Effect<string, E | ObjectUploadGone>
  /** Lists the parts of an upload in their order. See ListParts (Amazon S3 API Reference). */
  readonly parts: (upload: ObjectUpload) => Stream.Stream<ObjectPart, E | ObjectUploadGone>
  /** Makes the object of its parts. See CompleteMultipartUpload (Amazon S3 API Reference). */
  readonly complete: (
    upload: ObjectUpload,
    parts: ReadonlyArray<CompletedPart>,
    options: CreateOptions
  ) => Effect.Effect<Checksums, E | ObjectExists | ObjectUploadGone>
  /** Aborts an upload. Does nothing if it is not open any more. See AbortMultipartUpload (Amazon S3 API Reference). */
  readonly abort: (upload: ObjectUpload) => Effect.Effect<void, E>
  /** Lists the open uploads whose keys begin with a prefix. See ListMultipartUploads (Amazon S3 API Reference). */
  readonly uploads: (prefix: string) => Stream.Stream<OpenObjectUpload, E>
  /** Reads a range of an object. See GetObject (Amazon S3 API Reference). */
  readonly get: (key: string, range: ByteRange) => Stream.Stream<Uint8Array, E>
}

/**
 * The operations of the object store in use.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends Operations<ObjectStoreError> {}

/**
 * The object store in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class ObjectStore extends Context.Tag("effect-glacier/ObjectStore")<ObjectStore, Service>() {}
