/**
 * What the emulator knows, and how events change it. Everything here is synchronous, so a step that looks, decides
 * and applies an event cannot be interleaved with another fiber's.
 *
 * Nothing changes in the background: a vault is settled before it is looked at, which takes an inventory that has
 * come due and drops what has expired since (spec sections 11 and 12.4).
 *
 * @internal
 */
import * as Limits from "../../protocol/Limits.ts"
import type { ArchiveId } from "../../protocol/Names.ts"
import * as Account from "./account.ts"
import type * as Event from "./event.ts"
import { SortedMap } from "./sortedMap.ts"
import type { Archive, Job, Upload, Vault } from "./vault.ts"
import * as VaultSettings from "./vaultSettings.ts"

/** How long a repeated Complete or Abort still succeeds. */
const graceMillis = 3_600_000

export type { Archive, Inventory, Job, Upload, Vault } from "./vault.ts"

export interface State {
  readonly vaults: Map<string, Vault>
  /** The vaults of an account and region (the ARN without the name), by name. */
  readonly vaultsByPrefix: Map<string, SortedMap<string, Vault>>
  /** What accounts have agreed: by account and region as above, and what holds for all regions by the account. */
  readonly accounts: Map<string, Account.Account>
  /** The number of events so far. */
  events: number
  /** When the last of them was. */
  lastAt: number
  /** Blobs that nothing refers to any more. */
  released: Array<string>
}

export const make = (): State => ({
  vaults: new Map(),
  vaultsByPrefix: new Map(),
  accounts: new Map(),
  events: 0,
  lastAt: 0,
  released: []
})

/** What an account has agreed in a region, or in all. */
export const accountOf = (state: State, place: string): Account.Account => state.accounts.get(place) ?? Account.make()

/** An ARN up to the name of the vault, and the name. */
export const splitArn = (arn: string): readonly [prefix: string, name: string] => {
  const slash = arn.lastIndexOf("/") + 1
  return [arn.slice(0, slash), arn.slice(slash)]
}

export type Status = "InProgress" | "Succeeded" | "Failed"

/** A job fails when its archive was deleted while it ran. */
export const statusOf = (job: Job, now: number): Status =>
  now < job.completesAt ? "InProgress" : archiveWasDeleted(job) ? "Failed" : "Succeeded"

const archiveWasDeleted = (job: Job): boolean =>
  job.task._tag === "Archive" && job.task.archive.deleted !== undefined &&
  job.task.archive.deleted.at < job.completesAt

/** An archive that has not been deleted. */
export const archiveOf = (vault: Vault, id: ArchiveId): Archive | undefined => {
  const archive = vault.archives.get(id)
  return archive?.deleted === undefined ? archive : undefined
}

/** The archives of the last inventory, oldest first. */
export function* inventoriedArchives(vault: Vault): Generator<Archive> {
  const { inventory } = vault
  if (inventory === undefined) return
  for (const archive of vault.archives.values()) {
    if (archive.written > inventory.written) break
    if (archive.deleted === undefined || archive.deleted.written > inventory.written) yield archive
  }
}

/** Whether the last inventory shows no archives and nothing was written since. */
export const isDeletable = (vault: Vault): boolean =>
  (vault.inventory === undefined || vault.inventory.archives === 0) &&
  vault.written === (vault.inventory?.written ?? 0)

// A deleted archive's bytes stay for the jobs that had succeeded by then.
const releaseArchive = (state: State, archive: Archive): void => {
  for (const job of archive.jobs ?? []) if (!archiveWasDeleted(job)) return
  for (const blob of archive.blobs) state.released.push(blob.id)
}

const releaseParts = (state: State, upload: Upload): void => {
  for (const blob of upload.parts.values()) state.released.push(blob.id)
  upload.parts = new SortedMap()
}

const dropJob = (state: State, vault: Vault, job: Job): void => {
  vault.jobs.delete(job.id)
  if (job.task._tag === "Inventory") {
    state.released.push(job.task.retrieval.blob)
    return
  }
  const { archive } = job.task
  archive.jobs?.delete(job)
  // One that was lost did not keep the bytes from going.
  if (archive.deleted !== undefined && !archiveWasDeleted(job)) releaseArchive(state, archive)
}

/** Brings a vault up to `now`. */
export const advance = (state: State, vault: Vault, now: number): void => {
  if (vault.nextInventoryAt !== undefined && vault.nextInventoryAt <= now) {
    vault.inventory = { at: vault.nextInventoryAt, written: vault.written, archives: vault.count, bytes: vault.bytes }
    vault.nextInventoryAt = undefined
    for (const archive of vault.deletedButListed) vault.archives.delete(archive.id)
    vault.deletedButListed = []
  }
  if (now < vault.nextExpiryAt) return
  let nextExpiryAt = VaultSettings.expireLock(vault.settings, now)
  for (const job of vault.jobs.values()) {
    if (job.expiresAt <= now) dropJob(state, vault, job)
    else nextExpiryAt = Math.min(nextExpiryAt, job.expiresAt)
  }
  for (const upload of vault.uploads.values()) {
    if (upload.expiresAt <= now) {
      releaseParts(state, upload)
      vault.uploads.delete(upload.id)
    } else nextExpiryAt = Math.min(nextExpiryAt, upload.expiresAt)
  }
  vault.nextExpiryAt = nextExpiryAt
}

const scheduleExpiry = (vault: Vault, at: number): void => {
  vault.nextExpiryAt = Math.min(vault.nextExpiryAt, at)
}

const write = (vault: Vault, bytes: number, count: 1 | -1, inventoryAt: number): number => {
  vault.bytes += count * (bytes + Limits.archiveOverhead)
  vault.count += count
  vault.nextInventoryAt ??= inventoryAt
  return ++vault.written
}

const sizeOf = (blobs: ReadonlyArray<Event.Blob>): number => blobs.reduce((sum, { size }) => sum + size, 0)

const store = (
  vault: Vault,
  event: typeof Event.ArchiveStored.Type | typeof Event.UploadCompleted.Type,
  { blobs, description, treeHash }: Pick<Archive, "description" | "blobs" | "treeHash">
): void => {
  const size = sizeOf(blobs)
  const written = write(vault, size, 1, event.inventoryAt)
  const { archiveId: id, at: createdAt } = event
  vault.archives.set(id, {
    id,
    description,
    createdAt,
    size,
    treeHash,
    blobs,
    written,
    deleted: undefined,
    jobs: undefined
  })
}

const deleteArchive = (state: State, vault: Vault, event: typeof Event.ArchiveDeleted.Type): void => {
  const archive = required(vault.archives.get(event.archiveId), event.archiveId)
  const written = write(vault, archive.size, -1, event.inventoryAt)
  archive.deleted = { at: event.at, written }
  if (vault.inventory !== undefined && archive.written <= vault.inventory.written) vault.deletedButListed.push(archive)
  else vault.archives.delete(archive.id)
  releaseArchive(state, archive)
}

const deleteVault = (state: State, vault: Vault): void => {
  for (const job of vault.jobs.values()) dropJob(state, vault, job)
  for (const upload of vault.uploads.values()) releaseParts(state, upload)
  const [prefix, name] = splitArn(vault.arn)
  state.vaultsByPrefix.get(prefix)?.delete(name)
  state.vaults.delete(vault.arn)
}

const createVault = (state: State, event: typeof Event.VaultCreated.Type): void => {
  const [prefix, name] = splitArn(event.vault)
  const vault: Vault = {
    arn: event.vault,
    name,
    createdAt: event.at,
    archives: new Map(),
    uploads: new SortedMap(),
    jobs: new SortedMap(),
    written: 0,
    count: 0,
    bytes: 0,
    inventory: undefined,
    nextInventoryAt: undefined,
    deletedButListed: [],
    settings: VaultSettings.make(),
    nextExpiryAt: Number.POSITIVE_INFINITY
  }
  const place = state.vaultsByPrefix.get(prefix) ?? new SortedMap()
  place.set(name, vault)
  state.vaultsByPrefix.set(prefix, place)
  state.vaults.set(event.vault, vault)
}

const initiateJob = (vault: Vault, event: typeof Event.JobInitiated.Type): void => {
  const { task } = event
  const archive = task._tag === "ArchiveRetrieval"
    ? required(vault.archives.get(task.archiveId), task.archiveId)
    : undefined
  const job: Job = {
    id: event.jobId,
    createdAt: event.at,
    completesAt: event.completesAt,
    expiresAt: event.expiresAt,
    description: event.description,
    snsTopic: event.snsTopic,
    task: task._tag === "ArchiveRetrieval"
      ? { _tag: "Archive", archive: required(archive, task.archiveId), retrieval: task }
      : { _tag: "Inventory", retrieval: task }
  }
  if (archive !== undefined) (archive.jobs ??= new Set()).add(job)
  vault.jobs.set(job.id, job)
  scheduleExpiry(vault, job.expiresAt)
}

/** The parts of an upload in the order of their bytes. */
export const partsOf = (upload: Upload): ReadonlyArray<Event.Blob> =>
  Array.from(upload.parts.after(undefined), ([, blob]) => blob)

const required = <A>(value: A | undefined, what: string): A => {
  if (value === undefined) throw new Error(`The event refers to something that is not there: ${what}`)
  return value
}

/** Applies an event. Throws when it refers to what is not there, which only a journal of others' making does. */
export const apply = (state: State, event: Event.Event): void => {
  state.events++
  state.lastAt = event.at
  if (event._tag === "VaultCreated") return createVault(state, event)
  if ("place" in event) {
    state.accounts.set(event.place, Account.apply(accountOf(state, event.place), event))
    return
  }
  const vault = required(state.vaults.get(event.vault), event.vault)
  advance(state, vault, event.at)
  const upload = "uploadId" in event ? vault.uploads.get(event.uploadId) : undefined
  switch (event._tag) {
    case "VaultDeleted":
      return deleteVault(state, vault)
    case "ArchiveStored": {
      const { blob, description = "" } = event
      store(vault, event, { description, blobs: [blob], treeHash: blob.treeHash })
      break
    }
    case "ArchiveDeleted":
      deleteArchive(state, vault, event)
      break
    case "InventoryTaken":
      vault.nextInventoryAt = event.at
      break
    case "UploadInitiated": {
      vault.uploads.set(event.uploadId, {
        id: event.uploadId,
        description: event.description,
        createdAt: event.at,
        partSize: event.partSize,
        parts: new SortedMap(),
        expiresAt: event.expiresAt,
        outcome: { _tag: "Open" }
      })
      scheduleExpiry(vault, event.expiresAt)
      break
    }
    case "PartStored": {
      const open = required(upload, event.uploadId)
      const replaced = open.parts.get(event.index)
      if (replaced !== undefined) state.released.push(replaced.id)
      open.parts.set(event.index, event.blob)
      open.expiresAt = event.expiresAt
      scheduleExpiry(vault, open.expiresAt)
      break
    }
    case "UploadAborted": {
      const open = required(upload, event.uploadId)
      releaseParts(state, open)
      finish(vault, open, event.at, { _tag: "Aborted" })
      break
    }
    case "UploadCompleted": {
      const open = required(upload, event.uploadId)
      const { archiveId, treeHash } = event
      const blobs = partsOf(open)
      store(vault, event, { description: open.description ?? "", blobs, treeHash })
      open.parts = new SortedMap()
      finish(vault, open, event.at, { _tag: "Completed", archiveId, treeHash, size: sizeOf(blobs) })
      break
    }
    case "JobInitiated":
      initiateJob(vault, event)
      if (event.task._tag === "ArchiveRetrieval" && event.task.tier === "Standard") {
        const [place] = splitArn(event.vault)
        const bytes = event.task.end - event.task.start + 1
        const account = accountOf(state, place)
        Account.recordRetrieval(account, event.at, bytes)
        state.accounts.set(place, account)
      }
      break
    default:
      VaultSettings.apply(vault.settings, event)
      if (event._tag === "LockInitiated") scheduleExpiry(vault, event.expiresAt)
  }
  advance(state, vault, event.at)
}

const finish = (vault: Vault, upload: Upload, at: number, outcome: Upload["outcome"]): void => {
  upload.outcome = outcome
  upload.expiresAt = at + graceMillis
  scheduleExpiry(vault, upload.expiresAt)
}

/** All blobs that something refers to. */
export const referenced = (state: State): Set<string> => {
  const ids = new Set<string>()
  const add = (archive: Archive): void => archive.blobs.forEach((blob) => ids.add(blob.id))
  for (const vault of state.vaults.values()) {
    for (const archive of vault.archives.values()) if (archive.deleted === undefined) add(archive)
    for (const upload of vault.uploads.values()) for (const blob of upload.parts.values()) ids.add(blob.id)
    for (const { task } of vault.jobs.values()) {
      if (task._tag === "Inventory") ids.add(task.retrieval.blob)
      else add(task.archive)
    }
  }
  return ids
}
