/**
 * The operations on a vault's tags.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Tags from "../../../protocol/Tags.ts"
import * as Access from "../access.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Router from "../router.ts"
import type { Store } from "../store.ts"

const maximumTags = 50

const addTagsToVault = (store: Store): Router.Route =>
  Router.route(
    Tags.AddTagsToVault,
    [],
    ({ tags, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const { settings } = yield* Access.authorize(step, call, arn)
          if (new Set([...settings.tags.keys(), ...Object.keys(tags)]).size > maximumTags) {
            return yield* Either.left(
              ErrorResponse.limitExceeded(`A vault may have at most ${maximumTags} tags: ${arn}`)
            )
          }
          step.commit({ _tag: "TagsAdded", at: step.now, vault: arn, tags })
          return { output: {} }
        })
      )
  )

const listTagsForVault = (store: Store): Router.Route =>
  Router.route(
    Tags.ListTagsForVault,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.map(
          Access.authorize(step, call, call.arnPrefix + vaultName),
          ({ settings }) => ({ output: { tags: Object.fromEntries(settings.tags) } })
        )
      )
  )

const removeTagsFromVault = (store: Store): Router.Route =>
  Router.route(
    Tags.RemoveTagsFromVault,
    [],
    ({ tagKeys, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const { settings } = yield* Access.authorize(step, call, arn)
          const keys = tagKeys.filter((key) => settings.tags.has(key))
          if (keys.length > 0) step.commit({ _tag: "TagsRemoved", at: step.now, vault: arn, keys })
          return { output: {} }
        })
      )
  )

export const routes = (store: Store): ReadonlyArray<Router.Route> => [
  addTagsToVault(store),
  listTagsForVault(store),
  removeTagsFromVault(store)
]
