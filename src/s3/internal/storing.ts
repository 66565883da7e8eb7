/**
 * Stores the output of a job as an object: in one request, or as a multipart upload that a later run resumes. The object is
 * created only after its bytes are verified.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import type * as ByteRange from "../../protocol/ByteRange.ts"
import { BrokenOutput } from "../../protocol/GlacierError.ts"
import type { Archive } from "../../services/Destination.ts"
import type * as Job from "../../services/Job.ts"
import type * as Download from "../../transfer/Download.ts"
import type { OnProgress } from "../../transfer/Progress.ts"
import * as ArchiveMetadata from "../ArchiveMetadata.ts"
import type { Checksums, NewObject, ObjectExists, ObjectInfo, ObjectPart, ObjectUpload } from "../ObjectStore.ts"
import * as ObjectCopy from "./objectCopy.ts"
import * as UploadLog from "./uploadLog.ts"

/** An archive whose output is stored as an object. */
export interface Storing extends ObjectCopy.Copy {
  readonly job: Job.Service
  readonly log: UploadLog.UploadLog
  readonly storageClass: string | undefined
  readonly overwrite: boolean
  readonly onProgress: OnProgress
  readonly whenRoom: Download.WhenRoom
}

const objectOf = ({ archive, job, key, storageClass }: Storing): NewObject => ({
  key,
  metadata: ArchiveMetadata.encode({ ...archive, vaultName: job.vault.vaultName }),
  storageClass
})

const wrongSize = "the output does not have the size of the archive"

const broken = ({ archive, job }: Storing, problem: string) =>
  new BrokenOutput({ jobId: job.id, start: 0, end: Math.max(0, archive.size - 1), problem })

/**
 * Creates an object, unless the copy exists. When the creation fails, the object may have been created all the same, and the
 * response was lost: then the object is not the one that existed before. Returns the ETag of the response.
 */
const create = Effect.fnUntraced(function*<E>(storing: Storing, creating: Effect.Effect<Checksums, E | ObjectExists>) {
  const { archive, key, overwrite, store } = storing
  // Not every store rejects the creation itself.
  const before = yield* store.head(key)
  if (Option.isSome(before) && !overwrite) {
    return yield* ObjectCopy.isCopy(archive, before.value) ? Effect.succeedNone : ObjectCopy.exists(storing)
  }
  const isNew = ({ checksums: { etag } }: ObjectInfo) =>
    !Option.exists(before, ({ checksums }) => checksums.etag === etag)
  return yield* creating.pipe(
    Effect.map(({ etag }) => Option.some(etag)),
    Effect.catchAll((error) =>
      store.head(key).pipe(
        // The first error says more.
        Effect.orElseSucceed(Option.none),
        Effect.flatMap((found) =>
          Option.exists(found, (info) => isNew(info) && ObjectCopy.isCopy(archive, info))
            ? Effect.succeedNone
            : Effect.fail(error)
        )
      )
    ),
    Effect.catchTag("ObjectExists", () => ObjectCopy.exists(storing))
  )
})

/** Stores an archive of at most one part in one request. */
const put = Effect.fnUntraced(function*(storing: Storing) {
  const { archive: { archiveId, treeHash }, job, log, onProgress, overwrite, partSize, store, whenRoom } = storing
  yield* log.discard
  let created: ObjectCopy.Created | undefined
  yield* job.outputByWindow(({ bytes, hashes }) =>
    Effect.gen(function*() {
      // The window can be that of a longer output, whose whole is not verified yet.
      if (hashes.treeHash !== treeHash) return yield* broken(storing, wrongSize)
      yield* log.append({ _tag: "Put", archiveId, treeHash, partSize, contentSha256: hashes.contentSha256 })
      const body = { bytes, contentSha256: hashes.contentSha256 }
      const etag = yield* create(storing, store.put(objectOf(storing), body, { replace: overwrite }))
      created = { parts: [hashes], partSize, etag }
    }), { windowSize: partSize, treeHash, onProgress, whenRoom })
  return created ?? (yield* broken(storing, wrongSize))
})

const byNumber = Order.mapInput(Order.number, ({ number }: UploadLog.Part) => number)

/** The parts in order, if there are as many as the archive has. */
const whole = (
  parts: Iterable<UploadLog.Part>,
  size: number,
  partSize: number
): Option.Option<Arr.NonEmptyReadonlyArray<UploadLog.Part>> => {
  const all = Arr.sort(parts, byNumber)
  return Arr.isNonEmptyReadonlyArray(all) && all.length === Math.ceil(size / partSize)
    ? Option.some(all)
    : Option.none()
}

/** The parts in the log, if they are all of the archive. The object of them may exist. */
export const completed = (
  archive: Archive,
  { recorded }: UploadLog.UploadLog
): Option.Option<Omit<ObjectCopy.Created, "etag">> => {
  if (recorded === undefined) return Option.none()
  const { archiveId, partSize, treeHash } = recorded._tag === "Put" ? recorded : recorded.begun
  if (archiveId !== archive.archiveId || treeHash !== archive.treeHash) return Option.none()
  if (recorded._tag === "Put") return Option.some({ parts: [recorded], partSize })
  return Option.map(whole(recorded.parts.values(), archive.size, partSize), (parts) => ({ parts, partSize }))
}

/**
 * Resumes the upload in the log. Returns none when there is none to resume. A part that the store does not list as it was
 * recorded is forgotten.
 */
const resume = Effect.fnUntraced(
  function*({ archive, key, log: { recorded }, partSize, storageClass, store }: Storing) {
    if (recorded?._tag !== "Upload" || recorded.opened === undefined) return Option.none()
    const { begun, opened: { uploadId }, parts } = recorded
    const isSame = begun.archiveId === archive.archiveId && begun.treeHash === archive.treeHash &&
      begun.partSize === partSize && begun.storageClass === storageClass
    if (!isSame) return Option.none()
    const upload: ObjectUpload = { key, uploadId }
    const listed = yield* store.parts(upload).pipe(
      Stream.runFold(new Map<number, ObjectPart>(), (all, part) => all.set(part.number, part)),
      Effect.asSome,
      Effect.catchTag("ObjectUploadGone", ({ message }) => Effect.as(Effect.logWarning(message), Option.none()))
    )
    return Option.map(listed, (listed) => {
      for (const { etag, number } of parts.values()) {
        const found = listed.get(number)
        const size = Math.min(partSize, archive.size - (number - 1) * partSize)
        if (found?.etag !== etag || found.size !== size) parts.delete(number)
      }
      return upload
    })
  }
)

/** Opens a new upload. */
const begin = Effect.fnUntraced(function*(storing: Storing) {
  const { archive: { archiveId, treeHash }, key, log, partSize, storageClass, store } = storing
  yield* log.discard
  const others = yield* Stream.runCollect(UploadLog.uploadsOf(store, key))
  yield* log.append({
    _tag: "Begun",
    archiveId,
    treeHash,
    partSize,
    storageClass,
    date: yield* DateTime.now,
    others: Chunk.toReadonlyArray(others).map(({ uploadId }) => uploadId)
  })
  const upload = yield* store.begin(objectOf(storing))
  yield* log.append({ _tag: "Opened", uploadId: upload.uploadId, date: yield* DateTime.now })
  return upload
})

/** Stores an archive as a multipart upload. Each window of the output is a part. */
const uploadParts = Effect.fnUntraced(function*(storing: Storing) {
  const { archive, concurrency, job, log, onProgress, overwrite, partSize, store, whenRoom } = storing
  const resumed = yield* resume(storing)
  const upload = Option.isSome(resumed) ? resumed.value : yield* begin(storing)
  const parts = log.recorded?._tag === "Upload" ? log.recorded.parts : new Map<number, UploadLog.Part>()
  const numberOf = ({ start }: ByteRange.ByteRange) => start / partSize + 1
  const send = Effect.fnUntraced(function*({ bytes, hashes, range }: Download.Window) {
    const number = numberOf(range)
    const etag = yield* store.part(upload, number, { bytes, contentSha256: hashes.contentSha256 })
    yield* log.append({ _tag: "Part", number, etag, ...hashes })
  })
  yield* job.outputByWindow(send, {
    windowSize: partSize,
    treeHash: archive.treeHash,
    concurrency,
    onProgress,
    whenRoom,
    kept: (range) => Effect.sync(() => Option.fromNullable(parts.get(numberOf(range))?.treeHash)),
    discard: log.discard
  }).pipe(
    // An upload without parts saves nothing, so none is left open for it.
    Effect.tapError(() => parts.size === 0 ? Effect.ignore(log.discard) : Effect.void)
  )
  const all = whole(parts.values(), archive.size, partSize)
  if (Option.isNone(all)) return yield* broken(storing, wrongSize)
  const etag = yield* create(storing, store.complete(upload, all.value, { replace: overwrite }))
  return { parts: all.value, partSize, etag }
})

/** Stores the output of the job. When another object has appeared, aborts the upload. */
export const store = Effect.fnUntraced(function*(storing: Storing) {
  const { archive, key, log, partSize, store } = storing
  const before = completed(archive, log)
  if (Option.isSome(before)) {
    // The response that the object was created was lost, or the program died before it knew it.
    const found = yield* store.head(key)
    if (Option.exists(found, (info) => ObjectCopy.isCopy(archive, info))) {
      return { ...before.value, etag: Option.none() }
    }
  }
  return yield* Effect.tapErrorTag(
    archive.size > partSize ? uploadParts(storing) : put(storing),
    "ObjectRejected",
    () => log.discard
  )
})
