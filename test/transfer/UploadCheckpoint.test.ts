/** Uploads with a checkpoint that are ended at any request and run again. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { ArchiveId } from "../../src/protocol/Names.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import type { Part } from "../../src/protocol/Uploads.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import { nativeSha256 } from "../support/hashes.ts"
import {
  afterThree,
  archives,
  bytes,
  type Cut,
  inTraffic,
  makeTraffic,
  name,
  once,
  parts,
  recorded,
  upload,
  versioned
} from "./checkpointUploads.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

describe("Upload.uploadWithCheckpoint", () => {
  it.effect.prop(
    "makes one archive after cuts at any points, and sends no acknowledged part twice",
    [
      FastCheck.integer({ min: 1, max: 4 * mebibyte }),
      FastCheck.array(
        FastCheck.record<Cut>({
          at: FastCheck.integer({ min: 1, max: 8 }),
          ends: FastCheck.constantFrom("process", "connection"),
          loses: FastCheck.constantFrom("request", "response")
        }),
        { maxLength: 4 }
      ),
      FastCheck.integer({ min: 1, max: 3 }),
      FastCheck.constantFrom("versioned", "bytes", "stream")
    ],
    ([size, cuts, concurrency, kind]) => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const all = pattern(size)
        const { source, taken } = versioned(all)
        const run = upload(kind === "versioned" ? source : kind === "bytes" ? Source.bytes(all) : once(all), {
          concurrency,
          description: "cut"
        })
        let archive = Option.none<Upload.UploadedArchive>()
        for (const cut of [...cuts, undefined]) {
          const before = parts(yield* recorded)
          archive = yield* Effect.catchAll(
            traffic.living(run, cut),
            (error) => cut === undefined ? Effect.die(error) : Effect.succeedNone
          )
          expect(taken().filter((part) => before.includes(part))).toEqual([])
          if (Option.isSome(archive)) break
        }
        const { archiveId, ...rest } = Option.getOrThrow(archive)
        expect(rest).toMatchObject({ size, parts: Math.ceil(size / mebibyte), treeHash: Support.treeHash(all) })
        const back = yield* stored(archiveId)
        expect(back.description).toEqual(Option.some("cut"))
        expect(same(back.bytes, all)).toBe(true)
        expect(yield* archives).toBe(1)
        // Only uploads whose id was never received are left open.
        const glacier = yield* GlacierClient
        for (const { uploadId } of yield* openUploads) {
          expect((yield* glacier.listParts({ ...address, uploadId })).parts).toEqual([])
        }
        expect((yield* openUploads).length).toBeLessThanOrEqual(cuts.filter(({ loses }) => loses === "response").length)
        expect(yield* recorded).toEqual([])
        expect(traffic.twice).toEqual([])
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    },
    { fastCheck: { numRuns: 15 }, timeout: 120_000 }
  )

  it.effect("reads, hashes and sends only missing parts of an unchanged source", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      expect(yield* traffic.living(upload(source), afterThree)).toEqual(Option.none())
      expect(taken()).toEqual([0, 1, 2, 3])
      expect(traffic.taken()).toEqual(["POST", "PUT 0", "PUT 1", "PUT 2", "PUT 3"])
      const reported: Array<number> = []
      const archive = yield* upload(source, {
        onProgress: ({ _tag, bytes }) =>
          _tag === "Sent" || _tag === "Kept" ? Effect.sync(() => void reported.push(bytes / mebibyte)) : Effect.void
      })
      expect(taken()).toEqual([3, 4])
      expect(traffic.taken()).toEqual(["GET", "PUT 3", "PUT 4", "POST"])
      expect(reported).toEqual([1, 2, 3, 4, 4.5])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect.each(
    [
      ["bytes without a version", Source.bytes(bytes)],
      ["a stream", once(bytes)]
    ] as const
  )("sends only the missing parts of %s", ([, source]) => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(source), afterThree)
      traffic.taken()
      const archive = yield* upload(source)
      expect(traffic.taken()).toEqual(["GET", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("sends the different parts of a source without a version", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), afterThree)
      traffic.taken()
      const changed = pattern(bytes.length).fill(9, mebibyte, 2 * mebibyte)
      const archive = yield* upload(Source.bytes(changed))
      expect(traffic.taken()).toEqual(["GET", "PUT 1", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, changed)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("reads a stream completely when the upload began with a file", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* traffic.living(upload(source), afterThree)
      const other = pattern(bytes.length).fill(9, 0, 2 * mebibyte)
      yield* traffic.living(upload(once(other)), afterThree)
      taken()
      const archive = yield* upload(source)
      expect(taken()).toEqual([0, 1, 2, 3, 4])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("returns the archive even if the checkpoint cannot be cleared", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { open } = yield* Checkpoint.Checkpoint
      const stuck = new Checkpoint.CheckpointError({ name, problem: "cannot be removed" })
      const { archiveId } = yield* Effect.provideService(upload(Source.bytes(bytes)), Checkpoint.Checkpoint, {
        open: (name) => Effect.map(open(name), (log) => ({ ...log, clear: Effect.fail(stuck) }))
      })
      expect(yield* upload(Source.bytes(bytes))).toMatchObject({ archiveId })
      expect(yield* archives).toBe(1)
      expect(yield* recorded).toEqual([])
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("sends parts again that the service has lost or has with other bytes", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* traffic.living(upload(source), afterThree)
      taken()
      traffic.taken()
      const archive = yield* upload(source).pipe(replacing((glacier) => ({
        listParts: (input) =>
          Effect.map(glacier.listParts(input), (page) => ({
            ...page,
            parts: page.parts.filter((_, index) => index !== 0).map(({ range, treeHash }) => ({
              range,
              treeHash: range.start === 2 * mebibyte ? Support.treeHash(pattern(1)) : treeHash
            }))
          }))
      })))
      expect(taken()).toEqual([0, 2, 3, 4])
      expect(traffic.taken()).toEqual(["GET", "PUT 0", "PUT 2", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("only lists 10,000 stored parts, and neither reads nor sends them [I4]", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const part = pattern(mebibyte)
      const treeHash = Support.treeHash(part)
      let read = 0
      const source: Source.Source = {
        size: Effect.succeed(10_000 * mebibyte),
        version: Effect.succeed("1"),
        read: () => Effect.sync(() => (read++, part))
      }
      /** A service that records the parts it receives. */
      const parts = new Map<number, Part>()
      const calls = { listParts: 0, uploadMultipartPart: 0, completeMultipartUpload: 0 }
      const service = (isOpen: boolean) =>
        replacing((glacier) => ({
          uploadMultipartPart: ({ range }) =>
            Effect.sync(() => {
              calls.uploadMultipartPart++
              parts.set(range.start, { range, treeHash })
              return { treeHash: Option.none() }
            }),
          listParts: (input) =>
            Effect.map(glacier.listParts({ ...input, marker: undefined }), (page) => {
              calls.listParts++
              const first = Number(input.marker ?? 0)
              return {
                ...page,
                marker: first + 50 < parts.size ? Option.some(String(first + 50)) : Option.none(),
                parts: Array.from(parts.values()).slice(first, first + 50)
              }
            }),
          completeMultipartUpload: () => {
            calls.completeMultipartUpload++
            return isOpen
              ? Effect.succeed({ archiveId: ArchiveId.make("a"), location: Option.none(), treeHash: Option.none() })
              : Effect.never
          }
        }))
      // All parts have the same bytes, so they are hashed once.
      const hashes = yield* (yield* Hasher).hashes(part)
      const first = yield* upload(source).pipe(
        service(false),
        Effect.provideService(Hasher, { ...(yield* Hasher), hashes: () => Effect.succeed(hashes) }),
        Effect.fork
      )
      while (calls.completeMultipartUpload === 0) yield* TestClock.adjust(0)
      yield* Fiber.interrupt(first)
      expect([read, calls.uploadMultipartPart]).toEqual([10_000, 10_000])

      const archive = yield* upload(source).pipe(service(true))
      expect(archive.treeHash).toBe(
        TreeHash.combine(nativeSha256, Array.from(parts.values(), () => treeHash))
      )
      expect(read).toBe(10_000)
      expect(calls).toEqual({ listParts: 200, uploadMultipartPart: 10_000, completeMultipartUpload: 2 })
    }).pipe(inTraffic(traffic))
  }, 120_000)

  it.scoped("rejects another range of the same file", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/holiday.tar`
      yield* fs.writeFile(path, bytes)
      const from = (start: number) => upload(Source.file(path, { start, end: start + 4 * mebibyte - 1 }))
      yield* traffic.living(from(0), afterThree)
      expect(yield* Effect.flip(from(mebibyte / 2))).toMatchObject({ _tag: "SourceChanged" })
      const { archiveId } = yield* from(0)
      expect(same((yield* stored(archiveId)).bytes, bytes.subarray(0, 4 * mebibyte))).toBe(true)
    }).pipe(inTraffic(traffic), Effect.provide(NodeFileSystem.layer))
  })

  describe("with a source that has changed", () => {
    it.effect.each(
      [
        ["another version", { version: "2", bytes }],
        ["another size", { version: "1", bytes: bytes.subarray(1) }]
      ] as const
    )("fails before anything is sent, and resumes when the source is restored: %s", ([, change]) => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, state, taken } = versioned(bytes)
        yield* traffic.living(upload(source), afterThree)
        taken()
        traffic.taken()
        const [{ uploadId } = { uploadId: "" }] = yield* openUploads
        traffic.taken()
        const was = { ...state }
        Object.assign(state, change)
        const error = yield* Effect.flip(upload(source))
        expect(error).toMatchObject({ _tag: "SourceChanged" })
        expect(error.message).toContain(uploadId)
        expect(error.message).toContain("discard the upload of checkpoint \"holiday\"")
        expect([taken(), traffic.taken()]).toEqual([[], []])
        Object.assign(state, was)
        yield* upload(source)
        expect(taken()).toEqual([3, 4])
      }).pipe(inTraffic(traffic))
    })

    it.effect("makes no archive when the source changes during the upload", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, state } = versioned(bytes)
        yield* traffic.living(upload(source), afterThree)
        const changing = replacing((glacier) => ({
          listParts: (input) =>
            Effect.tap(glacier.listParts(input), () =>
              Effect.sync(() => {
                state.version = "2"
                state.bytes = pattern(bytes.length).fill(9)
              }))
        }))
        const error = yield* Effect.flip(changing(upload(source)))
        expect(error).toMatchObject({ _tag: "UploadKept", cause: { _tag: "SourceChanged" } })
        expect(yield* archives).toBe(0)
        expect(yield* Effect.flip(upload(source))).toMatchObject({ _tag: "SourceChanged" })
        expect(yield* Upload.discard(address, name)).toEqual(Option.none())
        expect(yield* openUploads).toEqual([])
        const { archiveId } = yield* upload(source)
        expect(same((yield* stored(archiveId)).bytes, state.bytes)).toBe(true)
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    })
  })

  it.effect("rejects another vault, description or part size, and sends nothing", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const source = Source.bytes(bytes)
      yield* traffic.living(upload(source, { description: "one" }), afterThree)
      traffic.taken()
      const rejections = [
        ["vaultName", Upload.uploadWithCheckpoint({ vaultName: "music" }, name, source, { description: "one" })],
        [
          "accountId",
          Upload.uploadWithCheckpoint({ ...address, accountId: "123456789012" }, name, source, { description: "one" })
        ],
        ["description", upload(source)],
        ["partSize", upload(source, { description: "one", partSize: 2 * mebibyte })]
      ] as const
      for (const [field, rejected] of rejections) {
        const error = yield* Effect.flip(rejected)
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
        expect(error.message).toContain("checkpoint \"holiday\"")
      }
      expect(traffic.taken()).toEqual([])
      // Without a part size, the part size of the upload is used.
      yield* Upload.uploadWithCheckpoint(address, name, source, { description: "one", partSize: undefined })
      expect(traffic.taken()).toContain("PUT 4")
    }).pipe(inTraffic(traffic))
  })

  it.effect("is kept when it fails, and the error has its id", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const error = yield* Effect.flip(
        traffic.living(upload(Source.bytes(bytes)), { ...afterThree, ends: "connection" })
      )
      const [opened] = yield* openUploads
      expect(error).toMatchObject({
        _tag: "UploadKept",
        uploadId: opened?.uploadId,
        cause: { _tag: "ConnectionError" }
      })
      const failing = upload(Source.stream(Stream.fail("broken off" as const)))
      expect(yield* Effect.flip(failing)).toMatchObject({ _tag: "UploadKept", cause: "broken off" })
      expect(parts(yield* recorded)).toEqual([0, 1, 2])
    }).pipe(inTraffic(traffic))
  })

  it.effect("ends when an entry cannot be recorded, and resumes when it can", () => {
    const traffic = makeTraffic()
    let left = 3
    return Effect.gen(function*() {
      const { open } = yield* Checkpoint.Checkpoint
      const full = new Checkpoint.CheckpointError({ name, problem: "no space left" })
      const filling: Checkpoint.Service = {
        open: (name) =>
          Effect.map(open(name), (log) => ({
            ...log,
            append: (entry) => Effect.suspend(() => left-- > 0 ? log.append(entry) : Effect.fail(full))
          }))
      }
      const error = yield* upload(Source.bytes(bytes)).pipe(
        Effect.provideService(Checkpoint.Checkpoint, filling),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "UploadKept", cause: full })
      expect(parts(yield* recorded)).toEqual([0])
      yield* upload(Source.bytes(bytes))
      expect(traffic.twice).toEqual([])
      expect(yield* openUploads).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("rejects a second upload with the same checkpoint", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const both = yield* Effect.all([Effect.exit(upload(once(bytes))), Effect.exit(upload(once(bytes)))], {
        concurrency: 2
      })
      expect(both.map(({ _tag }) => _tag)).toEqual(["Success", "Failure"])
      expect(both[1]).toEqual(Exit.fail(new Checkpoint.CheckpointInUse({ name, owner: "this process" })))
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("rejects a checkpoint of other work, and does not change it", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* (yield* Checkpoint.Checkpoint).open(name)
        yield* log.append("other work")
      }))
      const error = yield* Effect.flip(upload(Source.bytes(bytes)))
      expect(error).toMatchObject({
        _tag: "CheckpointError",
        name,
        problem: "was not written by an upload; choose another name"
      })
      expect(yield* recorded).toEqual(["other work"])
      expect(traffic.taken()).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("records nothing of an upload that is rejected before it is opened", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      for (
        const [source, options] of [[new Uint8Array(0), {}], [bytes, { partSize: 7 }], [bytes, {
          description: "\n"
        }]] as const
      ) {
        expect(yield* Effect.flip(upload(Source.bytes(source), options))).toMatchObject({ _tag: "InvalidInput" })
      }
      expect(yield* Effect.flip(upload(once(new Uint8Array(0))))).toMatchObject({ _tag: "InvalidInput" })
      expect([yield* recorded, traffic.taken()]).toEqual([[], []])
    }).pipe(inTraffic(traffic))
  })
})
