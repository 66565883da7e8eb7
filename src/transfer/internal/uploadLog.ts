/**
 * The log of an upload: how it began, its id, the parts that the service has acknowledged, and the tree hash with which it
 * is about to be completed. Its beginning is recorded before the upload is opened, so that none is opened for a log that
 * cannot be written; the tree hash before the service is asked to complete the upload. Only an upload whose id the log has
 * recorded is resumed: any other open upload may be somebody else's. A new upload begins in the same log: its first entry
 * makes those before it void.
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
import { PartSize, UploadId } from "../../protocol/Names.ts"
import { TreeHash } from "../../protocol/TreeHash.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import { Checkpoint, CheckpointError } from "../Checkpoint.ts"
import type * as Source from "../Source.ts"
import * as UploadPlan from "../UploadPlan.ts"
import * as Multipart from "./multipart.ts"

/** What an upload is of. */
const Begun = Schema.TaggedStruct("Begun", {
  vaultName: Schema.String,
  accountId: Schema.String,
  description: Schema.String,
  partSize: PartSize,
  /** Of a source that knows them. */
  size: Schema.optional(Schema.Number),
  version: Schema.optional(Schema.String),
  /** Of an upload that is resumed from another source: what the log knew of its parts is void. */
  uploadId: Schema.optional(UploadId)
})

type Begun = typeof Begun.Type

const Opened = Schema.TaggedStruct("Opened", { uploadId: UploadId })

const Part = Schema.TaggedStruct("Part", { start: Schema.Number, treeHash: TreeHash })

const Completing = Schema.TaggedStruct("Completing", { treeHash: TreeHash })

const Entry = Schema.parseJson(Schema.Union(Begun, Opened, Part, Completing))

type Entry = typeof Entry.Type

const encode = Schema.encodeSync(Entry)

/** What a log says of the last upload in it. */
interface Recorded {
  readonly begun: Begun
  readonly uploadId: UploadId | undefined
  readonly parts: Map<number, TreeHash>
  /** The tree hashes with which the service may have been asked to complete it. */
  readonly requested: Set<TreeHash>
}

/** What a log says of an upload that was opened. */
interface Live extends Recorded {
  readonly uploadId: UploadId
}

const isLive = (recorded: Recorded): recorded is Live => recorded.uploadId !== undefined

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
  }
}

/** What a source says of itself. */
const stateOf = Effect.fnUntraced(function*<E, R>(source: Source.Source<E, R> | Source.StreamSource<E, R>) {
  return "stream" in source
    ? { size: undefined, version: undefined }
    : { version: source.version && (yield* source.version), size: yield* source.size }
})

type State = Pick<Begun, "size" | "version">

/** A source that fails when it is no more what it was. */
const guard = <E, R>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  state: State,
  changed: () => SourceChanged
): Source.Source<E | SourceChanged, R> | Source.StreamSource<E, R> =>
  "stream" in source ? source : {
    ...source,
    size: Effect.filterOrFail(source.size, (size) => size === state.size, changed),
    version: source.version && Effect.filterOrFail(source.version, (version) => version === state.version, changed)
  }

const planned = (
  size: number | undefined,
  options: UploadPlan.Options,
  sourceName: string | undefined
): Either.Either<PartSize, InvalidInput> =>
  Either.map(
    size === undefined ? UploadPlan.unsized(options) : UploadPlan.make(size, options, sourceName),
    ({ partSize }) => partSize
  )

const changed = (name: string, uploadId: UploadId | undefined): SourceChanged =>
  new SourceChanged({
    message:
      `The source is not what it was when ${uploadId === undefined ? "the upload" : `upload ${uploadId}`} began. ` +
      `With what it was, the upload can be resumed; to upload what it is, clear checkpoint ${show(name)}`
  })

const fields = ["vaultName", "accountId", "description", "partSize"] as const

const differ = <A>(one: A | undefined, other: A | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

/** Refuses what is not the upload that is under way. */
const recognize = Effect.fnUntraced(function*(
  name: string,
  { begun, uploadId }: Live,
  one: Record<typeof fields[number], unknown> & State
) {
  const field = fields.find((field) => one[field] !== begun[field])
  if (field !== undefined) {
    return yield* new InvalidInput({
      operation: "upload",
      field,
      value: show(one[field]),
      rule: `must be ${show(begun[field])} as of upload ${uploadId}, which is under way in checkpoint ${show(name)} ` +
        `(clear that to begin anew)`
    })
  }
  if (differ(one.size, begun.size) || differ(one.version, begun.version)) return yield* changed(name, uploadId)
})

/** What the service has of the upload that is under way: nothing, where it begins anew. */
const left = Effect.fnUntraced(function*(vault: VaultAddress, live: Live, state: State) {
  const { begun: { partSize, version }, parts, requested, uploadId } = live
  const found = yield* Multipart.find(vault, uploadId, partSize)
  const isGone = Option.isSome(found.gone)
  if (isGone && requested.size === 0) {
    yield* Effect.logWarning(`Upload ${uploadId} is not open any more: it begins anew`)
    return undefined
  }
  const isTrusted = state.version !== undefined && state.version === version
  const trusted = Array.from(parts).filter(([start, treeHash]) => isGone || found.parts.get(start) === treeHash)
  const [first, ...others] = requested
  return {
    ...found,
    trusted: new Map(isTrusted ? trusted : []),
    requested: first === undefined || others.length > 0 ? Option.none() : Option.some(first)
  }
})

type Made = Effect.Effect.Success<ReturnType<typeof Multipart.make<"keep">>>

/** Opens the log of that name, and finds what the service has of the upload that is under way in it. */
export const open = Effect.fnUntraced(function*<E, R>(
  name: string,
  vault: VaultAddress,
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options: UploadPlan.Options & { readonly description?: string | undefined }
) {
  const log = yield* Effect.flatMap(Checkpoint, (checkpoint) => checkpoint.open(name))
  const append = (entry: Entry) => log.append(encode(entry))
  const recorded = yield* log.entries.pipe(
    Stream.mapEffect(Schema.decode(Entry)),
    Stream.runFold(undefined, add),
    Effect.catchTag("ParseError", () => new CheckpointError({ name, problem: "is not of an upload" }))
  )
  const live = recorded !== undefined && isLive(recorded) ? recorded : undefined

  const state = yield* stateOf(source)
  const { accountId = "-", vaultName } = vault
  const { description = "" } = options
  const partSize = live?.begun.partSize ??
    (yield* planned(state.size, options, "stream" in source ? undefined : source.name))
  const upload = { vaultName, accountId, description, partSize, ...state }

  let opened: Multipart.Opened | undefined
  if (live !== undefined) {
    yield* recognize(name, live, { ...upload, partSize: options.partSize ?? partSize })
    opened = yield* left(vault, live, state)
  }
  const isGone = opened !== undefined && Option.isSome(opened.gone)
  const isSame = live !== undefined && live.begun.size === state.size && live.begun.version === state.version
  if (opened !== undefined && !isGone && !isSame) {
    yield* append({ ...upload, _tag: "Begun", uploadId: opened.uploadId })
  }
  const acknowledged = new Map(isSame && opened !== undefined ? live.parts : [])

  const failed = yield* Deferred.make<never, CheckpointError>()
  // The upload ends with the failure, whoever waits for this.
  const record = (entry: Entry) =>
    Effect.catchAll(append(entry), (error) => Effect.zipRight(Deferred.fail(failed, error), Effect.never))
  const begin = yield* Effect.once(record({ ...upload, _tag: "Begun" }))

  return {
    opened,
    /** Whether the service knows the upload no more: it may have been completed. */
    isGone,
    partSize,
    source: guard(source, state, () => changed(name, live?.uploadId)),
    /** Fails when the log does, else never ends. */
    failed: Deferred.await(failed),
    /** The archive is there, whatever becomes of the log. */
    clear: Effect.catchAll(log.clear, (error) => Effect.logWarning(error.message)),

    initiated: (uploadId: UploadId) => record({ _tag: "Opened", uploadId }),

    completing: (treeHash: TreeHash) => record({ _tag: "Completing", treeHash }),

    /** Has the log say which parts are done. */
    recording: (multipart: Made): Made => ({
      ...multipart,
      // A part can be sent again, and a completion asked for again: a single request cannot.
      resumes: true,
      initiate: (partSize) => Effect.zipRight(opened === undefined ? begin : Effect.void, multipart.initiate(partSize)),
      part: (uploadId, part, slots) =>
        Effect.zipRight(
          multipart.part(uploadId, part, slots),
          isGone || acknowledged.get(part.start) === part.treeHash
            ? Effect.void
            : record({ _tag: "Part", start: part.start, treeHash: part.treeHash })
        )
    })
  }
})
