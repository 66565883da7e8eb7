/**
 * The places of copies: a folder on this machine, or a bucket of an object store.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { dirname, join } from "node:path"
import * as NodeHttp from "../node/NodeHttp.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import * as ObjectStore from "../s3/ObjectStore.ts"
import * as S3Destination from "../s3/S3Destination.ts"
import * as S3ObjectStore from "../s3/S3ObjectStore.ts"
import * as Destination from "../services/Destination.ts"
import type { Checkpoint } from "../transfer/Checkpoint.ts"
import type * as SafePath from "../transfer/SafePath.ts"
import { StateError, Usage } from "./Failures.ts"
import type { VaultState } from "./State.ts"

/**
 * A folder.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Folder = Schema.TaggedStruct("Folder", { path: Schema.String })

/**
 * A bucket, and how its store is reached. The keys of the store are not in it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Bucket = Schema.TaggedStruct("Bucket", {
  bucket: Schema.String,
  /** Empty, or a path that ends with a slash. */
  prefix: Schema.String,
  region: Schema.String,
  endpoint: Schema.optional(Schema.String),
  profile: Schema.optional(Schema.String),
  pathStyle: Schema.Boolean,
  checksums: Schema.Literal("sha256", "none"),
  conditionalWrites: Schema.Boolean,
  storageClass: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Bucket = typeof Bucket.Type

/**
 * A place.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Place = Schema.Union(Folder, Bucket)

/**
 * @since 0.1.0
 * @category schemas
 */
export type Place = typeof Place.Type

/**
 * The place as users write it: an absolute path, or a URL such as `s3://bucket/prefix/`.
 *
 * @since 0.1.0
 * @category getters
 */
export const nameOf = (place: Place): string =>
  place._tag === "Folder" ? place.path : `s3://${place.bucket}/${place.prefix}`

/**
 * The location of the copy with this path in a place: an absolute path, or a URL such as `s3://bucket/a.txt`.
 *
 * @since 0.1.0
 * @category getters
 */
export const locationOf = (place: Place, path: string): string =>
  place._tag === "Folder" ? join(place.path, path) : `${nameOf(place)}${path}`

/**
 * The endpoint of a store, unless it is that of AWS.
 *
 * @since 0.1.0
 * @category getters
 */
export const endpointOf = (place: Place): string | undefined => place._tag === "Bucket" ? place.endpoint : undefined

/**
 * Whether two places are the same: a bucket of one store is not the bucket with this name of another store.
 *
 * @since 0.1.0
 * @category getters
 */
export const isSame = (one: Place, other: Place): boolean =>
  nameOf(one) === nameOf(other) && endpointOf(one) === endpointOf(other)

/**
 * The options of a command that reaches a place.
 *
 * @since 0.1.0
 * @category getters
 */
export const optionsOf = (place: Place): ReadonlyArray<string> => {
  if (place._tag === "Folder") return []
  const values = {
    "--s3-endpoint": place.endpoint,
    "--s3-region": place.region,
    "--s3-profile": place.profile,
    "--storage-class": place.storageClass
  }
  return [
    ...Object.entries(values).flatMap(([name, value]) => value === undefined ? [] : [name, value]),
    ...(place.pathStyle ? ["--path-style"] : []),
    ...(place.checksums === "none" ? ["--no-checksums"] : []),
    ...(place.conditionalWrites ? [] : ["--no-conditional-writes"])
  ]
}

/**
 * Whether an argument is the URL of a bucket.
 *
 * @since 0.1.0
 * @category getters
 */
export const isUrl = (text: string): boolean => text.startsWith("s3://")

/**
 * The folder with this path.
 *
 * @since 0.1.0
 * @category constructors
 */
export const folder = (path: string): Effect.Effect<Place, never, Path.Path> =>
  Effect.map(Path.Path, (paths) => Folder.make({ path: paths.resolve(path) }))

/**
 * The options for the store of a bucket.
 *
 * @since 0.1.0
 * @category options
 */
export const bucketOptions = {
  s3Endpoint: Options.text("s3-endpoint").pipe(
    Options.withPseudoName("url"),
    Options.optional,
    Options.withDescription("The URL of the store. Default: that of AWS")
  ),
  s3Region: Options.text("s3-region").pipe(
    Options.withPseudoName("name"),
    Options.optional,
    Options.withDescription("The region of the bucket. Default: that of the vault")
  ),
  s3Profile: Options.text("s3-profile").pipe(
    Options.withPseudoName("name"),
    Options.optional,
    Options.withDescription("The profile in AWS's configuration files that has the keys of the bucket")
  ),
  pathStyle: Options.boolean("path-style").pipe(
    Options.withDescription("The bucket is in the path of the URL: most stores other than AWS need it")
  ),
  noChecksums: Options.boolean("no-checksums").pipe(
    Options.withDescription("The store rejects the headers x-amz-checksum, as Backblaze B2, Ceph and Swift do")
  ),
  noConditionalWrites: Options.boolean("no-conditional-writes").pipe(
    Options.withDescription("The store rejects the header If-None-Match, as Cloudflare R2 and Backblaze B2 may do")
  )
}

/**
 * The values of the options.
 *
 * @since 0.1.0
 * @category models
 */
export interface BucketValues {
  readonly s3Endpoint: Option.Option<string>
  readonly s3Region: Option.Option<string>
  readonly s3Profile: Option.Option<string>
  readonly pathStyle: boolean
  readonly noChecksums: boolean
  readonly noConditionalWrites: boolean
}

/**
 * The bucket of a URL, `s3://BUCKET` or `s3://BUCKET/PREFIX`, for the archives of a vault.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bucket = (
  url: string,
  vault: Pick<VaultState, "region">,
  { noChecksums, noConditionalWrites, pathStyle, s3Endpoint, s3Profile, s3Region }: BucketValues
): Effect.Effect<Bucket, Usage> => {
  const [, name, prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/?$/.exec(url) ?? []
  if (name === undefined) return new Usage({ message: `${url} is not the URL of a bucket. Write s3://BUCKET/PREFIX` })
  return Effect.succeed(Bucket.make({
    bucket: name,
    prefix: prefix === "" ? "" : `${prefix}/`,
    region: Option.getOrElse(s3Region, () => vault.region),
    endpoint: Option.getOrUndefined(s3Endpoint),
    profile: Option.getOrUndefined(s3Profile),
    pathStyle,
    checksums: noChecksums ? "none" : "sha256",
    conditionalWrites: !noConditionalWrites
  }))
}

/**
 * How copies are written.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writing {
  /** Whether other files and objects are replaced. */
  readonly overwrite: boolean
  /** The bytes of new objects that are read again. */
  readonly readBack: "none" | "sample" | "all"
}

/**
 * The errors of a place.
 *
 * @since 0.1.0
 * @category errors
 */
export type PlaceError = Destination.DirectoryError | S3Destination.Failure | StateError

type Requirements = FileSystem.FileSystem | Path.Path | Checkpoint

/**
 * A place in use.
 *
 * @since 0.1.0
 * @category models
 */
export interface Opened extends Destination.Destination<PlaceError, Requirements> {
  /** Like `find`, but accepts a copy only after all its bytes were read. */
  readonly findByBytes: Opened["find"]
  /** Whether the place still has a copy of the right size. Like `verify`, but does not read files. */
  readonly isThere: Opened["verify"]
  /** Fails if the place cannot be used, for one reason that concerns all copies. Leaves nothing in the place. */
  readonly check: (access: "read" | "write") => Effect.Effect<void, PlaceError>
}

/** The paths that are valid in a place: those of this machine, or keys of objects. */
export const platformOf = ({ _tag }: Place): SafePath.Platform =>
  _tag === "Bucket" || process.platform === "linux"
    ? "posix"
    : process.platform === "win32"
    ? "windows"
    : "portable"

const isCode =
  (...codes: ReadonlyArray<string>) => (error: { readonly _tag: string; readonly code?: unknown }): boolean =>
    error._tag === "ObjectStoreError" && codes.some((code) => code === error.code)

/** The key of an object that does not exist. */
const probeOf = ({ prefix }: Bucket): string => `${prefix}.effect-glacier`

/**
 * Aborts the uploads of checks whose process was killed. Returns their number.
 *
 * @since 0.1.0
 * @category removing
 */
export const abortProbes = Effect.fnUntraced(function*(bucket: Bucket) {
  const store = yield* ObjectStore.ObjectStore
  const key = probeOf(bucket)
  const probes = yield* Stream.runCollect(Stream.filter(store.uploads(key), (upload) => upload.key === key))
  yield* Effect.forEach(probes, store.abort, { discard: true })
  return probes.length
})

/** Asks the store for an object, and opens an upload. The responses of the store to HEAD, which copies need, give no reason. */
const checkBucket = Effect.fnUntraced(function*(bucket: Bucket, access: "read" | "write") {
  const store = yield* ObjectStore.ObjectStore
  const key = probeOf(bucket)
  yield* Stream.runDrain(store.get(key, ByteRange.make(0, 1))).pipe(
    Effect.catchIf(isCode("NoSuchKey", "NotFound", "HTTP 404", "InvalidRange"), () => Effect.void)
  )
  if (access === "read") return
  const upload = yield* store.begin({ key, metadata: {}, storageClass: bucket.storageClass })
  yield* Effect.ignoreLogged(store.abort(upload))
})

/**
 * The store of a bucket.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStore = (bucket: Bucket) => Layer.provide(S3ObjectStore.layer(bucket), NodeHttp.layerConfig)

const openBucket = Effect.fnUntraced(function*(bucket: Bucket, writing: Writing) {
  const { prefix, storageClass } = bucket
  const provide = Effect.provide(yield* Layer.build(layerStore(bucket)))
  const { find, store, verify } = yield* provide(S3Destination.make({ ...writing, prefix, storageClass }))
  const reading = yield* provide(S3Destination.make({ ...writing, prefix, readBack: "all" }))
  const isThere: Opened["verify"] = (archive, proof) =>
    Effect.catchIf(provide(verify(archive, proof)), isCode("NoSuchBucket"), () => Effect.succeed(false))
  const opened: Opened = {
    find: (archive) => provide(find(archive)),
    findByBytes: (archive) => provide(reading.find(archive)),
    store: (archive, job, onProgress) => provide(store(archive, job, onProgress)),
    verify: isThere,
    isThere,
    check: (access) => provide(checkBucket(bucket, access))
  }
  return opened
})

/** The number of files that are read at once, to see whether they are copies. */
const reads = 4

/** Writes a file in a folder, or in the first of its parents that exists, and removes it. */
const checkFolder = (path: string): Effect.Effect<void, StateError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    let existing = path
    while (!(yield* fs.exists(existing)) && existing !== dirname(existing)) existing = dirname(existing)
    yield* Effect.scoped(fs.makeTempFileScoped({ directory: existing, prefix: ".effect-glacier-" }))
  }).pipe(
    Effect.mapError(({ message }) => new StateError({ message: `The folder ${path} cannot be written to: ${message}` }))
  )

const openFolder = Effect.fnUntraced(function*(path: string, writing: Writing) {
  const provide = Effect.provide(yield* Effect.context<FileSystem.FileSystem>())
  const { find, store, verify } = yield* Destination.directory(path, writing)
  const turns = (yield* Effect.makeSemaphore(reads)).withPermits(1)
  const findInTurn: Opened["find"] = (archive) => turns(find(archive))
  const opened: Opened = {
    find: findInTurn,
    findByBytes: findInTurn,
    store,
    verify: (archive, proof) => turns(verify(archive, proof)),
    isThere: (archive, { size }) =>
      Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(join(path, archive.path))).pipe(
        Effect.map((found) => found.type === "File" && found.size === BigInt(size)),
        Effect.orElseSucceed(() => false)
      ),
    check: (access) => access === "read" ? Effect.void : provide(checkFolder(path))
  }
  return opened
})

/**
 * Opens a place until the Scope closes. Sends no request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (place: Place, writing: Writing = { overwrite: false, readBack: "none" }) =>
  place._tag === "Folder" ? openFolder(place.path, writing) : openBucket(place, writing)
