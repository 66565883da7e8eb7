import type * as Aws from "@aws-sdk/client-glacier"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { call, treeHash } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { created, finished, output, Sdk, stored } = Support

const bytes = Buffer.from("bytes")

const descriptions = ["one", "a \"quoted\", one", "", "four"]

/** Makes a vault with an archive for each description, and returns the ids of the archives. */
const filled = (vaultName: string) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    const vault = yield* created(glacier, vaultName)
    const ids = yield* Effect.forEach(descriptions, (text) => stored(glacier, vault, bytes, text))
    return { glacier, vault, ids }
  })

/** Returns the ids on a page of an inventory, and the marker of the next page. */
const page = (vault: Support.Vault, selection: Aws.InventoryRetrievalJobInput) =>
  Effect.gen(function*() {
    const { description, job } = yield* finished(vault, {
      Type: "inventory-retrieval",
      InventoryRetrievalParameters: selection
    })
    const { ArchiveList } = JSON.parse((yield* output(job)).bytes.toString())
    return {
      ids: ArchiveList.map(({ ArchiveId }: { ArchiveId: string }) => ArchiveId),
      marker: description.InventoryRetrievalParameters?.Marker
    }
  })

export const inventories = (it: Support.It) => {
  it.scoped("returns inventories as JSON, whole and in ranges", () =>
    Effect.gen(function*() {
      const { ids, vault } = yield* filled("json")
      const { description, job } = yield* finished(vault, { Type: "inventory-retrieval", Description: "all" })
      expect(description).toMatchObject({
        Action: "InventoryRetrieval",
        InventoryRetrievalParameters: { Format: "JSON" },
        JobDescription: "all"
      })
      const { bytes: body, checksum, contentType, status } = yield* output(job)
      expect({ checksum, contentType, status }).toEqual({ contentType: "application/json", status: 200 })
      expect(description.InventorySizeInBytes).toBe(body.length)
      const second = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      expect(JSON.parse(body.toString())).toEqual({
        VaultARN: description.VaultARN,
        InventoryDate: second,
        ArchiveList: descriptions.map((text, i) => ({
          ArchiveId: ids[i],
          ArchiveDescription: text,
          CreationDate: second,
          Size: bytes.length,
          SHA256TreeHash: treeHash(bytes)
        }))
      })
      const part = yield* output({ ...job, range: "bytes=2-9" })
      expect(part).toMatchObject({ status: 206, contentRange: `bytes 2-9/${body.length}` })
      expect(part.bytes.equals(body.subarray(2, 10))).toBe(true)
    }))

  it.scoped("returns inventories as CSV", () =>
    Effect.gen(function*() {
      const { ids, vault } = yield* filled("csv")
      const { description, job } = yield* finished(vault, { Type: "inventory-retrieval", Format: "CSV" })
      expect(description.InventoryRetrievalParameters).toEqual({ Format: "CSV" })
      const { bytes: body, contentType } = yield* output(job)
      expect(contentType).toBe("text/csv")
      const rows = body.toString().replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "date").split("\n")
      const texts = ["one", "\"a \\\"quoted\\\", one\"", "", "four"]
      expect(rows).toEqual([
        "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash",
        ...texts.map((text, i) => `${ids[i]},${text},date,${bytes.length},${treeHash(bytes)}`),
        ""
      ])
    }))

  it.scoped("returns inventories in pages", () =>
    Effect.gen(function*() {
      const { ids, vault } = yield* filled("inventory-in-pages")
      for (const [limit, sizes] of [["1", [1, 1, 1, 1]], ["2", [2, 2]], ["3", [3, 1]], ["4", [4]]] as const) {
        const pages: Array<ReadonlyArray<string>> = []
        let marker: string | undefined
        do {
          const next = yield* page(vault, { Limit: limit, Marker: marker })
          pages.push(next.ids)
          marker = next.marker
        } while (marker !== undefined)
        expect(pages.map(({ length }) => length)).toEqual(sizes)
        expect(pages.flat()).toEqual(ids)
      }
    }))

  it.scoped("filters inventories by date", () =>
    Effect.gen(function*() {
      const { ids, vault } = yield* filled("days")
      const past = "2012-08-20T00:00:00Z"
      const future = "2999-12-31T23:59:59Z"
      for (
        const [selection, expected] of [
          [{ StartDate: past, EndDate: future }, ids],
          [{ EndDate: past }, []],
          [{ StartDate: future }, []]
        ] as const
      ) expect(yield* page(vault, selection)).toEqual({ ids: expected })
    }))

  it.scoped("rejects invalid selections of inventories", () =>
    Effect.gen(function*() {
      const { glacier, vault } = yield* filled("selections")
      for (
        const [selection, message] of [
          [{ Limit: "0" }, /^Invalid .*Limit: 0/],
          [{ Limit: "some" }, /^Invalid .*Limit: some/],
          [{ StartDate: "yesterday" }, /^Invalid .*StartDate: yesterday/],
          [{ Marker: "somewhere" }, /^Invalid .*Marker: somewhere/]
        ] as const
      ) {
        yield* Support.invalid(
          () =>
            glacier.initiateJob({
              ...vault,
              jobParameters: { Type: "inventory-retrieval", InventoryRetrievalParameters: selection }
            }),
          message
        )
      }
    }))

  it.scoped("returns an empty inventory of an empty vault", () =>
    Effect.gen(function*() {
      const { glacier, ids, vault } = yield* filled("nothing")
      yield* Effect.forEach(ids, (archiveId) => call(() => glacier.deleteArchive({ ...vault, archiveId })))
      expect(yield* page(vault, {})).toEqual({ ids: [] })
    }))
}
