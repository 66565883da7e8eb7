/**
 * Checks whether a place has the copies of archives, by the tree hashes of the inventory.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Archive, Destination, Proof } from "../services/Destination.ts"
import type { Checkpoint } from "../transfer/Checkpoint.ts"
import * as Places from "./Places.ts"
import type { VaultState } from "./State.ts"
import * as WrongCopies from "./WrongCopies.ts"

/**
 * A place does not have the copy of an archive.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotThere extends Data.TaggedError("NotThere")<{
  readonly location: string
  /** Whether something else is there. */
  readonly isTaken: boolean
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

const inFolder = (place: Places.Place, { verify }: Places.Opened): Check => (archive) =>
  Effect.gen(function*() {
    const { path, size, treeHash } = archive
    const location = Places.locationOf(place, path)
    const proof: Proof = { location, size, treeHash, checksums: {}, date: yield* DateTime.now }
    if (yield* verify(archive, proof)) return proof
    const fs = yield* FileSystem.FileSystem
    const isTaken = yield* Effect.orElseSucceed(fs.exists(location), () => false)
    return yield* new NotThere({
      location,
      isTaken,
      problem: isTaken ? "does not have the bytes of the archive" : "does not exist"
    })
  })

const inBucket = (place: Places.Place, find: Places.Opened["find"]): Check => (archive) =>
  Effect.flatMap(find(archive), (proof) =>
    Option.isSome(proof)
      ? Effect.succeed(proof.value)
      : new NotThere({ location: Places.locationOf(place, archive.path), isTaken: false, problem: "does not exist" }))

/** Whether an error means that the copy is wrong: not that it is missing, or could not be read. */
const isWrong = (error: NotThere | Places.PlaceError): boolean =>
  error._tag === "NotThere" ? error.isTaken : error._tag === "ObjectWrong" || error._tag === "ObjectRejected"

/** Whether the objects of a place are known to be in a storage class that cannot be read. */
const isCold = (place: Places.Place): boolean =>
  place._tag === "Bucket" && (place.storageClass === "GLACIER" || place.storageClass === "DEEP_ARCHIVE")

/**
 * Makes the check of a place. Files are always read. Objects are read with `read`, unless their storage class cannot be read;
 * otherwise their size, checksums and metadata must be those of the copy.
 *
 * A copy that was read and is wrong does not count any more (`WrongCopies`), until it is read again and right.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(
  function*(state: VaultState, place: Places.Place, { read }: { readonly read: boolean }) {
    if (read && isCold(place)) {
      yield* Effect.logInfo(
        `The objects in ${Places.nameOf(place)} cannot be read: only sizes, checksums and metadata are compared`
      )
    }
    const wrong = yield* WrongCopies.of(state, place)
    const opened = yield* Places.open(place)
    yield* opened.check("read")
    const byBytes = place._tag === "Folder" ? inFolder(place, opened) : inBucket(place, opened.findByBytes)
    const reading: Check = (archive) =>
      Effect.tapBoth(byBytes(archive), {
        onFailure: (error) => isWrong(error) ? wrong.add(archive) : Effect.void,
        onSuccess: () => wrong.remove(archive)
      })
    const notReading: Check = (archive) =>
      Effect.if(wrong.has(archive), {
        onTrue: () =>
          new NotThere({
            location: Places.locationOf(place, archive.path),
            isTaken: true,
            problem: "was wrong when it was read: verify it without --no-read"
          }),
        onFalse: () => inBucket(place, opened.find)(archive)
      })
    return place._tag === "Folder" || (read && !isCold(place)) ? reading : notReading
  }
)

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
