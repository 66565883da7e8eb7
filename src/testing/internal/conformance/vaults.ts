/**
 * The cases of vaults: creating, listing and deleting them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Pages from "../../../client/Pages.ts"
import * as Limits from "../../../protocol/Limits.ts"
import * as ServiceError from "../../../protocol/ServiceError.ts"
import * as Vault from "../../../services/Vault.ts"
import { expect } from "../expect.ts"
import { type Case, test } from "./case.ts"
import { all, created, mebibyte, ramp, rejected, store, treeHash } from "./support.ts"

export const vaults: ReadonlyArray<Case> = [
  test("vaults are created, described, listed in pages and deleted", () =>
    Effect.gen(function*() {
      const { account, arnOf, glacier, vaultName: prefix } = yield* created("vaults")
      const names = Array.from({ length: 13 }, (_, index) => `${prefix}-${String(index).padStart(2, "0")}`)
      const vaultName = `${prefix}-00`
      yield* Effect.forEach(names, (vaultName) => glacier.createVault({ vaultName }))
      const again = yield* glacier.createVault({ accountId: account, vaultName })
      expect(again.location).toEqual(Option.some(`/${account}/vaults/${vaultName}`))
      expect(yield* glacier.describeVault({ vaultName })).toMatchObject({
        vaultName,
        vaultArn: arnOf(vaultName),
        lastInventoryDate: Option.none(),
        numberOfArchives: Option.some(0),
        sizeInBytes: Option.some(0)
      })
      const first = yield* glacier.listVaults({ limit: 4 })
      const second = yield* glacier.listVaults({ limit: 4, marker: Option.getOrThrow(first.marker) })
      expect([first.vaults.length, second.vaults.length]).toEqual([4, 4])
      const eight = yield* all(Stream.take(Pages.vaults(), 8))
      expect(eight.map((one) => one.vaultName)).toEqual(
        [...first.vaults, ...second.vaults].map((one) => one.vaultName)
      )
      expect((yield* glacier.listVaults({ limit: 1_000 })).vaults.length).toEqual(Limits.vaultPage)
      const listed = yield* all(Stream.filter(Pages.vaults(), (one) => one.vaultName.startsWith(`${prefix}-`)))
      expect(listed.map((one) => one.vaultName)).toEqual(names)
      yield* Effect.forEach(names, (vaultName) => glacier.deleteVault({ vaultName }))
      const gone = yield* rejected(
        glacier.describeVault({ vaultName }),
        ServiceError.VaultNotFound,
        `Vault not found for ARN: ${arnOf(vaultName)}`
      )
      expect(gone).toMatchObject({ _tag: "VaultNotFound", status: 404, operation: "DescribeVault" })
      yield* glacier.deleteVault({ vaultName })
    })),

  test(
    "a vault with an archive has an inventory and cannot be deleted",
    () =>
      Effect.gen(function*() {
        const { account, arnOf, glacier, vaultName } = yield* created("archives")
        const body = ramp(3 * mebibyte + 17)
        const description = "a  \"quoted\", spaced \\ name ~ and more"
        const archive = yield* store(vaultName, body, description)
        expect(archive).toEqual({
          archiveId: archive.archiveId,
          location: Option.some(`/${account}/vaults/${vaultName}/archives/${archive.archiveId}`),
          treeHash: Option.some(treeHash(body))
        })
        const vault = yield* Vault.make(vaultName)
        const inventory = yield* Effect.flatMap(vault.retrieveInventory(), (job) => job.inventory)
        expect(inventory.vaultArn).toEqual(arnOf(vaultName))
        expect(yield* all(inventory.archives())).toMatchObject([
          {
            archiveId: archive.archiveId,
            description,
            size: body.length,
            treeHash: treeHash(body)
          }
        ])
        expect(yield* glacier.describeVault({ vaultName })).toMatchObject({
          numberOfArchives: Option.some(1),
          sizeInBytes: Option.some(body.length + Limits.archiveOverhead)
        })
        yield* rejected(
          glacier.deleteVault({ vaultName }),
          ServiceError.VaultNotEmpty,
          `Vault not empty or recently written to: ${arnOf(vaultName)}`
        )
        yield* glacier.deleteArchive({ vaultName, archiveId: archive.archiveId })
        yield* glacier.deleteArchive({ vaultName, archiveId: archive.archiveId })
        yield* glacier.deleteVault({ vaultName })
      }),
    "inventories",
    "jobs"
  )
]
