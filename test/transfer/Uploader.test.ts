/** Archives that are written piece by piece. */
import { describe, expect, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { SourceTooLarge } from "../../src/protocol/GlacierError.ts"
import { ContentSha256, PartSize } from "../../src/protocol/Names.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import type * as Upload from "../../src/transfer/Upload.ts"
import * as Uploader from "../../src/transfer/Uploader.ts"
import type { OnFailure } from "../../src/transfer/UploadKept.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

const make = <Chosen extends OnFailure = "discard">(options?: Upload.Options<Chosen>) =>
  Uploader.make<Chosen>(address, { partSize: mebibyte, ...options })

const bytes = pattern(4.5 * mebibyte)

const mismatch = new ServiceError.ChecksumMismatch({ operation: "UploadMultipartPart", status: 400, message: "No" })

class Torn extends Data.TaggedError("Torn") {}

describe("Uploader", () => {
  it.effect.prop(
    "stores the written bytes, and returns their size and tree hash at any time",
    [
      FastCheck.array(FastCheck.integer({ min: 0, max: 2 * mebibyte }), { minLength: 1, maxLength: 6 }),
      FastCheck.integer({ min: 1, max: 3 })
    ],
    ([sizes, concurrency]) =>
      Effect.scoped(Effect.gen(function*() {
        const all = pattern(1 + sizes.reduce((sum, size) => sum + size, 0))
        const uploader = yield* make({ concurrency })
        let written = 0
        for (const size of [...sizes, 1]) {
          yield* uploader.write(all.subarray(written, written + size))
          written += size
          expect(yield* uploader.size).toBe(written)
          expect(yield* uploader.treeHash).toBe(Support.treeHash(all.subarray(0, written)))
        }
        const archive = yield* uploader.close
        expect(archive).toMatchObject({ size: all.length, treeHash: Support.treeHash(all) })
        expect(same((yield* stored(archive.archiveId)).bytes, all)).toBe(true)
      })).pipe(Effect.provide(Support.layer())),
    { fastCheck: { numRuns: 15 } }
  )

  it.scoped("opens an upload when there are more bytes than one part", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const uploader = yield* make({ description: "in pieces" })
      yield* uploader.write(pattern(mebibyte))
      expect(yield* uploader.uploadId).toEqual(Option.none())
      expect(sent).toEqual([])
      yield* uploader.write(pattern(1))
      const [open] = yield* openUploads
      expect(yield* uploader.uploadId).toEqual(Option.fromNullable(open?.uploadId))
      const { archiveId } = yield* uploader.close
      expect((yield* stored(archiveId)).description).toEqual(Option.some("in pieces"))
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.scoped("sends one part in a single request, and returns the same archive when closed again", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const uploader = yield* make()
      yield* uploader.write(pattern(7))
      const archive = yield* uploader.close
      expect(yield* uploader.close).toEqual(archive)
      expect(archive).toMatchObject({ parts: 1, size: 7, treeHash: Support.treeHash(pattern(7)) })
      expect(yield* uploader.treeHash).toBe(archive.treeHash)
      expect(sent).toEqual(["POST /-/vaults/photos/archives"])
      expect(yield* Effect.flip(uploader.write(pattern(1)))).toMatchObject({ _tag: "InvalidInput", field: "uploader" })
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.scoped("rejects an empty archive before it sends anything", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const uploader = yield* make()
      yield* uploader.write(new Uint8Array())
      expect(yield* Effect.flip(uploader.close)).toMatchObject({ _tag: "InvalidInput", field: "size" })
      yield* uploader.write(pattern(1))
      expect((yield* uploader.close).size).toBe(1)
      expect(sent).toHaveLength(1)
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.scoped("lets a write wait while all parts are being sent", () =>
    Effect.gen(function*() {
      const uploader = yield* make({ concurrency: 2 })
      // Two parts are being sent, and one is full.
      yield* uploader.write(pattern(3 * mebibyte))
      const waiting = yield* Effect.fork(uploader.write(pattern(1)))
      yield* TestClock.adjust("999 millis")
      expect(yield* Fiber.poll(waiting)).toEqual(Option.none())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(waiting)
      expect(yield* uploader.size).toBe(3 * mebibyte + 1)
    }).pipe(
      replacing((glacier) => ({
        uploadMultipartPart: (input) => Effect.delay(glacier.uploadMultipartPart(input), "1 second")
      })),
      Effect.provide(Support.layer())
    ))

  it.scoped("rejects more bytes than 10,000 parts hold", () => {
    const piece = pattern(mebibyte)
    const treeHash = Support.treeHash(piece)
    return Effect.gen(function*() {
      const hasher = yield* Hasher
      const hashes = { treeHash, contentSha256: ContentSha256.make(treeHash) }
      yield* Effect.gen(function*() {
        const uploader = yield* make()
        yield* Effect.forEach(Array.from({ length: 10_000 }), () => uploader.write(piece), { discard: true })
        const error = new SourceTooLarge({ partSize: PartSize.make(mebibyte) })
        expect(yield* Effect.flip(uploader.write(pattern(1)))).toEqual(error)
        expect(error.message).toContain(`${10_000 * mebibyte} bytes`)
        expect(yield* Effect.flip(uploader.close)).toMatchObject({
          _tag: "InvalidInput",
          value: "broken by a write that failed or was interrupted"
        })
        expect(yield* uploader.size).toBe(10_000 * mebibyte)
      }).pipe(
        // The same memory for all parts: new memory of 10 GiB would take most of the time.
        Effect.provideService(Hasher, {
          ...hasher,
          hashes: () => Effect.succeed(hashes),
          allocate: () => Effect.succeed(piece)
        })
      )
    }).pipe(
      replacing(() => ({
        uploadMultipartPart: () => Effect.succeed({ treeHash: Option.none() })
      })),
      Effect.provide(Support.layer())
    )
  }, 60_000)

  describe("that is not closed", () => {
    it.effect.each(
      [
        ["is dropped when its scope ends", "discard", "ends", 0],
        ["is dropped when its scope fails", "discard", "fails", 0],
        ["is kept when its scope ends", "keep", "ends", 1],
        ["is kept when its scope fails", "keep", "fails", 1]
      ] as const
    )("%s", ([, onFailure, end, open]) => {
      const parts = Support.gauge()
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        const uploader = yield* Scope.extend(make({ onFailure, concurrency: 2 }), scope)
        yield* uploader.write(bytes.subarray(0, 2.5 * mebibyte))
        yield* TestClock.adjust("1 millis")
        expect(parts.live).toBe(2)
        yield* Scope.close(scope, end === "ends" ? Exit.void : Exit.fail("no more"))
        expect(parts.live).toBe(0)
        expect(yield* openUploads).toHaveLength(open)
      }).pipe(
        replacing(() => ({ uploadMultipartPart: () => parts.during(Effect.never) })),
        Effect.provide(Support.layer())
      )
    })

    it.scoped("fails with the error of a part at the next write that waits, and at close", () =>
      Effect.gen(function*() {
        const uploader = yield* make({ concurrency: 1 })
        yield* uploader.write(bytes.subarray(0, 2 * mebibyte))
        expect(yield* Effect.flip(uploader.close)).toEqual(mismatch)
        expect(yield* Effect.flip(uploader.write(bytes))).toEqual(mismatch)
      }).pipe(
        replacing(() => ({ uploadMultipartPart: () => Effect.fail(mismatch) })),
        Effect.provide(Support.layer())
      ))

    it.scoped("fails with the id to resume it by, with onFailure keep", () =>
      Effect.gen(function*() {
        const uploader = yield* make({ onFailure: "keep" })
        yield* uploader.write(bytes.subarray(0, 1.5 * mebibyte))
        const uploadId = Option.getOrUndefined(yield* uploader.uploadId)
        expect(yield* Effect.flip(uploader.close)).toMatchObject({ _tag: "UploadKept", uploadId, cause: mismatch })
      }).pipe(
        replacing(() => ({ uploadMultipartPart: () => Effect.fail(mismatch) })),
        Effect.provide(Support.layer())
      ))

    it.scoped("rejects all writes after one that was interrupted", () =>
      Effect.gen(function*() {
        const uploader = yield* make({ concurrency: 1 })
        const fiber = yield* Effect.fork(uploader.write(bytes))
        yield* TestClock.adjust("1 millis")
        yield* Fiber.interrupt(fiber)
        const rejected = {
          _tag: "InvalidInput",
          field: "uploader",
          value: "broken by a write that failed or was interrupted"
        }
        expect(yield* Effect.flip(uploader.write(bytes))).toMatchObject(rejected)
        expect(yield* Effect.flip(uploader.close)).toMatchObject(rejected)
      }).pipe(
        replacing(() => ({ uploadMultipartPart: () => Effect.never })),
        Effect.provide(Support.layer())
      ))

    it.scoped("can be closed again after the completion has failed", () => {
      let failed = false
      return Effect.gen(function*() {
        const uploader = yield* make()
        yield* uploader.write(bytes)
        expect(yield* Effect.flip(uploader.close)).toEqual(mismatch)
        const { archiveId } = yield* uploader.close
        expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
      }).pipe(
        replacing((glacier) => ({
          completeMultipartUpload: (input) =>
            Effect.suspend(() => {
              if (failed) return glacier.completeMultipartUpload(input)
              failed = true
              return Effect.fail(mismatch)
            })
        })),
        Effect.provide(Support.layer())
      )
    })
  })

  describe("as a Sink", () => {
    const sink = Uploader.toSink(make())

    it.effect("returns the archive of all its bytes", () =>
      Effect.gen(function*() {
        const pieces = [0, 1, 2, 3, 4].map((n) => bytes.subarray(n * mebibyte, (n + 1) * mebibyte))
        const archive = yield* Stream.run(Stream.fromIterable(pieces), sink)
        expect(archive).toMatchObject({ parts: 5, treeHash: Support.treeHash(bytes) })
        expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
      }).pipe(Effect.provide(Support.layer())))

    it.effect("aborts the upload when the Stream fails", () =>
      Effect.gen(function*() {
        const torn = Stream.concat(Stream.make(bytes), Stream.fail(new Torn()))
        expect(yield* Effect.flip(Stream.run(torn, sink))).toBeInstanceOf(Torn)
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provide(Support.layer())))
  })
})
