/** Conformance of delays and lifetimes of hours and days, in virtual time and with the delays of the real service. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Pages from "../../src/client/Pages.ts"
import type * as Jobs from "../../src/protocol/Jobs.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { denying } from "../../src/testing/internal/conformance/settings.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import {
  all,
  arnOf,
  collect,
  created,
  mebibyte,
  putPart,
  ramp,
  rejected,
  retrieve,
  started,
  store
} from "./suite/support.ts"

const glacier = TestGlacier.layer()

const minute = 60_000

describe("Glacier over time", () => {
  it.effect("completes jobs after the delay of their tier, and keeps them for a day", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("jobs")
      const { archiveId } = yield* store(vaultName, ramp(3))
      for (const [tier, minutes] of [["Expedited", 5], ["Standard", 240], ["Bulk", 480]] as const) {
        const job = yield* retrieve(vaultName, archiveId, { tier })
        const statusAfter = (millis: number) =>
          Effect.zipRight(
            TestClock.adjust(millis),
            Effect.map(glacier.describeJob(job), ({ statusCode }) => statusCode)
          )
        expect(yield* statusAfter(minutes * minute - 1)).toBe("InProgress" satisfies typeof Jobs.StatusCode.Type)
        expect(yield* all(Pages.jobs({ vaultName, completed: false }))).toMatchObject([{ jobId: job.jobId }])
        yield* rejected(glacier.getJobOutput(job), ServiceError.JobNotReady)
        expect(yield* statusAfter(1)).toBe("Succeeded")
        yield* TestClock.adjust(24 * 60 * minute - 1)
        expect((yield* collect((yield* glacier.getJobOutput(job)).body)).length).toBe(3)
        yield* TestClock.adjust(1)
        yield* rejected(glacier.getJobOutput(job), ServiceError.JobNotFound, /24 hours after completion/)
        expect(yield* all(Pages.jobs({ vaultName }))).toEqual([])
      }
    }).pipe(Effect.provide(glacier)))

  it.effect("takes the inventory of a vault once a day", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("inventory")
      const { archiveId } = yield* store(vaultName, ramp(3))
      const inventory = started(vaultName, { type: "inventory-retrieval" })
      const archives = Effect.map(glacier.describeVault({ vaultName }), ({ numberOfArchives }) => numberOfArchives)
      yield* TestClock.adjust(24 * 60 * minute - 1)
      yield* rejected(inventory, ServiceError.InventoryNotReady, /no initial inventory/)
      yield* rejected(glacier.deleteVault({ vaultName }), ServiceError.VaultNotEmpty)
      yield* TestClock.adjust(1)
      expect(yield* archives).toEqual(Option.some(1))
      yield* glacier.deleteArchive({ vaultName, archiveId })
      expect(yield* archives).toEqual(Option.some(1))
      const job = yield* inventory
      yield* TestClock.adjust("4 hours")
      const { body } = yield* glacier.getJobOutput(job)
      expect(Buffer.from(yield* collect(body)).toString()).toContain(archiveId)
      yield* rejected(glacier.deleteVault({ vaultName }), ServiceError.VaultNotEmpty, /recently written to/)
      yield* TestClock.adjust("20 hours")
      expect(yield* archives).toEqual(Option.some(0))
      yield* glacier.deleteVault({ vaultName })
    }).pipe(Effect.provide(glacier)))

  it.effect("drops an upload a day after its last part", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("uploads")
      const { uploadId } = yield* glacier.initiateMultipartUpload({ vaultName, partSize: mebibyte })
      yield* TestClock.adjust("23 hours")
      yield* putPart(vaultName, uploadId, 0, ramp(3))
      yield* TestClock.adjust(Limits.lifetimeMillis - 1)
      expect((yield* glacier.listParts({ vaultName, uploadId })).parts.length).toBe(1)
      yield* TestClock.adjust(1)
      yield* rejected(putPart(vaultName, uploadId, 0, ramp(3)), ServiceError.UploadNotFound)
      expect(yield* all(Pages.uploads({ vaultName }))).toEqual([])
    }).pipe(Effect.provide(glacier)))

  it.effect("drops a vault lock that is not completed within a day", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("locks")
      const { archiveId } = yield* store(vaultName, ramp(3))
      const deleted = glacier.deleteArchive({ vaultName, archiveId })
      const initiate = glacier.initiateVaultLock({
        vaultName,
        policy: denying(arnOf(vaultName), "glacier:DeleteArchive")
      })
      const { lockId } = yield* initiate
      yield* TestClock.adjust(24 * 60 * minute - 1)
      yield* rejected(deleted, ServiceError.AccessDenied)
      yield* TestClock.adjust(1)
      yield* rejected(glacier.getVaultLock({ vaultName }), ServiceError.VaultLockNotSet)
      yield* rejected(glacier.completeVaultLock({ vaultName, lockId }), ServiceError.VaultLockNotSet)
      const { lockId: second } = yield* initiate
      yield* glacier.completeVaultLock({ vaultName, lockId: second })
      yield* TestClock.adjust("3650 days")
      expect(yield* glacier.getVaultLock({ vaultName })).toMatchObject({ state: "Locked" })
      yield* rejected(deleted, ServiceError.AccessDenied)
    }).pipe(Effect.provide(glacier)))

  it.effect("allows deletions again after the time that a vault lock sets", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("ages")
      const { archiveId } = yield* store(vaultName, ramp(3))
      const { lockId } = yield* glacier.initiateVaultLock({
        vaultName,
        policy: denying(arnOf(vaultName), "glacier:DeleteArchive", {
          NumericLessThan: { "glacier:ArchiveAgeInDays": "365" }
        })
      })
      yield* glacier.completeVaultLock({ vaultName, lockId })
      yield* TestClock.adjust(365 * 24 * 60 * minute - 1)
      yield* rejected(glacier.deleteArchive({ vaultName, archiveId }), ServiceError.AccessDenied)
      yield* TestClock.adjust(1)
      yield* glacier.deleteArchive({ vaultName, archiveId })
      yield* rejected(retrieve(vaultName, archiveId), ServiceError.ArchiveNotFound)
    }).pipe(Effect.provide(glacier)))

  it.effect("counts bytes per hour for an hour, and capacity for a month", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const { vaultName } = yield* created("accounts")
      const { archiveId } = yield* store(vaultName, ramp(3))
      yield* glacier.setDataRetrievalPolicy({ policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 5 }] } })
      yield* retrieve(vaultName, archiveId)
      yield* TestClock.adjust(60 * minute - 1)
      yield* rejected(retrieve(vaultName, archiveId), ServiceError.PolicyEnforced)
      yield* TestClock.adjust(1)
      yield* retrieve(vaultName, archiveId)

      yield* glacier.purchaseProvisionedCapacity({})
      yield* glacier.purchaseProvisionedCapacity({})
      yield* rejected(glacier.purchaseProvisionedCapacity({}), ServiceError.LimitExceeded)
      yield* TestClock.adjust("31 days")
      expect(yield* glacier.listProvisionedCapacity({})).toEqual({ units: [] })
      yield* glacier.purchaseProvisionedCapacity({})
    }).pipe(Effect.provide(glacier)))
})
