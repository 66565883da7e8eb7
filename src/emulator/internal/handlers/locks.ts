/**
 * The operations on vault locks.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Policies from "../../../protocol/Policies.ts"
import * as Access from "../access.ts"
import type { Delays } from "../delays.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Ids from "../ids.ts"
import * as ParameterError from "../parameterError.ts"
import * as PolicyText from "../policyText.ts"
import * as Router from "../router.ts"
import type { Store } from "../store.ts"
import type { Lock } from "../vaultSettings.ts"

const lockNotFound = (vaultName: string): ErrorResponse.ErrorResponse =>
  ErrorResponse.notFound(`No vault lock policy is set for: ${vaultName}`)

const stateOf = (lock: Lock): "InProgress" | "Locked" => lock.expiresAt === undefined ? "Locked" : "InProgress"

const lockDenied = (lock: Lock, arn: string): ErrorResponse.ErrorResponse =>
  ErrorResponse.accessDenied(
    stateOf(lock) === "Locked"
      ? `The vault lock policy is locked and cannot be changed: ${arn}`
      : `A vault lock is in progress already: ${arn}`
  )

const initiateVaultLock = (store: Store, delays: Delays): Router.Route =>
  Router.route(Policies.InitiateVaultLock, ["policy"], ({ vaultName }, call) =>
    Effect.gen(function*() {
      const arn = call.arnPrefix + vaultName
      const policy = yield* PolicyText.of(call, "lock")
      const lockId = Policies.LockId.make(yield* Ids.short)
      yield* store.run((step) =>
        Either.gen(function*() {
          const { settings } = yield* Access.authorize(step, call, arn)
          if (settings.lock !== undefined) return yield* Either.left(lockDenied(settings.lock, arn))
          const expiresAt = delays.expiresAt(step.now, "Lock")
          step.commit({ _tag: "LockInitiated", at: step.now, vault: arn, lockId, policy, expiresAt })
        })
      )
      return { output: { lockId } }
    }))

const completeVaultLock = (store: Store): Router.Route =>
  Router.route(
    Policies.CompleteVaultLock,
    [],
    ({ lockId, vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const { lock } = (yield* Access.authorize(step, call, arn)).settings
          if (lock === undefined) return yield* Either.left(lockNotFound(vaultName))
          if (lock.id !== lockId) {
            return yield* Either.left(
              stateOf(lock) === "Locked" ? lockDenied(lock, arn) : ParameterError.invalid("lockId", lockId)
            )
          }
          if (stateOf(lock) === "InProgress") step.commit({ _tag: "LockCompleted", at: step.now, vault: arn })
          return { output: {} }
        })
      )
  )

const getVaultLock = (store: Store): Router.Route =>
  Router.route(
    Policies.GetVaultLock,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const { lock } = (yield* Access.authorize(step, call, call.arnPrefix + vaultName)).settings
          if (lock === undefined) return yield* Either.left(lockNotFound(vaultName))
          return {
            output: {
              creationDate: DateTime.unsafeMake(lock.createdAt),
              expirationDate: Option.map(Option.fromNullable(lock.expiresAt), (at) => DateTime.unsafeMake(at)),
              policy: lock.policy,
              state: stateOf(lock)
            }
          }
        })
      )
  )

const abortVaultLock = (store: Store): Router.Route =>
  Router.route(
    Policies.AbortVaultLock,
    [],
    ({ vaultName }, call) =>
      store.run((step) =>
        Either.gen(function*() {
          const arn = call.arnPrefix + vaultName
          const { lock } = (yield* Access.authorize(step, call, arn)).settings
          if (lock !== undefined && stateOf(lock) === "Locked") return yield* Either.left(lockDenied(lock, arn))
          if (lock !== undefined) step.commit({ _tag: "LockAborted", at: step.now, vault: arn })
          return { output: {} }
        })
      )
  )

export const routes = (store: Store, delays: Delays): ReadonlyArray<Router.Route> => [
  initiateVaultLock(store, delays),
  completeVaultLock(store),
  getVaultLock(store),
  abortVaultLock(store)
]
