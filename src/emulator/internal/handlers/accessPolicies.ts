/**
 * The operations on a vault's access policy.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Policies from "../../../protocol/Policies.ts"
import * as Access from "../access.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as PolicyText from "../policyText.ts"
import * as Router from "../router.ts"
import type { Store } from "../store.ts"

const setVaultAccessPolicy = (store: Store): Router.Route =>
  Router.route(
    Policies.SetVaultAccessPolicy,
    ["policy"],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const policy = yield* PolicyText.of(call, "access")
          yield* Access.authorize(step, call, arn)
          step.commit({ _tag: "AccessPolicySet", at: step.now, vault: arn, policy })
          return { output: {} }
        })
      )
  )

const getVaultAccessPolicy = (store: Store): Router.Route =>
  Router.route(
    Policies.GetVaultAccessPolicy,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const { settings } = yield* Access.authorize(step, call, call.arnPrefix + vaultName)
          return settings.accessPolicy === undefined
            ? yield* Either.left(ErrorResponse.notFound(`No vault access policy is set for: ${vaultName}`))
            : { output: { policy: settings.accessPolicy } }
        })
      )
  )

const deleteVaultAccessPolicy = (store: Store): Router.Route =>
  Router.route(
    Policies.DeleteVaultAccessPolicy,
    [],
    ({ vaultName }, call) =>
      store.run((step) => {
        const arn = call.arnPrefix + vaultName
        return Either.map(Access.authorize(step, call, arn), ({ settings }) => {
          if (settings.accessPolicy !== undefined) {
            step.commit({ _tag: "AccessPolicyDeleted", at: step.now, vault: arn })
          }
          return { output: {} }
        })
      })
  )

export const routes = (store: Store): ReadonlyArray<Router.Route> => [
  setVaultAccessPolicy(store),
  getVaultAccessPolicy(store),
  deleteVaultAccessPolicy(store)
]
