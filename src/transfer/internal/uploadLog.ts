/**
 * The log of an upload with a checkpoint: what is uploaded, the id of the upload, the parts that the service has
 * acknowledged, the tree hashes with which its completion was requested, and the archive.
 *
 * The log records what is uploaded before it opens the upload, so that no upload is opened for a log that cannot be
 * written. It records the tree hash before it requests the completion, and the archive before the caller receives it. Only
 * an upload whose id is recorded is resumed: any other open upload may belong to another program. A new upload begins in
 * the same log, and its first entry makes the earlier entries void.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { InvalidInput, show, SourceChanged } from "../../protocol/GlacierError.ts"
import { ArchiveId, PartSize, UploadId } from "../../protocol/Names.ts"
import { TreeHash } from "../../protocol/TreeHash.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import { Checkpoint, CheckpointError, type Log } from "../Checkpoint.ts"
import type * as Source from "../Source.ts"
import * as UploadPlan from "../UploadPlan.ts"
import * as ResumedUpload from "./resumedUpload.ts"

const Begun = Schema.TaggedStruct("Begun", {
  vaultName: Schema.String,
  accountId: Schema.String,
  description: Schema.String,
  partSize: PartSize,
  /** Absent for a Stream. */
  size: Schema.optional(Schema.Number),
  /** Absent for a source that has none. */
  version: Schema.optional(Schema.String),
  /** Set when an upload is resumed from another source: the parts recorded before are void. */
  uploadId: Schema.optional(UploadId)
})

type Begun = typeof Begun.Type

const Opened = Schema.TaggedStruct("Opened", { uploadId: UploadId })

const Part = Schema.TaggedStruct("Part", { start: Schema.Number, treeHash: TreeHash })

const Completing = Schema.TaggedStruct("Completing", { treeHash: TreeHash })

/** The archive that the service has confirmed. */
const Stored = Schema.TaggedStruct("Stored", {
  archiveId: ArchiveId,
  treeHash: TreeHash,
  size: Schema.Number,
  parts: Schema.Number,
  location: Schema.optionalWith(Schema.String, { as: "Option" })
})

type Archive = ResumedUpload.Stored

const Entry = Schema.parseJson(Schema.Union(Begun, Opened, Part, Completing, Stored))

type Entry = typeof Entry.Type

const encode = Schema.encodeSync(Entry)

/** The last upload in a log. */
interface Recorded {
  readonly begun: Begun
  readonly uploadId: UploadId | undefined
  readonly parts: Map<number, TreeHash>
  /** The tree hashes with which its completion may have been requested. */
  readonly requested: Set<TreeHash>
  /** The archive that it became. */
  readonly stored?: Archive
}

/** An upload that was opened. */
export interface RecordedUpload extends Recorded {
  readonly uploadId: UploadId
}

const isOpened = (recorded: Recorded | undefined): recorded is RecordedUpload => recorded?.uploadId !== undefined

const add = (recorded: Recorded | undefined, entry: Entry): Recorded | undefined => {
  if (entry._tag === "Begun") {
    const { uploadId } = entry
    // Another source does not undo a request to complete the upload.
    const requested = uploadId === undefined ? undefined : recorded?.requested
    return { begun: entry, uploadId, parts: new Map(), requested: requested ?? new Set() }
  }
  if (recorded === undefined) return undefined
  switch (entry._tag) {
    case "Opened":
      return { ...recorded, uploadId: entry.uploadId }
    case "Part":
      recorded.parts.set(entry.start, entry.treeHash)
      return recorded
    case "Completing":
      recorded.requested.add(entry.treeHash)
      return recorded
    case "Stored": {
      const { archiveId, location, parts, size, treeHash } = entry
      return { ...recorded, stored: { archiveId, location, parts, size, treeHash } }
    }
  }
}

/** Reads the last upload in a log, if that was opened. */
export const read = (name: string, log: Log): Effect.Effect<RecordedUpload | undefined, CheckpointError> =>
  log.entries.pipe(
    Stream.mapEffect(Schema.decode(Entry)),
    Stream.runFold(undefined, add),
    Effect.map((recorded) => isOpened(recorded) ? recorded : undefined),
    Effect.catchTag(
      "ParseError",
      () => new CheckpointError({ name, problem: "was not written by an upload; choose another name" })
    )
  )

type SourceState = Pick<Begun, "size" | "version">

const stateOf = Effect.fnUntraced(function*<E, R>(source: Source.Source<E, R> | Source.StreamSource<E, R>) {
  return "stream" in source
    ? { size: undefined, version: undefined }
    : { version: source.version && (yield* source.version), size: yield* source.size }
})

/** Returns a source that fails when its size or version is not the recorded one. */
const guard = <E, R>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  state: SourceState,
  changed: () => SourceChanged
): Source.Source<E | SourceChanged, R> | Source.StreamSource<E, R> =>
  "stream" in source ? source : {
    ...source,
    size: Effect.filterOrFail(source.size, (size) => size === state.size, changed),
    version: source.version && Effect.filterOrFail(source.version, (version) => version === state.version, changed)
  }

const changed = (name: string, recorded: RecordedUpload | undefined): SourceChanged => {
  const discard = `discard the upload of checkpoint ${show(name)} to upload the source as it is now`
  const began = recorded === undefined ? "the upload" : `upload ${recorded.uploadId}`
  return new SourceChanged({
    message: recorded?.stored === undefined
      ? `The source has changed since ${began} began. Restore the source to resume the upload, or ${discard}`
      : `The source has changed since it was stored as archive ${recorded.stored.archiveId}. Note that id, and ${discard}`
  })
}

const planPartSize = <E, R>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  size: number | undefined,
  options: UploadPlan.Options
): Either.Either<PartSize, InvalidInput> =>
  Either.map(
    "stream" in source || size === undefined
      ? UploadPlan.unsized(options)
      : UploadPlan.make(size, options, source.name),
    ({ partSize }) => partSize
  )

const fields = ["vaultName", "accountId", "description", "partSize"] as const

const differ = <A>(one: A | undefined, other: A | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

/** Rejects a source or options that are not those of the recorded upload. */
const checkSame = Effect.fnUntraced(function*(
  name: string,
  recorded: RecordedUpload,
  given: Record<typeof fields[number], unknown> & SourceState
) {
  const { begun, uploadId } = recorded
  const field = fields.find((field) => given[field] !== begun[field])
  if (field !== undefined) {
    return yield* new InvalidInput({
      operation: "upload",
      field,
      value: show(given[field]),
      rule: `must be ${show(begun[field])} as in upload ${uploadId}, which checkpoint ${show(name)} resumes ` +
        `(discard that upload to begin a new one)`
    })
  }
  if (differ(given.size, begun.size) || differ(given.version, begun.version)) return yield* changed(name, recorded)
})

const isUnchanged = ({ begun }: Recorded, { version }: SourceState): boolean =>
  version !== undefined && version === begun.version

/** The recorded upload when it became an archive: the source is only compared with that, without a request. */
const asStored = (recorded: RecordedUpload, stored: Archive, state: SourceState): ResumedUpload.ResumedUpload => ({
  uploadId: recorded.uploadId,
  partSize: recorded.begun.partSize,
  parts: new Map(),
  trusted: isUnchanged(recorded, state) ? recorded.parts : new Map(),
  gone: Option.some(`The upload became archive ${stored.archiveId}`),
  requested: Option.none(),
  stored
})

/** Asks the service what it has of the recorded upload. Returns undefined when a new upload must be opened. */
const findUpload = Effect.fnUntraced(function*(vault: VaultAddress, recorded: RecordedUpload, state: SourceState) {
  const { begun: { partSize }, parts, requested, stored, uploadId } = recorded
  if (stored !== undefined) return asStored(recorded, stored, state)
  const found = yield* ResumedUpload.find(vault, uploadId, partSize)
  const isGone = Option.isSome(found.gone)
  if (isGone && requested.size === 0) {
    yield* Effect.logWarning(`Upload ${uploadId} is not open any more: opens a new upload`)
    return undefined
  }
  const trusted = Array.from(parts).filter(([start, treeHash]) => isGone || found.parts.get(start) === treeHash)
  const [first, ...others] = requested
  return {
    ...found,
    trusted: new Map(isUnchanged(recorded, state) ? trusted : []),
    requested: first === undefined || others.length > 0 ? Option.none() : Option.some(first)
  }
})

/** Makes the function that records entries, and an effect that fails when one cannot be recorded. */
const makeRecorder = (log: Log) =>
  Effect.map(Deferred.make<never, CheckpointError>(), (failure) => ({
    // The hooks of an upload cannot fail: they never end, and the upload ends with `failed`.
    record: (entry: Entry): Effect.Effect<void> =>
      Effect.catchAll(
        log.append(encode(entry)),
        (error) => Effect.zipRight(Deferred.fail(failure, error), Effect.never)
      ),
    failed: Deferred.await(failure)
  }))

/** The hook that receives the archive, and the version of the source whose bytes it has. */
export type OnStored<E, R> = (
  archive: Archive & { readonly version: Option.Option<string> }
) => Effect.Effect<void, E, R>

/**
 * Records the archive, passes it to the hook, and clears the log, in this order. So whenever the process dies, the hook has
 * received the archive or the next run finds it in the log.
 */
export const finish = Effect.fnUntraced(function*<E, R>(
  log: Log,
  recorded: { readonly stored?: Archive | undefined; readonly version: string | undefined },
  archive: Archive,
  onStored: OnStored<E, R> | undefined
) {
  // The archive is complete, so a failure to write or to clear the log is no failure of the upload. A log without the
  // archive still has the request to complete it.
  const ignoring = Effect.catchAll((error: CheckpointError) => Effect.logWarning(error.message))
  if (recorded.stored === undefined) yield* ignoring(log.append(encode({ ...archive, _tag: "Stored" })))
  if (onStored !== undefined) yield* onStored({ ...archive, version: Option.fromNullable(recorded.version) })
  yield* ignoring(log.clear)
})

/** Opens the log of that name, and asks the service what it has of the upload recorded there. */
export const open = Effect.fnUntraced(function*<E, R>(
  name: string,
  vault: VaultAddress,
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options: UploadPlan.Options & { readonly description?: string | undefined }
) {
  const log = yield* Effect.flatMap(Checkpoint, (checkpoint) => checkpoint.open(name))
  const recorded = yield* read(name, log)
  const state = yield* stateOf(source)
  const partSize = recorded?.begun.partSize ?? (yield* planPartSize(source, state.size, options))
  const { accountId = "-", vaultName } = vault
  const upload = { vaultName, accountId, description: options.description ?? "", partSize, ...state }

  if (recorded !== undefined) yield* checkSame(name, recorded, { ...upload, partSize: options.partSize ?? partSize })
  const resumed = recorded && (yield* findUpload(vault, recorded, state))
  const isGone = resumed !== undefined && Option.isSome(resumed.gone)
  const isSame = recorded?.begun.size === state.size && recorded?.begun.version === state.version
  if (resumed !== undefined && !isGone && !isSame) {
    yield* log.append(encode({ ...upload, _tag: "Begun", uploadId: resumed.uploadId }))
  }
  const acknowledged = recorded !== undefined && isSame && resumed !== undefined ? recorded.parts : new Map()
  const { failed, record } = yield* makeRecorder(log)

  return {
    resumed,
    /** Whether the recorded upload is not open any more: it may have been completed. */
    isGone,
    partSize,
    source: guard(source, state, () => changed(name, recorded)),
    /** Fails when an entry cannot be recorded, else never ends. */
    failed,
    finish: <E, R>(archive: Archive, onStored: OnStored<E, R> | undefined) =>
      finish(log, { stored: resumed?.stored, version: state.version }, archive, onStored),

    hooks: {
      beforeOpening: record({ ...upload, _tag: "Begun" }),
      onInitiated: (uploadId: UploadId) => record({ _tag: "Opened", uploadId }),
      onPartStored: (start: number, treeHash: TreeHash) =>
        isGone || acknowledged.get(start) === treeHash ? Effect.void : record({ _tag: "Part", start, treeHash }),
      onCompleting: (treeHash: TreeHash) => record({ _tag: "Completing", treeHash })
    }
  }
})
