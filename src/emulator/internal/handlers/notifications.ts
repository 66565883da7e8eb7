/**
 * The operations on a vault's notification configuration.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Notifications from "../../../protocol/Notifications.ts"
import * as Access from "../access.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Router from "../router.ts"
import type { Store } from "../store.ts"

const setVaultNotifications = (store: Store): Router.Route =>
  Router.route(
    Notifications.SetVaultNotifications,
    [],
    ({ configuration, vaultName }, call) =>
      store.run((step) => {
        const arn = call.arnPrefix + vaultName
        return Either.map(Access.authorize(step, call, arn), () => {
          step.commit({ _tag: "NotificationsSet", at: step.now, vault: arn, ...configuration })
          return { output: {} }
        })
      })
  )

const getVaultNotifications = (store: Store): Router.Route =>
  Router.route(
    Notifications.GetVaultNotifications,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const { settings } = yield* Access.authorize(step, call, arn)
          const { notifications } = settings
          return notifications === undefined
            ? yield* Either.left(ErrorResponse.notFound(`No notification configuration is set for vault: ${arn}`))
            : { output: notifications }
        })
      )
  )

const deleteVaultNotifications = (store: Store): Router.Route =>
  Router.route(
    Notifications.DeleteVaultNotifications,
    [],
    ({ vaultName }, call) =>
      store.run((step) => {
        const arn = call.arnPrefix + vaultName
        return Either.map(Access.authorize(step, call, arn), ({ settings }) => {
          if (settings.notifications !== undefined) {
            step.commit({ _tag: "NotificationsDeleted", at: step.now, vault: arn })
          }
          return { output: {} }
        })
      })
  )

export const routes = (store: Store): ReadonlyArray<Router.Route> => [
  setVaultNotifications(store),
  getVaultNotifications(store),
  deleteVaultNotifications(store)
]
