/**
 * The log of an upload: how it began, its id, the parts that the service has acknowledged, and that it is about to be
 * completed. It says so before it asks the service for what cannot be taken back: that an upload be opened, and that it be
 * completed. An upload that begins anew does so in the same log: what is before its beginning counts no more.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../../client/GlacierClient.ts"
import * as Pages from "../../client/Pages.ts"
import { InvalidInput, show, SourceChanged } from "../../protocol/GlacierError.ts"
import { PartSize, UploadId } from "../../protocol/Names.ts"
import type { operations } from "../../protocol/Operations.ts"
import { TreeHash } from "../../protocol/TreeHash.ts"
import type { UploadDescription } from "../../protocol/Uploads.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import type { Failure } from "../../transport/Method.ts"
import { Checkpoint, CheckpointError } from "../Checkpoint.ts"
import type * as Source from "../Source.ts"
import * as UploadPlan from "../UploadPlan.ts"
import * as Multipart from "./multipart.ts"

/** What an upload is of: how the same one is known again. */
const Begun = Schema.TaggedStruct("Begun", {
  /** When, by the clock of this machine (milliseconds). */
  at: Schema.Number,
  vaultName: Schema.String,
  accountId: Schema.String,
  description: Schema.String,
  partSize: PartSize,
  /** Of a source that knows them. */
  size: Schema.optional(Schema.Number),
  version: Schema.optional(Schema.String),
  /** Of an upload that was found open: what the log knew of its parts is of another source. */
  uploadId: Schema.optional(UploadId)
})

type Begun = typeof Begun.Type

const Opened = Schema.TaggedStruct("Opened", { uploadId: UploadId })

const Part = Schema.TaggedStruct("Part", { start: Schema.Number, treeHash: TreeHash })

const Completing = Schema.TaggedStruct("Completing", {})

const Entry = Schema.parseJson(Schema.Union(Begun, Opened, Part, Completing))

type Entry = typeof Entry.Type

const encode = Schema.encodeSync(Entry)

/** What a log says of the last upload that began in it. */
interface Recorded {
  readonly begun: Begun
  readonly uploadId: UploadId | undefined
  readonly parts: Map<number, TreeHash>
  /** Whether the service may have been asked to complete it. */
  readonly completing: boolean
}

/** One that is known to have been opened. */
interface Live extends Recorded {
  readonly uploadId: UploadId
}

const isLive = (recorded: Recorded): recorded is Live => recorded.uploadId !== undefined

const add = (recorded: Recorded | undefined, entry: Entry): Recorded | undefined => {
  if (entry._tag === "Begun") return { begun: entry, uploadId: entry.uploadId, parts: new Map(), completing: false }
  if (recorded === undefined) return undefined
  switch (entry._tag) {
    case "Opened":
      return { ...recorded, uploadId: entry.uploadId }
    case "Completing":
      return { ...recorded, completing: true }
    case "Part":
      recorded.parts.set(entry.start, entry.treeHash)
      return recorded
  }
}

/** How far the clock of the service may be from ours, and how long a request to open an upload is good for. */
const tolerance = { before: 60_000, after: 15 * 60_000 }

/**
 * The upload that was opened for a log that does not know it: the one that looks as it would, was opened about then and
 * has no parts. Of several nobody knows which: they hold nothing, and the service drops them.
 */
const search: (
  vault: VaultAddress,
  begun: Begun
) => Effect.Effect<
  Multipart.Opened | undefined,
  Failure<(typeof operations)["listMultipartUploads" | "listParts"]>,
  GlacierClient
> = Effect.fnUntraced(function*(vault, { at, description, partSize }) {
  const isAlike = (upload: UploadDescription) => {
    const since = DateTime.toEpochMillis(upload.creationDate) - at
    return since >= -tolerance.before && since <= tolerance.after && upload.partSize === partSize &&
      Option.getOrElse(upload.archiveDescription, () => "") === description.trim()
  }
  const [found, other] = yield* Pages.uploads(vault).pipe(
    Stream.filter(isAlike),
    Stream.filterEffect(({ uploadId }) =>
      Effect.map(Stream.runHead(Pages.parts({ ...vault, uploadId })), Option.isNone)
    ),
    Stream.take(2),
    Stream.runCollect
  )
  if (found === undefined || other !== undefined) return undefined
  return { uploadId: found.uploadId, partSize, parts: new Map(), trusted: new Map(), gone: Option.none() }
})

/** What a source says of itself. */
const stateOf = Effect.fnUntraced(function*<E, R>(source: Source.Source<E, R> | Source.Once<E, R>) {
  return "stream" in source
    ? { size: undefined, version: undefined }
    : { version: source.version && (yield* source.version), size: yield* source.size }
})

type State = Pick<Begun, "size" | "version">

/** A source that fails when it is no more what it was. */
const guard = <E, R>(
  source: Source.Source<E, R> | Source.Once<E, R>,
  state: State,
  changed: () => SourceChanged
): Source.Source<E | SourceChanged, R> | Source.Once<E, R> =>
  "stream" in source ? source : {
    ...source,
    size: Effect.filterOrFail(source.size, (size) => size === state.size, changed),
    version: source.version && Effect.filterOrFail(source.version, (version) => version === state.version, changed)
  }

const planned = (size: number | undefined, options: UploadPlan.Options): Either.Either<PartSize, InvalidInput> =>
  Either.map(
    size === undefined ? UploadPlan.unsized(options) : UploadPlan.make(size, options),
    ({ partSize }) => partSize
  )

const changed = (name: string, live: Live | undefined): SourceChanged =>
  new SourceChanged({
    message: `The source is not what it was when ${live === undefined ? "the upload" : `upload ${live.uploadId}`} ` +
      `began. With what it was, the upload goes on; to upload what it is, clear checkpoint ${show(name)}`
  })

const fields = ["vaultName", "accountId", "description", "partSize"] as const

/** In what an upload is another than one that began. */
const difference = (one: Record<typeof fields[number], unknown>, begun: Begun) =>
  fields.find((field) => one[field] !== begun[field])

const differ = <A>(one: A | undefined, other: A | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

/** Refuses what is not the upload that is under way. */
const recognize = Effect.fnUntraced(function*(
  name: string,
  live: Live,
  one: Record<typeof fields[number], unknown> & State
) {
  const { begun, uploadId } = live
  const field = difference(one, begun)
  if (field !== undefined) {
    return yield* new InvalidInput({
      operation: "upload",
      field,
      value: show(one[field]),
      rule: `must be ${show(begun[field])} as of upload ${uploadId}, which is under way in checkpoint ${show(name)} ` +
        `(clear that to begin anew)`
    })
  }
  if (differ(one.size, begun.size) || differ(one.version, begun.version)) return yield* changed(name, live)
})

/** What the service has of the upload that is under way: nothing, where it begins anew. */
const left = Effect.fnUntraced(function*(vault: VaultAddress, live: Live, state: State) {
  const { begun, completing, parts, uploadId } = live
  const found = yield* Multipart.find(vault, uploadId)
  const isGone = Option.isSome(found.gone)
  if (isGone && !completing) {
    yield* Effect.logWarning(`Upload ${uploadId} is not open any more: it begins anew`)
    return undefined
  }
  const isTrusted = state.version !== undefined && state.version === begun.version
  const trusted = Array.from(parts).filter(([start, treeHash]) => isGone || found.parts.get(start) === treeHash)
  return { ...found, trusted: new Map(isTrusted ? trusted : []) }
})

type Made = Effect.Effect.Success<ReturnType<typeof Multipart.make<"keep">>>

/** Opens the log of that name, and finds what the service has of the upload that is under way in it. */
export const open = Effect.fnUntraced(function*<E, R>(
  name: string,
  vault: VaultAddress,
  source: Source.Source<E, R> | Source.Once<E, R>,
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
  const partSize = live?.begun.partSize ?? (yield* planned(state.size, options))
  const upload = { vaultName, accountId, description, partSize, ...state }

  let opened: Multipart.Opened | undefined
  if (live !== undefined) {
    yield* recognize(name, live, { ...upload, partSize: options.partSize ?? partSize })
    opened = yield* left(vault, live, state)
  } else if (recorded !== undefined && difference(upload, recorded.begun) === undefined) {
    opened = yield* search(vault, recorded.begun)
  }
  const isGone = opened !== undefined && Option.isSome(opened.gone)
  const isSame = live !== undefined && live.begun.size === state.size && live.begun.version === state.version
  if (recorded !== undefined && opened !== undefined && !isGone && !isSame) {
    yield* append({ ...upload, _tag: "Begun", at: recorded.begun.at, uploadId: opened.uploadId })
  }
  const acknowledged = new Map(isSame && opened !== undefined ? live.parts : [])

  const failed = yield* Deferred.make<never, CheckpointError>()
  // The upload ends with the failure, whoever waits for this.
  const record = (entry: Entry) =>
    Effect.catchAll(append(entry), (error) => Effect.zipRight(Deferred.fail(failed, error), Effect.never))
  const begin = yield* Effect.once(
    Effect.flatMap(Clock.currentTimeMillis, (at) => record({ ...upload, _tag: "Begun", at }))
  )

  return {
    opened,
    /** Whether the service knows the upload no more: it may have been completed. */
    isGone,
    partSize,
    source: guard(source, state, () => changed(name, live)),
    /** Fails when the log does, else never ends. */
    failed: Deferred.await(failed),
    /** The archive is there, whatever becomes of the log. */
    clear: Effect.catchAll(log.clear, (error) => Effect.logWarning(error.message)),

    initiated: (uploadId: UploadId) => record({ _tag: "Opened", uploadId }),

    /** Has the log say what is done and what is about to be. */
    recording: (multipart: Made): Made => ({
      ...multipart,
      // A part can be sent again, and a completion asked for again: a single request cannot.
      resumes: true,
      initiate: (partSize) => Effect.zipRight(opened === undefined ? begin : Effect.void, multipart.initiate(partSize)),
      part: (uploadId, part, line) =>
        Effect.zipRight(
          multipart.part(uploadId, part, line),
          isGone || acknowledged.get(part.start) === part.treeHash
            ? Effect.void
            : record({ _tag: "Part", start: part.start, treeHash: part.treeHash })
        ),
      complete: (uploadId, size, hashes) =>
        Effect.zipRight(record({ _tag: "Completing" }), multipart.complete(uploadId, size, hashes))
    })
  }
})
