/**
 * A run of a `BackupPlan`, and the steps that store one of its files.
 *
 * The log of the plan and the log of each upload overlap, so that no moment is without a record of the archive:
 *
 * 1. `Begun` in the log of the plan, before the upload writes to its own log.
 * 2. `Stored` in the log of the plan, before the upload clears its own log.
 * 3. `Ended` in the log of the plan, after the upload has cleared its own log.
 *
 * A path that has begun and not ended may have an upload that is open, or an archive that the log of the plan lacks.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ArchiveName from "../../protocol/ArchiveName.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { InvalidInput, OutcomeUnknown, show, SourceChanged } from "../../protocol/GlacierError.ts"
import type { Entry } from "../../protocol/Inventory.ts"
import { ArchiveId, type Description } from "../../protocol/Names.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import * as Checkpoint from "../../transfer/Checkpoint.ts"
import { Event } from "../../transfer/Progress.ts"
import type { Source } from "../../transfer/Source.ts"
import type { StoredArchive } from "../../transfer/Upload.ts"
import { UploadKept } from "../../transfer/UploadKept.ts"
import * as UploadPlan from "../../transfer/UploadPlan.ts"
import * as Hasher from "../../transport/Hasher.ts"
import type * as Vault from "../Vault.ts"
import { openLog } from "./manyArchives.ts"
import type { MakeReporter } from "./planProgress.ts"

const Stored = Schema.TaggedStruct("Stored", {
  path: Schema.String,
  archiveId: ArchiveId,
  size: Schema.Number,
  treeHash: TreeHash.TreeHash,
  /** The version of the source. Absent for a source that has none. */
  version: Schema.optional(Schema.String)
})

/** The entries of the checkpoint. The first is `Vault`. */
const Recorded = Schema.parseJson(Schema.Union(
  Schema.TaggedStruct("Vault", { vaultName: Schema.String }),
  Schema.TaggedStruct("Begun", { path: Schema.String }),
  Stored,
  Schema.TaggedStruct("Ended", { path: Schema.String })
))

/** An archive of a file. */
export interface Archive {
  readonly archiveId: ArchiveId
  readonly size: number
  readonly treeHash: TreeHash.TreeHash
}

interface Known extends Archive {
  readonly version: string | undefined
}

/** The file to store, and the description of its archive. */
export interface Described<E, R> {
  readonly path: string
  readonly source: Source<E, R>
  readonly description: Description
}

/** A backup that is running. */
export interface Run {
  readonly name: string
  readonly vault: Vault.Service
  readonly upload: UploadPlan.Options
  /** The archives that this backup has stored, by their paths. */
  readonly stored: Map<string, ReadonlyArray<Known>>
  /** The archives that the vault is known to have, by their paths. */
  readonly listed: ReadonlyMap<string, ReadonlyArray<Archive>>
  /** Whether an archive was deleted since it was stored. */
  readonly isDeleted: (archiveId: ArchiveId) => boolean
  /** The paths that have begun and not ended. */
  readonly open: Set<string>
  readonly append: (entry: typeof Recorded.Type) => Effect.Effect<void, Checkpoint.CheckpointError>
  readonly reporter: MakeReporter
}

/** The name of the checkpoint of a file. No other backup, and no other work, has the same name. */
export const checkpointOf = (name: string, path: string): string =>
  `file ${JSON.stringify(path)} of backup ${JSON.stringify(name)}`

/** Adds an archive of a path. An archive that was found again may have another version. */
const addTo = (stored: Map<string, ReadonlyArray<Known>>, path: string, archive: Known) =>
  stored.set(path, [...(stored.get(path) ?? []).filter(({ archiveId }) => archiveId !== archive.archiveId), archive])

/** Opens the log of a backup to a vault. */
export const open = Effect.fnUntraced(function*(name: string, vaultName: string) {
  const stored = new Map<string, ReadonlyArray<Known>>()
  const open = new Set<string>()
  let recorded: string | undefined
  const append = yield* openLog(name, Recorded, (entry) => {
    switch (entry._tag) {
      case "Vault":
        recorded = entry.vaultName
        break
      case "Begun":
        open.add(entry.path)
        break
      case "Stored": {
        const { archiveId, path, size, treeHash, version } = entry
        addTo(stored, path, { archiveId, size, treeHash, version })
        break
      }
      case "Ended":
        open.delete(entry.path)
    }
  })
  // Otherwise the files would count as stored in the other vault.
  if (recorded !== undefined && recorded !== vaultName) {
    const problem = `belongs to a backup to vault ${show(recorded)}; choose another name for vault ${show(vaultName)}`
    return yield* new Checkpoint.CheckpointError({ name, problem })
  }
  if (recorded === undefined) yield* append({ _tag: "Vault", vaultName })
  return { append, stored, open }
})

/** Collects the archives whose descriptions name a path. */
export const collect = <E, R>(archives: Stream.Stream<Entry, E, R>, codecs: ReadonlyArray<ArchiveName.Codec>) =>
  Effect.suspend(() => {
    const listed = new Map<string, Array<Archive>>()
    return Stream.runForEach(archives, ({ archiveId, description, size, treeHash }) =>
      Effect.sync(() => {
        const name = ArchiveName.read(description, codecs)
        if (Option.isNone(name)) return
        const archive = { archiveId, size, treeHash }
        const others = listed.get(name.value.path)
        if (others === undefined) listed.set(name.value.path, [archive])
        else others.push(archive)
      })).pipe(Effect.as(listed))
  })

/** Records the archive of a path. */
const record = (
  { append, stored }: Run,
  path: string,
  { archiveId, size, treeHash, version }: Known
): Effect.Effect<void, Checkpoint.CheckpointError> =>
  Effect.map(append({ _tag: "Stored", path, archiveId, size, treeHash, version }), () => {
    addTo(stored, path, { archiveId, size, treeHash, version })
  })

/** Records the archive of an upload. It may have been recorded before. */
const onStored = (run: Run, path: string) => (archive: StoredArchive) =>
  run.stored.get(path)?.some(({ archiveId }) => archiveId === archive.archiveId) === true
    ? Effect.void
    : record(run, path, { ...archive, version: Option.getOrUndefined(archive.version) })

const end = ({ append, open }: Run, path: string) =>
  Effect.map(append({ _tag: "Ended", path }), () => void open.delete(path))

/** Discards the upload of a path, if one has begun and not ended. Returns its archive if it turns out to be stored. */
export const discard = (run: Run, path: string) =>
  !run.open.has(path) ? Effect.succeedNone : Effect.zipLeft(
    run.vault.discardUpload(checkpointOf(run.name, path), { onStored: onStored(run, path) }),
    end(run, path)
  )

/** Computes the tree hash of a source in parts. */
const hashOf = Effect.fnUntraced(function*<E, R>(source: Source<E, R>, size: number, options: UploadPlan.Options) {
  const hasher = yield* Hasher.Hasher
  const { parts } = yield* UploadPlan.make(size, options, source.name)
  const hashes = yield* Effect.forEach(
    parts,
    (range) => Effect.scoped(Effect.flatMap(source.read(range), hasher.treeHash))
  )
  return TreeHash.combine(yield* Sha256.Sha256, hashes)
})

/** Finds the archive of a file that this backup has stored or the vault is known to have. */
const find = Effect.fnUntraced(function*<E, R>(
  run: Run,
  { path, source }: Described<E, R>,
  size: number,
  version: string | undefined
) {
  const stored = (run.stored.get(path) ?? []).filter(({ archiveId }) => !run.isDeleted(archiveId))
  const unchanged = version === undefined ? undefined : stored.find((archive) => archive.version === version)
  if (unchanged !== undefined) return unchanged
  const candidates = [...stored, ...run.listed.get(path) ?? []].filter((archive) => archive.size === size)
  if (candidates.length === 0) return undefined
  const treeHash = yield* hashOf(source, size, run.upload)
  const found = candidates.find((archive) => archive.treeHash === treeHash)
  // The next run need not read the file again.
  if (found !== undefined) yield* record(run, path, { ...found, version })
  return found
})

/** Uploads a file, or resumes its upload. */
const upload = Effect.fnUntraced(function*<E, R>(run: Run, { description, path, source }: Described<E, R>) {
  const { append, name, open, reporter, vault } = run
  if (!open.has(path)) {
    yield* append({ _tag: "Begun", path })
    open.add(path)
  }
  const { archiveId, size, treeHash } = yield* vault.uploadWithCheckpoint(checkpointOf(name, path), source, {
    ...run.upload,
    description,
    onProgress: reporter().progress,
    onStored: onStored(run, path)
  })
  yield* end(run, path)
  const archive: Archive = { archiveId, size, treeHash }
  return { archive, before: false }
})

/** Stores a file unless it is stored already. Returns undefined for an empty file. */
const attempt = Effect.fnUntraced(function*<E, R>(run: Run, file: Described<E, R>) {
  const { path, source } = file
  const version = source.version && (yield* source.version)
  const size = yield* source.size
  if (size === 0) {
    yield* discard(run, path)
    return undefined
  }
  const found = yield* find(run, file, size, version)
  if (found === undefined) return yield* upload(run, file)
  yield* Effect.catchIf(
    discard(run, path),
    (error) => error instanceof OutcomeUnknown,
    // The bytes are stored, so it does not matter whether the upload became another archive of them.
    () => Effect.zipRight(Checkpoint.clear(checkpointOf(run.name, path)), end(run, path))
  )
  yield* run.reporter().progress(
    Event.Kept({ range: ByteRange.make(0, size), bytes: size, total: Option.some(size) })
  )
  const archive: Archive = { archiveId: found.archiveId, size, treeHash: found.treeHash }
  return { archive, before: true }
})

/** Whether the upload of an earlier run, or this one, is of other bytes or has another description or part size. */
const isStale = (error: unknown): boolean =>
  error instanceof UploadKept
    ? isStale(error.cause)
    : error instanceof InvalidInput
    ? error.field === "description" || error.field === "partSize"
    : error instanceof SourceChanged

/**
 * Stores a file unless it is stored already. If the file has changed since its upload began, discards that upload and starts
 * again, once: a file that is written to all the time fails, and leaves no upload.
 */
export const store = <E, R>(run: Run, file: Described<E, R>) => {
  const discarding = Effect.tapError(
    attempt(run, file),
    (error) => isStale(error) ? discard(run, file.path) : Effect.void
  )
  return Effect.retry(discarding, { times: 1, while: isStale })
}
