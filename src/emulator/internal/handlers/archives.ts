/**
 * The operations on archives: upload in one request, and deletion.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Archives from "../../../protocol/Archives.ts"
import { ArchiveId } from "../../../protocol/Names.ts"
import * as Access from "../access.ts"
import type { Delays } from "../delays.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Ids from "../ids.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { Step, Store } from "../store.ts"
import * as UploadBody from "../uploadBody.ts"

/** Returns the description to store: without spaces at its ends, or undefined when it is empty. */
export const storedDescription = (description: Option.Option<string>): string | undefined =>
  Option.getOrUndefined(description)?.trim() || undefined

/** Rejects the id of an archive in another vault of the account: the service has its own error for that. */
export const rejectArchiveOfOtherVault = (
  step: Step,
  call: Router.Call,
  arn: string,
  id: ArchiveId
): Either.Either<void, ErrorResponse.ErrorResponse> => {
  for (const vault of step.state.vaultsByPrefix.get(call.arnPrefix)?.values() ?? []) {
    if (vault.arn !== arn && State.archiveOf(vault, id) !== undefined) {
      return Either.left(ErrorResponse.invalid(`Invalid vault name: ${arn}`))
    }
  }
  return Either.void
}

const uploadArchive = (store: Store, delays: Delays): Router.Route =>
  Router.route(
    Archives.UploadArchive,
    ["body"],
    ({ contentSha256, description, treeHash, vaultName }, call) =>
      Effect.gen(function*() {
        const arn = call.arnPrefix + vaultName
        const length = yield* UploadBody.announcedLength(call)
        yield* store.run((step) => Access.authorize(step, call, arn))
        const { blob, keep } = yield* UploadBody.receive(store, call, { length, contentSha256, treeHash })
        const archiveId = ArchiveId.make(yield* Ids.random(Ids.length.archive))
        yield* store.run((step) =>
          Either.map(Access.authorize(step, call, arn), () => {
            keep()
            step.commit({
              _tag: "ArchiveStored",
              at: step.now,
              vault: arn,
              archiveId,
              description: storedDescription(description),
              blob,
              inventoryAt: delays.afterInventoryLag(step.now)
            })
          })
        )
        const location = Router.location(Archives.DeleteArchive, call, { vaultName, archiveId })
        return { output: { archiveId, location: Option.some(location), treeHash: Option.some(treeHash) } }
      })
  )

const deleteArchive = (store: Store, delays: Delays): Router.Route =>
  Router.route(
    Archives.DeleteArchive,
    [],
    ({ archiveId, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const vault = yield* Access.authorize(step, call, arn, archiveId)
          if (State.archiveOf(vault, archiveId) === undefined) {
            yield* rejectArchiveOfOtherVault(step, call, arn, archiveId)
          } else {
            const { now } = step
            step.commit({
              _tag: "ArchiveDeleted",
              at: now,
              vault: arn,
              archiveId,
              inventoryAt: delays.afterInventoryLag(now)
            })
          }
          return { output: {} }
        })
      )
  )

export const routes = (store: Store, delays: Delays): ReadonlyArray<Router.Route> => [
  uploadArchive(store, delays),
  deleteArchive(store, delays)
]
