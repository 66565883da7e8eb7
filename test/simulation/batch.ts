/**
 * The part of a program that selects archives from an inventory and retrieves them, deletes them, or both. It keeps no
 * notes: after a crash it learns from its checkpoints, and from the files on disk, what it has done.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as DeletionPlan from "../../src/services/DeletionPlan.ts"
import * as Destination from "../../src/services/Destination.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Content from "./content.ts"
import type { Disk } from "./disk.ts"
import { insisting } from "./insisting.ts"
import type * as Scenario from "./scenario.ts"
import type { World } from "./world.ts"

/** An archive that was in the vault from the beginning. Its description is its path. */
interface Archive {
  readonly archiveId: string
  readonly treeHash: string
  readonly description: string
  readonly bytes: Uint8Array
}

export interface Note {
  readonly batch: Scenario.Batch
  readonly archives: ReadonlyArray<Archive>
  readonly failures: Array<string>
  /** The number of wrong files that were seen. */
  wrong: number
}

/** Uploads the archives of a batch. */
export const store = Effect.fnUntraced(function*(vault: Vault.Service, batch: Scenario.Batch) {
  const archives = yield* Effect.forEach(batch.sizes, (size, index) => {
    const description = `${batch.name}/${index}`
    const bytes = Content.make(description, size)
    return Effect.map(
      vault.upload(Source.bytes(bytes), { description }),
      ({ archiveId, treeHash }): Archive => ({ archiveId, treeHash, description, bytes })
    )
  })
  return { batch, archives, failures: [], wrong: 0 } satisfies Note
})

const selected = ({ archives, batch }: Note) => archives.slice(0, batch.selected)

const directoryOf = (folder: string) => `${folder}/restored`

/** The archives of a batch, from the inventory. */
const select = (note: Note) =>
  Stream.unwrap(Effect.gen(function*() {
    const vault = yield* Vault.Vault
    const wanted = new Set(selected(note).map(({ description }) => description))
    const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
    yield* job.wait()
    const { archives } = yield* job.inventory
    return Stream.filter(archives(), ({ description }) => wanted.has(description))
  }))

/** Runs a plan to its end and fails with the first error of an archive. */
export const finished = <F, E, R>(outcomes: Stream.Stream<RetrievalPlan.Outcome<F> | DeletionPlan.Outcome, E, R>) =>
  Effect.gen(function*() {
    const failed = yield* Stream.runCollect(
      Stream.filterMap(outcomes, (outcome) => "error" in outcome ? Option.some(outcome.error) : Option.none())
    )
    if (Chunk.isNonEmpty(failed)) yield* Effect.fail(Chunk.headNonEmpty(failed))
  })

/** Works on a batch until all of it is done. */
export const run = (folder: string, note: Note) =>
  Effect.gen(function*() {
    const { act, concurrency, name } = note.batch
    const [retrieval, deletion] = [`${name} retrieved`, `${name} deleted`]
    if (act !== "delete") {
      const plan = yield* RetrievalPlan.make(retrieval, select(note))
      const destination = yield* Destination.directory(directoryOf(folder), { download: { windowSize: mebibyte } })
      yield* finished(RetrievalPlan.run(plan, destination, { concurrency }))
    }
    if (act !== "retrieve") {
      yield* finished(DeletionPlan.run(yield* DeletionPlan.make(deletion, select(note)), { concurrency }))
    }
    yield* RetrievalPlan.clear(retrieval)
    yield* DeletionPlan.clear(deletion)
  }).pipe(insisting(note.failures))

/** Counts the wrong files on disk. */
export const wrongFiles = (disk: Disk, folder: string, { archives }: Note): number =>
  archives.filter(({ bytes, description }) => {
    const file = disk.read(`${directoryOf(folder)}/${description}`)
    return file !== undefined && Buffer.compare(file, bytes) !== 0
  }).length

/** Judges a batch at the end. `expired` has the ids of the jobs that a fault made expire. */
export const judge = (world: World, folder: string, note: Note, expired: ReadonlySet<string>) => {
  const { act } = note.batch
  const problems: Array<string> = []
  const chosen = new Set(selected(note))
  /** The number of jobs that were started although an earlier one had not expired. */
  let again = 0
  for (const archive of note.archives) {
    const { archiveId, description } = archive
    const isChosen = chosen.has(archive)
    const shouldBeFile = isChosen && act !== "delete"
    const isStored = world.witness.archives.has(archiveId)
    const isFile = world.disk.read(`${directoryOf(folder)}/${description}`) !== undefined
    if (isStored === (isChosen && act !== "retrieve")) {
      problems.push(`${description} is ${isStored ? "still in the vault" : "deleted"} (${note.failures.at(-1)})`)
    }
    if (isFile !== shouldBeFile) {
      problems.push(`${description} is ${isFile ? "" : "not "}on disk (${note.failures.at(-1)})`)
    }
    const jobs = Array.from(world.witness.jobs).filter(([, its]) => its === archiveId)
    const promised = shouldBeFile ? 1 + jobs.filter(([jobId]) => expired.has(jobId)).length : 0
    again += Math.max(0, jobs.length - promised)
  }
  const bytes = act === "delete" ? 0 : selected(note).reduce((sum, { bytes }) => sum + bytes.length, 0)
  return { problems, wrong: note.wrong + wrongFiles(world.disk, folder, note), bytes, again }
}
