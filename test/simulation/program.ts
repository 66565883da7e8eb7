/**
 * A program as a user of this library would write it. It uploads archives and retrieves them, retries what failed, and
 * handles failures as the guides say. Its notebook records what it has done and survives its death.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { OutcomeUnknown, SourceChanged } from "../../src/protocol/GlacierError.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { FileInUse } from "../../src/transfer/FileLock.ts"
import * as Source from "../../src/transfer/Source.ts"
import type * as Upload from "../../src/transfer/Upload.ts"
import { UploadKept } from "../../src/transfer/UploadKept.ts"
import * as Batch from "./batch.ts"
import type * as Content from "./content.ts"
import { insisting } from "./insisting.ts"
import type { Work } from "./scenario.ts"

/** The services that a program uses. */
export type Requirements = Vault.Vault | Checkpoint.Checkpoint | FileSystem.FileSystem | Path.Path

/** The notes of a program about a work. */
export interface Note {
  readonly work: Work
  readonly bytes: Uint8Array
  readonly hashes: Content.Hashes
  archiveId?: string
  /** The id that the program has noted before the checkpoint of the upload was cleared. */
  stored?: string
  /** Whether the archive's id comes from an inventory, not from an upload that succeeded. */
  looked?: boolean
  jobId?: string | undefined
  downloaded?: boolean
  /** Whether the work has started, so that an upload without a checkpoint may have stored the archive. */
  begun?: boolean
  /** Whether the program gave up an upload: the service may keep its parts. */
  gaveUp?: boolean
  /** Whether the program was interrupted, killed or lost its power. */
  crashed?: boolean
  /** The uploads whose ids could not be written to the checkpoint. */
  readonly unrecorded: Set<string>
  /** The number of wrong pieces and files that the program received. */
  wrong: number
  readonly failures: Array<string>
  /** Restores the file that is uploaded. */
  readonly restore: Effect.Effect<void>
  /** Counts the downloaded file as wrong if it exists with other bytes. */
  readonly inspect: Effect.Effect<void>
}

/** The paths that a work reads and writes. */
export const paths = (folder: string, { name }: Work) => ({
  source: `${folder}/${name}.source`,
  target: `${folder}/${name}`
})

/** The folder in which a program keeps its checkpoints. */
export const checkpoints = (folder: string): string => `${folder}/checkpoints`

const sourceOf = (folder: string, { bytes, work }: Note) => {
  switch (work.source) {
    case "bytes":
      return Source.bytes(bytes)
    case "file":
      return Source.file(paths(folder, work).source)
    case "stream":
      return Source.stream(Stream.make(bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)))
  }
}

/** Looks an archive up in the inventory by its tree hash. A vault that never had an archive has no inventory. */
const look = Effect.fnUntraced(function*(note: Note) {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory().pipe(
    Effect.asSome,
    Effect.catchTag("InventoryNotReady", () => Effect.succeedNone)
  )
  if (Option.isNone(job)) return
  yield* job.value.wait()
  const { archives } = yield* job.value.inventory
  const found = yield* Stream.runHead(Stream.filter(archives(), ({ treeHash }) => treeHash === note.hashes.whole))
  if (Option.isNone(found)) return
  note.archiveId = found.value.archiveId
  note.looked = true
})

/** Whether the archive may exist, or the source can no longer resume the upload. */
const isLost = (error: unknown): boolean =>
  error instanceof UploadKept
    ? isLost(error.cause)
    : error instanceof OutcomeUnknown
    ? error.operation === "CompleteMultipartUpload"
    : error instanceof SourceChanged

const upload = Effect.fnUntraced(function*(folder: string, note: Note) {
  const vault = yield* Vault.Vault
  const { concurrency, description, name, source, upload } = note.work
  const options = { description, partSize: mebibyte, concurrency }

  if (source === "file") yield* note.restore

  if (upload === "plain") {
    if (note.begun === true) yield* look(note)
    note.begun = true
    if (note.archiveId !== undefined) return
    const { archiveId } = yield* vault.upload(sourceOf(folder, note), options)
    note.archiveId = archiveId
    return
  }

  if (note.stored !== undefined) {
    // The process may have died before the checkpoint was cleared.
    yield* Checkpoint.clear(name)
    note.archiveId = note.stored
    return
  }

  const giveUp = (error: unknown) =>
    Effect.gen(function*() {
      yield* look(note)
      note.gaveUp = true
      if (error instanceof UploadKept) {
        yield* Effect.catchTag(vault.abortUpload(error.uploadId), "UploadNotFound", () => Effect.void)
      }
      yield* Checkpoint.clear(name)
    })

  const onStored = ({ archiveId }: Upload.StoredArchive) =>
    Effect.map(Effect.sleep("100 millis"), () => void (note.stored = archiveId))
  const { archiveId } = yield* vault.uploadWithCheckpoint(name, sourceOf(folder, note), { ...options, onStored }).pipe(
    Effect.tapError((error) => {
      if (error instanceof UploadKept && error.cause instanceof Checkpoint.CheckpointError) {
        note.unrecorded.add(error.uploadId)
      }
      return isLost(error) ? giveUp(error) : Effect.void
    })
  )
  note.archiveId = archiveId
})

/** Whether another process or fiber is writing the target. */
const isRefused = (error: unknown): boolean => error instanceof FileInUse

const download = Effect.fnUntraced(function*(folder: string, note: Note, archiveId: string) {
  const vault = yield* Vault.Vault
  const { bytes, work } = note
  const job = note.jobId === undefined ? yield* vault.retrieveArchive(archiveId) : yield* vault.job(note.jobId)
  note.jobId = job.id
  const options = { windowSize: mebibyte, concurrency: work.concurrency }
  const read = Effect.gen(function*() {
    yield* job.wait()
    if (work.download !== "stream") {
      const { target } = paths(folder, work)
      yield* job.outputToFile(target, { ...options, onFailure: work.download === "file" ? "discard" : "keep" }).pipe(
        Effect.retry({ while: isRefused, schedule: Schedule.spaced("1 minute") })
      )
      return yield* note.inspect
    }
    let offset = 0
    yield* Stream.runForEach(job.output(options), (piece) =>
      Effect.sync(() => {
        if (Buffer.compare(piece, bytes.subarray(offset, offset + piece.length)) !== 0) note.wrong++
        offset += piece.length
      }))
    if (offset !== bytes.length) note.wrong++
  })
  yield* Effect.tapErrorTag(read, "JobExpired", () => Effect.sync(() => (note.jobId = undefined)))
  note.downloaded = true
})

/** Works on an archive until it is stored, and downloaded if the work asks for that. */
const persist = (folder: string, note: Note) =>
  Effect.gen(function*() {
    if (note.archiveId === undefined) yield* upload(folder, note)
    if (note.archiveId === undefined || note.work.download === "none" || note.downloaded === true) return
    yield* download(folder, note, note.archiveId)
  }).pipe(insisting(note.failures))

/** The program, from its start to its end. */
export const make = (folder: string, notes: ReadonlyArray<Note>, batches: ReadonlyArray<Batch.Note>) =>
  Effect.all([
    Effect.forEach(notes, (note) => persist(folder, note), { concurrency: "unbounded", discard: true }),
    Effect.forEach(batches, (note) => Batch.run(folder, note), { concurrency: "unbounded", discard: true })
  ], { concurrency: "unbounded", discard: true })

/** The notes of a second process, which downloads the archive of another to the same file. */
export interface RivalNote extends Note {
  readonly other: Note
}

/** Waits until the other process has stored the archive. */
export const stored = ({ other }: RivalNote): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (other.archiveId === undefined) yield* Effect.sleep("100 millis")
  })

/** Downloads the archive, from the job of the other process if it has started one. */
const follow = (folder: string, note: RivalNote) =>
  Effect.gen(function*() {
    const { other } = note
    yield* stored(note)
    if (note.begun !== true) note.jobId = other.jobId
    note.begun = true
    if (other.archiveId !== undefined) yield* download(folder, note, other.archiveId)
  }).pipe(insisting(note.failures))

/** A second program on the same host: it downloads the archives of the first to the same files. */
export const makeRival = (folder: string, notes: ReadonlyArray<RivalNote>) =>
  Effect.forEach(notes, (note) => follow(folder, note), { concurrency: "unbounded", discard: true })
