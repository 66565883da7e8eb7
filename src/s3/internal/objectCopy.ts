/**
 * The copy of an archive as an object, and how it is checked without trust in its writer.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as ByteRange from "../../protocol/ByteRange.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type { Archive } from "../../services/Destination.ts"
import type { Hashes } from "../../transport/Hasher.ts"
import * as ArchiveMetadata from "../ArchiveMetadata.ts"
import type { ObjectInfo, ObjectStoreError, Service } from "../ObjectStore.ts"
import { ObjectRejected, ObjectWrong } from "../S3DestinationError.ts"

/** How much of an object is read after it was stored. */
export type ReadBack = "none" | "sample" | "all"

/** An archive, and the object that is or becomes its copy. */
export interface Copy {
  readonly store: Service
  readonly archive: Archive
  readonly key: string
  readonly location: string
  /** The size of the parts. An object of at most this size has none. */
  readonly partSize: number
  readonly concurrency: number
  /** Limits the ranges that are read at once, of all copies together. */
  readonly reads: Effect.Semaphore
}

const isOfArchive = ({ archiveId, treeHash }: Archive, { metadata }: ObjectInfo): boolean =>
  Option.exists(
    ArchiveMetadata.decode(metadata),
    (read) => read.archiveId === archiveId && read.treeHash === treeHash
  )

/** Whether an object says that it is the copy of the archive, and has its size. */
export const isCopy = (archive: Archive, info: ObjectInfo): boolean =>
  info.size === archive.size && isOfArchive(archive, info)

/** Whether an object has no metadata of an archive, but the size of this one: its content can still be that of the archive. */
export const isUnmarked = (archive: Archive, info: ObjectInfo): boolean =>
  info.size === archive.size && Option.isNone(ArchiveMetadata.decode(info.metadata))

/** The error for an object that is not a copy of the archive. */
export const exists = ({ archive, location }: Copy): ObjectRejected =>
  new ObjectRejected({
    location,
    reason: "exists",
    problem: `exists already and is not a copy of archive ${archive.archiveId}. Move it away, or set \`overwrite\``
  })

const digestOf = ({ contentSha256 }: Hashes): Uint8Array => Either.getOrThrow(Encoding.decodeHex(contentSha256))

/** The SHA-256 by which a store describes an object of these parts. That of several parts is a hash of their hashes. */
const sha256Of = (create: Sha256.Create, [first, ...others]: Arr.NonEmptyReadonlyArray<Hashes>): string =>
  others.length === 0
    ? Encoding.encodeBase64(digestOf(first))
    : `${Encoding.encodeBase64(Sha256.digest(create, digestOf(first), ...others.map(digestOf)))}-${others.length + 1}`

/** Reads a range of an object, and returns its tree hash. */
const hashOf = ({ key, reads, store }: Copy, range: ByteRange.ByteRange) =>
  reads.withPermits(1)(TreeHash.ofStream(store.get(key, range)))

const wrong = ({ location }: Copy, problem: string) => new ObjectWrong({ location, problem })

/** Reads the whole object, and compares its tree hash with that of the archive. */
export const readAll = Effect.fnUntraced(function*(copy: Copy) {
  const { archive, concurrency, partSize } = copy
  const windows = ByteRange.windows(ByteRange.make(0, archive.size), archive.size, partSize)
  const hashes = yield* Effect.forEach(windows, (range) => hashOf(copy, range), { concurrency })
  const treeHash = TreeHash.combine(yield* Sha256.Sha256, hashes)
  if (treeHash !== archive.treeHash) {
    return yield* wrong(copy, `was read back with tree hash ${treeHash} instead of ${archive.treeHash}`)
  }
})

/** Reads the first part of an object, the last one and a random one, and compares their tree hashes with those stored. */
const readSample = Effect.fnUntraced(function*(copy: Copy, { parts, partSize }: Created) {
  const { archive, concurrency } = copy
  const windows = ByteRange.windows(ByteRange.make(0, archive.size), archive.size, partSize)
  const random = yield* Random.nextIntBetween(0, windows.length)
  yield* Effect.forEach(
    Arr.dedupe([0, random, windows.length - 1]).map((index) => Arr.unsafeGet(Arr.zip(windows, parts), index)),
    Effect.fnUntraced(function*([range, expected]) {
      const treeHash = yield* hashOf(copy, range)
      if (treeHash === expected.treeHash) return
      const bytes = `bytes ${range.start} to ${range.end}`
      return yield* wrong(copy, `was read back with tree hash ${treeHash} instead of ${expected.treeHash} in ${bytes}`)
    }),
    { concurrency, discard: true }
  )
})

/** An object that was created: the size and the hashes of its parts, and its ETag if the response was received. */
export interface Created {
  readonly partSize: number
  readonly parts: Arr.NonEmptyReadonlyArray<Hashes>
  readonly etag: Option.Option<string>
}

/** Compares an object with what was stored: its size, its metadata, its checksums, and on request its bytes. */
export const check = Effect.fnUntraced(function*(
  copy: Copy,
  created: Created,
  readBack: ReadBack
): Effect.fn.Return<ObjectInfo, ObjectStoreError | ObjectWrong> {
  const { archive, key, store } = copy
  const { etag, parts } = created
  const found = yield* store.head(key)
  if (Option.isNone(found)) return yield* wrong(copy, "was stored and does not exist")
  const { checksums, size } = found.value
  if (size !== archive.size) return yield* wrong(copy, `has ${size} bytes instead of ${archive.size}`)
  if (!isOfArchive(archive, found.value)) {
    return yield* wrong(copy, "does not have the metadata that it was stored with")
  }
  if (Option.isSome(etag) && checksums.etag !== etag.value) {
    return yield* wrong(copy, `has the ETag ${checksums.etag} instead of ${etag.value}`)
  }
  const sha256 = sha256Of(yield* Sha256.Sha256, parts)
  if (checksums.sha256 !== undefined && checksums.sha256 !== sha256) {
    return yield* wrong(copy, `has the SHA-256 ${checksums.sha256} instead of ${sha256}`)
  }
  if (readBack === "all") yield* readAll(copy)
  if (readBack === "sample") yield* readSample(copy, created)
  return found.value
})
