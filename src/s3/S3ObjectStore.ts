/**
 * An `ObjectStore` over a bucket of S3, or of a store that speaks its API. It requires the package `@aws-sdk/client-s3`, which
 * signs requests and decodes responses. The requests are sent by the `HttpClient` in use, and retried, paced and timed by the
 * policies in use, as those of Glacier are. The package's own retries are off.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Keys } from "../transport/Credentials.ts"
import * as S3Attempts from "./internal/s3Attempts.ts"
import * as S3Client from "./internal/s3Client.ts"
import * as ObjectStore from "./ObjectStore.ts"

/**
 * A bucket, and the features of its store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly bucket: string
  /** The region of the bucket. Default: that of AWS's configuration. */
  readonly region?: string | undefined
  /** The endpoint of the store. Default: that of AWS's configuration, else that of AWS in the region. */
  readonly endpoint?: string | undefined
  /** Whether the bucket is in the path of the URL instead of the host: most stores other than AWS need it. Default: false. */
  readonly pathStyle?: boolean | undefined
  /** The keys that sign requests. Default: those of AWS's provider chain. */
  readonly keys?: Keys | undefined
  /** The profile in AWS's configuration files for the provider chain. Default: `AWS_PROFILE`. */
  readonly profile?: string | undefined
  /**
   * The checksums that requests have besides the signed hash of their body, and that the store keeps. With `none`, requests
   * have no header `x-amz-checksum`, which some stores reject. Default: `sha256`.
   */
  readonly checksums?: "sha256" | "none" | undefined
  /**
   * Whether the store rejects a write to an existing object if the request has the header `If-None-Match`. Without it, an
   * object that another program stores at the same time is replaced: only a look before the write protects objects. Default:
   * true.
   */
  readonly conditionalWrites?: boolean | undefined
  /** The limits of the store. Default: `ObjectStore.s3Limits`. */
  readonly limits?: Partial<ObjectStore.Limits> | undefined
}

/**
 * The package `@aws-sdk/client-s3` is not installed, or the options are invalid.
 *
 * @since 0.1.0
 * @category errors
 */
export class S3ObjectStoreError extends Data.TaggedError("S3ObjectStoreError")<{ readonly message: string }> {}

/**
 * Makes the store of a bucket. Sends no request. Fails with `S3ObjectStoreError` when `@aws-sdk/client-s3` is missing, when
 * neither the options nor AWS's configuration name a region, or when the endpoint is not a URL.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { bucket, checksums = "sha256", conditionalWrites = true, limits, ...options }: Options
): Effect.Effect<ObjectStore.Service, S3ObjectStoreError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    // Imported when it is needed, because the package is optional and slow to load.
    const sdk = yield* Effect.tryPromise({
      try: () => import("@aws-sdk/client-s3"),
      catch: () =>
        new S3ObjectStoreError({ message: "S3ObjectStore needs the package @aws-sdk/client-s3. Install it." })
    })
    const client = yield* Effect.mapError(
      S3Client.make(sdk, options),
      ({ message }) => new S3ObjectStoreError({ message: `The options of S3ObjectStore are invalid: ${message}` })
    )
    return yield* ObjectStore.make(
      S3Attempts.make(sdk, client, {
        bucket,
        checksums,
        conditionalWrites,
        limits: { ...ObjectStore.s3Limits, ...limits }
      })
    )
  })

/**
 * Provides the store of a bucket. Fails with `S3ObjectStoreError` when `@aws-sdk/client-s3` is missing, when neither the
 * options nor AWS's configuration name a region, or when the endpoint is not a URL.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { NodeHttp } from "effect-glacier/node"
 * import { S3ObjectStore } from "effect-glacier/s3"
 * import { Layer, Redacted } from "effect"
 *
 * const aws = S3ObjectStore.layer({ bucket: "my-archives", region: "eu-west-1" }).pipe(Layer.provide(NodeHttp.layer))
 *
 * // A store that rejects the headers x-amz-checksum
 * const elsewhere = S3ObjectStore.layer({
 *   bucket: "my-archives",
 *   region: "us-east-1",
 *   endpoint: "https://s3.example.com",
 *   pathStyle: true,
 *   keys: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
 *   checksums: "none"
 * }).pipe(Layer.provide(NodeHttp.layer))
 */
export const layer = (
  options: Options
): Layer.Layer<ObjectStore.ObjectStore, S3ObjectStoreError, HttpClient.HttpClient> =>
  Layer.effect(ObjectStore.ObjectStore, make(options))
