/**
 * The cases of vault settings: notifications, tags, the access policy and the lock.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ServiceError from "../../../protocol/ServiceError.ts"
import { expect } from "../expect.ts"
import { type Case, test } from "./case.ts"
import { created, rejected, store, utf8 } from "./support.ts"

/** Makes a policy that denies an action, optionally under a condition. */
export const denying = (Resource: string, Action: string, Condition?: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Sid: "1", Principal: "*", Effect: "Deny", Action, Resource, Condition }]
  })

const snsTopic = "arn:aws:sns:us-east-1:123456789012:topic"

const tagged = (from: number, to: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`key ${from + i}`, `value ${from + i}`]))

export const settings: ReadonlyArray<Case> = [
  test("notifications are set, replaced, read and deleted", () =>
    Effect.gen(function*() {
      const { arnOf, glacier, vaultName } = yield* created("notifications")
      const none = rejected(
        glacier.getVaultNotifications({ vaultName }),
        ServiceError.NotificationsNotSet,
        `No notification configuration is set for vault: ${arnOf(vaultName)}`
      )
      yield* none
      for (
        const events of [
          ["ArchiveRetrievalCompleted"],
          ["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"]
        ] as const
      ) {
        yield* glacier.setVaultNotifications({ vaultName, configuration: { snsTopic, events } })
        expect(yield* glacier.getVaultNotifications({ vaultName })).toEqual({ snsTopic, events })
      }
      yield* glacier.deleteVaultNotifications({ vaultName })
      yield* glacier.deleteVaultNotifications({ vaultName })
      yield* none
    })),

  test("tags are added, overwritten and removed, and a vault has at most 50", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("tags")
      const listed = Effect.map(glacier.listTagsForVault({ vaultName }), ({ tags }) => tags)
      expect(yield* listed).toEqual({})
      yield* glacier.addTagsToVault({ vaultName, tags: { year: "2012", "é /=+-@._1": "" } })
      yield* glacier.addTagsToVault({ vaultName, tags: { year: "2013" } })
      expect(yield* listed).toEqual({ year: "2013", "é /=+-@._1": "" })
      yield* glacier.removeTagsFromVault({ vaultName, tagKeys: ["year", "never there"] })
      expect(yield* listed).toEqual({ "é /=+-@._1": "" })
      yield* glacier.removeTagsFromVault({ vaultName, tagKeys: ["é /=+-@._1"] })
      for (const ten of [0, 10, 20, 30, 40]) {
        yield* glacier.addTagsToVault({ vaultName, tags: tagged(ten, ten + 10) })
      }
      yield* rejected(glacier.addTagsToVault({ vaultName, tags: { another: "" } }), ServiceError.LimitExceeded, /50/)
      yield* glacier.addTagsToVault({ vaultName, tags: { "key 0": "changed" } })
      expect(yield* listed).toEqual({ ...tagged(0, 50), "key 0": "changed" })
    })),

  test("an access policy is stored unchanged, and denies what it says", () =>
    Effect.gen(function*() {
      const { arnOf, glacier, vaultName } = yield* created("access")
      const none = rejected(
        glacier.getVaultAccessPolicy({ vaultName }),
        ServiceError.AccessPolicyNotSet,
        `No vault access policy is set for: ${vaultName}`
      )
      yield* none
      const { archiveId } = yield* store(vaultName, utf8.encode("bytes"))
      const held = denying(arnOf(vaultName), "glacier:DeleteArchive", {
        StringEquals: { "glacier:ResourceTag/LegalHold": "true" }
      })
      yield* glacier.setVaultAccessPolicy({ vaultName, policy: denying(arnOf(vaultName), "glacier:ListJobs") })
      yield* rejected(glacier.listJobs({ vaultName }), ServiceError.AccessDenied, /glacier:ListJobs/)
      yield* glacier.setVaultAccessPolicy({ vaultName, policy: held })
      expect(yield* glacier.getVaultAccessPolicy({ vaultName })).toEqual({ policy: held })
      yield* glacier.listJobs({ vaultName })
      yield* glacier.addTagsToVault({ vaultName, tags: { LegalHold: "true" } })
      yield* rejected(glacier.deleteArchive({ vaultName, archiveId }), ServiceError.AccessDenied, /explicit deny/)
      yield* rejected(
        glacier.setVaultAccessPolicy({ vaultName, policy: "{}" }),
        ServiceError.InvalidParameterValue,
        /vault access policy is not valid/
      )
      yield* glacier.deleteVaultAccessPolicy({ vaultName })
      yield* glacier.deleteVaultAccessPolicy({ vaultName })
      yield* none
      yield* glacier.deleteArchive({ vaultName, archiveId })
    })),

  test("a vault lock is tried, aborted, and completed permanently", () =>
    Effect.gen(function*() {
      const { arnOf, glacier, vaultName } = yield* created("locks")
      const { archiveId } = yield* store(vaultName, utf8.encode("bytes"))
      const policy = denying(arnOf(vaultName), "glacier:DeleteArchive", {
        NumericLessThan: { "glacier:ArchiveAgeInDays": "365" }
      })
      const initiate = glacier.initiateVaultLock({ vaultName, policy })
      const complete = (lockId: string) => glacier.completeVaultLock({ vaultName, lockId })
      const abort = glacier.abortVaultLock({ vaultName })
      const get = glacier.getVaultLock({ vaultName })
      const deleted = glacier.deleteArchive({ vaultName, archiveId })

      yield* rejected(get, ServiceError.VaultLockNotSet)
      yield* rejected(complete("none"), ServiceError.VaultLockNotSet)
      yield* abort

      const { lockId: first } = yield* initiate
      const tried = yield* get
      expect(tried).toMatchObject({ policy, state: "InProgress" })
      expect(tried.expirationDate).toEqual(Option.some(DateTime.add(tried.creationDate, { hours: 24 })))
      yield* rejected(deleted, ServiceError.AccessDenied)
      yield* rejected(initiate, ServiceError.VaultLockInProgress, /in progress/)
      yield* rejected(complete("other"), ServiceError.InvalidParameterValue, "Invalid lockId: other")
      yield* abort
      yield* abort
      yield* rejected(get, ServiceError.VaultLockNotSet)

      const { lockId } = yield* initiate
      yield* rejected(complete(first), ServiceError.InvalidParameterValue)
      yield* complete(lockId)
      yield* complete(lockId)
      expect(yield* get).toMatchObject({ policy, state: "Locked", expirationDate: Option.none() })
      for (const change of [initiate, complete("other"), abort]) {
        yield* rejected<unknown, unknown, never>(change, ServiceError.VaultLocked, /locked and cannot be changed/)
      }
      yield* rejected(deleted, ServiceError.AccessDenied)
    }), "locks"),

  test("settings of a vault that does not exist cannot be changed or read", () =>
    Effect.gen(function*() {
      const { arnOf, glacier } = yield* created("settings")
      const vaultName = "no-such-vault"
      const policy = denying(arnOf(vaultName), "*")
      for (
        const call of [
          glacier.setVaultNotifications({
            vaultName,
            configuration: { snsTopic, events: ["ArchiveRetrievalCompleted"] }
          }),
          glacier.getVaultNotifications({ vaultName }),
          glacier.deleteVaultNotifications({ vaultName }),
          glacier.setVaultAccessPolicy({ vaultName, policy }),
          glacier.getVaultAccessPolicy({ vaultName }),
          glacier.deleteVaultAccessPolicy({ vaultName }),
          glacier.initiateVaultLock({ vaultName, policy }),
          glacier.completeVaultLock({ vaultName, lockId: "none" }),
          glacier.getVaultLock({ vaultName }),
          glacier.abortVaultLock({ vaultName }),
          glacier.addTagsToVault({ vaultName, tags: { key: "" } }),
          glacier.listTagsForVault({ vaultName }),
          glacier.removeTagsFromVault({ vaultName, tagKeys: ["key"] })
        ]
      ) {
        yield* rejected<unknown, unknown, never>(
          call,
          ServiceError.VaultNotFound,
          `Vault not found for ARN: ${arnOf(vaultName)}`
        )
      }
    }))
]
