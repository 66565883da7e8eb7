/**
 * Stores many files in a vault, one archive for each. The description of an archive has the path of its file. A backup
 * resumes after an interruption or the death of the process, stores each file exactly once, and skips files that are stored.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ArchiveName from "../protocol/ArchiveName.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import { type InvalidInput, show, type SourceChanged } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { ArchiveId } from "../protocol/Names.ts"
import type * as TreeHash from "../protocol/TreeHash.ts"
import { type Checkpoint, CheckpointError, type CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { OnProgress } from "../transfer/Progress.ts"
import * as RegularFile from "../transfer/RegularFile.ts"
import * as Source from "../transfer/Source.ts"
import type * as Upload from "../transfer/Upload.ts"
import { UploadKept } from "../transfer/UploadKept.ts"
import * as UploadPlan from "../transfer/UploadPlan.ts"
import * as BackupRun from "./internal/backupRun.ts"
import * as FolderFiles from "./internal/folderFiles.ts"
import { makeReporters } from "./internal/planProgress.ts"
import { Vault } from "./Vault.ts"

/**
 * A path that does not lead to a regular file. A symbolic link is not followed, wherever it leads.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotAFile extends errorClass<NotAFile>()("NotAFile", {
  path: Schema.String,
  kind: Schema.Literal("link", "folder", "device", "pipe", "socket", "unknown")
}) {
  override get message(): string {
    const kind = this.kind === "link"
      ? "a symbolic link"
      : this.kind === "unknown"
      ? "of an unknown kind"
      : `a ${this.kind}`
    return `The path ${show(this.path)} is ${kind}, not a file`
  }
}

/**
 * A path that an earlier file of the same Stream has. Both archives would have the same name.
 *
 * @since 0.1.0
 * @category errors
 */
export class PathRepeated extends errorClass<PathRepeated>()("PathRepeated", { path: Schema.String }) {
  override get message(): string {
    return `The path ${show(this.path)} occurs twice: give each file a path of its own`
  }
}

/**
 * A file to store.
 *
 * @since 0.1.0
 * @category models
 */
export interface File<out E = never, out R = never> {
  /** The path that the description of the archive has, with `/` between names. */
  readonly path: string
  /**
   * The bytes. With a `version`, as `Source.file` has, a stored file is recognized without reading it. Otherwise each run
   * reads it.
   */
  readonly source: Source.Source<E, R>
  /** The modification time that the description of the archive has. */
  readonly modified: DateTime.Utc
}

/**
 * A path without a file that can be stored, and the reason.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unusable {
  readonly path: string
  readonly error: NotAFile | PlatformError.PlatformError
}

/**
 * Options for finding the files of a folder.
 *
 * @since 0.1.0
 * @category models
 */
export interface FilesOptions {
  /**
   * Leaves out a file or a folder with this path, such as `photos/.cache`. Everything in a folder is left out with it.
   * Default: nothing is left out.
   */
  readonly exclude?: ((path: string) => boolean) | undefined
}

const toFile = (directory: string) => ({ found, path }: FolderFiles.Found) =>
  Either.match(found, {
    onLeft: (error): Unusable => ({ path, error }),
    onRight: (info): File<PlatformError.PlatformError | SourceChanged, FileSystem.FileSystem> | Unusable => {
      if (info === "link") return { path, error: new NotAFile({ path, kind: info }) }
      const other = RegularFile.otherOf(info)
      if (Option.isSome(other)) return { path, error: new NotAFile({ path, kind: other.value }) }
      const modified = Option.match(info.mtime, { onNone: () => 0, onSome: (date) => date.getTime() })
      return { path, source: Source.file(FolderFiles.join(directory, path)), modified: DateTime.unsafeMake(modified) }
    }
  })

/**
 * Emits the files in a folder and in all folders below it, with their paths relative to the folder, in an order that depends
 * only on their names. Memory holds the names in the folders that lead to the current file.
 *
 * Symbolic links, devices, pipes and sockets are emitted as `Unusable`, and so is a file or folder that cannot be read. Links
 * are not followed. The Stream fails only when the folder itself cannot be read.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { BackupPlan } from "effect-glacier"
 *
 * const files = BackupPlan.files("/home/ada", { exclude: (path) => path.endsWith("/node_modules") })
 */
export const files = (directory: string, options: FilesOptions = {}): Stream.Stream<
  File<PlatformError.PlatformError | SourceChanged, FileSystem.FileSystem> | Unusable,
  PlatformError.PlatformError,
  FileSystem.FileSystem
> =>
  Stream.unwrap(Effect.map(
    FileSystem.FileSystem,
    (fs) => Stream.map(FolderFiles.walk(fs, directory, options.exclude ?? (() => false)), toFile(directory))
  ))

/**
 * The archive of a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface Archive {
  readonly archiveId: ArchiveId
  /** The size in bytes. */
  readonly size: number
  readonly treeHash: TreeHash.TreeHash
}

type UploadError = Exclude<Upload.UploadWithCheckpointError | Upload.DiscardError, CheckpointError>

/**
 * The errors of storing a file. `E` are the errors of its source.
 *
 * @since 0.1.0
 * @category errors
 */
export type StoreError<E = never> =
  | UploadError
  | UploadKept<Upload.UploadWithCheckpointError | E>
  | PlatformError.PlatformError
  | E

/**
 * The outcome of a file:
 *
 * - `Stored`, with its archive. `before` is true if an earlier run has stored it, or the vault is known to have it.
 * - `Empty`: the service stores no archive without bytes.
 * - `Rejected`: it is no regular file, its path is not unique, or its path is invalid or too long for a description.
 * - `Failed`: the next run tries it again.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<E = never> = Data.TaggedEnum<{
  readonly Stored: { readonly path: string; readonly archive: Archive; readonly before: boolean }
  readonly Empty: { readonly path: string }
  readonly Rejected: { readonly path: string; readonly error: NotAFile | PathRepeated | InvalidInput }
  readonly Failed: { readonly path: string; readonly error: StoreError<E> }
}>

/**
 * Options for running a backup. `E` and `R` are those of `listed`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions<out E = never, out R = never> {
  /** The number of files that are stored at once. Default: 4. Each takes the memory of an upload. */
  readonly concurrency?: number | undefined
  /** Writes the path and the modification time into the description. Default: `ArchiveName.fastGlacier`. */
  readonly writer?: ArchiveName.Writer | undefined
  /**
   * The archives that the vault has, for instance those of an inventory. A file is not stored again if one of them has its
   * path, its size and its tree hash. Each takes less than 1 KiB of memory.
   */
  readonly listed?: Stream.Stream<Entry, E, R> | undefined
  /**
   * Returns whether an archive was deleted since this backup stored it. Its file is then stored again. Default: no archive was
   * deleted.
   */
  readonly isDeleted?: ((archiveId: ArchiveId) => boolean) | undefined
  /** The part size and the speed of each upload, and the number of its parts that are sent at once. */
  readonly upload?: UploadPlan.Options | undefined
  /** Receives the progress of all uploads. `bytes` is the size of all files that are stored so far. The total is unknown. */
  readonly onProgress?: OnProgress | undefined
}

/**
 * Returns the name of the checkpoint that a backup uses for the upload of a file. Clear it after `OutcomeUnknown`, if the
 * inventory shows that the archive does not exist.
 *
 * @since 0.1.0
 * @category getters
 */
export const checkpointOf: (name: string, path: string) => string = BackupRun.checkpointOf

/** Fails when the checkpoint cannot be used. Every other error is the outcome of one file. */
const toOutcome = <E>(path: string) => (error: StoreError<E> | CheckpointError) => {
  const cause: unknown = error instanceof UploadKept ? error.cause : error
  if (cause instanceof CheckpointError) return Effect.fail(cause)
  return error instanceof CheckpointError
    ? Effect.fail(error)
    : Effect.succeed<Outcome<E>>({ _tag: "Failed", path, error })
}

/** Stores a file, and returns the outcome. */
const outcomeOf = <E, R>(run: BackupRun.Run, writer: ArchiveName.Writer) =>
(
  file: File<E, R> | Unusable
): Effect.Effect<Outcome<E>, CheckpointError, R | Checkpoint> =>
  Effect.suspend(() => {
    const { path } = file
    if (!("source" in file)) {
      return Effect.succeed<Outcome<E>>(
        file.error._tag === "NotAFile"
          ? { _tag: "Rejected", path, error: file.error }
          : { _tag: "Failed", path, error: file.error }
      )
    }
    const { modified, source } = file
    return Either.match(ArchiveName.write({ path, modified }, writer), {
      onLeft: (error) => Effect.succeed<Outcome<E>>({ _tag: "Rejected", path, error }),
      onRight: (description) =>
        BackupRun.store(run, { path, source, description }).pipe(
          Effect.map((stored): Outcome<E> =>
            stored === undefined ? { _tag: "Empty", path } : { _tag: "Stored", path, ...stored }
          ),
          Effect.catchAll(toOutcome<E>(path))
        )
    })
  })

/** Discards the upload of a file that the Stream does not have any more. */
const discarded = <E>(run: BackupRun.Run) => (path: string) =>
  BackupRun.discard(run, path).pipe(
    Effect.map(Option.map(({ archiveId, size, treeHash }): Outcome<E> => ({
      _tag: "Stored",
      path,
      archive: { archiveId, size, treeHash },
      before: true
    }))),
    Effect.catchAll((error) => Effect.asSome(toOutcome<E>(path)(error)))
  )

/**
 * Stores the files of a Stream in the vault, and emits an outcome for each. A failure of one file does not stop the others.
 *
 * - Each file becomes exactly one archive, whenever the process dies. Run it again with the same checkpoint `name`, and it
 *   resumes: uploads continue with the parts that the service has.
 * - A file is not stored again while its version (for a file: size and modification time) is the one that the checkpoint has
 *   recorded. If only the version has changed, the file is read, and not stored again while its size and tree hash are the
 *   same. Otherwise it is stored as a new archive with the same path. The earlier archive remains.
 * - If a file has changed since its upload began, that upload is aborted, and another one starts. If it changes again
 *   meanwhile, it fails with `SourceChanged`.
 * - When the Stream has ended, uploads of earlier runs whose files it did not have are aborted.
 * - The checkpoint remains until `Checkpoint.clear`. Each stored file takes about 700 bytes of memory: a million files take
 *   700 MB.
 *
 * Each file is sent in parts, even if it is small, because a completion can be requested again and a single request cannot.
 * If a process dies while an upload is being opened, that upload has no parts and costs nothing; the service deletes it after
 * 24 hours.
 *
 * The Stream fails only when the files cannot be listed, or the checkpoint cannot be read or written.
 *
 * @since 0.1.0
 * @category running
 * @example
 * import { BackupPlan } from "effect-glacier"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = BackupPlan.run("home", BackupPlan.files("/home/ada")).pipe(
 *   Stream.runForEach((outcome) =>
 *     outcome._tag === "Failed" || outcome._tag === "Rejected"
 *       ? Console.error(`${outcome.path}: ${outcome.error.message}`)
 *       : Effect.void)
 * )
 */
export const run = <E, R, E2, R2, E3 = never, R3 = never>(
  name: string,
  files: Stream.Stream<File<E, R> | Unusable, E2, R2>,
  options: RunOptions<E3, R3> = {}
): Stream.Stream<
  Outcome<E>,
  CheckpointError | CheckpointInUse | InvalidInput | E2 | E3,
  Checkpoint | Vault | R | R2 | R3
> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const vault = yield* Vault
    const { listed = Stream.empty, onProgress, upload = {}, writer = ArchiveName.fastGlacier } = options
    const concurrency = yield* check("backup", "concurrency", Concurrency, options.concurrency ?? 4)
    yield* UploadPlan.unsized(upload)
    const run: BackupRun.Run = {
      ...yield* BackupRun.open(name, vault.name),
      listed: yield* BackupRun.collect(listed, [writer, ...ArchiveName.codecs]),
      isDeleted: options.isDeleted ?? (() => false),
      name,
      vault,
      upload,
      reporter: makeReporters(Option.none(), onProgress).reporter
    }
    const seen = new Set<string>()
    const admit = (file: File<E, R> | Unusable): Either.Either<File<E, R> | Unusable, Outcome<E>> => {
      const { path } = file
      if (seen.has(path)) return Either.left({ _tag: "Rejected", path, error: new PathRepeated({ path }) })
      seen.add(path)
      return Either.right(file)
    }
    const concurrently = { concurrency, unordered: true }
    return files.pipe(
      Stream.map(admit),
      Stream.mapEffect(
        Either.match({ onLeft: (outcome) => Effect.succeed(outcome), onRight: outcomeOf<E, R>(run, writer) }),
        concurrently
      ),
      Stream.concat(
        Stream.suspend(() => Stream.fromIterable(Array.from(run.open).filter((path) => !seen.has(path)))).pipe(
          Stream.mapEffect(discarded<E>(run), concurrently),
          Stream.filterMap((outcome) => outcome)
        )
      )
    )
  }))
