/**
 * The operations on an account: data-retrieval policy and provisioned capacity.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Accounts from "../../../protocol/Accounts.ts"
import * as Account from "../account.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Ids from "../ids.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { Store } from "../store.ts"

const maximumUnits = 2

// Adds a calendar month, up to the last day of a shorter month, and rounds to seconds.
const monthAfter = (at: number): number => {
  const later = DateTime.toEpochMillis(DateTime.add(DateTime.unsafeMake(at), { months: 1 }))
  return Math.round(later / 1000) * 1000
}

const setDataRetrievalPolicy = (store: Store): Router.Route =>
  Router.route(
    Accounts.SetDataRetrievalPolicy,
    [],
    ({ policy }, call) =>
      store.run((step) => {
        const [rule] = policy.rules
        step.commit({ _tag: "RetrievalPolicySet", at: step.now, place: call.arnPrefix, ...rule })
        return Either.right({ output: {} })
      })
  )

const getDataRetrievalPolicy = (store: Store): Router.Route =>
  Router.route(
    Accounts.GetDataRetrievalPolicy,
    [],
    (_, call) =>
      store.run(({ state }) => {
        const { bytesPerHour, strategy } = State.accountOf(state, call.arnPrefix)
        const rule = bytesPerHour === undefined ? { strategy } : { bytesPerHour, strategy }
        return Either.right({ output: { policy: { rules: [rule] as const } } })
      })
  )

const purchaseProvisionedCapacity = (store: Store): Router.Route =>
  Router.route(Accounts.PurchaseProvisionedCapacity, [], (_, call) =>
    Effect.gen(function*() {
      const capacityId = Accounts.CapacityId.make(yield* Ids.short)
      yield* store.run((step) => {
        const { now } = step
        if (Account.unitsOf(State.accountOf(step.state, call.accountId), now).length >= maximumUnits) {
          return Either.left(
            ErrorResponse.limitExceeded(`An account may have at most ${maximumUnits} units of provisioned capacity.`)
          )
        }
        step.commit({
          _tag: "CapacityPurchased",
          at: now,
          place: call.accountId,
          capacityId,
          expiresAt: monthAfter(now)
        })
        return Either.void
      })
      return { output: { capacityId } }
    }))

const listProvisionedCapacity = (store: Store): Router.Route =>
  Router.route(
    Accounts.ListProvisionedCapacity,
    [],
    (_, call) =>
      store.run(({ now, state }) => {
        const units = Account.unitsOf(State.accountOf(state, call.accountId), now)
        return Either.right({
          output: {
            units: units.map(({ expiresAt, id, startsAt }) => ({
              capacityId: id,
              expirationDate: DateTime.unsafeMake(expiresAt),
              startDate: DateTime.unsafeMake(startsAt)
            }))
          }
        })
      })
  )

export const routes = (store: Store): ReadonlyArray<Router.Route> => [
  setDataRetrievalPolicy(store),
  getDataRetrievalPolicy(store),
  purchaseProvisionedCapacity(store),
  listProvisionedCapacity(store)
]
