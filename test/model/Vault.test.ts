/** Vaults: made, filled, emptied and deleted, with an inventory that is a day behind. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Option } from "effect"
import * as Limits from "../../src/protocol/Limits.ts"
import { store } from "../../src/testing/internal/conformance/support.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import { agree, calling, day, hour, responds, type Timed, waits } from "./support.ts"

interface Inventory {
  readonly count: number
  readonly bytes: number
}

interface Vault {
  /** Sizes by id. */
  readonly archives: Map<string, number>
  inventory: Inventory | undefined
  /** When the next inventory is taken; none while nothing has been written since the last. */
  due: number | undefined
}

interface Model extends Timed {
  readonly vaults: Map<string, Vault>
}

const taken = ({ archives }: Vault): Inventory => ({
  count: archives.size,
  bytes: Array.from(archives.values()).reduce((sum, size) => sum + size + Limits.archiveOverhead, 0)
})

const take = (vault: Vault): void => {
  vault.inventory = taken(vault)
  vault.due = undefined
}

/** The vault as it is at this time. */
const vaultOf = (model: Model, name: string): Vault | undefined => {
  const vault = model.vaults.get(name)
  if (vault?.due !== undefined && vault.due <= model.now) take(vault)
  return vault
}

const named = (command: (vaultName: string) => ReturnType<typeof calling<Model>>) =>
  FastCheck.constantFrom("left", "right").map(command)

const create = named((vaultName) =>
  calling(`create ${vaultName}`, (model, glacier) =>
    responds(glacier.createVault({ vaultName }), () => {
      if (vaultOf(model, vaultName) !== undefined) return
      model.vaults.set(vaultName, { archives: new Map(), inventory: undefined, due: undefined })
    }))
)

const remove = named((vaultName) =>
  calling(`delete ${vaultName}`, (model, glacier) => {
    const vault = vaultOf(model, vaultName)
    const isEmpty = vault === undefined || ((vault.inventory?.count ?? 0) === 0 && vault.due === undefined)
    return responds(
      glacier.deleteVault({ vaultName }),
      isEmpty ? () => void model.vaults.delete(vaultName) : "VaultNotEmpty"
    )
  })
)

const fill = named((vaultName) =>
  calling(`store in ${vaultName}`, (model) => {
    const vault = vaultOf(model, vaultName)
    const size = 1 + (vault?.archives.size ?? 0)
    return responds(
      store(vaultName, new Uint8Array(size)),
      vault === undefined ? "VaultNotFound" : ({ archiveId }) => {
        vault.archives.set(archiveId, size)
        vault.due ??= model.now + day
      }
    )
  })
)

const empty = named((vaultName) =>
  calling(`delete an archive of ${vaultName}`, (model, glacier) => {
    const vault = vaultOf(model, vaultName)
    const [archiveId = "none"] = vault?.archives.keys() ?? []
    return responds(
      glacier.deleteArchive({ vaultName, archiveId }),
      vault === undefined ? "VaultNotFound" : () => {
        if (vault.archives.delete(archiveId)) vault.due ??= model.now + day
      }
    )
  })
)

const look = named((vaultName) =>
  calling(`describe ${vaultName}`, (model, glacier) => {
    const vault = vaultOf(model, vaultName)
    return responds(
      glacier.describeVault({ vaultName }),
      vault === undefined ? "VaultNotFound" : (response) => {
        expect(response).toMatchObject({
          vaultName,
          numberOfArchives: Option.some(vault.inventory?.count ?? 0),
          sizeInBytes: Option.some(vault.inventory?.bytes ?? 0)
        })
        expect(Option.isSome(response.lastInventoryDate)).toBe(vault.inventory !== undefined)
      }
    )
  })
)

const inside = named((vaultName) =>
  calling(`look into ${vaultName}`, (model) => {
    const vault = vaultOf(model, vaultName)
    return Effect.map(Effect.option(TestGlacier.inside(vaultName)), (found) =>
      expect(Option.getOrUndefined(found)?.archives.map(({ archiveId, size }) => [archiveId, size])).toEqual(
        vault && Array.from(vault.archives)
      ))
  })
)

const inventory = named((vaultName) =>
  calling(`take an inventory of ${vaultName}`, (model) => {
    const vault = vaultOf(model, vaultName)
    return Effect.map(Effect.option(TestGlacier.takeInventory(vaultName)), (done) => {
      expect(Option.isSome(done)).toBe(vault !== undefined)
      if (vault !== undefined) take(vault)
    })
  })
)

const list = FastCheck.constant(
  calling<Model>(
    "list",
    (model, glacier) =>
      responds(
        glacier.listVaults({}),
        ({ vaults }) => expect(vaults.map((one) => one.vaultName)).toEqual(["model", ...model.vaults.keys()].sort())
      )
  )
)

describe("the model of vaults", () => {
  it("predicts the emulator's responses to calls for vaults and archives", () =>
    agree(() => ({ now: 0, vaults: new Map() }), [
      create,
      create,
      remove,
      fill,
      empty,
      empty,
      look,
      inside,
      inventory,
      list,
      waits([1, hour, day - 1, day])
    ]))
})
