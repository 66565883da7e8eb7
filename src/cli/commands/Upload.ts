/**
 * The command `effect-glacier upload`: stores the files of a folder, or single files, in a vault.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as NodeCheckpoint from "../../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount, formatNumber } from "../../policy/Format.ts"
import * as ArchiveName from "../../protocol/ArchiveName.ts"
import type { SourceChanged } from "../../protocol/GlacierError.ts"
import * as BackupPlan from "../../services/BackupPlan.ts"
import * as Source from "../../transfer/Source.ts"
import * as CliCommand from "../CliCommand.ts"
import { SomeFailed, Usage } from "../Failures.ts"
import * as Glob from "../Glob.ts"
import * as Globals from "../Globals.ts"
import * as Inventories from "../Inventories.ts"
import { Output } from "../Output.ts"
import { maximumLines } from "../PlanRuns.ts"
import * as Plans from "../Plans.ts"
import { printable } from "../Printable.ts"
import * as Records from "../Records.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"
import * as StateIndex from "../StateIndex.ts"
import * as Work from "../Work.ts"

type SourceError = PlatformError.PlatformError | SourceChanged

type File = BackupPlan.File<SourceError, FileSystem.FileSystem> | BackupPlan.Unusable

/** The files to upload. The checkpoint and the records with this name are those of the same files, whenever the command runs. */
interface Backup {
  readonly name: string
  readonly paths: ReadonlyArray<string>
  readonly files: Stream.Stream<File, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path>
}

/** A file that is named in the arguments. Its archive has the name of the file, without its folder. */
const single = (file: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { mtime } = yield* fs.stat(file)
    const modified = Option.getOrElse(Option.flatMap(mtime, DateTime.make), () => DateTime.unsafeMake(0))
    return { path: path.basename(file), source: Source.file(file), modified }
  })

/** Reads the arguments: one folder, or files. */
const backupOf = Effect.fnUntraced(function*(args: ReadonlyArray<string>, exclude: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const paths = args.map((argument) => path.resolve(argument))
  const folder = yield* Effect.findFirst(paths, (path) => Effect.map(fs.stat(path), ({ type }) => type === "Directory"))
  if (Option.isSome(folder) && paths.length > 1) {
    return yield* new Usage({ message: `Upload the folder ${folder.value} by itself, or single files` })
  }
  const matches = yield* Effect.mapError(Glob.make(exclude), ({ message }) => new Usage({ message }))
  // Without patterns, everything would match.
  const isExcluded = (path: string) => exclude.length > 0 && matches({ archiveId: "", path })
  const hash = createHash("sha256").update(JSON.stringify(paths)).digest("hex").slice(0, 16)
  const backup: Backup = {
    name: `upload-${hash}`,
    paths,
    files: Option.isSome(folder)
      ? BackupPlan.files(folder.value, { exclude: isExcluded })
      : Stream.filter(Stream.mapEffect(Stream.fromIterable(paths), single), ({ path }) => !isExcluded(path))
  }
  return backup
})

const emptyText = (count: number): string => count === 0 ? "" : `, ${formatCount(count, "empty file")} skipped`

/** Counts the files and their bytes. */
const count = Effect.fnUntraced(function*({ files }: Backup) {
  const { result } = yield* Output
  const counts = { files: 0, bytes: 0, empty: 0, unusable: 0 }
  yield* Stream.runForEach(files, (file) =>
    "error" in file
      ? Effect.sync(() => counts.unusable++)
      : Effect.map(file.source.size, (size) => {
        if (size === 0) return counts.empty++
        counts.files++
        counts.bytes += size
      }))
  yield* result({
    json: { type: "summary", dryRun: true, ...counts },
    text:
      `This would upload up to ${formatCount(counts.files, "file")}, ${formatBytes(counts.bytes)}, except those that ` +
      `are stored already${emptyText(counts.empty)}${
        counts.unusable === 0 ? "" : `. ${formatNumber(counts.unusable)} cannot be uploaded`
      }`
  })
})

/** Returns the function that finds out by the records whether an archive was deleted. */
const makeIsDeleted = (state: State.VaultState) =>
  Effect.map(StateIndex.make(Records.all(state)), (index) => (archiveId: string): boolean => {
    const slot = index.find(archiveId)
    return slot >= 0 && Option.contains(index.stateAt(slot), "deleted")
  })

/** The archives that the vault has, as far as they are in the last inventory and the records. */
const listedOf = Effect.fnUntraced(function*(state: State.VaultState, isDeleted: (archiveId: string) => boolean) {
  const { note } = yield* Output
  if (Option.isNone(yield* Inventories.find(state))) {
    yield* note("Without an inventory, files that another program has stored are stored again")
    return Stream.filter(
      Stream.filterMap(Records.all(state), Selection.uploaded),
      ({ archiveId }) => !isDeleted(archiveId)
    )
  }
  return Selection.entries(yield* Selection.make(state, []))
})

/** Makes the function that records an archive, once. The archives that were in the vault before need no record. */
const makeRecorder = Effect.fnUntraced(function*(state: State.VaultState, name: string, listed: ReadonlySet<string>) {
  const recorded = yield* Stream.runFold(
    Records.of(state, name),
    new Set<string>(),
    (ids, { archiveId }) => ids.add(archiveId)
  )
  const write = yield* Records.writer(state, name, Records.of(state, name))
  return Effect.fnUntraced(function*({ archiveId, size, treeHash }: BackupPlan.Archive, description: string) {
    if (listed.has(archiveId) || recorded.has(archiveId)) return
    recorded.add(archiveId)
    yield* write({
      archiveId,
      state: "uploaded",
      date: yield* DateTime.now,
      archive: { description, size, treeHash }
    })
  })
})

/** The result of a file that was not stored, as users see it. */
const notStored = (type: "empty" | "rejected" | "failed", path: string, message: string) => ({
  json: { type, path, message },
  text: `${printable(path)}: ${printable(message)}`
})

const storedOf = ({ archive: { archiveId, size, treeHash }, before, path }: Extract<
  BackupPlan.Outcome,
  { readonly _tag: "Stored" }
>) => ({
  json: { type: "uploaded", archiveId, path, bytes: size, treeHash, before },
  text: `${printable(path)}: ${formatBytes(size)}${before ? ", stored before" : ""}`
})

/** Stores the files, and counts what was stored now, what was before, and what could not be stored. */
const store = Effect.fnUntraced(function*(state: State.VaultState, { files, name }: Backup, command: string) {
  const output = yield* Output
  const isDeleted = yield* makeIsDeleted(state)
  const listed = new Set<string>()
  const entries = Stream.tap(
    yield* listedOf(state, isDeleted),
    ({ archiveId }) => Effect.sync(() => listed.add(archiveId))
  )
  // Only once the checkpoint is open: until then another process may write to the records.
  const recorder = yield* Effect.cached(makeRecorder(state, name, listed))
  const descriptions = new Map<string, string>()
  const note = (file: File) => {
    if ("error" in file || descriptions.has(file.path)) return
    const description = ArchiveName.write(file, ArchiveName.fastGlacier)
    if (Either.isRight(description)) descriptions.set(file.path, description.right)
  }
  const counts = { stored: 0, bytes: 0, before: 0, empty: 0, rejected: 0, failed: 0 }
  const outcomes = (work: Work.Work) =>
    BackupPlan.run(name, Stream.tap(files, (file) => Effect.sync(() => note(file))), {
      listed: entries,
      isDeleted,
      onProgress: ({ bytes }) => work.update(({ bytes: { total } }) => ({ bytes: { done: bytes, total } }))
    })
  yield* Work.run(state, command, (work) =>
    Stream.runForEach(outcomes(work), (outcome) =>
      Effect.gen(function*() {
        if (outcome._tag === "Empty") {
          const skipped = notStored(
            "empty",
            outcome.path,
            "is empty and is skipped: the service stores no empty archive"
          )
          counts.empty++
          if (output.isJson) yield* output.result(skipped)
          else if (counts.empty <= maximumLines) yield* output.note(skipped.text)
          return
        }
        if (outcome._tag !== "Stored") {
          const type = outcome._tag === "Rejected" ? "rejected" : "failed"
          counts[type]++
          return yield* work.failed(
            notStored(type, outcome.path, outcome.error.message),
            counts.failed + counts.rejected <= maximumLines
          )
        }
        const { archive, before, path } = outcome
        const description = descriptions.get(path)
        descriptions.delete(path)
        // A file that does not exist any more has none.
        if (description !== undefined) yield* Effect.flatMap(recorder, (record) => record(archive, description))
        if (before) counts.before++
        else {
          counts.stored++
          counts.bytes += archive.size
        }
        // The progress has counted the bytes.
        yield* work.done(0, storedOf(outcome))
      })))
  return counts
})

const run = (args: ReadonlyArray<string>, exclude: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { dryRun } = yield* Globals.Globals
    const { result } = yield* Output
    const backup = yield* backupOf(args, exclude)
    if (dryRun) return yield* count(backup)
    yield* State.withVault(Effect.fnUntraced(function*(state) {
      const plan = yield* Plans.begin(state, {
        kind: "upload",
        name: backup.name,
        arguments: [...backup.paths, ...exclude.flatMap((pattern) => ["--exclude", pattern])]
      })
      const counts = yield* store(state, backup, Plans.commandOf(plan)).pipe(
        Effect.provide(NodeCheckpoint.layer(state.checkpoints))
      )
      const { before, bytes, empty, failed: failures, rejected, stored } = counts
      if (failures === 0) yield* Plans.finish(state, plan)
      const failed = failures + rejected
      yield* result({
        json: { type: "summary", ...counts },
        text: `${formatCount(stored, "file")} uploaded, ${formatBytes(bytes)}${
          before === 0 ? "" : `, ${formatNumber(before)} stored before`
        }${emptyText(empty)}${failed === 0 ? "" : `, ${formatNumber(failed)} not stored`}`
      })
      if (failed > 0) return yield* new SomeFailed({ message: `${formatCount(failed, "file")} not stored: see above` })
    })).pipe(Effect.provide(NodeGlacier.layer))
  })

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "upload",
  {
    paths: Args.path({ name: "path", exists: "yes" }).pipe(
      Args.atLeast(1),
      Args.withDescription("A folder, whose files are named by their paths in it, or files")
    ),
    exclude: Options.text("exclude").pipe(
      Options.withPseudoName("pattern"),
      Options.repeated,
      Options.withDescription("Leave out files and folders that match this pattern. Can be given several times")
    ),
    globals: Globals.options
  },
  ({ exclude, globals, paths }) => CliCommand.withGlobals(globals)(run(paths, exclude))
).pipe(CliCommand.toProgram({
  description:
    "Store the files of a folder, or single files, as archives. Run it again to resume, or to add what is new. " +
    "Empty files are skipped",
  examples: [
    "effect-glacier upload --vault photos /mnt/photos --exclude '*.tmp'",
    "effect-glacier upload --vault photos 2014.tar 2015.tar"
  ]
}))
