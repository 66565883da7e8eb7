/** The data folder of an emulator with a long history. */
import { randomBytes } from "node:crypto"
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs"
import type { Event } from "../src/emulator/internal/event.ts"
import * as Ids from "../src/emulator/internal/ids.ts"

export interface Counts {
  readonly archives: number
  readonly vaults: number
  readonly jobs: number
  readonly uploads: number
  readonly parts: number
}

/** An id of the URL-safe base64 alphabet. */
const id = (length: number) => randomBytes(length).toString("base64url").slice(0, length)

/** All that has happened. Everything is of `now`, so that nothing expires. */
function* history(now: number, counts: Counts): Generator<typeof Event.Encoded> {
  const arn = (vault: string) => `arn:aws:glacier:us-east-1:123456789012:vaults/${vault}`
  const blob = () => ({ id: id(24), size: 1_048_576, treeHash: randomBytes(32).toString("hex") })
  const stored = (vault: string, n: number) => ({
    _tag: "ArchiveStored" as const,
    at: now,
    vault: arn(vault),
    archiveId: id(138),
    description: `photos/2024/${n}.jpeg`,
    blob: { ...blob(), size: 4_194_304, leaves: randomBytes(4 * 32).toString("base64") },
    inventoryAt: now
  })
  for (const name of ["big", "busy"]) yield { _tag: "VaultCreated", at: now, vault: arn(name) }
  for (let n = 0; n < counts.vaults; n++) yield { _tag: "VaultCreated", at: now, vault: arn(`vault-${n}`) }
  for (let n = 0; n < counts.archives; n++) yield stored("big", n)
  const common = { at: now, vault: arn("busy") }
  const expiresAt = now + 86_400_000
  const archive = stored("busy", 0)
  yield archive
  for (let n = 0; n < counts.jobs; n++) {
    const jobId = Ids.ordered(now, n, id(74))
    const task = { archiveId: archive.archiveId, start: 0, end: 0, tier: "Bulk" as const }
    const retrieval = { _tag: "ArchiveRetrieval" as const, ...task }
    yield { _tag: "JobInitiated", ...common, jobId, completesAt: now, expiresAt, task: retrieval }
  }
  for (let n = 0; n < counts.uploads; n++) {
    const uploadId = Ids.ordered(now, n, id(74))
    yield { _tag: "UploadInitiated", ...common, uploadId, partSize: 1_048_576, expiresAt }
    // The first has all the parts.
    for (let index = 0; n === 0 && index < counts.parts; index++) {
      yield { _tag: "PartStored", ...common, uploadId, index, blob: blob(), expiresAt }
    }
  }
}

/** Writes a data folder. The blobs are empty: nobody reads them. */
export const write = (folder: string, now: number, counts: Counts) => {
  mkdirSync(`${folder}/blobs`)
  const journal = openSync(`${folder}/journal.jsonl`, "w")
  let lines = ""
  for (const event of history(now, counts)) {
    lines += JSON.stringify(event) + "\n"
    if ("blob" in event) closeSync(openSync(`${folder}/blobs/${event.blob.id}`, "w"))
    if (lines.length < 1_048_576) continue
    writeSync(journal, lines)
    lines = ""
  }
  writeSync(journal, lines)
  closeSync(journal)
}
