import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, hashes, initiateJob, list, ramp, treeHash, vault } = Support

const MiB = 1_048_576

const uploads = `${vault("photos")}/multipart-uploads`

const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

const initiate = (partSize: number | string, description?: string) =>
  call("POST", uploads, {
    headers: { "x-amz-part-size": String(partSize), "x-amz-archive-description": description }
  })

const open = (partSize: number) =>
  Effect.map(initiate(partSize), ({ headers }) => headers["x-amz-multipart-upload-id"] ?? "")

const part = (id: string, start: number, bytes: Uint8Array, range = `bytes ${start}-${start + bytes.length - 1}/*`) =>
  call("PUT", `${uploads}/${id}`, { body: bytes, headers: { ...hashes(bytes), "content-range": range } })

const complete = (id: string, size: number | string, hash: string | undefined) =>
  call("POST", `${uploads}/${id}`, {
    headers: { "x-amz-archive-size": String(size), "x-amz-sha256-tree-hash": hash }
  })

const parts = (id: string, query: Record<string, string> = {}) => call("GET", `${uploads}/${id}`, { query })

const ranges = (response: Support.WireResponse) => list(response, "Parts").map((part) => part["RangeInBytes"])

const message = (response: Support.WireResponse) => [response.status, response.json["message"]]

describe("multipart uploads", () => {
  it.effect("become an archive when they are completed", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const initiated = yield* initiate(MiB, "ramp")
      const id = initiated.headers["x-amz-multipart-upload-id"] ?? ""
      expect(initiated.status).toBe(201)
      expect(id).toMatch(/^[A-Za-z0-9_-]{92}$/)
      expect(initiated.headers["location"]).toBe(`/123456789012/vaults/photos/multipart-uploads/${id}`)
      expect(initiated.headers["content-type"]).toBeUndefined()

      const listed = yield* call("GET", uploads)
      expect(listed.text).toBe(
        `{"Marker":null,"UploadsList":[{"ArchiveDescription":"ramp","CreationDate":"1970-01-01T00:00:00.000Z",` +
          `"MultipartUploadId":"${id}","PartSizeInBytes":1048576,"VaultARN":"${arn}"}]}`
      )

      const bytes = ramp(2 * MiB + 5)
      const first = bytes.subarray(0, MiB)
      const stored = yield* part(id, 0, first)
      expect(stored.status).toBe(204)
      expect(stored.headers["x-amz-sha256-tree-hash"]).toBe(treeHash(first))
      expect(stored.headers["content-type"]).toBeUndefined()
      yield* part(id, 2 * MiB, bytes.subarray(2 * MiB))
      yield* part(id, MiB, bytes.subarray(MiB, 2 * MiB))

      expect((yield* parts(id)).text).toBe(
        `{"ArchiveDescription":"ramp","CreationDate":"1970-01-01T00:00:00.000Z","Marker":null,` +
          `"MultipartUploadId":"${id}","PartSizeInBytes":1048576,"Parts":[` +
          `{"RangeInBytes":"0-1048575","SHA256TreeHash":"${treeHash(first)}"},` +
          `{"RangeInBytes":"1048576-2097151","SHA256TreeHash":"${treeHash(bytes.subarray(MiB, 2 * MiB))}"},` +
          `{"RangeInBytes":"2097152-2097156","SHA256TreeHash":"${treeHash(bytes.subarray(2 * MiB))}"}` +
          `],"VaultARN":"${arn}"}`
      )

      const done = yield* complete(id, bytes.length, treeHash(bytes))
      const archive = done.headers["x-amz-archive-id"]
      expect(done.status).toBe(201)
      expect(done.headers["location"]).toBe(`/123456789012/vaults/photos/archives/${archive}`)
      expect(done.headers["x-amz-sha256-tree-hash"]).toBe(treeHash(bytes))
      expect(message(yield* parts(id))).toEqual([404, `The upload ID was not found: ${id}`])
      expect(list(yield* call("GET", uploads), "UploadsList")).toEqual([])

      const job = yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive })
      yield* TestClock.adjust("4 hours")
      const output = yield* call("GET", `${vault("photos")}/jobs/${job}/output`)
      expect(Buffer.from(output.bytes).equals(bytes)).toBe(true)
      expect(output.headers["x-amz-sha256-tree-hash"]).toBe(treeHash(bytes))
      expect(output.headers["x-amz-archive-description"]).toBe("ramp")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("reject invalid part sizes", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      for (const size of ["1048575", "3145728", "8589934592", "0", "-1", "abc"]) {
        const response = yield* initiate(size)
        expect(response.status).toBe(400)
        expect(response.json["message"]).toContain(`Invalid part size: ${size}. `)
      }
      expect(message(yield* call("POST", uploads))).toEqual([400, "Required parameter missing: x-amz-part-size"])
      for (let power = 0; power <= 12; power++) expect((yield* initiate(MiB * 2 ** power)).status).toBe(201)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("reject parts whose range does not fit", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* open(MiB)
      const bytes = ramp(10)
      const at = (range: string | undefined) => Effect.map(part(id, 0, bytes, range), message)
      expect(yield* at("bytes 0-10/*")).toEqual([
        400,
        "Content-Range: bytes 0-10/* is incompatible with Content-Length: 10"
      ])
      for (const range of ["bytes=0-9/*", "bytes 9-0/*", "0-9", "bytes 0-9"]) {
        expect(yield* at(range)).toEqual([400, `Invalid Content-Range: ${range}`])
      }
      expect(yield* at("bytes 5-14/*")).toEqual([
        400,
        "Invalid Content-Range: bytes 5-14/*. The range is not aligned with the part size of 1048576 bytes."
      ])
      expect(yield* at(`bytes ${10_000 * MiB}-${10_000 * MiB + 9}/*`)).toEqual([
        400,
        "Part number 10001 exceeds the limit of 10000 parts."
      ])
      expect(yield* at(`bytes ${9_999 * MiB}-${9_999 * MiB + 9}/*`)).toEqual([204, undefined])
      expect(yield* at("bytes 0-9/10")).toEqual([204, undefined])
      const large = ramp(MiB + 1)
      expect(message(yield* part(id, 0, large))).toEqual([
        400,
        "Invalid Content-Range: bytes 0-1048576/*. The range is larger than the part size of 1048576 bytes."
      ])
      const missing = yield* call("PUT", `${uploads}/${id}`, { body: bytes, headers: hashes(bytes) })
      expect(message(missing)).toEqual([400, "Required parameter missing: content-range"])
      const wrong = yield* call("PUT", `${uploads}/${id}`, {
        body: bytes,
        headers: { ...hashes(bytes), "x-amz-sha256-tree-hash": treeHash(large), "content-range": "bytes 0-9/*" }
      })
      expect(message(wrong)).toEqual([
        400,
        `Checksum mismatch: expected ${treeHash(large)}, computed ${treeHash(bytes)}`
      ])
      expect(message(yield* part("u".repeat(92), 0, bytes))[0]).toBe(404)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("complete only when parts, size and tree hash fit, and stay open otherwise", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* open(MiB)
      const bytes = ramp(2 * MiB + 5)
      const hash = treeHash(bytes)
      expect((yield* complete(id, bytes.length, hash)).status).toBe(400)
      yield* part(id, 2 * MiB, bytes.subarray(2 * MiB))
      yield* part(id, 0, bytes.subarray(0, MiB))
      expect(message(yield* complete(id, bytes.length, hash))).toEqual([
        400,
        "The parts of the upload leave a gap that starts at byte 1048576"
      ])
      // A short part in the middle is accepted, but found when the upload is completed.
      yield* part(id, MiB, bytes.subarray(MiB, 2 * MiB - 1))
      expect(message(yield* complete(id, bytes.length - 1, hash))[0]).toBe(400)
      // A part replaces an earlier part of the same range, whatever its length.
      yield* part(id, MiB, bytes.subarray(MiB, 2 * MiB))
      expect(ranges(yield* parts(id))).toEqual(["0-1048575", "1048576-2097151", "2097152-2097156"])
      expect(message(yield* complete(id, bytes.length - 1, hash))).toEqual([
        400,
        "Invalid x-amz-archive-size: 2097156. The parts of the upload have 2097157 bytes."
      ])
      const wrong = treeHash(ramp(7))
      expect(message(yield* complete(id, bytes.length, wrong))).toEqual([
        400,
        `Invalid x-amz-sha256-tree-hash: ${wrong}`
      ])
      expect(message(yield* complete(id, bytes.length, undefined))).toEqual([
        400,
        "Required parameter missing: x-amz-sha256-tree-hash"
      ])
      expect(message(yield* complete(id, "many", hash))).toEqual([400, "Invalid x-amz-archive-size: many"])
      const noSize = yield* call("POST", `${uploads}/${id}`, { headers: { "x-amz-sha256-tree-hash": hash } })
      expect(message(noSize)).toEqual([400, "Required parameter missing: x-amz-archive-size"])
      expect((yield* complete(id, bytes.length, hash)).status).toBe(201)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("return the same archive when completed again within an hour", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* open(MiB)
      const bytes = ramp(5)
      yield* part(id, 0, bytes)
      const first = yield* complete(id, 5, treeHash(bytes))
      yield* TestClock.adjust("59 minutes")
      const again = yield* complete(id, 5, treeHash(bytes))
      expect(again.status).toBe(201)
      expect(again.headers["x-amz-archive-id"]).toBe(first.headers["x-amz-archive-id"])
      expect(again.headers["x-amz-sha256-tree-hash"]).toBe(treeHash(bytes))
      expect(message(yield* complete(id, 6, treeHash(bytes)))).toEqual([
        400,
        "Invalid x-amz-archive-size: 6. The parts of the upload have 5 bytes."
      ])
      expect(message(yield* complete(id, 5, "f".repeat(64)))).toEqual([
        400,
        `Invalid x-amz-sha256-tree-hash: ${"f".repeat(64)}`
      ])
      expect((yield* part(id, 0, bytes)).status).toBe(404)
      expect((yield* call("DELETE", `${uploads}/${id}`)).status).toBe(404)
      yield* TestClock.adjust("1 minutes")
      expect((yield* complete(id, 5, treeHash(bytes))).status).toBe(404)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("can be aborted, and aborted again within an hour", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* open(MiB)
      yield* part(id, 0, ramp(5))
      expect((yield* call("DELETE", `${uploads}/${id}`)).status).toBe(204)
      expect((yield* complete(id, 5, treeHash(ramp(5)))).status).toBe(404)
      expect((yield* parts(id)).status).toBe(404)
      yield* TestClock.adjust("59 minutes")
      expect((yield* call("DELETE", `${uploads}/${id}`)).status).toBe(204)
      yield* TestClock.adjust("1 minutes")
      expect((yield* call("DELETE", `${uploads}/${id}`)).status).toBe(404)
      // The vault has had an aborted upload only: nothing was written.
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("expire after a day without a new part", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* open(MiB)
      yield* TestClock.adjust("23 hours")
      yield* part(id, 0, ramp(5))
      yield* TestClock.adjust("23 hours")
      expect((yield* parts(id)).status).toBe(200)
      yield* TestClock.adjust("1 hours")
      expect((yield* parts(id)).status).toBe(404)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are listed in pages, and so are their parts", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const ids: Array<string> = []
      for (let i = 0; i < 7; i++) ids.push(yield* open(MiB))
      const page = yield* call("GET", uploads, { query: { limit: "3" } })
      expect(list(page, "UploadsList").map((upload) => upload["MultipartUploadId"])).toEqual(ids.slice(0, 3))
      expect(page.json["Marker"]).toBe(ids[2])
      expect(list(page, "UploadsList")[0]?.["ArchiveDescription"]).toBe(null)
      // The upload in a marker may have expired.
      yield* call("DELETE", `${uploads}/${ids[2]}`)
      const rest = yield* call("GET", uploads, { query: { marker: ids[2] ?? "", limit: "5000" } })
      expect(list(rest, "UploadsList").map((upload) => upload["MultipartUploadId"])).toEqual(ids.slice(3))
      expect(rest.json["Marker"]).toBe(null)

      const id = ids[0] ?? ""
      for (const i of [5, 1, 3, 0, 4, 2]) yield* part(id, i * MiB, ramp(9))
      const first = yield* parts(id, { limit: "4" })
      expect(ranges(first)).toEqual([0, 1, 2, 3].map((i) => `${i * MiB}-${i * MiB + 8}`))
      const second = yield* parts(id, { limit: "4", marker: String(first.json["Marker"]) })
      expect(ranges(second)).toEqual([4, 5].map((i) => `${i * MiB}-${i * MiB + 8}`))
      expect(second.json["Marker"]).toBe(null)
      expect(message(yield* parts(id, { marker: "no marker" }))).toEqual([400, "Invalid marker: no marker"])
      expect(message(yield* call("GET", uploads, { query: { marker: "x" } }))).toEqual([400, "Invalid marker: x"])
    }).pipe(Effect.provide(Support.layer())))

  it.effect.prop(
    "make the same archive with parts in any order",
    [FastCheck.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), FastCheck.integer({ min: 1, max: MiB })],
    ([order, last]) =>
      Effect.gen(function*() {
        yield* createVault("photos")
        const bytes = ramp(4 * MiB + last)
        const id = yield* open(MiB)
        for (const i of order) yield* part(id, i * MiB, bytes.subarray(i * MiB, (i + 1) * MiB))
        expect((yield* complete(id, bytes.length, treeHash(bytes))).status).toBe(201)
      }).pipe(Effect.provide(Support.layer())),
    { fastCheck: { numRuns: 5 } }
  )
})
