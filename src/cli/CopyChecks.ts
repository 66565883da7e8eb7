/**
 * Checks whether a place has the copies of archives, by the tree hashes of the inventory.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Archive, Destination, Proof } from "../services/Destination.ts"
import type { Checkpoint } from "../transfer/Checkpoint.ts"
import * as Places from "./Places.ts"

/**
 * A place does not have the copy of an archive.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotThere extends Data.TaggedError("NotThere")<{
  readonly location: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.location} ${this.problem}`
  }
}

/**
 * Returns the proof of a copy. Fails with `NotThere`, or with the error of the place, if there is none.
 *
 * @since 0.1.0
 * @category models
 */
export type Check = (
  archive: Archive
) => Effect.Effect<Proof, NotThere | Places.PlaceError, FileSystem.FileSystem | Path.Path | Checkpoint>

const inFolder = (folder: string, { verify }: Places.Opened): Check => (archive) =>
  Effect.gen(function*() {
    const { size, treeHash } = archive
    const location = (yield* Path.Path).join(folder, archive.path)
    const proof: Proof = { location, size, treeHash, checksums: {}, date: yield* DateTime.now }
    if (yield* verify(archive, proof)) return proof
    const fs = yield* FileSystem.FileSystem
    const isThere = yield* Effect.orElseSucceed(fs.exists(location), () => false)
    return yield* new NotThere({
      location,
      problem: isThere ? "does not have the bytes of the archive" : "does not exist"
    })
  })

const inBucket = (bucket: Places.Place, { find }: Places.Opened): Check => (archive) =>
  Effect.flatMap(find(archive), (proof) =>
    Option.isSome(proof)
      ? Effect.succeed(proof.value)
      : new NotThere({ location: `${Places.nameOf(bucket)}${archive.path}`, problem: "does not exist" }))

/** Whether the objects of a place are known to be in a storage class that cannot be read. */
const isCold = (place: Places.Place): boolean =>
  place._tag === "Bucket" && (place.storageClass === "GLACIER" || place.storageClass === "DEEP_ARCHIVE")

/**
 * Makes the check of a place. Files are always read. Objects are read with `read`, unless their storage class cannot be read;
 * otherwise their size, checksums and metadata must be those of the copy.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(place: Places.Place, { read }: { readonly read: boolean }) {
  if (read && isCold(place)) {
    yield* Effect.logInfo(
      `The objects in ${Places.nameOf(place)} cannot be read: only sizes, checksums and metadata are compared`
    )
  }
  const readBack = read && !isCold(place) ? "all" : "none"
  const opened = yield* Places.open(place, { overwrite: false, readBack })
  return place._tag === "Folder" ? inFolder(place.path, opened) : inBucket(place, opened)
})

/**
 * A destination that takes no archive, for a plan that checks copies: no job is ever started.
 *
 * @since 0.1.0
 * @category constructors
 */
export const destination = (
  check: Check
): Destination<NotThere | Places.PlaceError, FileSystem.FileSystem | Path.Path | Checkpoint> => ({
  find: (archive) => Effect.asSome(check(archive)),
  store: () => Effect.dieMessage("A check must not retrieve"),
  verify: (archive) => Effect.isSuccess(check(archive))
})
