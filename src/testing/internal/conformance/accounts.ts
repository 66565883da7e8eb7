/**
 * The cases of account settings: the data-retrieval policy and provisioned capacity.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as ServiceError from "../../../protocol/ServiceError.ts"
import { expect } from "../expect.ts"
import { type Case, test } from "./case.ts"
import { created, mebibyte, ramp, rejected, retrieve, store } from "./support.ts"

export const accounts: ReadonlyArray<Case> = [
  test(
    "the data-retrieval policy of an account is enforced",
    () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("data-retrieval")
        const { archiveId } = yield* store(vaultName, ramp(mebibyte + 1))
        const get = Effect.map(glacier.getDataRetrievalPolicy({}), ({ policy }) => policy)
        const unlimited = { rules: [{ strategy: "None" }] } as const
        const expectSet = Effect.fnUntraced(
          function*(policy: Parameters<typeof glacier.setDataRetrievalPolicy>[0]["policy"]) {
            yield* glacier.setDataRetrievalPolicy({ policy })
            expect(yield* get).toEqual(policy)
          }
        )
        expect(yield* get).toEqual(unlimited)
        yield* Effect.gen(function*() {
          yield* expectSet({ rules: [{ strategy: "BytesPerHour", bytesPerHour: mebibyte }] })
          const enforced = yield* rejected(
            retrieve(vaultName, archiveId),
            ServiceError.PolicyEnforced,
            "InitiateJob request denied by current data retrieval policy."
          )
          expect(enforced).toMatchObject({ _tag: "PolicyEnforced", status: 400 })
          yield* retrieve(vaultName, archiveId, { tier: "Bulk" })
          yield* expectSet({ rules: [{ strategy: "BytesPerHour", bytesPerHour: Number.MAX_SAFE_INTEGER }] })
          yield* retrieve(vaultName, archiveId)
          yield* expectSet({ rules: [{ strategy: "FreeTier" }] })
          yield* retrieve(vaultName, archiveId)
        }).pipe(Effect.ensuring(Effect.orDie(expectSet(unlimited))))
        yield* retrieve(vaultName, archiveId)
      }),
    "account",
    "jobs"
  ),

  test("provisioned capacity lasts a month, and an account has at most two units", () =>
    Effect.gen(function*() {
      const { account, glacier } = yield* created("capacity")
      expect(yield* glacier.listProvisionedCapacity({})).toEqual({ units: [] })
      const first = yield* glacier.purchaseProvisionedCapacity({})
      const second = yield* glacier.purchaseProvisionedCapacity({ accountId: account })
      yield* rejected(glacier.purchaseProvisionedCapacity({}), ServiceError.LimitExceeded, /at most 2 units/)
      const { units } = yield* glacier.listProvisionedCapacity({})
      expect(units.map(({ capacityId }) => capacityId)).toEqual([first.capacityId, second.capacityId])
      for (const { expirationDate, startDate } of units) {
        const month = DateTime.distance(DateTime.add(startDate, { months: 1 }), expirationDate)
        expect(Math.abs(month) < 1_000).toEqual(true)
      }
    }), "account")
]
