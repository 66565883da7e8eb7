/**
 * Looks into the store past the API.
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

/** All vaults there are. */
export const vaults = (store: Store): Effect.Effect<ReadonlyArray<Inside.Vault>> => {
  const archive = (one: State.Archive): Inside.Archive => ({
    archiveId: one.id,
    description: one.description,
    creationDate: DateTime.unsafeMake(one.createdAt),
    size: one.size,
    treeHash: one.treeHash,
    bytes: Effect.suspend(() => {
      const bytes = new Uint8Array(one.size)
      return ArchiveBytes.read(store.blobs, one, ByteRange.make(0, one.size)).pipe(
        store.retaining(one.blobs.map(({ id }) => id)),
        Stream.runFold(0, (offset, piece) => {
          bytes.set(piece, offset)
          return offset + piece.length
        }),
        Effect.as(bytes)
      )
    })
  })

  const upload = (one: State.Upload, arn: string): Inside.Upload => ({
    ...UploadRoutes.describe(one, arn),
    parts: Array.from(one.parts.after(undefined), (part) => UploadRoutes.describePart(one, part)),
    expiresAt: DateTime.unsafeMake(one.expiresAt)
  })

  const job = (one: State.Job, arn: string, now: number): Inside.Job => ({
    ...JobRoutes.describe(one, arn, now),
    completesAt: DateTime.unsafeMake(one.completesAt),
    expiresAt: DateTime.unsafeMake(one.expiresAt)
  })

  const vault = (one: State.Vault, now: number): Inside.Vault => ({
    vaultName: one.name,
    vaultArn: one.arn,
    archives: Array.from(one.archives.values()).filter(({ deleted }) => deleted === undefined).map(archive),
    uploads: Array.from(one.uploads.values())
      .filter(({ outcome }) => outcome._tag === "Open")
      .map((open) => upload(open, one.arn)),
    jobs: Array.from(one.jobs.values(), (each) => job(each, one.arn, now)),
    takeInventory: store.run((step) => {
      if (step.state.vaults.has(one.arn)) step.commit({ _tag: "InventoryTaken", at: step.now, vault: one.arn })
      return Either.void
    }).pipe(Effect.orDie, Effect.zipRight(store.flush))
  })

  return Effect.orDie(store.run(({ now, state }) =>
    Either.right(Array.from(state.vaults.values(), (one) => {
      State.advance(state, one, now)
      return vault(one, now)
    }))
  ))
}
