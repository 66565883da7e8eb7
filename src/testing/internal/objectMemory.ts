/**
 * The operations of a bucket in memory, with the rules and the error codes of S3. Bodies are copied, because the memory of a
 * caller is used again.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import { mebibyte } from "../../protocol/Limits.ts"
import { UnknownServiceError } from "../../protocol/ServiceError.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import * as ObjectStore from "../../s3/ObjectStore.ts"

interface Stored {
  readonly bytes: Uint8Array
}

type StoredPart = ObjectStore.CompletedPart & Stored

interface StoredUpload extends ObjectStore.OpenObjectUpload {
  readonly object: ObjectStore.NewObject
  readonly parts: Map<number, StoredPart>
}

/** The contents of a bucket: its objects by their keys, and its open uploads by their ids. */
export interface State {
  readonly name: string
  readonly limits: ObjectStore.Limits
  readonly objects: Map<string, ObjectStore.ObjectInfo & Stored>
  readonly uploads: Map<string, StoredUpload>
}

export interface Options {
  readonly pageSize: number
  readonly sha256: boolean
}

const failure = (operation: string, code: string, message: string, status = 400) =>
  new UnknownServiceError({ operation, status, code, message })

const utf8 = new TextEncoder()

/** Rejects a key or metadata that S3 rejects. */
const checkObject = (operation: string, { key, metadata }: ObjectStore.NewObject) => {
  if (key === "" || utf8.encode(key).length > 1_024) return failure(operation, "KeyTooLongError", "The key is too long")
  const entries = Object.entries(metadata)
  if (!entries.every(([name, value]) => /^[a-z0-9-]+$/.test(name) && /^[\x21-\x7e]+$/.test(value))) {
    return failure(operation, "InvalidArgument", "The metadata is not printable ASCII")
  }
  return entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > 2_048
    ? failure(operation, "MetadataTooLarge", "The metadata has more than 2,048 bytes")
    : Effect.void
}

/** Rejects a body that is too large, or does not have its SHA-256. */
const checkBody = (operation: string, limits: ObjectStore.Limits, { bytes, contentSha256 }: ObjectStore.Body) =>
  Effect.flatMap(Sha256.Sha256, (sha256) =>
    bytes.length > limits.maximumPartSize
      ? failure(operation, "EntityTooLarge", "The body is larger than allowed")
      : Sha256.hex(sha256, bytes) !== contentSha256
      ? failure(operation, "XAmzContentSHA256Mismatch", "The body does not have the SHA-256 of the request")
      : Effect.void)

/** The ETag of bytes. It is no MD5, which no client may rely on. */
const etagOf = (contentSha256: string): string => contentSha256.slice(0, 32)

const toBase64 = (hex: string): string => Encoding.encodeBase64(Either.getOrThrow(Encoding.decodeHex(hex)))

const sameParts = Arr.getEquivalence<ObjectStore.CompletedPart>((a, b) => a.number === b.number && a.etag === b.etag)

/** Lists a page of sorted items after a marker. */
const page = <A>(
  items: ReadonlyArray<A>,
  markerOf: (item: A) => string,
  after: Option.Option<string>,
  pageSize: number
): ObjectStore.Page<A> => {
  const rest = Option.match(after, {
    onNone: () => items,
    onSome: (marker) => items.filter((item) => markerOf(item) > marker)
  })
  const taken = rest.slice(0, pageSize)
  return { items: taken, next: rest.length > pageSize ? Option.map(Arr.last(taken), markerOf) : Option.none() }
}

/** A number as a text that sorts like it. */
const sortable = (number: number): string => String(number).padStart(9, "0")

/** Makes the operations of a bucket. */
export const make = (state: State, { pageSize, sha256 }: Options): ObjectStore.Attempts => {
  const { limits, objects, uploads } = state
  const locationOf = (key: string) => `s3://${state.name}/${key}`
  let opened = 0
  /** The uploads that were completed, because S3 repeats the response. */
  const completed = new Map<
    string,
    { readonly parts: ReadonlyArray<ObjectStore.CompletedPart>; readonly checksums: ObjectStore.Checksums }
  >()

  const findUpload = ({ key, uploadId }: ObjectStore.ObjectUpload) => {
    const found = uploads.get(uploadId)
    return found === undefined || found.key !== key
      ? Effect.fail(new ObjectStore.ObjectUploadGone({ location: locationOf(key), uploadId }))
      : Effect.succeed(found)
  }

  const checkFree = (key: string, { replace }: ObjectStore.CreateOptions) =>
    !replace && objects.has(key) ? new ObjectStore.ObjectExists({ location: locationOf(key) }) : Effect.void

  const save = (
    { key, metadata, storageClass }: ObjectStore.NewObject,
    bytes: Uint8Array,
    etag: string,
    base64: string
  ): ObjectStore.Checksums => {
    const checksums = { etag, ...(sha256 && { sha256: base64 }) }
    objects.set(key, {
      bytes,
      size: bytes.length,
      checksums,
      metadata: { ...metadata },
      storageClass: Option.fromNullable(storageClass)
    })
    return checksums
  }

  /** Returns the parts of an upload that a request names. */
  const joinable = Effect.fnUntraced(function*(upload: StoredUpload, named: ReadonlyArray<ObjectStore.CompletedPart>) {
    const operation = "CompleteMultipartUpload"
    if (named.length === 0) return yield* failure(operation, "MalformedXML", "There are no parts")
    if (named.some(({ number }, index) => index > 0 && number <= (named[index - 1]?.number ?? 0))) {
      return yield* failure(operation, "InvalidPartOrder", "The parts are not in order")
    }
    const parts = named.flatMap(({ contentSha256, etag, number }) => {
      const part = upload.parts.get(number)
      return part?.etag === etag && part.contentSha256 === contentSha256 ? [part] : []
    })
    if (parts.length < named.length) {
      return yield* failure(operation, "InvalidPart", "A part does not exist, or has another ETag or SHA-256")
    }
    if (parts.slice(0, -1).some(({ bytes }) => bytes.length < limits.minimumPartSize)) {
      return yield* failure(operation, "EntityTooSmall", "A part is smaller than allowed")
    }
    if (parts.reduce((sum, { bytes }) => sum + bytes.length, 0) > limits.maximumObjectSize) {
      return yield* failure(operation, "EntityTooLarge", "The object is larger than allowed")
    }
    return parts
  })

  const join = Effect.fnUntraced(function*(upload: StoredUpload, parts: ReadonlyArray<StoredPart>) {
    const create = yield* Sha256.Sha256
    const bytes = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, 0))
    parts.reduce((at, part) => {
      bytes.set(part.bytes, at)
      return at + part.bytes.length
    }, 0)
    const digest = (texts: ReadonlyArray<string>) =>
      Sha256.digest(create, ...texts.map((hex) => Either.getOrThrow(Encoding.decodeHex(hex))))
    const etag = Encoding.encodeHex(digest(parts.map(({ etag }) => etag))).slice(0, 32)
    const base64 = Encoding.encodeBase64(digest(parts.map(({ contentSha256 }) => contentSha256)))
    return save(upload.object, bytes, `${etag}-${parts.length}`, `${base64}-${parts.length}`)
  })

  return {
    limits,
    locationOf,
    head: (key) => Effect.sync(() => Option.fromNullable(objects.get(key))),
    put: Effect.fnUntraced(function*(object, body, options) {
      yield* checkObject("PutObject", object)
      yield* checkBody("PutObject", limits, body)
      yield* checkFree(object.key, options)
      const { bytes, contentSha256 } = body
      return save(object, new Uint8Array(bytes), etagOf(contentSha256), toBase64(contentSha256))
    }),
    begin: Effect.fnUntraced(function*(object) {
      yield* checkObject("CreateMultipartUpload", object)
      const upload = { key: object.key, uploadId: `upload-${sortable(++opened)}` }
      uploads.set(upload.uploadId, { ...upload, object, initiated: yield* DateTime.now, parts: new Map() })
      return upload
    }),
    part: Effect.fnUntraced(function*(upload, number, body) {
      const { parts } = yield* findUpload(upload)
      yield* checkBody("UploadPart", limits, body)
      if (!Number.isInteger(number) || number < 1 || number > limits.maximumParts) {
        return yield* failure("UploadPart", "InvalidArgument", `There is no part number ${number}`)
      }
      const { bytes, contentSha256 } = body
      const etag = etagOf(contentSha256)
      parts.set(number, { number, etag, contentSha256, bytes: new Uint8Array(bytes) })
      return etag
    }),
    partsPage: (upload, after) =>
      Effect.map(findUpload(upload), ({ parts }) => {
        const all = Arr.sort(parts.values(), Order.mapInput(Order.number, ({ number }: StoredPart) => number))
        const items = all.map(({ bytes, etag, number }) => ({ number, etag, size: bytes.length }))
        return page(items, ({ number }) => sortable(number), after, pageSize)
      }),
    complete: Effect.fnUntraced(function*(upload, named, options) {
      const before = completed.get(upload.uploadId)
      if (before !== undefined && sameParts(before.parts, named)) return before.checksums
      const found = yield* findUpload(upload)
      const parts = yield* joinable(found, named)
      yield* checkFree(upload.key, options)
      const checksums = yield* join(found, parts)
      uploads.delete(upload.uploadId)
      completed.set(upload.uploadId, { parts: named, checksums })
      return checksums
    }),
    abort: (upload) => Effect.sync(() => void uploads.delete(upload.uploadId)),
    uploadsPage: (prefix, after) =>
      Effect.sync(() => {
        const markerOf = ({ key, uploadId }: ObjectStore.ObjectUpload) => `${key}\n${uploadId}`
        const all = Array.from(uploads.values()).filter(({ key }) => key.startsWith(prefix))
        const items = Arr.sort(all, Order.mapInput(Order.string, markerOf))
        const found = page(items, markerOf, after, pageSize)
        return { ...found, items: found.items.map(({ initiated, key, uploadId }) => ({ initiated, key, uploadId })) }
      }),
    get: Effect.fnUntraced(function*(key, { end, start }) {
      const found = objects.get(key)
      if (found === undefined) return yield* failure("GetObject", "NoSuchKey", "The object does not exist", 404)
      if (["GLACIER", "DEEP_ARCHIVE"].some((name) => Option.contains(found.storageClass, name))) {
        return yield* failure("GetObject", "InvalidObjectState", "The object is not readable in its storage class", 403)
      }
      if (start >= found.size) return yield* failure("GetObject", "InvalidRange", "The object ends before", 416)
      const bytes = found.bytes.slice(start, end + 1)
      const offsets = Arr.makeBy(Math.ceil(bytes.length / mebibyte), (index) => index * mebibyte)
      return Stream.map(Stream.fromIterable(offsets), (at) => bytes.subarray(at, at + mebibyte))
    })
  }
}
