/** The lock of a vault: none, in progress for a day, locked for good. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import { agree, calling, day, hour, responds, type Timed, vaultName, waits } from "./support.ts"

interface Model extends Timed {
  lock: { readonly id: string; readonly until: number | undefined } | undefined
  readonly ids: Array<string>
}

const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{
    Sid: "1",
    Principal: "*",
    Effect: "Deny",
    Action: "glacier:DeleteArchive",
    Resource: `arn:aws:glacier:us-east-1:123456789012:vaults/${vaultName}`
  }]
})

/** The lock as it is at this time. */
const lockOf = (model: Model) => {
  if (model.lock?.until !== undefined && model.lock.until <= model.now) model.lock = undefined
  return model.lock
}

const initiate = calling<Model>(
  "initiate",
  (model, glacier) =>
    responds(
      glacier.initiateVaultLock({ vaultName, policy }),
      lockOf(model) !== undefined
        ? model.lock?.until === undefined ? "VaultLocked" : "VaultLockInProgress"
        : ({ lockId }) => {
          model.lock = { id: lockId, until: model.now + day }
          model.ids.push(lockId)
        }
    )
)

const complete = FastCheck.nat({ max: 3 }).map((back) =>
  calling<Model>(`complete, ${back} back`, (model, glacier) => {
    const lock = lockOf(model)
    const lockId = model.ids.at(-1 - back) ?? "none"
    const isIts = lock?.id === lockId
    return responds(
      glacier.completeVaultLock({ vaultName, lockId }),
      lock === undefined
        ? "VaultLockNotSet"
        : isIts
        ? () => void (model.lock = { ...lock, until: undefined })
        : lock.until === undefined
        ? "VaultLocked"
        : "InvalidParameterValue"
    )
  })
)

const abort = calling<Model>("abort", (model, glacier) =>
  responds(
    glacier.abortVaultLock({ vaultName }),
    lockOf(model) !== undefined && model.lock?.until === undefined
      ? "VaultLocked"
      : () => void (model.lock = undefined)
  ))

const get = calling<Model>("get", (model, glacier) => {
  const lock = lockOf(model)
  return responds(
    glacier.getVaultLock({ vaultName }),
    lock === undefined ? "VaultLockNotSet" : (response) => {
      expect(response).toMatchObject({ policy, state: lock.until === undefined ? "Locked" : "InProgress" })
      expect(Option.isSome(response.expirationDate)).toBe(lock.until !== undefined)
    }
  )
})

const deleteArchive = calling<Model>("delete an archive", (model, glacier) =>
  responds(
    glacier.deleteArchive({ vaultName, archiveId: "none" }),
    lockOf(model) === undefined ? () => {} : "AccessDenied"
  ))

describe("the model of a vault lock", () => {
  it("predicts the emulator's responses to calls for a vault lock", () =>
    agree(() => ({ now: 0, lock: undefined, ids: [] }), [
      FastCheck.constantFrom(initiate, abort, get, deleteArchive),
      complete,
      waits([1, hour, 23 * hour, day - 1, day])
    ]))
})
