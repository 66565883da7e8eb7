import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Option, Stream, TestClock } from "effect"
import { parseRange } from "../../src/emulator/internal/handlers/jobOutput.ts"
import vectors from "../fixtures/treehash-vectors.json" with { type: "json" }
import * as Support from "./support.ts"

const { call, createVault, initiateJob, ramp, treeHash, upload, vault } = Support

const MiB = 1_048_576

const size = 6.5 * MiB

const bytes = ramp(size)

const table = vectors.range_alignment.find((entry) => entry.size === size)?.ranges ?? []

const output = (job: string, range?: string) =>
  call("GET", `${vault("photos")}/jobs/${job}/output`, { headers: { range } })

const same = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(b)

const retrieval = (archive: string, range?: string) =>
  initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive, RetrievalByteRange: range })

/** Range headers, valid and invalid. */
const arbitraryRange = FastCheck.oneof(
  FastCheck.tuple(FastCheck.nat(2000), FastCheck.nat(2000)).map(([a, b]) => `bytes=${a}-${b}`),
  FastCheck.nat(2000).map((a) => `bytes=${a}-`),
  FastCheck.nat(2000).map((n) => `bytes=-${n}`),
  FastCheck.stringMatching(/^(bytes)?[= ]?\d{0,18}-?\d{0,18}$/)
)

const arbitrarySize = FastCheck.integer({ min: 1, max: 1500 })

describe("job output", () => {
  it.effect("is returned in ranges, with a tree hash where a node spans the range", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const job = yield* retrieval(yield* upload("photos", bytes))
      yield* TestClock.adjust("4 hours")

      expect(table.length).toBeGreaterThan(10)
      for (const { range, tree_hash_aligned, tree_hash_of_range } of table) {
        const [start = 0, end = 0] = range.split("-").map(Number)
        const response = yield* output(job, `bytes=${range}`)
        expect(response.status).toBe(206)
        expect(response.headers["content-range"]).toBe(`bytes ${range}/${size}`)
        expect(response.headers["content-length"]).toBe(String(end - start + 1))
        expect(response.headers["x-amz-sha256-tree-hash"]).toBe(tree_hash_aligned ? tree_hash_of_range : undefined)
        expect(same(response.bytes, bytes.subarray(start, end + 1))).toBe(true)
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("has ranges relative to the retrieved range of the archive", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const archive = yield* upload("photos", bytes)
      const cases: ReadonlyArray<
        [retrieved: [number, number], requested: [number, number] | undefined, hashed: boolean]
      > = [
        // Retrieved [4 MiB, end): a node of the hash tree spans it.
        [[4 * MiB, size], undefined, true],
        [[4 * MiB, size], [0, 2.5 * MiB], true],
        [[4 * MiB, size], [0, 2 * MiB], true],
        [[4 * MiB, size], [MiB, 2 * MiB], true],
        [[4 * MiB, size], [2 * MiB, 2.5 * MiB], true],
        [[4 * MiB, size], [MiB, 2.5 * MiB], false],
        [[4 * MiB, size], [0, 100], false],
        // Retrieved [1 MiB, 3 MiB): no node spans it, so no range of it has a tree hash.
        [[MiB, 3 * MiB], undefined, false],
        [[MiB, 3 * MiB], [0, MiB], false]
      ]
      for (const [[from, to], requested, hashed] of cases) {
        const job = yield* retrieval(archive, `${from}-${to - 1}`)
        yield* TestClock.adjust("4 hours")
        const response = yield* output(job, requested && `bytes=${requested[0]}-${requested[1] - 1}`)
        const expected = bytes.subarray(from, to).subarray(...(requested ?? []))
        expect(response.status).toBe(requested === undefined ? 200 : 206)
        expect(same(response.bytes, expected)).toBe(true)
        expect(response.headers["x-amz-sha256-tree-hash"]).toBe(hashed ? treeHash(expected) : undefined)
        const described = yield* call("GET", `${vault("photos")}/jobs/${job}`)
        expect(described.json).toMatchObject({
          ArchiveSizeInBytes: size,
          ArchiveSHA256TreeHash: treeHash(bytes),
          RetrievalByteRange: `${from}-${to - 1}`,
          SHA256TreeHash: from === MiB ? null : treeHash(bytes.subarray(from, to))
        })
      }
    }).pipe(Effect.provide(Support.layer())))

  it.scoped("stays complete for a reader that has started, even when the job expires and the archive is deleted", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const { headers } = yield* call("POST", `${vault("photos")}/multipart-uploads`, {
        headers: { "x-amz-part-size": String(MiB) }
      })
      const path = `${vault("photos")}/multipart-uploads/${headers["x-amz-multipart-upload-id"]}`
      const part = bytes.subarray(0, MiB)
      for (const start of [0, MiB, 2 * MiB]) {
        yield* call("PUT", path, {
          body: part,
          headers: { ...Support.hashes(part), "content-range": `bytes ${start}-${start + MiB - 1}/*` }
        })
      }
      const whole = Buffer.concat([part, part, part])
      const complete = { "x-amz-archive-size": String(3 * MiB), "x-amz-sha256-tree-hash": treeHash(whole) }
      const archive = (yield* call("POST", path, { headers: complete })).headers["x-amz-archive-id"] ?? ""
      const job = yield* retrieval(archive)
      yield* TestClock.adjust("4 hours")
      const { stream } = yield* Support.execute("GET", `${vault("photos")}/jobs/${job}/output`)
      const forget = Effect.gen(function*() {
        yield* call("DELETE", `${vault("photos")}/archives/${archive}`)
        yield* TestClock.adjust("1 day")
        expect((yield* output(job)).status).toBe(404)
      })
      let read = 0
      yield* Stream.runForEach(stream, (piece) =>
        Effect.gen(function*() {
          if (read === 0) yield* forget
          read += piece.length
        }))
      expect(read).toBe(3 * MiB)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("parses the Range header as the service does", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const job = yield* retrieval(yield* upload("photos", bytes.subarray(0, 1000)))
      yield* TestClock.adjust("4 hours")
      const cases: ReadonlyArray<[string | undefined, number, string | undefined]> = [
        [undefined, 200, undefined],
        ["bytes=0-999", 206, "bytes 0-999/1000"],
        ["bytes=10-5000", 206, "bytes 10-999/1000"],
        ["bytes=10-", 206, "bytes 10-999/1000"],
        ["bytes=-10", 206, "bytes 990-999/1000"],
        ["bytes=-5000", 206, "bytes 0-999/1000"],
        ["bytes 0-9/1000", 200, undefined],
        ["0-9", 200, undefined],
        ["bytes=9-0", 200, undefined],
        ["bytes=0-1,5-6", 200, undefined],
        ["bytes=-", 200, undefined],
        ["bytes=-0", 200, undefined]
      ]
      for (const [range, status, contentRange] of cases) {
        const response = yield* output(job, range)
        expect([range, response.status, response.headers["content-range"]]).toEqual([range, status, contentRange])
      }
      // The range is clamped before its alignment is checked: the whole output has a hash.
      expect((yield* output(job, "bytes=0-4194303")).headers["x-amz-sha256-tree-hash"]).toBe(
        treeHash(bytes.subarray(0, 1000))
      )
      const beyond = yield* output(job, "bytes=1000-1001")
      expect([beyond.status, beyond.json]).toEqual([400, {
        code: "InvalidParameterValueException",
        message: "The start of the range is larger than size of retrieved data: bytes=1000-1001",
        type: "Client"
      }])
    }).pipe(Effect.provide(Support.layer())))

  it.prop("never has a range outside the output", [
    arbitraryRange,
    arbitrarySize
  ], ([header, size]) => {
    const result = parseRange(header, size)
    if (result._tag === "Left" || Option.isNone(result.right)) return true
    const { end, start } = result.right.value
    return 0 <= start && start <= end && end < size
  })
})
