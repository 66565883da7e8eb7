/**
 * A directory as the destination of archives.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ArchiveName from "../../protocol/ArchiveName.ts"
import type { Entry } from "../../protocol/Inventory.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type * as Download from "../../transfer/Download.ts"
import type { OnProgress } from "../../transfer/Progress.ts"
import type * as SafePath from "../../transfer/SafePath.ts"
import * as Target from "../../transfer/Target.ts"
import type * as Job from "../Job.ts"

export interface Options {
  readonly path: string
  /** Whether an existing file with other bytes is replaced. */
  readonly overwrite: boolean
  /** Whether a file gets the modification time in its archive's description. */
  readonly keepModified: boolean
  readonly download: Omit<Download.Options, "onProgress" | "treeHash">
}

type Archive = Entry & { readonly path: SafePath.SafePath }

/** The modification time in a description. */
const modifiedOf = ({ description }: Entry): DateTime.Utc | undefined =>
  Option.getOrUndefined(Option.flatMap(ArchiveName.read(description), ({ modified }) => modified))

/** Whether a file has the bytes of an archive. False for a file that cannot be read. */
const isThere = Effect.fnUntraced(function*(path: string, { size, treeHash }: Entry) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* fs.stat(path)
  return found.type === "File" && found.size === BigInt(size) &&
    (yield* TreeHash.ofStream(fs.stream(path, { chunkSize: Limits.mebibyte }))) === treeHash
}, Effect.orElseSucceed(() => false))

/** The proof of a file that is complete now. */
const proofOf = (location: string, { size, treeHash }: Entry) =>
  Effect.map(DateTime.now, (date) => ({ location, size, treeHash, checksums: {}, date }))

/** Makes the destination. */
export const make = ({ download, keepModified, overwrite, path }: Options) => ({
  find: Effect.fnUntraced(function*(archive: Archive) {
    const rejection = yield* Target.prepare(path, archive.path).pipe(
      Effect.as(undefined),
      Effect.catchTag("TargetRejected", Effect.succeed)
    )
    if (rejection === undefined) return Option.none()
    if (rejection.reason !== "exists") return yield* rejection
    if (yield* isThere(rejection.path, archive)) {
      // The run that downloaded the file may have died before it removed the files beside it.
      yield* Target.finish(rejection.path, archive.treeHash)
      return Option.some(yield* proofOf(rejection.path, archive))
    }
    if (!overwrite) return yield* rejection
    yield* Target.check(rejection.path)
    return Option.none()
  }),

  store: Effect.fnUntraced(function*(archive: Archive, job: Job.Service, onProgress: OnProgress) {
    const target = yield* Target.prepare(path, archive.path, { overwrite })
    yield* job.outputToFile(target, {
      ...download,
      treeHash: archive.treeHash,
      onProgress,
      onFailure: "keep",
      modified: keepModified ? modifiedOf(archive) : undefined
    })
    return yield* proofOf(target, archive)
  }),

  /** By the path, not by the location of the proof: the directory may have been moved. */
  verify: Effect.fnUntraced(function*(archive: Archive) {
    const paths = yield* Path.Path
    return yield* isThere(paths.join(path, archive.path), archive)
  })
})
