/** Uploads of sources that can be read at any position. */
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { RetryPolicy } from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { AttemptTimeout, ConnectionError, SourceChanged } from "../../src/protocol/GlacierError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import type { OnFailure } from "../../src/transfer/UploadKept.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

const upload = <E, R, Chosen extends OnFailure = "discard">(
  source: Source.Source<E, R>,
  options?: Upload.Options<Chosen>
) => Upload.upload<E, R, Chosen>(address, source, { partSize: mebibyte, ...options })

class Unreadable extends Data.TaggedError("Unreadable") {}

class Disk extends Context.Tag("test/Disk")<Disk, Uint8Array>() {}

/** Five parts, of which the last is half a MiB. */
const bytes = pattern(4.5 * mebibyte)

/** A source of the bytes that fails to read some parts. */
const fromDisk = (broken?: number): Source.Source<Unreadable, Disk> => ({
  size: Effect.map(Disk, (all) => all.length),
  read: (range) =>
    range.start === broken
      ? Effect.fail(new Unreadable())
      : Effect.flatMap(Disk, (all) => Source.bytes(all).read(range))
})

const mismatch = new ServiceError.ChecksumMismatch({
  operation: "UploadMultipartPart",
  status: 400,
  message: "Mismatch"
})

/** Rejects the part that starts at that byte. */
const rejecting = (start: number) =>
  replacing((glacier) => ({
    uploadMultipartPart: (input) =>
      input.range.start === start ? Effect.fail(mismatch) : glacier.uploadMultipartPart(input)
  }))

/** A source that never finishes reading the part from `start` on. `reached` ends when the read begins. */
const stuck = (start: number) =>
  Effect.map(Deferred.make<void>(), (reached) => {
    const source: Source.Source = {
      ...Source.bytes(bytes),
      read: (range) =>
        range.start === start
          ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
          : Source.bytes(bytes).read(range)
    }
    return { source, reached: Deferred.await(reached) }
  })

const interrupted = Effect.fnUntraced(function*(options?: Upload.Options) {
  const { reached, source } = yield* stuck(2 * mebibyte)
  const fiber = yield* Effect.fork(upload(source, { concurrency: 1, ...options }))
  yield* reached
  return yield* Fiber.interrupt(fiber)
})

const archives = "/-/vaults/photos/archives"
const uploads = "/-/vaults/photos/multipart-uploads"

describe("Upload", () => {
  it.effect.each([1, mebibyte - 1, mebibyte])("sends %d bytes in one request", (size) => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const archive = yield* upload(Source.bytes(pattern(size)), { description: "in one" })
      expect(sent).toEqual([`POST ${archives}`])
      expect(archive).toMatchObject({
        size,
        parts: 1,
        treeHash: Support.treeHash(pattern(size)),
        location: Option.some(`/123456789012/vaults/photos/archives/${archive.archiveId}`)
      })
      const back = yield* stored(archive.archiveId)
      expect(back.description).toEqual(Option.some("in one"))
      expect(same(back.bytes, pattern(size))).toBe(true)
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.effect("sends an archive larger than one part in parts", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const archive = yield* upload(Source.bytes(bytes), { description: "in parts" })
      expect(sent.map((line) => line.replace(/uploads\/.*/, "uploads/ID"))).toEqual([
        `POST ${uploads}`,
        ...Array.from({ length: 5 }, () => `PUT ${uploads}/ID`),
        `POST ${uploads}/ID`
      ])
      expect(archive).toMatchObject({ size: bytes.length, parts: 5, treeHash: Support.treeHash(bytes) })
      const back = yield* stored(archive.archiveId)
      expect(back.description).toEqual(Option.some("in parts"))
      expect(same(back.bytes, bytes)).toBe(true)
      expect(yield* openUploads).toEqual([])
    }).pipe(Effect.provide(Support.layer(change)))
  })

  it.effect.prop(
    "stores the bytes unchanged",
    [
      FastCheck.integer({ min: 1, max: 6 * mebibyte }),
      FastCheck.constantFrom(mebibyte, 2 * mebibyte, 4 * mebibyte),
      FastCheck.integer({ min: 1, max: 5 })
    ],
    ([size, partSize, concurrency]) =>
      Effect.gen(function*() {
        const all = pattern(size)
        const archive = yield* upload(Source.bytes(all), { partSize, concurrency })
        expect(archive).toMatchObject({ parts: Math.ceil(size / partSize), treeHash: Support.treeHash(all) })
        expect(same((yield* stored(archive.archiveId)).bytes, all)).toBe(true)
      }).pipe(Effect.provide(Support.layer())),
    { fastCheck: { numRuns: 15 } }
  )

  it.effect.each([1, 2, 4])("holds and sends %d parts at once", (concurrency) => {
    const buffers = Support.gauge()
    const reads = Support.gauge()
    const parts = Support.gauge()
    const source: Source.Source = {
      ...Source.bytes(bytes),
      read: (range) => {
        buffers.add()
        return reads.during(Effect.delay(Source.bytes(bytes).read(range), "1 second"))
      }
    }
    return Effect.gen(function*() {
      const fiber = yield* Effect.fork(upload(source, { concurrency }))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(fiber)).parts).toBe(5)
      expect([reads.peak, parts.peak, buffers.peak]).toEqual([concurrency, concurrency, concurrency])
      expect([reads.total, parts.total]).toEqual([5, 5])
    }).pipe(
      replacing((glacier) => ({
        uploadMultipartPart: (input) =>
          parts.during(Effect.delay(glacier.uploadMultipartPart(input), "1 second")).pipe(
            Effect.ensuring(Effect.sync(buffers.remove))
          )
      })),
      Effect.provide(Support.layer())
    )
  })

  it.effect.each([1, mebibyte, 4.5 * mebibyte])("reports progress up to %d bytes", (size) =>
    Effect.gen(function*() {
      const reported: Array<Progress.Event> = []
      const onProgress = (event: Progress.Event) => Effect.sync(() => void reported.push(event))
      const { parts } = yield* upload(Source.bytes(pattern(size)), { onProgress })
      const sent = reported.filter(Progress.Event.$is("Sent"))
      expect(sent).toHaveLength(parts)
      for (const { range: { start } } of sent) {
        const tags = reported.flatMap((event) =>
          "start" in event.range && event.range.start === start ? [event._tag] : []
        )
        expect(tags).toEqual(["Read", "Hashed", "Sent"])
      }
      const steps = sent.map(({ bytes }, index) => bytes - (sent[index - 1]?.bytes ?? 0))
      expect(steps.sort((a, b) => a - b)).toEqual(
        Array.from({ length: parts }, (_, index) => index === 0 ? size - (parts - 1) * mebibyte : mebibyte)
      )
      expect(reported.every(({ total }) => Option.contains(total, size))).toBe(true)
      expect(reported.at(-1)).toMatchObject({ _tag: "Sent", bytes: size })
    }).pipe(Effect.provide(Support.layer())))

  describe("rejects before any request", () => {
    const bad = { description: "Photos of Zürich" }
    it.effect.each<[string, Uint8Array, Upload.Options]>([
      ["size", new Uint8Array(), {}],
      ["partSize", bytes, { partSize: 3 * mebibyte }],
      ["partSize", bytes, { partSize: 0 }],
      ["concurrency", bytes, { concurrency: 0 }],
      ["concurrency", bytes, { concurrency: -1 }],
      ["concurrency", bytes, { concurrency: 1.5 }],
      ["concurrency", bytes, { concurrency: Number.POSITIVE_INFINITY }],
      ["lineSpeed", bytes, { lineSpeed: 0 }],
      ["partSize", bytes, { lineSpeed: 4_000 }],
      ["description", bytes, bad],
      ["description", pattern(1), bad],
      ["description", pattern(1), { description: "a".repeat(1_025) }],
      ["description", pattern(1), { description: "two\nlines" }]
    ])("%s", ([field, all, options]) => {
      const { change, sent } = Support.recording()
      return Effect.gen(function*() {
        const error = yield* Effect.flip(upload(Source.bytes(all), options))
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
        expect(sent).toEqual([])
      }).pipe(Effect.provide(Support.layer(change)))
    })
  })

  describe("that fails", () => {
    it.effect("aborts when the service rejects a part, and fails with that error", () => {
      const parts = Support.gauge()
      return Effect.gen(function*() {
        expect(yield* Effect.flip(upload(Source.bytes(bytes)).pipe(rejecting(2 * mebibyte)))).toEqual(mismatch)
        expect(yield* openUploads).toEqual([])
        expect(parts).toMatchObject({ live: 0, total: expect.toSatisfy((total) => total > 0) })
      }).pipe(
        replacing((glacier) => ({ uploadMultipartPart: (input) => parts.during(glacier.uploadMultipartPart(input)) })),
        Effect.provide(Support.layer())
      )
    })

    it.effect("aborts when the source cannot be read, and fails with the error of the source", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(upload(fromDisk(3 * mebibyte)))
        expect(error).toBeInstanceOf(Unreadable)
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provideService(Disk, bytes), Effect.provide(Support.layer())))

    it.effect("aborts when it is interrupted", () =>
      Effect.gen(function*() {
        expect(Exit.isInterrupted(yield* interrupted())).toBe(true)
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provide(Support.layer())))

    const keeping = () => {
      const reported: Array<string> = []
      const options: Upload.Options = {
        concurrency: 1,
        onFailure: "keep",
        onInitiated: (uploadId) => Effect.sync(() => void reported.push(uploadId))
      }
      return { reported, options }
    }

    it.effect.each(
      [
        [
          "rejected",
          (options: Upload.Options) => Effect.exit(upload(Source.bytes(bytes), options).pipe(rejecting(2 * mebibyte)))
        ],
        ["interrupted", interrupted]
      ] as const
    )("keeps the parts with onFailure keep: %s", ([, failing]) =>
      Effect.gen(function*() {
        const { options, reported } = keeping()
        expect(Exit.isFailure(yield* failing(options))).toBe(true)
        expect((yield* openUploads).map(({ uploadId }) => uploadId)).toEqual(reported)
        const glacier = yield* GlacierClient
        const { parts } = yield* glacier.listParts({ ...address, uploadId: reported[0] ?? "" })
        expect(parts.map(({ range }) => range.start)).toEqual([0, mebibyte])
      }).pipe(Effect.provide(Support.layer())))

    it.effect.each<[string, Effect.Effect<never, ConnectionError>]>([
      ["an error", Effect.fail(new ConnectionError({ operation: "AbortMultipartUpload", message: "reset" }))],
      ["a defect", Effect.die("out of order")]
    ])("fails with what came first when the abort ends with %s", ([, ending]) =>
      Effect.gen(function*() {
        const aborts = Support.gauge()
        const cause = yield* upload(Source.bytes(bytes)).pipe(
          rejecting(0),
          replacing(() => ({ abortMultipartUpload: () => aborts.during(ending) })),
          Effect.sandbox,
          Effect.flip
        )
        expect(new Set(Array.from(Cause.failures(cause), ({ _tag }) => _tag))).toEqual(new Set(["ChecksumMismatch"]))
        expect(Array.from(Cause.defects(cause))).toEqual([])
        expect(aborts.total).toBe(1)
      }).pipe(Effect.provide(Support.layer())))
  })

  describe("over a bad connection", () => {
    /** Loses the first response to a request of that form. The service has carried out the request. */
    const losingAnswer = (form: RegExp) => {
      const { change, sent } = Support.recording()
      const losing: Support.Change = (send, request) => {
        const before = sent.length
        const reported = change(send, request)
        const line = sent[before] ?? ""
        return form.test(line) && sent.indexOf(line) === before
          ? Effect.zipRight(reported, Support.lost(request))
          : reported
      }
      return { sent, change: losing }
    }

    it.effect.each(
      [
        ["a part", /^PUT /, 8],
        ["the completion", /^POST .*multipart-uploads\/./, 8]
      ] as const
    )("retries when the response to %s is lost", ([, form, requests]) => {
      const { change, sent } = losingAnswer(form)
      return Effect.gen(function*() {
        const { archiveId } = yield* upload(Source.bytes(bytes))
        expect(sent).toHaveLength(requests)
        expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
      }).pipe(
        Effect.provideService(RetryPolicy, Support.promptly(1)),
        Effect.provide(Support.layer(change))
      )
    })

    it.effect("does not store an archive twice", () => {
      const { change, sent } = losingAnswer(/archives$/)
      return Effect.gen(function*() {
        expect(yield* Effect.flip(upload(Source.bytes(pattern(1))))).toHaveProperty("_tag", "OutcomeUnknown")
        expect(sent).toEqual([`POST ${archives}`])
      }).pipe(Effect.provideService(RetryPolicy, Support.promptly(1)), Effect.provide(Support.layer(change)))
    })

    /** Requests of that method and path never get a response. */
    const silent = (form: RegExp) =>
      Support.layer((send, { method, url }) => form.test(`${method} ${url}`) ? Effect.never : send)

    const patience = Timeouts.make({ response: Duration.seconds(2), upload: Duration.seconds(20) })

    it.effect("fails when the upload cannot be opened for half an hour", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkDaemon(Effect.flip(upload(Source.bytes(bytes))))
        yield* TestClock.adjust("29 minutes")
        expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
        yield* TestClock.adjust("2 minutes")
        const ended = yield* Fiber.poll(fiber)
        expect(ended).toEqual(Option.some(Exit.succeed(
          new AttemptTimeout({
            operation: "InitiateMultipartUpload",
            waiting: "response",
            limit: Duration.millis(2_000)
          })
        )))
      }).pipe(Effect.provideService(Timeouts.Timeouts, patience), Effect.provide(silent(/^POST .*multipart-uploads$/))))

    it.effect("ends within 1 second of an interruption when the service does not respond any more", () =>
      Effect.gen(function*() {
        const { reached, source } = yield* stuck(2 * mebibyte)
        const fiber = yield* Effect.fork(upload(source, { concurrency: 1 }))
        yield* reached
        yield* Effect.forkDaemon(Fiber.interrupt(fiber))
        yield* TestClock.adjust("1 second")
        expect(Option.map(yield* Fiber.poll(fiber), Exit.isInterrupted)).toEqual(Option.some(true))
      }).pipe(Effect.provide(silent(/^DELETE/))))

    it.effect("stops waiting for an abort that gets no response", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkDaemon(Effect.flip(upload(Source.bytes(bytes)).pipe(rejecting(0))))
        yield* TestClock.adjust("10 minutes")
        const ended = yield* Fiber.poll(fiber)
        expect(ended).toEqual(Option.some(Exit.succeed(mismatch)))
      }).pipe(Effect.provideService(Timeouts.Timeouts, patience), Effect.provide(silent(/^DELETE/))))
  })

  it.effect.each([["few", -1, mebibyte], ["many", 1, mebibyte], ["few in a part", -1, 4 * mebibyte]] as const)(
    "stores no archive of a source that returns too %s bytes",
    ([, more, size]) => {
      const { change, sent } = Support.recording()
      const source: Source.Source = {
        size: Effect.succeed(size),
        read: (range) => Effect.succeed(pattern(range.end - range.start + 1 + more))
      }
      return Effect.gen(function*() {
        expect(yield* Effect.flip(upload(source))).toBeInstanceOf(SourceChanged)
        expect(sent.filter((line) => line === `POST ${archives}` || line.startsWith("PUT "))).toEqual([])
        expect(yield* openUploads).toEqual([])
      }).pipe(Effect.provide(Support.layer(change)))
    }
  )

  it.effect("has the requirements and errors of its source", () =>
    Effect.gen(function*() {
      const uploading: Effect.Effect<Upload.UploadedArchive, Upload.UploadError | Unreadable, GlacierClient | Disk> =
        upload(fromDisk())
      const { archiveId } = yield* Effect.provideService(uploading, Disk, bytes)
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)

      const failing: Effect.Effect<string, Upload.UploadError, GlacierClient> = upload(fromDisk(0)).pipe(
        Effect.as("uploaded"),
        Effect.catchTag("Unreadable", () => Effect.succeed("caught")),
        Effect.provideService(Disk, bytes)
      )
      expect(yield* failing).toBe("caught")
    }).pipe(Effect.provide(Support.layer())))
})
