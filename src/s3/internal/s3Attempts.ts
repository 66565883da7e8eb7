/**
 * The operations of an object store as calls of AWS's client, one attempt each.
 *
 * @internal
 */
import type { StorageClass } from "@aws-sdk/client-s3"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { MalformedResponse } from "../../protocol/GlacierError.ts"
import type { ContentSha256 } from "../../protocol/Names.ts"
import { UnknownServiceError } from "../../protocol/ServiceError.ts"
import * as ObjectStore from "../ObjectStore.ts"
import type { CallOptions } from "./requestHandler.ts"
import type { Client, Sdk } from "./s3Client.ts"

export interface Options {
  readonly bucket: string
  readonly checksums: "sha256" | "none"
  readonly conditionalWrites: boolean
  readonly limits: ObjectStore.Limits
}

/** The marker of a page of uploads: the key and the id of the upload before it. */
const UploadMarker = Schema.parseJson(Schema.Tuple(Schema.String, Schema.String))

const toBase64 = (hash: ContentSha256): string => Encoding.encodeBase64(Either.getOrThrow(Encoding.decodeHex(hash)))

const withoutQuotes = (etag: string): string => etag.replace(/^"|"$/g, "")

/** A middleware of the client that signs a request with the hash of its body, so that the client does not hash the bytes. */
const signedWith =
  (contentSha256: ContentSha256) =>
  <Arguments extends object, Output>(next: (args: Arguments) => Promise<Output>) =>
  (args: Arguments & { readonly request?: unknown }): Promise<Output> => {
    if (Predicate.hasProperty(args.request, "headers") && Predicate.isObject(args.request.headers)) {
      Object.assign(args.request.headers, { "x-amz-content-sha256": contentSha256 })
    }
    return next(args)
  }

/** Fails when a response lacks a value. */
const required = <A>(operation: string, name: string, value: A | undefined) =>
  value === undefined
    ? Effect.fail(new MalformedResponse({ operation, status: 200, problem: `${name} is missing` }))
    : Effect.succeed(value)

const isCode = (...codes: ReadonlyArray<string>) => (error: object): boolean =>
  "code" in error && codes.some((code) => code === error.code)

const isMissing = isCode("NotFound", "NoSuchKey", "HTTP 404")

/** The pieces of requests, and the translations of responses, that operations share. */
const makeShared = ({ bucket: Bucket, checksums, conditionalWrites }: Options) => {
  const hasChecksums = checksums === "sha256"

  const locationOf = (key: string) => `s3://${Bucket}/${key}`

  const condition = ({ replace }: ObjectStore.CreateOptions) =>
    conditionalWrites && !replace ? { IfNoneMatch: "*" } : {}

  const checksumOf = (hash: ContentSha256) => hasChecksums ? { ChecksumSHA256: toBase64(hash) } : {}

  // The type has the classes of AWS. Other stores have others.
  const newObject = ({ key, metadata, storageClass }: ObjectStore.NewObject) => ({
    Bucket,
    Key: key,
    Metadata: { ...metadata },
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass })
  })

  const uploadOf = ({ key, uploadId }: ObjectStore.ObjectUpload) => ({ Bucket, Key: key, UploadId: uploadId })

  /** Fails with `ObjectExists` when the condition of the request does not hold. */
  const orExists = (key: string) => <A, E extends ObjectStore.AttemptError>(attempt: Effect.Effect<A, E>) =>
    Effect.catchIf(
      attempt,
      isCode("PreconditionFailed", "HTTP 412"),
      () => new ObjectStore.ObjectExists({ location: locationOf(key) })
    )

  const orGone = ({ key, uploadId }: ObjectStore.ObjectUpload) => <A, E extends object>(attempt: Effect.Effect<A, E>) =>
    Effect.catchIf(
      attempt,
      isCode("NoSuchUpload"),
      () => new ObjectStore.ObjectUploadGone({ location: locationOf(key), uploadId })
    )

  const checksumsOf = (
    operation: string,
    { ChecksumSHA256: sha256, ETag }: {
      readonly ChecksumSHA256?: string | undefined
      readonly ETag?: string | undefined
    }
  ) =>
    Effect.map(required(operation, "ETag", ETag), (etag): ObjectStore.Checksums => ({
      etag: withoutQuotes(etag),
      ...(sha256 === undefined ? {} : { sha256 })
    }))

  return { Bucket, hasChecksums, locationOf, condition, checksumOf, newObject, uploadOf, orExists, orGone, checksumsOf }
}

/** The client, and the functions that the operations of a bucket share. */
interface Bucket extends Client, ReturnType<typeof makeShared> {
  readonly sdk: Sdk
}

const makeObjects = (
  { Bucket, call, checksumOf, checksumsOf, client, condition, hasChecksums, newObject, orExists, sdk, stream }: Bucket
): Pick<ObjectStore.Attempts, "head" | "put" | "get"> => {
  let isBucketKnown = false

  /** Fails when the bucket does not exist: the response to HeadObject is the same as for a missing object. */
  const checkBucket = Effect.suspend(() =>
    isBucketKnown
      ? Effect.void
      : call("HeadBucket", (calling) => client.send(new sdk.HeadBucketCommand({ Bucket }), calling)).pipe(
        // The keys may be for objects only, or the store may not know the request.
        Effect.catchIf((error) => error.retry === "never" && !isMissing(error), () => Effect.void),
        Effect.map(() => {
          isBucketKnown = true
        }),
        Effect.catchIf(isMissing, () =>
          new UnknownServiceError({
            operation: "HeadBucket",
            status: 404,
            code: "NoSuchBucket",
            message: `The bucket ${Bucket} does not exist. Create it, or give the right \`bucket\``
          }))
      )
  )

  return {
    head: (key) =>
      call("HeadObject", (calling: CallOptions) =>
        client.send(
          new sdk.HeadObjectCommand({ Bucket, Key: key, ...(hasChecksums ? { ChecksumMode: "ENABLED" } : {}) }),
          calling
        )).pipe(
          Effect.flatMap((output) =>
            Effect.all({
              size: required("HeadObject", "Content-Length", output.ContentLength),
              checksums: checksumsOf("HeadObject", output),
              metadata: Effect.succeed(output.Metadata ?? {}),
              storageClass: Effect.succeed(Option.fromNullable<string | undefined>(output.StorageClass))
            })
          ),
          Effect.asSome,
          Effect.catchIf(isMissing, () => Effect.as(checkBucket, Option.none()))
        ),

    put: (object, { bytes, contentSha256 }, create) =>
      call("PutObject", (calling) => {
        const command = new sdk.PutObjectCommand({
          ...newObject(object),
          ...condition(create),
          ...checksumOf(contentSha256),
          Body: bytes
        })
        command.middlewareStack.add(signedWith(contentSha256), { step: "build" })
        return client.send(command, calling)
      }).pipe(
        Effect.flatMap((output) => checksumsOf("PutObject", output)),
        orExists(object.key)
      ),

    get: (key, range) =>
      Effect.flatMap(
        stream("GetObject", (calling) =>
          client.send(
            new sdk.GetObjectCommand({ Bucket, Key: key, Range: `bytes=${range.start}-${range.end}` }),
            calling
          )),
        ([{ ContentRange = "" }, body]) =>
          ContentRange.startsWith(`bytes ${range.start}-${range.end}/`)
            ? Effect.succeed(body)
            // The body is begun and left, so that its connection is closed.
            : Effect.zipRight(
              Stream.runHead(body),
              new MalformedResponse({
                operation: "GetObject",
                status: 200,
                problem: `the ${
                  ByteRange.length(range)
                } bytes from ${range.start} were requested, but Content-Range is "${ContentRange}"`
              })
            )
      )
  }
}

const makeUploads = (
  { call, checksumOf, checksumsOf, client, condition, hasChecksums, newObject, orExists, orGone, sdk, uploadOf }: Bucket
): Pick<ObjectStore.Attempts, "begin" | "part" | "complete" | "abort"> => ({
  begin: (object) =>
    call("CreateMultipartUpload", (calling) =>
      client.send(
        new sdk.CreateMultipartUploadCommand({
          ...newObject(object),
          ...(hasChecksums ? { ChecksumAlgorithm: "SHA256" } : {})
        }),
        calling
      )).pipe(
        Effect.flatMap(({ UploadId }) => required("CreateMultipartUpload", "UploadId", UploadId)),
        Effect.map((uploadId) => ({ key: object.key, uploadId }))
      ),

  part: (upload, number, { bytes, contentSha256 }) =>
    call("UploadPart", (calling) => {
      const command = new sdk.UploadPartCommand({
        ...uploadOf(upload),
        PartNumber: number,
        ...checksumOf(contentSha256),
        Body: bytes
      })
      command.middlewareStack.add(signedWith(contentSha256), { step: "build" })
      return client.send(command, calling)
    }).pipe(
      Effect.flatMap(({ ETag }) => required("UploadPart", "ETag", ETag)),
      Effect.map(withoutQuotes),
      orGone(upload)
    ),

  complete: (upload, parts, create) =>
    call("CompleteMultipartUpload", (calling) =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...uploadOf(upload),
          ...condition(create),
          MultipartUpload: {
            Parts: parts.map(({ contentSha256, etag, number }) => ({
              PartNumber: number,
              ETag: `"${etag}"`,
              ...checksumOf(contentSha256)
            }))
          }
        }),
        calling
      )).pipe(
        Effect.flatMap((output) => checksumsOf("CompleteMultipartUpload", output)),
        orExists(upload.key),
        orGone(upload)
      ),

  abort: (upload) =>
    call(
      "AbortMultipartUpload",
      (calling) => client.send(new sdk.AbortMultipartUploadCommand(uploadOf(upload)), calling)
    ).pipe(
      Effect.catchIf(isCode("NoSuchUpload"), () => Effect.void),
      Effect.asVoid
    )
})

const makeLists = (
  { Bucket, call, client, orGone, sdk, uploadOf }: Bucket
): Pick<ObjectStore.Attempts, "partsPage" | "uploadsPage"> => ({
  partsPage: (upload, after) =>
    call("ListParts", (calling) =>
      client.send(
        new sdk.ListPartsCommand({
          ...uploadOf(upload),
          ...(Option.isNone(after) ? {} : { PartNumberMarker: after.value })
        }),
        calling
      )).pipe(
        Effect.map(({ IsTruncated, NextPartNumberMarker, Parts = [] }) => ({
          items: Parts.map(({ ETag = "", PartNumber = 0, Size = 0 }) => ({
            number: PartNumber,
            etag: withoutQuotes(ETag),
            size: Size
          })),
          next: IsTruncated === true ? Option.fromNullable(NextPartNumberMarker) : Option.none()
        })),
        orGone(upload)
      ),

  uploadsPage: (prefix, after) =>
    call("ListMultipartUploads", (calling) => {
      const marker = Option.flatMap(after, Schema.decodeOption(UploadMarker))
      return client.send(
        new sdk.ListMultipartUploadsCommand({
          Bucket,
          Prefix: prefix,
          ...(Option.isNone(marker) ? {} : { KeyMarker: marker.value[0], UploadIdMarker: marker.value[1] })
        }),
        calling
      )
    }).pipe(
      Effect.map(({ IsTruncated, NextKeyMarker = "", NextUploadIdMarker = "", Uploads = [] }) => ({
        items: Uploads.flatMap(({ Initiated, Key, UploadId }) =>
          Key === undefined || UploadId === undefined || Initiated === undefined
            ? []
            : [{ key: Key, uploadId: UploadId, initiated: DateTime.unsafeFromDate(Initiated) }]
        ),
        next: IsTruncated === true
          ? Schema.encodeOption(UploadMarker)([NextKeyMarker, NextUploadIdMarker])
          : Option.none()
      }))
    )
})

/** Makes the attempts on a bucket. */
export const make = (sdk: Sdk, client: Client, options: Options): ObjectStore.Attempts => {
  const bucket = { ...client, ...makeShared(options), sdk }
  return {
    limits: options.limits,
    locationOf: bucket.locationOf,
    ...makeObjects(bucket),
    ...makeUploads(bucket),
    ...makeLists(bucket)
  }
}
