/**
 * Judges the end of a simulation. Every archive must be stored once and right, as must every downloaded file. Nothing may
 * be left behind, neither at the service nor on disk.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Vault from "../../src/services/Vault.ts"
import * as Batch from "./batch.ts"
import * as Program from "./program.ts"
import type { Crash } from "./scenario.ts"
import type { World } from "./world.ts"

/** The number of times that a part may be sent, in all lives of a program together. */
const maximumAttempts = 8

/** A client and its notes. */
export interface Client {
  readonly folder: string
  readonly crashes: ReadonlyArray<Crash>
  readonly notes: ReadonlyArray<Program.Note>
  readonly batches: ReadonlyArray<Batch.Note>
  readonly rival: {
    readonly crashes: ReadonlyArray<Crash>
    readonly notes: ReadonlyArray<Program.RivalNote>
  } | undefined
}

/** Counts the uploads that were left open although a program could have aborted or completed them. */
const orphansOf = (world: World, clients: ReadonlyArray<Client>, expired: ReadonlySet<string>): number => {
  const notes = clients.flatMap(({ folder, notes }) => notes.map((note) => ({ ...note, folder })))
  const { aborted, responses, witness } = world
  return Array.from(witness.uploads).filter(([uploadId, parts]) => {
    const hashes = Array.from(parts.values())
    const folder = responses.opened.get(uploadId)
    // An upload without parts costs nothing. If its response was lost, no program knows its id.
    if (expired.has(uploadId) || (parts.size === 0 && folder === undefined)) return false
    const owners = parts.size > 0
      ? notes.filter((note) => note.hashes.parts.some((part) => hashes.includes(part)))
      : notes.filter((note) => note.folder === folder)
    return !owners.some(({ crashed, gaveUp, unrecorded, work }) => {
      // A program that has no checkpoint, or has not written to it yet, forgets its upload at its end.
      const isForgotten = work.upload === "plain" || parts.size === 0
      return gaveUp === true || (isForgotten && (crashed === true || aborted.has(uploadId))) ||
        (parts.size === 0 && unrecorded.has(uploadId))
    })
  }).length
}

export const judge = Effect.fnUntraced(function*(
  world: World,
  vault: Vault.Service,
  clients: ReadonlyArray<Client>
) {
  const problems: Array<string> = []
  let [wrongBytes, duplicates, bytes] = [0, 0, 0]
  const { responses, witness } = world
  const stored = Array.from(witness.archives, ([archiveId, archive]) => ({ archiveId, ...archive }))
  const expired = yield* world.faults.expired
  const notes = clients.flatMap(({ notes }) => notes)

  for (const note of notes) {
    const { archiveId, hashes, work } = note
    const mine = stored.filter(({ treeHash }) => treeHash === hashes.whole)
    if (mine.length === 0) problems.push(`${work.name} is not in the vault (${note.failures.at(-1)})`)
    duplicates += Math.max(0, mine.length - 1)
    if (mine.length > 0 && !mine.some((archive) => archive.archiveId === archiveId)) {
      problems.push(`${work.name} has another id than its program received`)
    }
    for (const { size } of mine) if (size !== work.size) problems.push(`${work.name} has ${size} bytes`)
    const other = notes.find((other) => other !== note && archiveId !== undefined && other.archiveId === archiveId)
    if (other !== undefined) problems.push(`${work.name} has the id of ${other.work.name}`)
    if (archiveId !== undefined && note.looked !== true && responses.contradicted.has(archiveId)) {
      problems.push(`${work.name} is reported as stored although the response has another tree hash`)
    }
    bytes += work.size * (note.downloaded === true ? 2 : 1)
  }

  for (const hashes of responses.sent.values()) {
    const owners = notes.filter((note) => note.hashes.parts.some((part) => hashes.has(part)))
    if (owners.length > 1) problems.push(`${owners.map(({ work }) => work.name).join(" and ")} share an upload`)
  }

  /** The jobs that a plan should not have started. */
  let again = 0
  for (const { batches, folder, notes, rival } of clients) {
    for (const note of [...notes, ...rival?.notes ?? []]) {
      const { target } = Program.paths(folder, note.work)
      yield* note.inspect
      wrongBytes += note.wrong
      const isFile = note.work.download.endsWith("file")
      if (isFile && note.downloaded === true && world.disk.read(target) === undefined) {
        problems.push(`${target} was downloaded and is not on disk`)
      }
    }
    for (const note of batches) {
      const verdict = Batch.judge(world, folder, note, expired)
      problems.push(...verdict.problems)
      wrongBytes += verdict.wrong
      bytes += verdict.bytes
      again += verdict.again
    }
  }

  const known = new Set<string>([
    ...notes.map(({ hashes }) => hashes.whole),
    ...clients.flatMap(({ batches }) => batches.flatMap(({ archives }) => archives.map(({ treeHash }) => treeHash)))
  ])
  // An archive that holds the bytes of several programs, or bytes that nobody has sent.
  wrongBytes += stored.filter(({ treeHash }) => !known.has(treeHash)).length
  // A list of jobs that is out of date lacks one job.
  const stale = (yield* world.injected).filter(({ fault, operation }) =>
    fault === "StalePage" && operation === "ListJobs"
  )
  const extraJobs = Math.max(0, again - stale.length)
  const left = world.disk.names().filter((name) => /\.(partial|checkpoint)$/.test(name))
  if (left.length > 0) problems.push(`left on disk: ${left.join(", ")}`)

  let orphans = orphansOf(world, clients, expired)
  if (witness.uploads.size > 0) {
    // The rest is cleaned up as the guide says.
    yield* Stream.runForEach(vault.abandonedUploads(0), ({ uploadId }) => vault.abortUpload(uploadId))
    orphans += witness.uploads.size
  }

  const { maxAttempts } = world.figures()
  if (maxAttempts > maximumAttempts) problems.push(`a part was sent ${maxAttempts} times`)
  if (responses.careless.size > 0) problems.push("an upload was completed although a part has another tree hash")
  if (wrongBytes > 0) problems.push(`${wrongBytes} with wrong bytes`)
  if (orphans > 0) problems.push(`${orphans} orphans`)
  if (extraJobs > 0) problems.push(`${extraJobs} jobs too many`)
  if (duplicates > 0) problems.push(`${duplicates} archives too many`)
  return { problems, wrongBytes, orphans, duplicates, jobs: witness.jobs.size, extraJobs, bytes }
})
