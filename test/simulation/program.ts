/**
 * A program as a user of this library would write it: it uploads archives and retrieves them, tries again what has
 * failed, and does after a failure what the guides say. What it has done is in its notebook, which survives it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { OutcomeUnknown, SourceChanged } from "../../src/protocol/GlacierError.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import { UploadKept } from "../../src/transfer/UploadKept.ts"
import * as Batch from "./batch.ts"
import { insisting } from "./insisting.ts"
import type { Work } from "./scenario.ts"

/** What a program has written down of a work. */
export interface Note {
  readonly work: Work
  readonly bytes: Uint8Array
  archiveId?: string
  jobId?: string | undefined
  downloaded?: boolean
  /** Whether an upload without a checkpoint was begun, so that there may be an archive. */
  begun?: boolean
  /** Whether an upload was given up: what the service has of it may stay behind. */
  gaveUp?: boolean
  /** Whether the program has died since it began. */
  crashed?: boolean
  /** How many pieces were passed on that were wrong. */
  wrong: number
  readonly failures: Array<string>
  /** Makes the file that is uploaded what it was. */
  readonly restore: Effect.Effect<void>
}

/** Where a work reads and writes. */
export const paths = (folder: string, { name }: Work) => ({
  source: `${folder}/${name}.source`,
  target: `${folder}/${name}`
})

/** Where a program keeps its checkpoints. */
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

/** The archive of that description, as the inventory tells. Before there was any archive there is no inventory. */
const look = Effect.fnUntraced(function*(name: string) {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory().pipe(
    Effect.asSome,
    Effect.catchTag("ResourceNotFound", () => Effect.succeedNone)
  )
  if (Option.isNone(job)) return Option.none()
  yield* job.value.wait()
  const { archives } = yield* job.value.inventory
  return yield* Stream.runHead(Stream.filter(archives(), ({ description }) => description === name))
})

/** Whether there may be an archive, or the source is none any more with which the upload could go on. */
const isLost = (error: unknown): boolean =>
  error instanceof UploadKept
    ? isLost(error.cause)
    : error instanceof OutcomeUnknown
    ? error.operation === "CompleteMultipartUpload"
    : error instanceof SourceChanged

const upload = Effect.fnUntraced(function*(folder: string, note: Note) {
  const vault = yield* Vault.Vault
  const { work } = note
  const { concurrency, name } = work
  const options = { description: name, partSize: mebibyte, concurrency }

  if (work.source === "file") yield* note.restore

  if (work.upload === "plain") {
    const found = note.begun === true ? yield* look(name) : Option.none()
    note.begun = true
    const archive = Option.isSome(found) ? found.value : yield* vault.upload(sourceOf(folder, note), options)
    note.archiveId = archive.archiveId
    return
  }

  const giveUp = Effect.gen(function*() {
    const found = yield* look(name)
    if (Option.isSome(found)) note.archiveId = found.value.archiveId
    note.gaveUp = true
    yield* vault.uploads.pipe(
      Stream.filter(({ archiveDescription }) => Option.contains(archiveDescription, name)),
      Stream.runForEach(({ uploadId }) => vault.abortUpload(uploadId))
    )
    yield* Checkpoint.clear(name)
  })

  const archive = yield* vault.uploadResumable(name, sourceOf(folder, note), options).pipe(
    Effect.tapError((error) => isLost(error) ? giveUp : Effect.void)
  )
  note.archiveId = archive.archiveId
})

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
      return yield* job.outputToFile(target, { ...options, onFailure: work.download === "file" ? "remove" : "keep" })
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

/** Is at work on an archive until it is stored, and back if it says so. */
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
