import * as Aws from "@aws-sdk/client-glacier"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { call } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { created, denied, invalid, inVault, notFound, Sdk, stored } = Support

const bytes = Buffer.from("bytes")

const arnOf = ({ vaultName }: Support.Vault) => `arn:aws:glacier:us-east-1:${Support.account}:vaults/${vaultName}`

/** Returns the text of a policy that denies an action on a vault. */
const denial = (vault: Support.Vault, action: string, condition?: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Sid: "denial",
      Principal: "*",
      Effect: "Deny",
      Action: `glacier:${action}`,
      Resource: arnOf(vault),
      ...(condition && { Condition: condition })
    }]
  })

export const settings = (it: Support.It) => {
  it.scoped("adds, changes, lists and removes tags", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "tags")
      const tags = Effect.map(call(() => glacier.listTagsForVault(vault)), ({ Tags }) => Tags)
      expect(yield* tags).toEqual({})
      yield* call(() => glacier.addTagsToVault({ ...vault, Tags: { project: "a", "größe/1": "" } }))
      yield* call(() => glacier.addTagsToVault({ ...vault, Tags: { project: "b", owner: "me@example.com" } }))
      expect(yield* tags).toEqual({ project: "b", "größe/1": "", owner: "me@example.com" })
      for (let times = 0; times < 2; times++) {
        yield* call(() => glacier.removeTagsFromVault({ ...vault, TagKeys: ["owner", "größe/1"] }))
        expect(yield* tags).toEqual({ project: "b" })
      }
      for (const Tags of [{}, { "aws:key": "value" }, { "a!": "b" }, { key: "v".repeat(256) }]) {
        yield* invalid(() => glacier.addTagsToVault({ ...vault, Tags }), /^Invalid Tags/)
      }
      yield* invalid(() => glacier.removeTagsFromVault({ ...vault, TagKeys: [] }), /^Invalid TagKeys/)
      yield* Support.missing(() => glacier.addTagsToVault(vault), "Required parameter missing: Tags")
    }))

  it.scoped("rejects more than 50 tags on a vault", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "many-tags")
      const add = (prefix: string, count: number) =>
        glacier.addTagsToVault({
          ...vault,
          Tags: Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}-${i}`, "value"]))
        })
      for (const prefix of ["a", "b", "c", "d"]) yield* call(() => add(prefix, 10))
      yield* call(() => add("e", 9))
      yield* Support.rejected(() => add("f", 2), Aws.LimitExceededException, 400, /at most 50 tags/)
      yield* call(() => add("f", 1))
      yield* call(() => add("a", 10))
      expect(Object.keys((yield* call(() => glacier.listTagsForVault(vault))).Tags!)).toHaveLength(50)
      yield* invalid(() => add("g", 11), /^Invalid Tags/)
    }))

  it.scoped("sets, replaces and twice deletes a notification configuration", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "notifications")
      const SNSTopic = `arn:aws:sns:us-east-1:${Support.account}:topic`
      const absent = notFound(
        () => glacier.getVaultNotifications(vault),
        `No notification configuration is set for vault: ${arnOf(vault)}`
      )
      yield* absent
      for (
        const Events of [["InventoryRetrievalCompleted"], ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"]]
      ) {
        const vaultNotificationConfig = { SNSTopic, Events }
        yield* call(() => glacier.setVaultNotifications({ ...vault, vaultNotificationConfig }))
        const got = yield* call(() => glacier.getVaultNotifications(vault))
        expect(got.vaultNotificationConfig).toEqual(vaultNotificationConfig)
      }
      for (let times = 0; times < 2; times++) yield* call(() => glacier.deleteVaultNotifications(vault))
      yield* absent
      for (
        const [wrong, message] of [
          [{ SNSTopic, Events: ["Unknown"] }, /^Invalid Events.*Unknown$/],
          [{ SNSTopic, Events: [] }, /^Invalid Events/],
          [{ SNSTopic: "", Events: ["InventoryRetrievalCompleted"] }, /^Invalid SNSTopic/],
          [{ SNSTopic: "topic", Events: ["InventoryRetrievalCompleted"] }, /^Invalid SNSTopic: topic$/]
        ] as const
      ) {
        yield* invalid(
          () =>
            glacier.setVaultNotifications({
              ...vault,
              vaultNotificationConfig: { ...wrong, Events: [...wrong.Events] }
            }),
          message
        )
      }
    }))

  it.scoped("sets, enforces and twice deletes an access policy", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "access-policy")
      const archiveId = yield* stored(glacier, vault, bytes)
      const absent = notFound(
        () => glacier.getVaultAccessPolicy(vault),
        "No vault access policy is set for: access-policy"
      )
      yield* absent
      const policy = { Policy: denial(vault, "DeleteArchive") }
      yield* call(() => glacier.setVaultAccessPolicy({ ...vault, policy }))
      expect((yield* call(() => glacier.getVaultAccessPolicy(vault))).policy).toEqual(policy)
      yield* denied(
        () => glacier.deleteArchive({ ...vault, archiveId }),
        /is not authorized to perform: glacier:DeleteArchive on resource: .* with an explicit deny/
      )
      for (let times = 0; times < 2; times++) yield* call(() => glacier.deleteVaultAccessPolicy(vault))
      yield* absent
      yield* call(() => glacier.deleteArchive({ ...vault, archiveId }))
      for (const Policy of ["", "{", "[]", "{}"]) {
        yield* invalid(
          () => glacier.setVaultAccessPolicy({ ...vault, policy: { Policy } }),
          "The vault access policy is not valid. Please provide a valid vault access policy."
        )
      }
    }))

  it.scoped("enforces an access policy by the tags of the vault", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "tagged")
      const archiveId = yield* stored(glacier, vault, bytes)
      const Policy = denial(vault, "DeleteArchive", { StringEquals: { "glacier:ResourceTag/LegalHold": "true" } })
      yield* call(() => glacier.setVaultAccessPolicy({ ...vault, policy: { Policy } }))
      yield* call(() => glacier.addTagsToVault({ ...vault, Tags: { LegalHold: "true" } }))
      yield* denied(() => glacier.deleteArchive({ ...vault, archiveId }), /glacier:DeleteArchive/)
      yield* call(() => glacier.addTagsToVault({ ...vault, Tags: { LegalHold: "false" } }))
      const { $metadata } = yield* call(() => glacier.deleteArchive({ ...vault, archiveId }))
      expect($metadata.httpStatusCode).toBe(204)
    }))

  it.scoped("initiates, aborts and completes vault locks", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "lock")
      const archiveId = yield* stored(glacier, vault, bytes)
      const policy = {
        Policy: denial(vault, "DeleteArchive", { NumericLessThan: { "glacier:ArchiveAgeInDays": "365" } })
      }
      const initiate = () => glacier.initiateVaultLock({ ...vault, policy })
      const remove = () => glacier.deleteArchive({ ...vault, archiveId })
      const absent = notFound(() => glacier.getVaultLock(vault), "No vault lock policy is set for: lock")
      yield* absent

      const first = yield* call(initiate)
      expect(first.$metadata.httpStatusCode).toBe(201)
      const { $metadata: _, ...tried } = yield* call(() => glacier.getVaultLock(vault))
      expect(tried).toEqual({
        CreationDate: expect.any(String),
        ExpirationDate: expect.any(String),
        Policy: policy.Policy,
        State: "InProgress"
      })
      expect(Date.parse(tried.ExpirationDate!) - Date.parse(tried.CreationDate!)).toBe(86_400_000)
      yield* denied(initiate, /^A vault lock is in progress already: arn:/)
      yield* denied(remove, /glacier:DeleteArchive/)
      yield* invalid(() => glacier.completeVaultLock({ ...vault, lockId: "wrong" }), "Invalid lockId: wrong")
      for (let times = 0; times < 2; times++) yield* call(() => glacier.abortVaultLock(vault))
      yield* absent
      yield* notFound(() => glacier.completeVaultLock({ ...vault, lockId: first.lockId }), /^No vault lock policy/)

      const { lockId } = yield* call(initiate)
      expect(lockId).not.toBe(first.lockId)
      for (let times = 0; times < 2; times++) yield* call(() => glacier.completeVaultLock({ ...vault, lockId }))
      const locked = yield* call(() => glacier.getVaultLock(vault))
      expect(locked).toMatchObject({ Policy: policy.Policy, State: "Locked" })
      expect(locked.ExpirationDate).toBeUndefined()
      const forGood = /^The vault lock policy is locked and cannot be changed: arn:/
      yield* denied(initiate, forGood)
      yield* denied(() => glacier.abortVaultLock(vault), forGood)
      yield* denied(() => glacier.completeVaultLock({ ...vault, lockId: first.lockId }), forGood)
      yield* denied(remove, /glacier:DeleteArchive/)
      yield* invalid(
        () => glacier.initiateVaultLock({ ...inVault("lock"), policy: { Policy: "{" } }),
        "The vault lock policy is not valid. Please provide a valid vault lock policy."
      )
    }))

  it.scoped("does not find the settings of a missing vault", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("missing")
      const policy = { Policy: denial(vault, "DeleteArchive") }
      const SNSTopic = `arn:aws:sns:us-east-1:${Support.account}:topic`
      const vaultNotificationConfig = { SNSTopic, Events: ["ArchiveRetrievalCompleted"] }
      for (
        const run of [
          () => glacier.addTagsToVault({ ...vault, Tags: { key: "value" } }),
          () => glacier.listTagsForVault(vault),
          () => glacier.removeTagsFromVault({ ...vault, TagKeys: ["key"] }),
          () => glacier.setVaultNotifications({ ...vault, vaultNotificationConfig }),
          () => glacier.getVaultNotifications(vault),
          () => glacier.deleteVaultNotifications(vault),
          () => glacier.setVaultAccessPolicy({ ...vault, policy }),
          () => glacier.getVaultAccessPolicy(vault),
          () => glacier.deleteVaultAccessPolicy(vault),
          () => glacier.initiateVaultLock({ ...vault, policy }),
          () => glacier.getVaultLock(vault),
          () => glacier.abortVaultLock(vault),
          () => glacier.completeVaultLock({ ...vault, lockId: "lock" })
        ]
      ) yield* notFound(run, `Vault not found for ARN: ${arnOf(vault)}`)
    }))
}
