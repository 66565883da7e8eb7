/** Uploads of Streams. */
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { GlacierClient } from "../../src/client/GlacierClient.ts"
import { RetryPolicy } from "../../src/policy/RetryPolicy.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import type { OnFailure, UploadKept } from "../../src/transfer/UploadKept.ts"
import { promptly } from "../support/retryPolicies.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

const upload = <E, R, Chosen extends OnFailure = "discard">(
  stream: Stream.Stream<Uint8Array, E, R>,
  options?: Upload.Options<Chosen>
) => Upload.upload<E, R, Chosen>(address, Source.stream(stream), { partSize: mebibyte, ...options })

/** Divides bytes into pieces of these sizes, which repeat. */
const pieces = (bytes: Uint8Array, sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const cut: Array<Uint8Array> = []
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const piece = bytes.subarray(start, start + (sizes[i % sizes.length] ?? 1))
    cut.push(piece)
    start += piece.length
  }
  return cut
}

const bytes = pattern(4.5 * mebibyte)

const mismatch = new ServiceError.ChecksumMismatch({ operation: "UploadMultipartPart", status: 400, message: "No" })

const rejecting = (start: number) =>
  replacing((glacier) => ({
    uploadMultipartPart: (input) =>
      input.range.start === start ? Effect.fail(mismatch) : glacier.uploadMultipartPart(input)
  }))

class Torn extends Data.TaggedError("Torn") {}

class Tape extends Context.Tag("test/Tape")<Tape, Uint8Array>() {}

describe("Upload of a Stream", () => {
  it.effect.prop(
    "stores the bytes of pieces of any size",
    [
      FastCheck.integer({ min: 1, max: 5 * mebibyte }),
      FastCheck.array(FastCheck.integer({ min: 1, max: 3 * mebibyte }), { minLength: 1, maxLength: 5 }),
      FastCheck.constantFrom(mebibyte, 2 * mebibyte),
      FastCheck.integer({ min: 1, max: 4 }),
      FastCheck.boolean()
    ],
    ([size, sizes, partSize, concurrency, chunked]) =>
      Effect.gen(function*() {
        const all = pattern(size)
        const cut = pieces(all, sizes.map((size) => Math.max(size, 100)))
        const stream = chunked ? Stream.fromIterable(cut) : Stream.make(...cut).pipe(Stream.rechunk(1))
        const archive = yield* upload(stream, { partSize, concurrency })
        expect(archive).toMatchObject({
          size,
          parts: Math.ceil(size / partSize),
          treeHash: Support.treeHash(all)
        })
        expect(same((yield* stored(archive.archiveId)).bytes, all)).toBe(true)
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provide(Support.layer())),
    { fastCheck: { numRuns: 20 } }
  )

  it.effect.each<[number, number]>([
    [mebibyte, 1],
    [mebibyte + 1, 4],
    [2 * mebibyte, 4]
  ])("sends %d bytes in as few requests as it can: %d", ([size, requests]) => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const { parts } = yield* upload(Stream.fromIterable(pieces(pattern(size), [100_000])))
      expect(parts).toBe(Math.ceil(size / mebibyte))
      expect(sent).toHaveLength(requests)
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.effect("copies pieces, so that the Stream may reuse their memory", () =>
    Effect.gen(function*() {
      const memory = new Uint8Array(700_000)
      const reused = Stream.fromIterable(pieces(bytes, [memory.length])).pipe(
        Stream.rechunk(1),
        Stream.map((piece) => {
          memory.set(piece)
          return memory.subarray(0, piece.length)
        })
      )
      const { archiveId } = yield* upload(reused)
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
    }).pipe(Effect.provide(Support.layer())))

  it.effect.each([1, 2, 4])("holds at most %d parts that are sent and one that fills", (concurrency) => {
    const parts = Support.gauge()
    let pulled = 0
    let acknowledged = 0
    let peak = 0
    const piece = 256 * 1024
    const stream = Stream.fromIterable(pieces(pattern(12 * mebibyte), [piece])).pipe(
      Stream.tap((bytes) =>
        Effect.sync(() => {
          pulled += bytes.length
          peak = Math.max(peak, pulled - acknowledged)
        })
      )
    )
    return Effect.gen(function*() {
      const fiber = yield* Effect.fork(upload(stream, { concurrency }))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(fiber)).parts).toBe(12)
      expect(parts.peak).toBe(concurrency)
      // The piece that waits to be copied belongs to the Stream.
      expect(peak).toBe((concurrency + 1) * mebibyte + piece)
    }).pipe(
      replacing((glacier) => ({
        uploadMultipartPart: (input) =>
          parts.during(Effect.delay(glacier.uploadMultipartPart(input), "1 second")).pipe(
            Effect.tap(() => Effect.sync(() => void (acknowledged += input.body.length)))
          )
      })),
      Effect.provide(Support.layer())
    )
  })

  it.effect("keeps the bytes of a part until the service has it", () => {
    let lost = 0
    return Effect.gen(function*() {
      const { archiveId } = yield* upload(Stream.fromIterable(pieces(bytes, [300_000])))
      expect(lost).toBe(3)
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
    }).pipe(
      Effect.provideService(RetryPolicy, promptly(5)),
      Effect.provide(
        Support.layer((send, request) =>
          request.method === "PUT" && request.url.includes("/multipart-uploads/") && lost < 3
            ? Effect.zipRight(Effect.sync(() => lost++), Support.lost(request))
            : send
        )
      )
    )
  })

  it.effect("rejects an empty Stream before it sends anything", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      for (const empty of [Stream.empty, Stream.make(new Uint8Array(), new Uint8Array())]) {
        expect(yield* Effect.flip(upload(empty))).toMatchObject({ _tag: "InvalidInput", field: "size" })
      }
      expect(sent).toEqual([])
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.effect.each<[string, Upload.Options<"discard">]>([
    ["partSize", { partSize: 3 * mebibyte }],
    ["concurrency", { concurrency: 0 }],
    ["description", { description: "two\nlines" }]
  ])("is not read when its %s is rejected", ([field, options]) => {
    let read = false
    return Effect.gen(function*() {
      const stream = Stream.sync(() => {
        read = true
        return bytes
      })
      expect(yield* Effect.flip(upload(stream, options))).toMatchObject({ _tag: "InvalidInput", field })
      expect(read).toBe(false)
    }).pipe(Effect.provide(Support.layer()))
  })

  it.effect("reports progress, and the total after the last byte", () =>
    Effect.gen(function*() {
      const reported: Array<Progress.Event> = []
      yield* upload(Stream.fromIterable(pieces(bytes, [100_000])), {
        concurrency: 1,
        onProgress: (event) => Effect.sync(() => void reported.push(event))
      })
      const sent = reported.filter(Progress.Event.$is("Sent"))
      expect(sent.map(({ bytes }) => bytes)).toEqual([1, 2, 3, 4, 4.5].map((n) => n * mebibyte))
      expect(reported.at(0)).toMatchObject({ bytes: 0, total: Option.none() })
      expect(reported.at(-1)).toEqual(
        Progress.Event.Sent({
          range: { start: 4 * mebibyte, end: bytes.length - 1 },
          bytes: bytes.length,
          total: Option.some(bytes.length)
        })
      )
    }).pipe(Effect.provide(Support.layer())))

  describe("that fails", () => {
    const tape = Stream.flatMap(Tape, (all) => Stream.fromIterable(pieces(all, [200_000])))

    it.effect("aborts with the error of the Stream, and has its requirements", () =>
      Effect.gen(function*() {
        const failing: Effect.Effect<Upload.UploadedArchive, Upload.UploadError | Torn, GlacierClient | Tape> = upload(
          Stream.concat(tape, Stream.fail(new Torn()))
        )
        expect(yield* Effect.flip(Effect.provideService(failing, Tape, bytes))).toBeInstanceOf(Torn)
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provide(Support.layer())))

    it.effect("aborts at once when the service rejects a part while the Stream emits nothing", () =>
      Effect.gen(function*() {
        const stalled = Stream.concat(Stream.make(pattern(1.5 * mebibyte)), Stream.never)
        expect(yield* Effect.flip(upload(stalled).pipe(rejecting(0)))).toEqual(mismatch)
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provide(Support.layer())))

    it.effect("aborts when it is interrupted, and interrupts the parts that are sent", () => {
      const parts = Support.gauge()
      return Effect.gen(function*() {
        const stalled = Stream.concat(Stream.make(bytes), Stream.never)
        const fiber = yield* Effect.fork(upload(stalled, { concurrency: 2 }))
        yield* TestClock.adjust("1 millis")
        expect(parts.live).toBe(2)
        expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
        expect(parts.live).toBe(0)
        expect(yield* openUploads).toEqual([])
      }).pipe(
        replacing(() => ({ uploadMultipartPart: () => parts.during(Effect.never) })),
        Effect.provide(Support.layer())
      )
    })

    it.effect("fails with the id to resume it by, with onFailure keep", () =>
      Effect.gen(function*() {
        const failing: Effect.Effect<
          Upload.UploadedArchive,
          Upload.UploadError | Torn | UploadKept<Upload.UploadError | Torn>,
          GlacierClient | Tape
        > = upload(Stream.concat(tape, Stream.fail(new Torn())), { onFailure: "keep", concurrency: 1 })
        const error = yield* Effect.flip(Effect.provideService(failing, Tape, bytes))
        const [open] = yield* openUploads
        expect(error).toMatchObject({ _tag: "UploadKept", uploadId: open?.uploadId, cause: new Torn() })
        expect(error.message).toContain(open?.uploadId)
      }).pipe(Effect.provide(Support.layer())))

    it.effect("fails without an id when nothing was opened", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(upload(Stream.fail(new Torn()), { onFailure: "keep" }))
        expect(error).toBeInstanceOf(Torn)
      }).pipe(Effect.provide(Support.layer())))
  })
})
