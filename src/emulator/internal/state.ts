/**
 * The state of the emulator, and how events change it. All functions are synchronous, so no other fiber can run between
 * reading the state and applying an event.
 *
 * Nothing changes in the background. Each access to a vault calls `advance` first: it takes the inventory whose lag has
 * ended, and removes expired jobs, uploads and locks.
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

/** How long CompleteMultipartUpload and AbortMultipartUpload can be repeated: an hour. */
const graceMillis = 3_600_000

export type { Archive, Inventory, Job, Upload, Vault } from "./vault.ts"

export interface State {
  readonly vaults: Map<string, Vault>
  /** The vaults of an account in a region, by name. The key is the ARN of these vaults without their names. */
  readonly vaultsByPrefix: Map<string, SortedMap<string, Vault>>
  /** The accounts. For settings of a region the key is the ARN as above, for settings of all regions the account id. */
  readonly accounts: Map<string, Account.Account>
  /** The number of events so far. */
  events: number
  /** The time of the last event. */
  lastAt: number
  /** The blobs without references, which can be removed. */
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

/** Returns the settings of an account. */
export const accountOf = (state: State, place: string): Account.Account => state.accounts.get(place) ?? Account.make()

/** Splits the ARN of a vault before the vault's name. */
export const splitArn = (arn: string): readonly [prefix: string, name: string] => {
  const slash = arn.lastIndexOf("/") + 1
  return [arn.slice(0, slash), arn.slice(slash)]
}

export type Status = "InProgress" | "Succeeded" | "Failed"

/** Returns the status of a job. A job fails when its archive is deleted while it runs. */
export const statusOf = (job: Job, now: number): Status =>
  now < job.completesAt ? "InProgress" : archiveWasDeleted(job) ? "Failed" : "Succeeded"

const archiveWasDeleted = (job: Job): boolean =>
  job.task._tag === "Archive" && job.task.archive.deleted !== undefined &&
  job.task.archive.deleted.at < job.completesAt

/** Returns an archive that is not deleted. */
export const archiveOf = (vault: Vault, id: ArchiveId): Archive | undefined => {
  const archive = vault.archives.get(id)
  return archive?.deleted === undefined ? archive : undefined
}

/** Iterates over the archives of the last inventory, oldest first. */
export function* inventoriedArchives(vault: Vault): Generator<Archive> {
  const { inventory } = vault
  if (inventory === undefined) return
  for (const archive of vault.archives.values()) {
    if (archive.writeNumber > inventory.lastWrite) break
    if (archive.deleted === undefined || archive.deleted.writeNumber > inventory.lastWrite) yield archive
  }
}

/** Returns whether the last inventory lists no archives and nothing was written since. */
export const isDeletable = (vault: Vault): boolean =>
  (vault.inventory === undefined || vault.inventory.archives === 0) &&
  vault.lastWrite === (vault.inventory?.lastWrite ?? 0)

// The bytes of a deleted archive stay until its jobs that had succeeded by then expire.
const releaseArchive = (state: State, archive: Archive): void => {
  for (const job of archive.jobs ?? []) if (!archiveWasDeleted(job)) return
  for (const blob of archive.blobs) state.released.push(blob.id)
}

const releaseParts = (state: State, upload: Upload): void => {
  for (const blob of upload.parts.values()) state.released.push(blob.id)
  upload.parts = new SortedMap()
}

const removeJob = (state: State, vault: Vault, job: Job): void => {
  vault.jobs.delete(job.id)
  if (job.task._tag === "Inventory") {
    state.released.push(job.task.retrieval.blob)
    return
  }
  const { archive } = job.task
  archive.jobs?.delete(job)
  // A failed job did not keep the bytes: they were released when the archive was deleted.
  if (archive.deleted !== undefined && !archiveWasDeleted(job)) releaseArchive(state, archive)
}

// Takes the inventory whose lag has ended. It shows all writes so far.
const takeDueInventory = (vault: Vault, now: number): void => {
  const { bytes, count: archives, lastWrite, nextInventoryAt: at } = vault
  if (at === undefined || at > now) return
  vault.inventory = { at, lastWrite, archives, bytes }
  vault.nextInventoryAt = undefined
  for (const archive of vault.deletedButListed) vault.archives.delete(archive.id)
  vault.deletedButListed = []
}

const removeExpired = (state: State, vault: Vault, now: number): void => {
  if (now < vault.nextExpiryAt) return
  let nextExpiryAt = VaultSettings.expireLock(vault.settings, now)
  for (const job of vault.jobs.values()) {
    if (job.expiresAt <= now) removeJob(state, vault, job)
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

/** Advances a vault to `now`: takes the inventory that is due, and removes what has expired. */
export const advance = (state: State, vault: Vault, now: number): void => {
  takeDueInventory(vault, now)
  removeExpired(state, vault, now)
}

const scheduleExpiry = (vault: Vault, at: number): void => {
  vault.nextExpiryAt = Math.min(vault.nextExpiryAt, at)
}

// Counts an archive that is stored (1) or deleted (-1), and returns the number of the write.
const recordWrite = (vault: Vault, bytes: number, count: 1 | -1, inventoryAt: number): number => {
  vault.bytes += count * (bytes + Limits.archiveOverhead)
  vault.count += count
  vault.nextInventoryAt ??= inventoryAt
  return ++vault.lastWrite
}

const sizeOf = (blobs: ReadonlyArray<Event.Blob>): number => blobs.reduce((sum, { size }) => sum + size, 0)

const addArchive = (
  vault: Vault,
  event: typeof Event.ArchiveStored.Type | typeof Event.UploadCompleted.Type,
  { blobs, description, treeHash }: Pick<Archive, "description" | "blobs" | "treeHash">
): void => {
  const size = sizeOf(blobs)
  const writeNumber = recordWrite(vault, size, 1, event.inventoryAt)
  const { archiveId: id, at: createdAt } = event
  vault.archives.set(id, {
    id,
    description,
    createdAt,
    size,
    treeHash,
    blobs,
    writeNumber,
    deleted: undefined,
    jobs: undefined
  })
}

const deleteArchive = (state: State, vault: Vault, event: typeof Event.ArchiveDeleted.Type): void => {
  const archive = required(vault.archives.get(event.archiveId), event.archiveId)
  const writeNumber = recordWrite(vault, archive.size, -1, event.inventoryAt)
  archive.deleted = { at: event.at, writeNumber }
  if (vault.inventory !== undefined && archive.writeNumber <= vault.inventory.lastWrite) {
    vault.deletedButListed.push(archive)
  } else vault.archives.delete(archive.id)
  releaseArchive(state, archive)
}

const deleteVault = (state: State, vault: Vault): void => {
  for (const job of vault.jobs.values()) removeJob(state, vault, job)
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
    lastWrite: 0,
    count: 0,
    bytes: 0,
    inventory: undefined,
    nextInventoryAt: undefined,
    deletedButListed: [],
    settings: VaultSettings.make(),
    nextExpiryAt: Number.POSITIVE_INFINITY
  }
  const siblings = state.vaultsByPrefix.get(prefix) ?? new SortedMap()
  siblings.set(name, vault)
  state.vaultsByPrefix.set(prefix, siblings)
  state.vaults.set(event.vault, vault)
}

const required = <A>(value: A | undefined, id: string): A => {
  if (value === undefined) throw new Error(`The event refers to ${id}, which does not exist.`)
  return value
}

const initiateUpload = (vault: Vault, event: typeof Event.UploadInitiated.Type): void => {
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
}

const storePart = (state: State, vault: Vault, event: typeof Event.PartStored.Type): void => {
  const upload = required(vault.uploads.get(event.uploadId), event.uploadId)
  const replaced = upload.parts.get(event.index)
  if (replaced !== undefined) state.released.push(replaced.id)
  upload.parts.set(event.index, event.blob)
  upload.expiresAt = event.expiresAt
  scheduleExpiry(vault, upload.expiresAt)
}

const abortUpload = (state: State, vault: Vault, event: typeof Event.UploadAborted.Type): void => {
  const upload = required(vault.uploads.get(event.uploadId), event.uploadId)
  releaseParts(state, upload)
  endUpload(vault, upload, event.at, { _tag: "Aborted" })
}

/** Returns the parts of an upload in the order of their bytes. */
export const partsOf = (upload: Upload): ReadonlyArray<Event.Blob> =>
  Array.from(upload.parts.after(undefined), ([, blob]) => blob)

const completeUpload = (vault: Vault, event: typeof Event.UploadCompleted.Type): void => {
  const upload = required(vault.uploads.get(event.uploadId), event.uploadId)
  const { archiveId, treeHash } = event
  const blobs = partsOf(upload)
  addArchive(vault, event, { description: upload.description ?? "", blobs, treeHash })
  upload.parts = new SortedMap()
  endUpload(vault, upload, event.at, { _tag: "Completed", archiveId, treeHash, size: sizeOf(blobs) })
}

const endUpload = (vault: Vault, upload: Upload, at: number, outcome: Upload["outcome"]): void => {
  upload.outcome = outcome
  upload.expiresAt = at + graceMillis
  scheduleExpiry(vault, upload.expiresAt)
}

const initiateJob = (state: State, vault: Vault, event: typeof Event.JobInitiated.Type): void => {
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
  if (task._tag === "ArchiveRetrieval" && task.tier === "Standard") recordRetrieval(state, event, task)
}

const recordRetrieval = (
  state: State,
  { at, vault }: typeof Event.JobInitiated.Type,
  { end, start }: typeof Event.ArchiveRetrieval.Type
): void => {
  const [prefix] = splitArn(vault)
  const account = accountOf(state, prefix)
  Account.recordRetrieval(account, at, end - start + 1)
  state.accounts.set(prefix, account)
}

const changeAccount = (state: State, event: typeof Event.AccountChanged.Type): void => {
  state.accounts.set(event.place, Account.apply(accountOf(state, event.place), event))
}

/** An event that changes the contents or settings of a vault. */
type VaultChanged = Exclude<
  Event.Event,
  typeof Event.VaultCreated.Type | typeof Event.VaultDeleted.Type | typeof Event.AccountChanged.Type
>

const changeVault = (state: State, vault: Vault, event: VaultChanged): void => {
  switch (event._tag) {
    case "ArchiveStored": {
      const { blob, description = "" } = event
      return addArchive(vault, event, { description, blobs: [blob], treeHash: blob.treeHash })
    }
    case "ArchiveDeleted":
      return deleteArchive(state, vault, event)
    case "InventoryTaken":
      vault.nextInventoryAt = event.at
      return
    case "UploadInitiated":
      return initiateUpload(vault, event)
    case "PartStored":
      return storePart(state, vault, event)
    case "UploadAborted":
      return abortUpload(state, vault, event)
    case "UploadCompleted":
      return completeUpload(vault, event)
    case "JobInitiated":
      return initiateJob(state, vault, event)
    default:
      VaultSettings.apply(vault.settings, event)
      if (event._tag === "LockInitiated") scheduleExpiry(vault, event.expiresAt)
  }
}

/** Applies an event. Throws when it refers to something that does not exist, as in a journal of another program. */
export const apply = (state: State, event: Event.Event): void => {
  state.events++
  state.lastAt = event.at
  if (event._tag === "VaultCreated") return createVault(state, event)
  if ("place" in event) return changeAccount(state, event)
  const vault = required(state.vaults.get(event.vault), event.vault)
  advance(state, vault, event.at)
  if (event._tag === "VaultDeleted") return deleteVault(state, vault)
  changeVault(state, vault, event)
  // Without a lag, or with an expiry of 0, the change is due at once.
  advance(state, vault, event.at)
}

/** Returns the ids of all blobs with references. */
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
