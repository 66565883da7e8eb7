/**
 * The end of an upload with a checkpoint that is not resumed, for instance because its source has changed. An upload that
 * may have been completed is not forgotten: its archive exists, and would be stored a second time.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../client/GlacierClient.ts"
import { InvalidInput, OutcomeUnknown, show } from "../../protocol/GlacierError.ts"
import { operations } from "../../protocol/Operations.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import { Checkpoint } from "../Checkpoint.ts"
import { isGone, type Stored } from "./resumedUpload.ts"
import * as UploadLog from "./uploadLog.ts"

/** Aborts the upload. Returns whether it may have become an archive: then it cannot be aborted. */
const abort = (vault: VaultAddress, { requested, uploadId }: UploadLog.RecordedUpload) =>
  Effect.flatMap(GlacierClient, (glacier) => glacier.abortMultipartUpload({ ...vault, uploadId })).pipe(
    Effect.as(false),
    Effect.catchIf(isGone, () => Effect.succeed(requested.size > 0))
  )

/** Requests the completion again, because the service repeats its response for a short time. */
const completeAgain = Effect.fnUntraced(function*(
  name: string,
  vault: VaultAddress,
  { begun: { partSize, size }, requested, uploadId }: UploadLog.RecordedUpload
) {
  const glacier = yield* GlacierClient
  const hashes = Array.from(requested)
  const unknown = new OutcomeUnknown({
    operation: operations.completeMultipartUpload.name,
    message: `It is unknown whether upload ${uploadId} was completed: look for an archive with tree hash ` +
      `${hashes.join(" or ")} in the inventory, then clear checkpoint ${show(name)}`
  })
  const [treeHash] = hashes
  // A Stream has no recorded size, and several tree hashes do not show which bytes the archive has.
  if (treeHash === undefined || hashes.length > 1 || size === undefined) return yield* unknown
  const { archiveId, location } = yield* Effect.catchIf(
    glacier.completeMultipartUpload({ ...vault, uploadId, archiveSize: size, treeHash }),
    isGone,
    () => unknown
  )
  const archive: Stored = { archiveId, location, treeHash, size, parts: Math.ceil(size / partSize) }
  return archive
})

/** Checks that the upload in a log is one to this vault. */
const checkVault = (
  name: string,
  { begun }: UploadLog.RecordedUpload,
  { accountId = "-", vaultName }: VaultAddress
) => {
  const [field, value, was] = begun.vaultName === vaultName
    ? ["accountId", accountId, begun.accountId] as const
    : ["vaultName", vaultName, begun.vaultName] as const
  return value === was ? Effect.void : new InvalidInput({
    operation: "discard",
    field,
    value: show(value),
    rule: `must be ${show(was)} as in the upload of checkpoint ${show(name)}`
  })
}

export const discard = Effect.fnUntraced(function*<E, R>(
  vault: VaultAddress,
  name: string,
  onStored: UploadLog.OnStored<E, R> | undefined
) {
  const log = yield* Effect.flatMap(Checkpoint, (checkpoint) => checkpoint.open(name))
  const recorded = yield* UploadLog.read(name, log)
  if (recorded !== undefined) {
    yield* checkVault(name, recorded, vault)
    const archive = recorded.stored ??
      ((yield* abort(vault, recorded)) ? yield* completeAgain(name, vault, recorded) : undefined)
    if (archive !== undefined) {
      yield* UploadLog.finish(log, { stored: recorded.stored, version: recorded.begun.version }, archive, onStored)
      return Option.some(archive)
    }
  }
  yield* log.clear
  return Option.none<Stored>()
})
