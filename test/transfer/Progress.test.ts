/** Progress: events, retries, Streams and estimates. */
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as ProgressReporter from "../../src/transfer/internal/progressReporter.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { promptly } from "../support/retryPolicies.ts"
import { errorResponseOf } from "../transport/support.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern } = Support

const bytes = pattern(2.5 * mebibyte)

const upload = (options?: Upload.Options<"discard">) =>
  Upload.upload(address, Source.bytes(bytes), { partSize: mebibyte, concurrency: 1, ...options })

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** The event that the n-th MiB was sent. */
const sent = (n: number, of?: number) =>
  Progress.Event.Sent({
    range: ByteRange.make((n - 1) * mebibyte, mebibyte),
    bytes: n * mebibyte,
    total: Option.map(Option.fromNullable(of), (of) => of * mebibyte)
  })

class Torn extends Data.TaggedError("Torn") {}

describe("Progress.stream", () => {
  it.effect("emits the events, and the result last", () =>
    Effect.gen(function*() {
      const events = yield* collect(Progress.stream((onProgress) => upload({ onProgress })))
      const parts = [1, 2, 3].flatMap(() => ["Read", "Hashed", "Sent"])
      expect(events.map(({ _tag }) => _tag)).toEqual([...parts, "Ended"])
      expect(events.at(-1)).toMatchObject({ value: { size: bytes.length, treeHash: Support.treeHash(bytes) } })
    }).pipe(Effect.provide(Support.layer())))

  it.effect("emits the events before a failure, and fails with the error of the transfer", () =>
    Effect.gen(function*() {
      const reported: Array<unknown> = []
      const failing: Stream.Stream<unknown, Torn> = Progress.stream((onProgress) =>
        Effect.zipRight(onProgress(sent(1)), new Torn())
      )
      const error = yield* Effect.flip(Stream.runForEach(failing, (event) => Effect.sync(() => reported.push(event))))
      expect(error).toBeInstanceOf(Torn)
      expect(reported).toEqual([sent(1)])
    }))

  it.effect("interrupts the transfer when it is not read to its end", () =>
    Effect.gen(function*() {
      const stuck = replacingParts(() => Effect.never)
      const first = Stream.takeUntil(Progress.stream((onProgress) => upload({ onProgress })), ({ _tag }) =>
        _tag === "Hashed")
      expect(yield* stuck(collect(first))).toHaveLength(2)
      expect(yield* openUploads).toEqual([])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("does not slow the transfer down for a slow reader, and never drops the end", () =>
    Effect.gen(function*() {
      const over = yield* Deferred.make<void>()
      const transfer = (onProgress: Progress.OnProgress) =>
        Effect.forEach(Array.from({ length: 1_000 }, (_, n) => n + 1), (n) => onProgress(sent(n))).pipe(
          Effect.zipRight(Effect.as(Deferred.succeed(over, undefined), "all sent"))
        )
      // The reader continues after the transfer has ended.
      const events = yield* collect(Stream.tap(Progress.stream(transfer), () => Deferred.await(over)))
      expect(events.length).toBeLessThan(600)
      expect(events.at(-1)).toEqual(new Progress.Ended({ value: "all sent" }))
      expect(events.slice(-100, -1)).toEqual(Array.from({ length: 99 }, (_, n) => sent(902 + n)))
    }))
})

const replacingParts = (uploadMultipartPart: () => Effect.Effect<never>) =>
  Support.replacing(() => ({ uploadMultipartPart }))

/** The first request of each kind is throttled. */
const throttling = (): Support.Change => {
  const seen = new Set<string>()
  return (send, request) => {
    const kind = `${request.method} ${new URL(request.url).pathname.split("/").slice(4, 6).length}`
    if (seen.has(kind)) return send
    seen.add(kind)
    return Effect.sync(() => HttpClientResponse.fromWeb(request, errorResponseOf(400, "ThrottlingException")))
  }
}

describe("Retries", () => {
  const retried = (operation: string, range?: ByteRange.ByteRange) => ({
    _tag: "Retried",
    operation,
    error: "Throttling",
    attempt: 1,
    range: Option.fromNullable(range)
  })

  it.effect("are reported for all calls of an upload, also to an onRetry hook", () =>
    Effect.gen(function*() {
      const reported: Array<Progress.Event> = []
      const outside: Array<string> = []
      yield* upload({ onProgress: (event) => Effect.sync(() => reported.push(event)) }).pipe(
        RetryPolicy.onRetry(({ operation }) => Effect.sync(() => void outside.push(operation)))
      )
      expect(reported.filter(Progress.Event.$is("Retried"))).toMatchObject([
        retried("InitiateMultipartUpload"),
        retried("UploadMultipartPart", ByteRange.make(0, mebibyte)),
        retried("CompleteMultipartUpload")
      ])
      expect(outside).toEqual(["InitiateMultipartUpload", "UploadMultipartPart", "CompleteMultipartUpload"])
    }).pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, promptly(1)),
      Effect.provide(Support.layer(throttling()))
    ))

  it.effect("are reported for a single request and for the calls of a resume", () =>
    Effect.gen(function*() {
      const reported: Array<Progress.Event> = []
      const onProgress = (event: Progress.Event) => Effect.sync(() => void reported.push(event))
      yield* Upload.upload(address, Source.bytes(pattern(7)), { onProgress })
      yield* Effect.flip(Upload.resume(address, "no-such-upload", Source.bytes(bytes), { onProgress }))
      expect(reported.filter(Progress.Event.$is("Retried"))).toMatchObject([
        retried("UploadArchive", ByteRange.make(0, 7)),
        retried("ListParts"),
        retried("CompleteMultipartUpload")
      ])
    }).pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, promptly(1)),
      Effect.provide(Support.layer(throttling()))
    ))

  it("are not observed without a hook, and no event is created", () => {
    const { report, reportDone, reportRetries } = ProgressReporter.make(undefined)
    expect(report("Read", 0, 1)).toBe(Effect.void)
    expect(reportDone("Sent", 0, 1)).toBe(Effect.void)
    expect(reportRetries()(Effect.never)).toBe(Effect.never)
  })
})

describe("Progress.estimator", () => {
  /** The rate in MiB per second, and the remaining seconds, at each event. Each event comes `seconds` after the one before. */
  const estimated = (events: ReadonlyArray<readonly [seconds: number, event: Progress.Event]>) =>
    Effect.gen(function*() {
      const estimate = yield* Progress.estimator
      return yield* Effect.forEach(events, ([seconds, event]) =>
        Effect.gen(function*() {
          yield* TestClock.adjust(Duration.seconds(seconds))
          const { bytes, rate, remaining, total } = yield* estimate(event)
          expect({ bytes, total }).toEqual({ bytes: event.bytes, total: event.total })
          return [rate / mebibyte, Option.getOrUndefined(Option.map(remaining, Duration.toSeconds))]
        }))
    })

  it.effect("estimates nothing before bytes are transferred, and then the remaining time from the rate", () =>
    Effect.gen(function*() {
      const { bytes, range, total } = sent(1, 4)
      const read = Progress.Event.Read({ range, bytes: bytes - mebibyte, total })
      expect(
        yield* estimated([[0, read], [1, read], [1, sent(1, 4)], [2, sent(2, 4)], [4, sent(3, 4)], [0, sent(4, 4)]])
      )
        .toEqual([[0, undefined], [0, undefined], [0.5, 6], [0.5, 4], [0.375, 2.667], [0.5, 0]])
    }))

  it.effect("averages the rate of the last 30 seconds", () =>
    Effect.gen(function*() {
      const slow = Array.from({ length: 10 }, (_, n) => [10, sent(n + 1, 100)] as const)
      const fast = Array.from({ length: 60 }, (_, n) => [1, sent(n + 11, 100)] as const)
      const estimates = yield* estimated([...slow, ...fast])
      expect(estimates[9]).toEqual([0.1, 900])
      expect(estimates[69]).toEqual([1, 30])
    }))

  it.effect("averages a longer time when parts take longer", () =>
    Effect.gen(function*() {
      const rare = [1, 2, 3].map((n) => [240, sent(n, 10)] as const)
      expect((yield* estimated(rare)).map(([rate]) => rate)).toEqual([1, 1, 1].map((n) => n / 240))
      const { bytes, range, total } = sent(1, 10)
      const read = Progress.Event.Read({ range, bytes, total })
      expect(yield* estimated([[240, sent(1, 10)], [80, read]])).toEqual([[1 / 240, 9 * 240], [1 / 320, 9 * 320]])
    }))

  it.effect("does not count kept bytes for the rate, and estimates no time without a total", () =>
    Effect.gen(function*() {
      const kept = (n: number) => Progress.Event.Kept(sent(n))
      expect(yield* estimated([[1, kept(1)], [0, kept(2)], [1, sent(3)]])).toEqual([
        [0, undefined],
        [0, undefined],
        [0.5, undefined]
      ])
    }))

  it.effect("estimates from Streams, and keeps their last element", () =>
    Effect.gen(function*() {
      const transfer = (onProgress: Progress.OnProgress) =>
        Effect.zipRight(Effect.delay(onProgress(sent(1, 2)), "2 seconds"), Effect.succeed("half"))
      const fiber = yield* Effect.fork(collect(Progress.estimates(Progress.stream(transfer))))
      yield* TestClock.adjust("2 seconds")
      expect(yield* fiber).toEqual([
        new Progress.Estimate({
          bytes: mebibyte,
          total: Option.some(2 * mebibyte),
          rate: mebibyte / 2,
          remaining: Option.some(Duration.seconds(2))
        }),
        new Progress.Ended({ value: "half" })
      ])
    }))
})
