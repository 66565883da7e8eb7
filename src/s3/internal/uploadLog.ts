/**
 * The log of an object that is being stored, in the checkpoint that is named after the location of the object. It remains
 * until the object was checked, so that no run accepts an object that an earlier run has stored and not checked.
 *
 * An object that is stored in one request has one entry: `Put`, before the request. A multipart upload has
 *
 * 1. `Begun`, before the upload is opened: what is uploaded, and the uploads of the key that others have opened.
 * 2. `Opened`, with the id of the upload.
 * 3. `Part`, after the store has acknowledged a part.
 *
 * When the program dies between 1 and 2, or the response is lost, the id of an upload is unknown. So each upload of exactly
 * this key that was opened since 1 counts as one of the log: no upload is left open, and those of others are not aborted.
 *
 * @internal
 */
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ArchiveId, ContentSha256 } from "../../protocol/Names.ts"
import { TreeHash } from "../../protocol/TreeHash.ts"
import { Checkpoint, CheckpointError } from "../../transfer/Checkpoint.ts"
import type { ObjectStoreError, OpenObjectUpload, Service } from "../ObjectStore.ts"

const Put = Schema.TaggedStruct("Put", {
  archiveId: ArchiveId,
  treeHash: TreeHash,
  partSize: Schema.Number,
  contentSha256: ContentSha256
})

const Begun = Schema.TaggedStruct("Begun", {
  archiveId: ArchiveId,
  treeHash: TreeHash,
  partSize: Schema.Number,
  storageClass: Schema.optional(Schema.String),
  date: Schema.DateTimeUtc,
  /** The ids of the uploads that were open before. */
  others: Schema.Array(Schema.String)
})

const Opened = Schema.TaggedStruct("Opened", { uploadId: Schema.String, date: Schema.DateTimeUtc })

const Part = Schema.TaggedStruct("Part", {
  number: Schema.Number,
  etag: Schema.String,
  contentSha256: ContentSha256,
  treeHash: TreeHash
})

const Entry = Schema.parseJson(Schema.Union(Put, Begun, Opened, Part))

type Entry = typeof Entry.Type

/** A part that the store has acknowledged. */
export type Part = typeof Part.Type

/** A multipart upload in a log. */
export interface Upload {
  readonly _tag: "Upload"
  readonly begun: typeof Begun.Type
  readonly opened: typeof Opened.Type | undefined
  readonly parts: Map<number, Part>
}

/** An open log. */
export interface UploadLog {
  readonly recorded: typeof Put.Type | Upload | undefined
  readonly append: (entry: Entry) => Effect.Effect<void, CheckpointError>
  /** Aborts all uploads of the log and clears it. Returns those that were open. */
  readonly discard: Effect.Effect<ReadonlyArray<OpenObjectUpload>, CheckpointError | ObjectStoreError>
}

/** The most by which the clocks of a store and of its clients differ: S3 rejects requests with a larger difference. */
const margin = Duration.minutes(15)

/** Emits the open uploads of exactly this key. */
export const uploadsOf = (store: Service, key: string) =>
  Stream.filter(store.uploads(key), (upload) => upload.key === key)

const isOfLog = ({ begun, opened }: Upload, { initiated, uploadId }: OpenObjectUpload): boolean =>
  uploadId === opened?.uploadId || (
    !begun.others.includes(uploadId) &&
    DateTime.greaterThanOrEqualTo(initiated, DateTime.subtractDuration(begun.date, margin)) &&
    (opened === undefined || DateTime.lessThanOrEqualTo(initiated, DateTime.addDuration(opened.date, margin)))
  )

const add = (recorded: UploadLog["recorded"], entry: Entry): UploadLog["recorded"] => {
  if (entry._tag === "Put") return entry
  if (entry._tag === "Begun") return { _tag: "Upload", begun: entry, opened: undefined, parts: new Map() }
  if (recorded?._tag !== "Upload") return recorded
  if (entry._tag === "Opened") return { ...recorded, opened: entry }
  recorded.parts.set(entry.number, entry)
  return recorded
}

/** Opens the log of an object until the Scope closes. */
export const open = Effect.fnUntraced(function*(store: Service, key: string) {
  const name = `upload to ${store.locationOf(key)}`
  const log = yield* Effect.flatMap(Checkpoint, (checkpoint) => checkpoint.open(name))
  const read = log.entries.pipe(
    Stream.mapEffect(Schema.decode(Entry)),
    Stream.runFold(undefined, add),
    Effect.catchTag("ParseError", () => new CheckpointError({ name, problem: "belongs to other work" }))
  )
  let recorded = yield* read
  const encode = Schema.encodeSync(Entry)
  const opened: UploadLog = {
    get recorded() {
      return recorded
    },
    append: (entry) =>
      Effect.map(log.append(encode(entry)), () => {
        recorded = add(recorded, entry)
      }),
    discard: Effect.gen(function*() {
      const current = recorded
      if (current === undefined) return []
      const found = current._tag === "Put"
        ? Chunk.empty<OpenObjectUpload>()
        : yield* Stream.runCollect(Stream.filter(uploadsOf(store, key), (upload) => isOfLog(current, upload)))
      yield* Effect.forEach(found, store.abort, { discard: true })
      yield* log.clear
      recorded = undefined
      return Chunk.toReadonlyArray(found)
    })
  }
  return opened
})
