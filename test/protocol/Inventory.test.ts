import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Inventory from "../../src/protocol/Inventory.ts"

const json = Schema.parseJson(Inventory.Inventory)
const id = "x".repeat(138)
const hash = "9628".repeat(16)
const sample = JSON.stringify({
  VaultARN: "arn:aws:glacier:us-west-2:012345678901:vaults/my-vault",
  InventoryDate: "2015-04-07T00:26:18Z",
  ArchiveList: [
    {
      ArchiveId: id,
      ArchiveDescription: "multipart upload test",
      CreationDate: "2015-04-06T22:24:34Z",
      Size: 3_145_728,
      SHA256TreeHash: hash
    },
    {
      ArchiveId: `${id}2`,
      ArchiveDescription: "",
      CreationDate: "2015-04-06T22:25:00Z",
      Size: 42_949_672_960_000,
      SHA256TreeHash: hash
    }
  ]
})

describe("Inventory", () => {
  it("is decoded from the JSON of the service", () => {
    expect(Schema.decodeSync(json)(sample)).toEqual({
      vaultArn: "arn:aws:glacier:us-west-2:012345678901:vaults/my-vault",
      inventoryDate: DateTime.unsafeMake("2015-04-07T00:26:18Z"),
      archives: [
        {
          archiveId: id,
          description: "multipart upload test",
          creationDate: DateTime.unsafeMake("2015-04-06T22:24:34Z"),
          size: 3_145_728,
          treeHash: hash
        },
        {
          archiveId: `${id}2`,
          description: "",
          creationDate: DateTime.unsafeMake("2015-04-06T22:25:00Z"),
          size: 42_949_672_960_000,
          treeHash: hash
        }
      ]
    })
  })

  it("is encoded to the JSON of the service", () => {
    expect(Schema.encodeSync(json)(Schema.decodeSync(json)(sample))).toBe(sample)
  })

  it("accepts dates with milliseconds, and is encoded with whole seconds", () => {
    const precise = sample.replaceAll(/(:\d\d)Z/g, "$1.123Z")
    const inventory = Schema.decodeSync(json)(precise)
    expect(DateTime.toEpochMillis(inventory.inventoryDate)).toBe(Date.UTC(2015, 3, 7, 0, 26, 18, 123))
    expect(Schema.encodeSync(json)(inventory)).toBe(sample)
  })

  it("has no archives when the vault is empty", () => {
    const empty = sample.replace(/\[.*\]/, "[]")
    expect(Schema.decodeSync(json)(empty).archives).toEqual([])
    expect(Schema.encodeSync(json)(Schema.decodeSync(json)(empty))).toBe(empty)
  })

  it.each([
    ["not JSON", ""],
    ["cut off", sample.slice(0, -2)],
    ["CSV", "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n"],
    ["without a list", sample.replace("ArchiveList", "Archives")],
    ["with a negative size", sample.replace("3145728", "-1")],
    ["with a fraction of a byte", sample.replace("3145728", "1.5")],
    ["with a size as text", sample.replace("3145728", "\"3145728\"")],
    ["with no date", sample.replace("2015-04-06T22:24:34Z", "yesterday")],
    ["with half a hash", sample.replace(hash, hash.slice(32))],
    ["with an id that no URL can carry", sample.replace(id, "../x")]
  ])("rejects a document that is %s", (_, text) => {
    expect(text).not.toBe(sample)
    expect(Either.isLeft(Schema.decodeEither(json)(text))).toBe(true)
  })
})
