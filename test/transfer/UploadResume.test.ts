/** Resumes of uploads by their id. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { SourceChanged, UploadGone } from "../../src/protocol/GlacierError.ts"
import { VaultNotFound } from "../../src/protocol/ServiceError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import type * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

class Cut extends Data.TaggedError("Cut") {}

const cut = new ServiceError.ServiceUnavailable({ operation: "UploadMultipartPart", status: 500, message: "Cut" })

const once = (bytes: Uint8Array) =>
  Source.stream(
    Stream.range(0, Math.floor((bytes.length - 1) / 400_000)).pipe(
      Stream.map((n) => bytes.subarray(n * 400_000, (n + 1) * 400_000))
    )
  )

/** Opens an upload of 1 MiB parts that has some of the parts of an archive. */
const partly = Effect.fnUntraced(function*(bytes: Uint8Array, indexes: ReadonlyArray<number>) {
  const glacier = yield* GlacierClient
  const { uploadId } = yield* glacier.initiateMultipartUpload({
    ...address,
    partSize: mebibyte,
    description: "kept"
  })
  const sending = yield* Support.sendingParts(uploadId)
  yield* Effect.forEach(indexes, (index) => sending(bytes, index))
  return uploadId
})

/** Records the first bytes of the parts that are sent. */
const watching = () => {
  const sent: Array<number> = []
  return {
    sent,
    watched: replacing((glacier) => ({
      uploadMultipartPart: (input) =>
        Effect.tap(glacier.uploadMultipartPart(input), () => Effect.sync(() => void sent.push(input.range.start)))
    }))
  }
}

const bytes = pattern(4.5 * mebibyte)

describe("Upload.resume", () => {
  it.effect.prop(
    "makes the same archive after a cut at any point, and sends no acknowledged part twice",
    [
      FastCheck.integer({ min: mebibyte + 1, max: 6 * mebibyte }),
      FastCheck.integer({ min: 0, max: 6 }),
      FastCheck.integer({ min: 1, max: 3 }),
      FastCheck.boolean(),
      FastCheck.boolean()
    ],
    ([size, cutAt, concurrency, streamFirst, streamThen]) => {
      const acknowledged: Array<number> = []
      let left = cutAt
      return Effect.gen(function*() {
        const all = pattern(size)
        const source = (stream: boolean) => stream ? once(all) : Source.bytes(all)
        const first = Upload.upload(address, source(streamFirst), {
          partSize: mebibyte,
          concurrency,
          onFailure: "keep",
          description: "cut"
        })
        const archive = yield* first.pipe(
          Effect.catchTag("UploadKept", ({ cause, uploadId }) => {
            expect(cause).toEqual(cut)
            left = Number.POSITIVE_INFINITY
            return Effect.gen(function*() {
              const glacier = yield* GlacierClient
              const { parts } = yield* glacier.listParts({ ...address, uploadId })
              const before = acknowledged.length
              const archive = yield* Upload.resume(address, uploadId, source(streamThen), { concurrency })
              const has = new Set(parts.map(({ range }) => range.start))
              expect(acknowledged.slice(before).filter((start) => has.has(start))).toEqual([])
              // Parts that were under way at the cut may have arrived after the parts were listed.
              const late = archive.parts - has.size - (acknowledged.length - before)
              expect(late).toBeGreaterThanOrEqual(0)
              expect(late).toBeLessThan(concurrency)
              return archive
            })
          })
        )
        const parts = Math.ceil(size / mebibyte)
        expect(archive).toMatchObject({ size, parts, treeHash: Support.treeHash(all) })
        expect(new Set(acknowledged).size).toBe(acknowledged.length)
        const back = yield* stored(archive.archiveId)
        expect(back.description).toEqual(Option.some("cut"))
        expect(same(back.bytes, all)).toBe(true)
        expect(yield* openUploads).toEqual([])
      }).pipe(
        replacing((glacier) => ({
          uploadMultipartPart: (input) =>
            Effect.suspend(() => left-- > 0 ? glacier.uploadMultipartPart(input) : Effect.fail(cut)).pipe(
              Effect.tap(() => Effect.sync(() => void acknowledged.push(input.range.start)))
            )
        })),
        Effect.provide(Support.layer())
      )
    },
    { fastCheck: { numRuns: 20 } }
  )

  it.effect.each(
    [
      ["bytes", Source.bytes(bytes)],
      ["a stream", once(bytes)]
    ] as const
  )("sends only what is missing or different: %s", ([, source]) => {
    const { sent, watched } = watching()
    return Effect.gen(function*() {
      const uploadId = yield* partly(bytes, [0, 3])
      yield* (yield* Support.sendingParts(uploadId))(pattern(5 * mebibyte).fill(7), 1)
      const reported: Array<Progress.Event> = []
      const archive = yield* Upload.resume(address, uploadId, source, {
        concurrency: 1,
        onProgress: (event) => Effect.sync(() => void reported.push(event))
      }).pipe(watched)
      expect(sent).toEqual([mebibyte, 2 * mebibyte, 4 * mebibyte])
      expect(
        reported.flatMap(({ _tag, bytes }) => _tag === "Sent" || _tag === "Kept" ? [[_tag, bytes / mebibyte]] : [])
      )
        .toEqual([["Kept", 1], ["Sent", 2], ["Sent", 3], ["Kept", 4], ["Sent", 4.5]])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(Effect.provide(Support.layer()))
  })

  it.effect.each<[string, Upload.ResumeOptions<"discard">]>([
    ["concurrency", { concurrency: 0 }],
    ["lineSpeed", { lineSpeed: -1 }],
    ["partSize", { lineSpeed: 4_000 }]
  ])("keeps the upload when its %s is rejected", ([field, options]) =>
    Effect.gen(function*() {
      const uploadId = yield* partly(bytes, [0])
      const resumed = Upload.resume(address, uploadId, Source.bytes(bytes), { ...options, onFailure: "discard" })
      expect(yield* Effect.flip(resumed)).toMatchObject({ _tag: "InvalidInput", field })
      expect(yield* openUploads).toMatchObject([{ uploadId }])
    }).pipe(Effect.provide(Support.layer())))

  it.scoped("resumes with a range of a file", () => {
    const { sent, watched } = watching()
    return Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/holiday.tar`
      yield* fs.writeFile(path, bytes)
      const range = { start: 1_000, end: 3 * mebibyte }
      const part = bytes.subarray(range.start, range.end + 1)
      const uploadId = yield* partly(part, [1])
      const { archiveId } = yield* Upload.resume(address, uploadId, Source.file(path, range)).pipe(watched)
      expect(sent.sort((a, b) => a - b)).toEqual([0, 2 * mebibyte])
      expect(same((yield* stored(archiveId)).bytes, part)).toBe(true)
    }).pipe(Effect.provide([NodeFileSystem.layer, Support.layer()]))
  })

  it.effect("sends a small source as a part, because the upload is open", () =>
    Effect.gen(function*() {
      for (const source of [Source.bytes(pattern(3)), once(pattern(3))]) {
        const { archiveId, parts } = yield* Upload.resume(address, yield* partly(bytes, []), source)
        expect(parts).toBe(1)
        expect(same((yield* stored(archiveId)).bytes, pattern(3))).toBe(true)
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("reads all pages of parts, in any order, and identifies parts by their first byte", () => {
    const { sent, watched } = watching()
    return Effect.gen(function*() {
      const uploadId = yield* partly(bytes, [0, 1, 2, 3, 4])
      const { archiveId } = yield* Upload.resume(address, uploadId, Source.bytes(bytes)).pipe(
        watched,
        replacing((glacier) => ({
          // Two parts in a page, in reverse order, with ends 1 byte too far, as older services list them.
          listParts: (input) =>
            Effect.map(glacier.listParts({ ...input, limit: 2 }), (page) => ({
              ...page,
              parts: page.parts.map(({ range: { end, start }, treeHash }) => ({
                range: { start, end: end + 1 },
                treeHash
              })).reverse()
            }))
        }))
      )
      expect(sent).toEqual([])
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
    }).pipe(Effect.provide(Support.layer()))
  })

  it.effect("makes an archive of the bytes that the source has now", () =>
    Effect.gen(function*() {
      const grown = pattern(5.5 * mebibyte).fill(9, 3 * mebibyte)
      const uploadId = yield* partly(bytes, [0, 1, 2, 3, 4])
      const { archiveId } = yield* Upload.resume(address, uploadId, Source.bytes(grown))
      expect(same((yield* stored(archiveId)).bytes, grown)).toBe(true)
    }).pipe(Effect.provide(Support.layer())))

  it.effect.each(
    [
      ["bytes", (bytes: Uint8Array) => Source.bytes(bytes)],
      ["a stream", once]
    ] as const
  )(
    "fails with SourceChanged, and keeps the upload, when the service has parts beyond the end: %s",
    ([, source]) =>
      Effect.gen(function*() {
        const uploadId = yield* partly(bytes, [0, 4])
        const error = yield* Effect.flip(
          Upload.resume(address, uploadId, source(bytes.subarray(0, 4 * mebibyte)))
        )
        expect(error).toMatchObject({ _tag: "UploadKept", uploadId, cause: { _tag: "SourceChanged" } })
        expect(yield* openUploads).toHaveLength(1)
      }).pipe(Effect.provide(Support.layer()))
  )

  it.effect("fails with SourceChanged when the source is written to, and aborts the upload with onFailure discard", () =>
    Effect.gen(function*() {
      let version = 0
      const source: Source.Source = {
        ...Source.bytes(bytes),
        version: Effect.sync(() => String(version++))
      }
      const uploadId = yield* partly(bytes, [0])
      const options = { onFailure: "discard" } as const
      const resuming: Effect.Effect<Upload.UploadedArchive, Upload.ResumeError, GlacierClient> = Upload.resume(
        address,
        uploadId,
        source,
        options
      )
      expect(yield* Effect.flip(resuming)).toBeInstanceOf(SourceChanged)
      expect(yield* openUploads).toEqual([])
      expect(yield* Effect.flip(Upload.upload(address, source))).toBeInstanceOf(SourceChanged)
    }).pipe(Effect.provide(Support.layer())))

  it.effect.each(
    [
      ["bytes", Source.bytes(bytes)],
      ["a stream", once(bytes)]
    ] as const
  )("returns the archive of an upload that was completed, and sends nothing: %s", ([, source]) => {
    const { sent, watched } = watching()
    return Effect.gen(function*() {
      const uploadId = yield* partly(bytes, [0, 1, 2, 3, 4])
      const archive = yield* Upload.resume(address, uploadId, source)
      sent.length = 0
      const again = yield* Upload.resume(address, uploadId, source)
      expect(again).toMatchObject({ archiveId: archive.archiveId, treeHash: archive.treeHash, size: bytes.length })
      expect(sent).toEqual([])
    }).pipe(watched, Effect.provide(Support.layer()))
  })

  it.effect("fails with SourceChanged when the upload was completed with another tree hash", () =>
    Effect.gen(function*() {
      const uploadId = yield* partly(bytes, [0, 1, 2, 3, 4])
      const { treeHash } = yield* Upload.resume(address, uploadId, Source.bytes(bytes))
      const error = yield* Upload.resume(address, uploadId, Source.bytes(bytes.subarray(1))).pipe(
        replacing((glacier) => ({
          completeMultipartUpload: (input) =>
            Effect.map(glacier.completeMultipartUpload(input), (response) => ({
              ...response,
              treeHash: Option.some(treeHash)
            }))
        })),
        Effect.flip
      )
      expect(error).toBeInstanceOf(SourceChanged)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("fails with VaultNotFound, and reads nothing, when the vault does not exist", () =>
    Effect.gen(function*() {
      const uploadId = yield* partly(bytes, [0])
      const source = Source.stream(Stream.die("the source was read"))
      const error = yield* Effect.flip(Upload.resume({ vaultName: "missing" }, uploadId, source))
      expect(error).toBeInstanceOf(VaultNotFound)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("fails with UploadGone, and sends nothing, when the upload was aborted", () => {
    const { sent, watched } = watching()
    return Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const uploadId = yield* partly(bytes, [0])
      sent.length = 0
      yield* glacier.abortMultipartUpload({ ...address, uploadId })
      const error = yield* Effect.flip(Upload.resume(address, uploadId, once(bytes)))
      expect(error).toBeInstanceOf(UploadGone)
      expect(error).toMatchObject({ uploadId, message: expect.stringContaining(uploadId) })
      expect(sent).toEqual([])
    }).pipe(watched, Effect.provide(Support.layer()))
  })

  it.effect("rejects an invalid id, and fails with the error of the source", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Upload.resume(address, "no/id", Source.bytes(bytes)))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "uploadId" })
      expect(sent).toEqual([])
      const uploadId = yield* partly(bytes, [0])
      const failing = Upload.resume(address, uploadId, Source.stream(Stream.fail(new Cut())))
      expect(yield* Effect.flip(failing)).toMatchObject({ _tag: "UploadKept", uploadId, cause: new Cut() })
    }).pipe(Effect.provide(Support.layer(change)))
  })
})
