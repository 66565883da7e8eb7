import * as Aws from "@aws-sdk/client-glacier"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { call, mebibyte, ramp } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { created, emulated, invalid, stored } = Support

const here = { accountId: "-" }

/** Starts an emulator with an archive of 1 MiB, and returns a function that retrieves one by tier. */
const withArchive = (options: Parameters<typeof emulated>[0]) =>
  Effect.gen(function*() {
    const glacier = yield* emulated(options)
    const vault = yield* created(glacier, "vault")
    const archiveId = yield* stored(glacier, vault, ramp(mebibyte))
    const retrieve = (Tier: string) =>
      glacier.initiateJob({ ...vault, jobParameters: { Type: "archive-retrieval", ArchiveId: archiveId, Tier } })
    return { glacier, retrieve }
  })

export const account = (it: Support.It) => {
  it.scoped("sets, gets and enforces the data-retrieval policy", () =>
    Effect.gen(function*() {
      const { glacier, retrieve } = yield* withArchive({})
      const rule = Effect.map(call(() => glacier.getDataRetrievalPolicy(here)), ({ Policy }) => Policy?.Rules)
      const set = (...Rules: Array<Aws.DataRetrievalRule>) =>
        glacier.setDataRetrievalPolicy({ ...here, Policy: { Rules } })
      expect(yield* rule).toEqual([{ Strategy: "None" }])
      for (const strategy of [{ Strategy: "FreeTier" }, { Strategy: "BytesPerHour", BytesPerHour: 1.5 * mebibyte }]) {
        yield* call(() => set(strategy))
        expect(yield* rule).toEqual([strategy])
      }
      yield* call(() => retrieve("Standard"))
      yield* Support.rejected(
        () => retrieve("Standard"),
        Aws.PolicyEnforcedException,
        400,
        "InitiateJob request denied by current data retrieval policy."
      )
      yield* call(() => retrieve("Bulk"))
      yield* call(() => set({ Strategy: "None" }))
      expect((yield* call(() => retrieve("Standard"))).jobId).toMatch(/^[\w-]{92}$/)

      yield* invalid(() => set({ Strategy: "BytesPerHour" }), /^Invalid /)
      yield* invalid(() => set({ Strategy: "None", BytesPerHour: 1 }), /^Invalid /)
      yield* invalid(() => set({ Strategy: "All" }), /^Invalid .*All/)
      yield* invalid(() => set(), /^Invalid /)
      yield* invalid(() => set({ Strategy: "None" }, { Strategy: "None" }), /^Invalid /)
      expect(yield* rule).toEqual([{ Strategy: "None" }])
    }))

  it.scoped("buys and lists provisioned capacity, which allows large Expedited retrievals", () =>
    Effect.gen(function*() {
      const { glacier, retrieve } = yield* withArchive({ expeditedLimit: mebibyte - 1 })
      const units = Effect.map(
        call(() => glacier.listProvisionedCapacity(here)),
        ({ ProvisionedCapacityList }) => ProvisionedCapacityList
      )
      const purchase = () => glacier.purchaseProvisionedCapacity(here)
      expect(yield* units).toEqual([])
      yield* Support.rejected(
        () => retrieve("Expedited"),
        Aws.InsufficientCapacityException,
        503,
        /^There is insufficient capacity/
      )
      yield* call(() => retrieve("Standard"))
      const { $metadata, capacityId } = yield* call(purchase)
      expect($metadata.httpStatusCode).toBe(201)
      expect((yield* call(() => retrieve("Expedited"))).jobId).toMatch(/^[\w-]{92}$/)

      const second = yield* call(purchase)
      const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(yield* units).toEqual([capacityId, second.capacityId].map((CapacityId) => ({
        CapacityId,
        StartDate: date,
        ExpirationDate: date
      })))
      yield* Support.rejected(purchase, Aws.LimitExceededException, 400, /at most 2 units/)
    }))
}
