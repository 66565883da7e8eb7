/**
 * Reads the contents of the store directly, for tests that look into the emulator. See `Inside.ts`.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import * as ByteRange from "../../protocol/ByteRange.ts"
import type * as Inside from "../Inside.ts"
import * as ArchiveBytes from "./archiveBytes.ts"
import * as JobRoutes from "./handlers/jobs.ts"
import * as UploadRoutes from "./handlers/uploads.ts"
import * as State from "./state.ts"
import type { Store } from "./store.ts"

const inspectArchive = (store: Store, archive: State.Archive): Inside.Archive => ({
  archiveId: archive.id,
  description: archive.description,
  creationDate: DateTime.unsafeMake(archive.createdAt),
  size: archive.size,
  treeHash: archive.treeHash,
  bytes: Effect.suspend(() => {
    const bytes = new Uint8Array(archive.size)
    return ArchiveBytes.read(store.blobs, archive, ByteRange.make(0, archive.size)).pipe(
      store.retaining(archive.blobs.map(({ id }) => id)),
      Stream.runFold(0, (offset, chunk) => {
        bytes.set(chunk, offset)
        return offset + chunk.length
      }),
      Effect.as(bytes)
    )
  })
})

const inspectUpload = (upload: State.Upload, vaultArn: string): Inside.Upload => ({
  ...UploadRoutes.describe(upload, vaultArn),
  parts: Array.from(upload.parts.after(undefined), (part) => UploadRoutes.describePart(upload, part)),
  expiresAt: DateTime.unsafeMake(upload.expiresAt)
})

const inspectJob = (job: State.Job, vaultArn: string, now: number): Inside.Job => ({
  ...JobRoutes.describe(job, vaultArn, now),
  completesAt: DateTime.unsafeMake(job.completesAt),
  expiresAt: DateTime.unsafeMake(job.expiresAt)
})

const takeInventory = (store: Store, vaultArn: string): Inside.Vault["takeInventory"] =>
  store.run((step) => {
    if (step.state.vaults.has(vaultArn)) step.commit({ _tag: "InventoryTaken", at: step.now, vault: vaultArn })
    return Either.void
  }).pipe(Effect.orDie, Effect.zipRight(store.flush))

const inspectVault = (store: Store, vault: State.Vault, now: number): Inside.Vault => ({
  vaultName: vault.name,
  vaultArn: vault.arn,
  archives: Array.from(vault.archives.values())
    .filter(({ deleted }) => deleted === undefined)
    .map((archive) => inspectArchive(store, archive)),
  uploads: Array.from(vault.uploads.values())
    .filter(({ outcome }) => outcome._tag === "Open")
    .map((upload) => inspectUpload(upload, vault.arn)),
  jobs: Array.from(vault.jobs.values(), (job) => inspectJob(job, vault.arn, now)),
  takeInventory: takeInventory(store, vault.arn)
})

/** Returns all vaults of all accounts and regions, advanced to now. */
export const vaults = (store: Store): Effect.Effect<ReadonlyArray<Inside.Vault>> =>
  Effect.orDie(store.run(({ now, state }) =>
    Either.right(Array.from(state.vaults.values(), (vault) => {
      State.advance(state, vault, now)
      return inspectVault(store, vault, now)
    }))
  ))
