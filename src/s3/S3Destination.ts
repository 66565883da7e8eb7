/**
 * A destination of retrieved archives in an object store. Each archive becomes an object, whose key is a prefix and the path
 * of the archive, and whose metadata names the archive (`ArchiveMetadata`).
 *
 * - Each part is stored with its SHA-256, which the store compares. Afterwards the object's size, metadata and checksums are
 *   compared with what was stored, and on request its bytes.
 * - An object is created only after all its bytes are verified. An existing one is never replaced unless `overwrite` is set.
 * - A killed program resumes its multipart uploads from the logs in the `Checkpoint`, and sends only the missing parts.
 *
 * No other program may write to the keys of the destination at the same time.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { formatNumber } from "../policy/Format.ts"
import type { InvalidInput } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import * as Limits from "../protocol/Limits.ts"
import { PartSize } from "../protocol/Names.ts"
import type { Archive, Destination, Proof } from "../services/Destination.ts"
import type * as Job from "../services/Job.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { OnProgress } from "../transfer/Progress.ts"
import * as SafePath from "../transfer/SafePath.ts"
import * as ObjectCopy from "./internal/objectCopy.ts"
import * as Room from "./internal/room.ts"
import * as Storing from "./internal/storing.ts"
import * as UploadLog from "./internal/uploadLog.ts"
import type { ObjectInfo, ObjectStoreError, ObjectUploadGone } from "./ObjectStore.ts"
import * as ObjectStore from "./ObjectStore.ts"
import { ObjectRejected, type ObjectWrong } from "./S3DestinationError.ts"

/**
 * The options of a destination.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The beginning of all keys: empty (the default), or a path that ends with a slash. */
  readonly prefix?: string | undefined
  /**
   * The size of the parts in bytes: 1 MiB times a power of two. It is doubled for an archive that would have too many parts.
   * Archives of at most this size are stored in one request. Default: 64 MiB.
   */
  readonly partSize?: number | undefined
  /** The number of parts of `partSize` that the memory holds at once, of all archives together. Default: 4. */
  readonly concurrency?: number | undefined
  /** The storage class of new objects, such as `DEEP_ARCHIVE`. Default: that of the store. */
  readonly storageClass?: string | undefined
  /**
   * Replaces objects that are not copies of the archives. Then an existing copy is read before it is accepted, because an
   * earlier run may have found it wrong. Default: false, the archives are rejected.
   */
  readonly overwrite?: boolean | undefined
  /**
   * The bytes of a new object that are read and compared with those stored:
   *
   * - `none` (the default).
   * - `sample`: the first part, the last one and a random one.
   * - `all`. It also reads objects that exist already, and accepts them for their bytes if they have no metadata.
   *
   * Must be `none` with the storage classes `GLACIER` and `DEEP_ARCHIVE`, whose objects cannot be read.
   */
  readonly readBack?: "none" | "sample" | "all" | undefined
}

/**
 * The errors of a destination, besides those of reading the output of a job.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure =
  | ObjectStoreError
  | ObjectUploadGone
  | ObjectRejected
  | ObjectWrong
  | CheckpointError
  | CheckpointInUse

const Prefix = Schema.String.pipe(
  Schema.filter(
    (prefix) => prefix === "" || (prefix.endsWith("/") && Either.isRight(SafePath.make(prefix.slice(0, -1), "posix"))),
    { message: () => "must be empty or a relative path that ends with a slash, such as backup/" }
  )
)

/** The schema of the part size for a store. */
const PartSizeIn = ({ maximumPartSize, minimumPartSize }: ObjectStore.Limits) =>
  PartSize.pipe(
    Schema.filter((size) => size >= minimumPartSize && size <= maximumPartSize, {
      message: () => `must be ${formatNumber(minimumPartSize)} to ${formatNumber(maximumPartSize)} bytes in this store`
    })
  )

/** The schema of `readBack` for a storage class. */
const ReadBackIn = (storageClass: string | undefined) =>
  Schema.Literal("none", "sample", "all").pipe(
    Schema.filter(
      (readBack) => readBack === "none" || (storageClass !== "GLACIER" && storageClass !== "DEEP_ARCHIVE"),
      {
        message: () => `must be none with the storage class ${storageClass}, whose objects cannot be read`
      }
    )
  )

/** The most bytes of a key in UTF-8. */
const maximumKeyLength = 1_024

/** Doubles the part size until an archive has few enough parts. Returns none if the store does not accept the archive. */
const planPartSize = (size: number, partSize: number, limits: ObjectStore.Limits): Option.Option<number> => {
  let planned = partSize
  while (Math.ceil(size / planned) > limits.maximumParts) planned *= 2
  return size <= limits.maximumObjectSize && planned <= Math.min(limits.maximumPartSize, Limits.maximumPartSize)
    ? Option.some(planned)
    : Option.none()
}

/** Locates the object of an archive. Fails with `ObjectRejected` when the store cannot have it. */
const locate = Effect.fnUntraced(function*(
  archive: Archive,
  { partSize, prefix, ...limits }: Pick<ObjectCopy.Copy, "partSize" | "concurrency" | "reads"> & {
    readonly prefix: string
  }
) {
  const store = yield* ObjectStore.ObjectStore
  const key = `${prefix}${archive.path}`
  const location = store.locationOf(key)
  if (new TextEncoder().encode(key).length > maximumKeyLength) {
    const problem = "has a key of more than 1,024 bytes in UTF-8, which no store accepts"
    return yield* new ObjectRejected({ location, reason: "key", problem })
  }
  const planned = planPartSize(archive.size, partSize, store.limits)
  if (Option.isNone(planned)) {
    const problem = `would have ${formatNumber(archive.size)} bytes, more than the store accepts`
    return yield* new ObjectRejected({ location, reason: "size", problem })
  }
  const copy: ObjectCopy.Copy = { store, archive, key, location, partSize: planned.value, ...limits }
  return copy
})

const proofOf = (
  { archive: { treeHash }, location }: ObjectCopy.Copy,
  { checksums: { etag, sha256 }, size }: ObjectInfo
) =>
  Effect.map(DateTime.now, (date): Proof => ({
    location,
    size,
    treeHash,
    checksums: { etag, ...(sha256 !== undefined && { sha256 }) },
    date
  }))

/** Checks an object that was found. Returns false if it is not a copy of the archive. Fails if it should be one and is not. */
const checkFound = (
  copy: ObjectCopy.Copy,
  info: ObjectInfo,
  log: UploadLog.UploadLog,
  { overwrite, readBack }: { readonly overwrite: boolean; readonly readBack: ObjectCopy.ReadBack }
): Effect.Effect<boolean, ObjectStoreError | ObjectWrong> => {
  if (!ObjectCopy.isCopy(copy.archive, info)) {
    return readBack === "all" && ObjectCopy.isUnmarked(copy.archive, info)
      ? ObjectCopy.readAll(copy).pipe(Effect.as(true), Effect.catchTag("ObjectWrong", () => Effect.succeed(false)))
      : Effect.succeed(false)
  }
  // An earlier run may have died before it has checked the object.
  const created = Storing.completed(copy.archive, log)
  if (Option.isSome(created)) {
    return Effect.as(ObjectCopy.check(copy, { ...created.value, etag: Option.none() }, readBack), true)
  }
  // An earlier run may have died before it has replaced a wrong object, whose metadata names the archive too.
  return Effect.as(overwrite || readBack === "all" ? ObjectCopy.readAll(copy) : Effect.void, true)
}

/**
 * Makes a destination in the `ObjectStore` in use. Fails with `InvalidInput` when an option is invalid, or when the store does
 * not accept parts of this size.
 *
 * - `find` accepts an object whose metadata names the archive. It fails with `ObjectRejected` when another object has the key,
 *   the key is too long, or the archive is too large.
 * - `store` fails with `ObjectWrong` when the store has other bytes than those sent. The object remains.
 *
 * The logs of unfinished uploads are in the `Checkpoint`, under names such as `upload to s3://bucket/key`.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { S3Destination } from "effect-glacier/s3"
 * import { Effect } from "effect"
 *
 * const destination = S3Destination.make({ prefix: "photos/", storageClass: "GLACIER_IR", readBack: "sample" })
 *
 * // Or smaller parts, for a machine with little memory
 * const small = S3Destination.make({ partSize: 16 * 1024 * 1024, concurrency: 2 })
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<
  Destination<Failure, ObjectStore.ObjectStore | Checkpoint>,
  InvalidInput,
  ObjectStore.ObjectStore
> {
  const { limits } = yield* ObjectStore.ObjectStore
  const { overwrite = false, storageClass } = options
  const prefix = yield* check("S3Destination", "prefix", Prefix, options.prefix ?? "")
  const size = options.partSize ?? 64 * Limits.mebibyte
  const partSize = yield* check("S3Destination", "partSize", PartSizeIn(limits), size)
  const concurrency = yield* check("S3Destination", "concurrency", Concurrency, options.concurrency ?? 4)
  const readBack = yield* check("S3Destination", "readBack", ReadBackIn(storageClass), options.readBack ?? "none")
  const whenRoom = Room.make(concurrency * partSize)
  const reads = yield* Effect.makeSemaphore(concurrency)
  const copyOf = (archive: Archive) => locate(archive, { prefix, partSize, concurrency, reads })

  const find = Effect.fn("S3Destination.find")(function*(archive: Archive) {
    const copy = yield* copyOf(archive)
    const found = yield* copy.store.head(copy.key)
    if (Option.isNone(found)) return Option.none()
    // Fails while another program stores or checks the object: it is not known yet whether the object is right.
    const log = yield* UploadLog.open(copy.store, copy.key)
    const isCopy = yield* Effect.catchIf(
      checkFound(copy, found.value, log, { overwrite, readBack }),
      (error) => overwrite && error._tag === "ObjectWrong",
      ({ message }) => Effect.logWarning(message).pipe(Effect.zipRight(log.discard), Effect.as(false))
    )
    // The log may be that of the upload that replaces the object.
    if (!isCopy && overwrite) return Option.none()
    yield* log.discard
    return Option.some(yield* isCopy ? proofOf(copy, found.value) : ObjectCopy.exists(copy))
  }, Effect.scoped)

  const store = Effect.fn("S3Destination.store")(
    function*(archive: Archive, job: Job.Service, onProgress: OnProgress) {
      yield* Effect.annotateCurrentSpan({ "glacier.vault": job.vault.vaultName, "glacier.job": job.id })
      const copy = yield* copyOf(archive)
      const log = yield* UploadLog.open(copy.store, copy.key)
      const created = yield* Storing.store({ ...copy, job, log, storageClass, overwrite, onProgress, whenRoom })
      const proof = yield* proofOf(copy, yield* ObjectCopy.check(copy, created, readBack))
      yield* log.discard
      return proof
    },
    Effect.scoped
  )

  const verify = Effect.fn("S3Destination.verify")(function*(archive: Archive, proof: Proof) {
    const { key, location, store } = yield* copyOf(archive)
    if (location !== proof.location) return false
    const found = yield* store.head(key)
    return Option.exists(found, (info) => {
      const checksums = new Map(Object.entries(info.checksums))
      return info.size === proof.size && (ObjectCopy.isCopy(archive, info) || ObjectCopy.isUnmarked(archive, info)) &&
        Object.entries(proof.checksums).every(([name, checksum]) => checksums.get(name) === checksum)
    })
  })

  return { find, store, verify }
})

/**
 * Aborts the uploads that earlier runs have left open under a prefix, for a plan that will not be continued. Returns them.
 *
 * It aborts only the uploads that the logs in the `Checkpoint` know, and none of a running program. It leaves the uploads of
 * other programs alone.
 *
 * @since 0.1.0
 * @category removing
 * @example
 * import { S3Destination } from "effect-glacier/s3"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const aborted = yield* S3Destination.abortAbandoned({ prefix: "photos/" })
 *   yield* Console.log(`aborted ${aborted.length} uploads`)
 * })
 */
export const abortAbandoned = Effect.fn("S3Destination.abortAbandoned")(function*(
  { prefix = "" }: Pick<Options, "prefix"> = {}
) {
  const store = yield* ObjectStore.ObjectStore
  const open = yield* Stream.runCollect(store.uploads(prefix))
  const aborted = yield* Effect.forEach(
    Arr.dedupe(Chunk.map(open, ({ key }) => key)),
    (key) =>
      UploadLog.open(store, key).pipe(
        Effect.flatMap(({ discard }) => discard),
        Effect.scoped,
        Effect.catchTag("CheckpointInUse", ({ message }) => Effect.as(Effect.logInfo(message), []))
      )
  )
  return aborted.flat()
})
