/**
 * The operations on vaults.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Limits from "../../../protocol/Limits.ts"
import { VaultName } from "../../../protocol/Names.ts"
import * as Vaults from "../../../protocol/Vaults.ts"
import * as Access from "../access.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Page from "../page.ts"
import * as ParameterError from "../parameterError.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { Store } from "../store.ts"

const describe = (vault: State.Vault): Vaults.VaultDescription => ({
  creationDate: DateTime.unsafeMake(vault.createdAt),
  lastInventoryDate: Option.map(Option.fromNullable(vault.inventory), ({ at }) => DateTime.unsafeMake(at)),
  numberOfArchives: Option.some(vault.inventory?.archives ?? 0),
  sizeInBytes: Option.some(vault.inventory?.bytes ?? 0),
  vaultArn: vault.arn,
  vaultName: VaultName.make(vault.name)
})

// Returns the vault name in a marker, which is an ARN. The page starts after it.
const nameInMarker = (marker: string): Either.Either<string, ErrorResponse.ErrorResponse> => {
  const [, name] = /^arn:[^:]+:glacier:[^:]*:[^:]*:vaults\/([A-Za-z0-9_.-]{1,255})$/.exec(marker) ?? []
  return name === undefined ? Either.left(ParameterError.invalid("marker", marker)) : Either.right(name)
}

const createVault = (store: Store, maximumVaults: number): Router.Route =>
  Router.route(Vaults.CreateVault, [], ({ vaultName }, call) =>
    Effect.gen(function*() {
      const vault = call.arnPrefix + vaultName
      yield* store.run(({ commit, now, state }) => {
        if (state.vaults.has(vault)) return Either.void
        if ((state.vaultsByPrefix.get(call.arnPrefix)?.size ?? 0) >= maximumVaults) {
          return Either.left(ErrorResponse.limitExceeded(`There may be at most ${maximumVaults} vaults in a region.`))
        }
        commit({ _tag: "VaultCreated", at: now, vault })
        return Either.void
      })
      return { output: { location: Option.some(Router.location(Vaults.CreateVault, call, { vaultName })) } }
    }))

const describeVault = (store: Store): Router.Route =>
  Router.route(
    Vaults.DescribeVault,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.map(Access.authorize(step, call, call.arnPrefix + vaultName), (vault) => ({ output: describe(vault) }))
      )
  )

const listVaults = (store: Store): Router.Route =>
  Router.route(Vaults.ListVaults, [], ({ limit, marker }, call) =>
    store.run((step) =>
      Either.gen(function*() {
        const size = Math.min(Option.getOrElse(limit, () => Limits.vaultPage), Limits.vaultPage)
        const after = Option.isSome(marker) ? yield* nameInMarker(marker.value) : undefined
        const page = Page.take(step.state.vaultsByPrefix.get(call.arnPrefix)?.after(after) ?? [], size)
        const vaults: Array<Vaults.VaultDescription> = []
        for (const [, { arn }] of page.items) vaults.push(describe(yield* step.vault(arn)))
        return { output: { marker: Option.map(page.next, ([, { arn }]) => arn), vaults } }
      })
    ))

const deleteVault = (store: Store): Router.Route =>
  Router.route(
    Vaults.DeleteVault,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          // Deleting a vault that does not exist succeeds.
          if (!step.state.vaults.has(arn) && call.caller === call.accountId) return { output: {} }
          if (!State.isDeletable(yield* Access.authorize(step, call, arn))) {
            return yield* Either.left(ErrorResponse.invalid(`Vault not empty or recently written to: ${arn}`))
          }
          step.commit({ _tag: "VaultDeleted", at: step.now, vault: arn })
          return { output: {} }
        })
      )
  )

export const routes = (store: Store, maximumVaults: number): ReadonlyArray<Router.Route> => [
  createVault(store, maximumVaults),
  describeVault(store),
  listVaults(store),
  deleteVault(store)
]
