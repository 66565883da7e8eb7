/**
 * What must hold when all is done: every archive is there once and right, as is what was retrieved; and nothing is left
 * behind, at the service or on disk.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Vault from "../../src/services/Vault.ts"
import * as Batch from "./batch.ts"
import * as Content from "./content.ts"
import * as Program from "./program.ts"
import type { Crash } from "./scenario.ts"
import type { World } from "./world.ts"

/** How often a part may be sent, all lives of a program together. */
const maximumAttempts = 8

/** A client, and what it has written down. */
export interface Client {
  readonly folder: string
  readonly crashes: ReadonlyArray<Crash>
  readonly notes: ReadonlyArray<Program.Note>
  readonly batches: ReadonlyArray<Batch.Note>
}

export const judge = Effect.fnUntraced(function*(
  world: World,
  vault: Vault.Service,
  clients: ReadonlyArray<Client>
) {
  const problems: Array<string> = []
  let [wrongBytes, orphans, duplicates, bytes] = [0, 0, 0, 0]
  const { archives, uploads } = world.witness
  const stored = Array.from(archives, ([archiveId, archive]) => ({ archiveId, ...archive }))
  const expired = yield* world.faults.expired
  const works = new Map(clients.flatMap(({ notes }) => notes.map((note) => [note.work.name, note])))

  /** Jobs that others explain. */
  let again = 0
  for (const { batches, folder, notes } of clients) {
    for (const note of notes) {
      const { work } = note
      const mine = stored.filter(({ description }) => description === work.name)
      if (mine.length === 0) problems.push(`${work.name} is not in the vault (${note.failures.at(-1)})`)
      duplicates += Math.max(0, mine.length - 1)
      const treeHash = Content.treeHash(work.name, note.bytes)
      for (const archive of mine) {
        if (archive.treeHash !== treeHash || archive.size !== work.size) wrongBytes++
      }
      if (mine.length > 0 && !mine.some(({ archiveId }) => archiveId === note.archiveId)) {
        problems.push(`${work.name} has another id than its program was told`)
      }
      bytes += work.size * (note.downloaded === true ? 2 : 1)
      wrongBytes += note.wrong
      if (!work.download.endsWith("file")) continue
      const file = world.disk.read(Program.paths(folder, work).target)
      if (file === undefined ? note.downloaded === true : Buffer.compare(file, note.bytes) !== 0) wrongBytes++
    }
    for (const note of batches) {
      const verdict = Batch.judge(world, folder, note, expired)
      problems.push(...verdict.problems)
      wrongBytes += verdict.wrong
      bytes += verdict.bytes
      again += verdict.again
    }
  }
  const known = new Set(clients.flatMap(({ batches, notes }) => [
    ...notes.map(({ work }) => work.name),
    ...batches.flatMap(({ archives }) => archives.map(({ description }) => description))
  ]))
  for (const { description } of stored) if (!known.has(description)) problems.push(`nobody has uploaded ${description}`)
  // Of each list of jobs that is not up to date one job is missing.
  const stale = (yield* world.injected).filter(({ fault, operation }) =>
    fault === "StalePage" && operation === "ListJobs"
  )
  const extraJobs = Math.max(0, again - stale.length)
  const left = world.disk.names().filter((name) => /\.(partial|checkpoint)$/.test(name))
  if (left.length > 0) problems.push(`left on disk: ${left.join(", ")}`)

  // What is open: nothing that costs anything, but what a program without a checkpoint could not drop when it died.
  for (const [uploadId, { description, parts }] of uploads) {
    const note = works.get(description)
    const isExplained = parts.size === 0 || expired.has(uploadId) || note?.gaveUp === true ||
      (note?.work.upload === "plain" && (note.crashed === true || world.aborted.has(uploadId)))
    if (!isExplained) orphans++
  }
  if (uploads.size > 0) {
    // That is cleaned up as the guide says.
    yield* Stream.runForEach(vault.abandonedUploads(0), ({ uploadId }) => vault.abortUpload(uploadId))
    orphans += uploads.size
  }

  const { maxAttempts } = world.figures()
  if (maxAttempts > maximumAttempts) problems.push(`a part was sent ${maxAttempts} times`)
  if (wrongBytes > 0) problems.push(`${wrongBytes} with wrong bytes`)
  if (orphans > 0) problems.push(`${orphans} orphans`)
  if (extraJobs > 0) problems.push(`${extraJobs} jobs too many`)
  if (duplicates > 0) problems.push(`${duplicates} archives too many`)
  return { problems, wrongBytes, orphans, duplicates, jobs: world.witness.jobs.size, extraJobs, bytes }
})
