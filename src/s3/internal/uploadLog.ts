/**
 * The log of an object's multipart upload, in the checkpoint that is named after the location of the object:
 *
 * 1. `Begun`, before the upload is opened: what is uploaded, and the uploads of the key that others have opened.
 * 2. `Opened`, with the id of the upload.
 * 3. `Part`, after the store has acknowledged a part.
 *
 * An object that is stored in one request has one entry: `Put`, before the request. It opens no upload.
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

const Put = Schema.TaggedStruct("Put", {
  archiveId: ArchiveId,
  treeHash: TreeHash,
  partSize: Schema.Number,
  contentSha256: ContentSha256
})

const Entry = Schema.parseJson(Schema.Union(Begun, Opened, Part, Put))

type Entry = typeof Entry.Type

/** A part that the store has acknowledged. */
export type Part = typeof Part.Type

/** The upload in a log, or the request that stores the object. */
export interface Recorded {
  readonly begun: typeof Begun.Type | typeof Put.Type
  readonly opened: typeof Opened.Type | undefined
  readonly parts: Map<number, Part>
}

/** An open log. */
export interface UploadLog {
  readonly recorded: Recorded | undefined
  readonly append: (entry: Entry) => Effect.Effect<void, CheckpointError>
  /** Aborts all uploads of the log and clears it. Returns those that were open. */
  readonly discard: Effect.Effect<ReadonlyArray<OpenObjectUpload>, CheckpointError | ObjectStoreError>
}

/** The most by which the clocks of a store and of its clients differ: S3 rejects requests with a larger difference. */
const margin = Duration.minutes(15)

/** Emits the open uploads of exactly this key. */
export const uploadsOf = (store: Service, key: string) =>
  Stream.filter(store.uploads(key), (upload) => upload.key === key)

const isOfLog = ({ begun, opened }: Recorded, { initiated, uploadId }: OpenObjectUpload): boolean =>
  uploadId === opened?.uploadId || (
    begun._tag === "Begun" &&
    !begun.others.includes(uploadId) &&
    DateTime.greaterThanOrEqualTo(initiated, DateTime.subtractDuration(begun.date, margin)) &&
    (opened === undefined || DateTime.lessThanOrEqualTo(initiated, DateTime.addDuration(opened.date, margin)))
  )

const add = (recorded: Recorded | undefined, entry: Entry): Recorded | undefined => {
  if (entry._tag === "Begun") return { begun: entry, opened: undefined, parts: new Map() }
  if (entry._tag === "Put") {
    const { contentSha256, treeHash } = entry
    return {
      begun: entry,
      opened: undefined,
      parts: new Map([[1, { _tag: "Part", number: 1, etag: "", contentSha256, treeHash }]])
    }
  }
  if (entry._tag === "Opened") return recorded && { ...recorded, opened: entry }
  recorded?.parts.set(entry.number, entry)
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
      // A request opens no upload, so no list is needed.
      const open = current.begun._tag === "Put" ? Stream.empty : uploadsOf(store, key)
      const found = yield* Stream.runCollect(Stream.filter(open, (upload) => isOfLog(current, upload)))
      yield* Effect.forEach(found, store.abort, { discard: true })
      yield* log.clear
      recorded = undefined
      return Chunk.toReadonlyArray(found)
    })
  }
  return opened
})
