import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import { select } from "../../src/emulator/internal/inventoryDocument.ts"
import * as Support from "./support.ts"

const { call, createVault, initiateJob, list, text, treeHash, upload, vault } = Support

const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

/** Initiates an inventory job, waits for it, and returns its output. */
const inventory = (parameters: Readonly<Record<string, unknown>> = {}, format = "JSON") =>
  Effect.gen(function*() {
    const id = yield* initiateJob("photos", {
      Type: "inventory-retrieval",
      Format: format,
      InventoryRetrievalParameters: parameters
    })
    yield* TestClock.adjust("1 seconds")
    const job = yield* call("GET", `${vault("photos")}/jobs/${id}`)
    const output = yield* call("GET", `${vault("photos")}/jobs/${id}/output`)
    return { job, output }
  })

const ids = (output: Support.WireResponse) => list(output, "ArchiveList").map((archive) => archive["ArchiveId"])

const counters = Effect.map(call("GET", vault("photos")), ({ json }) => [
  json["NumberOfArchives"],
  json["SizeInBytes"],
  json["LastInventoryDate"]
])

const remove = (id: string) => call("DELETE", `${vault("photos")}/archives/${id}`)

describe("inventories", () => {
  it.effect("lag a day behind the first write, and are not taken when nothing changes", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const none = yield* call("POST", `${vault("photos")}/jobs`, { body: `{"Type":"inventory-retrieval"}` })
      expect([none.status, none.json["code"]]).toEqual([404, "ResourceNotFoundException"])
      expect(none.json["message"]).toBe(
        `The job cannot be initiated yet, because no initial inventory exists for the vault: ${arn}`
      )
      const first = yield* upload("photos", text("one"))
      yield* TestClock.adjust("12 hours")
      const second = yield* upload("photos", text("three"))
      yield* TestClock.adjust("11 hours")
      expect(yield* counters).toEqual([0, 0, null])
      yield* TestClock.adjust("1 hours")
      // The inventory is taken a day after the first write and contains all writes until then.
      expect(yield* counters).toEqual([2, 8 + 2 * 32_768, "1970-01-02T00:00:00.000Z"])

      yield* TestClock.adjust("100 hours")
      expect(yield* counters).toEqual([2, 8 + 2 * 32_768, "1970-01-02T00:00:00.000Z"])
      yield* remove(first)
      const third = yield* upload("photos", text("four"))
      expect(yield* counters).toEqual([2, 8 + 2 * 32_768, "1970-01-02T00:00:00.000Z"])
      // The counts are those of the last inventory, not the current ones.
      expect(ids((yield* inventory()).output)).toEqual([first, second])
      yield* TestClock.adjust("24 hours")
      expect(yield* counters).toEqual([2, 9 + 2 * 32_768, "1970-01-07T04:00:00.000Z"])
      expect(ids((yield* inventory()).output)).toEqual([second, third])
    }).pipe(Effect.provide(Support.layer({ jobDelay: "1 seconds" }))))

  it.effect("are taken at once without an inventory lag", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* upload("photos", text("one"))
      expect(yield* counters).toEqual([1, 32_771, "1970-01-01T00:00:00.000Z"])
      yield* remove(id)
      expect(yield* counters).toEqual([0, 0, "1970-01-01T00:00:00.000Z"])
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
    }).pipe(Effect.provide(Support.layer({ inventoryDelay: 0 }))))

  it.effect("are compact JSON with dates in whole seconds", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* TestClock.adjust("1999 millis")
      const one = yield* upload("photos", text("one"), "the \"first\"")
      yield* TestClock.adjust("1 seconds")
      const two = yield* upload("photos", text("two"))
      const { job, output } = yield* inventory()
      expect(output.headers["content-type"]).toBe("application/json")
      expect(output.headers["x-amz-sha256-tree-hash"]).toBeUndefined()
      expect(output.headers["accept-ranges"]).toBe("bytes")
      const entry = (id: string, description: string, date: string, hash: string) =>
        `{"ArchiveId":"${id}","ArchiveDescription":${JSON.stringify(description)},"CreationDate":"${date}",` +
        `"Size":3,"SHA256TreeHash":"${hash}"}`
      expect(output.text).toBe(
        `{"VaultARN":"${arn}","InventoryDate":"1970-01-01T00:00:02Z","ArchiveList":[` +
          entry(one, "the \"first\"", "1970-01-01T00:00:01Z", treeHash(text("one"))) + "," +
          entry(two, "", "1970-01-01T00:00:02Z", treeHash(text("two"))) + "]}"
      )
      expect(job.json).toMatchObject({
        Action: "InventoryRetrieval",
        ArchiveId: null,
        ArchiveSHA256TreeHash: null,
        ArchiveSizeInBytes: null,
        InventoryRetrievalParameters: { EndDate: null, Format: "JSON", Limit: null, Marker: null, StartDate: null },
        InventorySizeInBytes: output.bytes.length,
        RetrievalByteRange: null,
        SHA256TreeHash: null,
        StatusCode: "Succeeded",
        Tier: null
      })
    }).pipe(Effect.provide(Support.layer({ inventoryDelay: 0, jobDelay: "1 seconds" }))))

  it.effect("are CSV with quotes only where necessary", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const descriptions = ["plain", "a,b", "say \"hi\"", "back\\slash", "end\\,"]
      const rows: Array<string> = []
      const quoted = ["plain", "\"a,b\"", "\"say \\\"hi\\\"\"", "back\\slash", "\"end\\,\""]
      for (const [i, description] of descriptions.entries()) {
        const id = yield* upload("photos", text("one"), description)
        rows.push(`${id},${quoted[i]},1970-01-01T00:00:00Z,3,${treeHash(text("one"))}\n`)
      }
      const { output } = yield* inventory({}, "CSV")
      expect(output.headers["content-type"]).toBe("text/csv")
      expect(output.text).toBe(
        "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n" + rows.join("")
      )
      const range = yield* call(
        "GET",
        `${vault("photos")}/jobs/${(yield* inventory({}, "CSV")).job.json["JobId"]}/output`,
        {
          headers: { range: "bytes=0-8" }
        }
      )
      expect([range.status, range.text]).toEqual([206, "ArchiveId"])
    }).pipe(Effect.provide(Support.layer({ inventoryDelay: 0, jobDelay: "1 seconds" }))))

  it.effect("of an empty vault have an empty list", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* remove(yield* upload("photos", text("one")))
      expect((yield* inventory()).output.text).toBe(
        `{"VaultARN":"${arn}","InventoryDate":"1970-01-01T00:00:00Z","ArchiveList":[]}`
      )
    }).pipe(Effect.provide(Support.layer({ inventoryDelay: 0, jobDelay: "1 seconds" }))))

  it.effect("are filtered by date, and continue at a marker", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const all: Array<string> = []
      for (let i = 0; i < 6; i++) {
        all.push(yield* upload("photos", text(`archive ${i}`)))
        yield* TestClock.adjust("1 minutes")
      }
      const dated = yield* inventory({ StartDate: "1970-01-01T00:01:00Z", EndDate: "1970-01-01T00:03:00Z" })
      expect(ids(dated.output)).toEqual(all.slice(1, 3))
      expect(dated.job.json["InventoryRetrievalParameters"]).toEqual({
        EndDate: "1970-01-01T00:03:00Z",
        Format: "JSON",
        Limit: null,
        Marker: null,
        StartDate: "1970-01-01T00:01:00Z"
      })
      for (const StartDate of ["1970-01-01T00:04:00", "1970-01-01T00:04:00UTC", "1970-01-01T01:04:00+01:00"]) {
        expect(ids((yield* inventory({ StartDate })).output)).toEqual(all.slice(4))
      }

      const found: Array<unknown> = []
      let Marker: unknown = null
      do {
        const page: Effect.Effect.Success<ReturnType<typeof inventory>> = yield* inventory({ Limit: 4, Marker })
        found.push(...ids(page.output))
        const parameters = page.job.json["InventoryRetrievalParameters"] as Readonly<Record<string, unknown>>
        expect(parameters["Limit"]).toBe("4")
        Marker = parameters["Marker"]
      } while (Marker !== null)
      expect(found).toEqual(all)
      const exact = yield* inventory({ Limit: "6" })
      expect(exact.job.json["InventoryRetrievalParameters"]).toMatchObject({ Marker: null, Limit: "6" })
      const bad = yield* call("POST", `${vault("photos")}/jobs`, {
        body: JSON.stringify({ Type: "inventory-retrieval", InventoryRetrievalParameters: { Marker: "x" } })
      })
      expect([bad.status, bad.json["message"]]).toEqual([400, "Invalid Marker: x"])
    }).pipe(Effect.provide(Support.layer({ inventoryDelay: 0, jobDelay: "1 seconds" }))))

  it.prop("list each archive exactly once over all pages, with any limit", [
    FastCheck.array(FastCheck.nat(20), { maxLength: 30 }),
    FastCheck.integer({ min: 1, max: 10 }),
    FastCheck.nat(20)
  ], ([dates, limit, from]) => {
    const archives = dates.map((createdAt, i) => ({
      id: `a${i}` as never,
      description: "",
      createdAt,
      size: 1,
      treeHash: "" as never,
      blobs: [],
      writeNumber: i + 1,
      deleted: undefined,
      jobs: undefined
    }))
    const found: Array<unknown> = []
    let after = 0
    for (;;) {
      const page = select(archives, { startDate: from, endDate: undefined, limit, after })
      expect(page.archives.length).toBeLessThanOrEqual(limit)
      found.push(...page.archives)
      if (page.next === undefined) break
      after = page.archives.at(-1)?.writeNumber ?? 0
    }
    expect(found).toEqual(archives.filter(({ createdAt }) => createdAt >= from))
  })
})
