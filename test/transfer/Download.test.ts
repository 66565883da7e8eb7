/** Downloads as Streams: windows, verification, memory and progress. */
import { describe, expect, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { BrokenOutput } from "../../src/protocol/GlacierError.ts"
import { JobId } from "../../src/protocol/Names.ts"
import { JobNotFound } from "../../src/protocol/ServiceError.ts"
import * as Download from "../../src/transfer/Download.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Support from "./support.ts"

const {
  address,
  body,
  collect,
  damages,
  flipped,
  mebibyte,
  pattern,
  provided,
  replacing,
  retrieved,
  same,
  tampering,
  treeHash,
  watch,
  withoutHashes,
  withRetries
} = Support

const windowSize = mebibyte

const bytes = pattern(Support.outputSize)

/** The output of a job for `bytes`, which several tests share because they do not change it. */
class Stored extends Context.Tag("Stored")<Stored, Download.Output>() {}

const stored = Layer.provideMerge(Layer.effect(Stored, retrieved(bytes)), Support.layer())

describe("Download.stream", () => {
  it.effect.prop(
    "emits the uploaded bytes in order",
    [
      FastCheck.oneof(
        { weight: 3, arbitrary: FastCheck.integer({ min: 1, max: 6 * mebibyte }) },
        { weight: 1, arbitrary: FastCheck.integer({ min: 1, max: 20 * mebibyte }) },
        {
          weight: 1,
          arbitrary: FastCheck.tuple(FastCheck.integer({ min: 1, max: 9 }), FastCheck.integer({ min: -1, max: 1 })).map(
            ([mebibytes, more]) => mebibytes * mebibyte + more
          )
        }
      ),
      FastCheck.constantFrom(mebibyte, 2 * mebibyte, 4 * mebibyte, 16 * mebibyte),
      FastCheck.integer({ min: 1, max: 6 })
    ],
    ([size, windowSize, concurrency]) =>
      provided(Effect.gen(function*() {
        const all = pattern(size)
        const output = yield* retrieved(all)
        expect(output.treeHash).toEqual(Option.some(treeHash(all)))
        expect(same(yield* collect(Download.stream(output, { windowSize, concurrency })), all)).toBe(true)
      })),
    { fastCheck: { numRuns: 15 } }
  )

  it.effect.each([
    { start: 2 * mebibyte, end: 4 * mebibyte - 1 },
    { start: mebibyte, end: 3 * mebibyte - 1 },
    { start: 3 * mebibyte, end: bytes.length - 1 }
  ])("is a range that was retrieved: %j", (range) =>
    provided(Effect.gen(function*() {
      const output = yield* retrieved(bytes, range)
      expect(same(yield* collect(Download.stream(output, { windowSize })), bytes.subarray(range.start, range.end + 1)))
        .toBe(true)
    })))

  it.effect("verifies only windows when it skips some, and the whole when it skips none", () =>
    provided(Effect.gen(function*() {
      const output = { ...(yield* retrieved(bytes)), treeHash: Option.some(treeHash(pattern(1))) }
      const later = { windowSize, from: mebibyte }
      expect(Download.verification(output, later)).toBe("windows")
      expect(same(yield* collect(Download.stream(output, later)), bytes.subarray(mebibyte))).toBe(true)
      const { emitted, exit } = yield* watch(Download.stream(output, later)).pipe(
        tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped).with
      )
      expect(Exit.isFailure(exit)).toBe(true)
      expect(same(emitted, bytes.subarray(mebibyte, 2 * mebibyte))).toBe(true)
      const first = { windowSize, from: mebibyte - 1 }
      expect(Download.verification(output, first)).toBe("root")
      expect(yield* Effect.flip(collect(Download.stream(output, first)))).toBeInstanceOf(BrokenOutput)
    })))

  it.effect("verifies only the size of a range that is not tree-hash aligned, and says so", () =>
    provided(Effect.gen(function*() {
      const output = yield* retrieved(bytes, ByteRange.make(mebibyte, 2 * mebibyte))
      expect([output.treeHash, Download.verification(output)]).toEqual([Option.none(), "size"])
      for (const change of [body(() => Stream.empty), body(Stream.concat(Stream.succeed(new Uint8Array(1))))]) {
        const { emitted, exit } = yield* watch(Download.stream(output, { windowSize })).pipe(
          tampering(mebibyte, Number.POSITIVE_INFINITY, change).with
        )
        expect(Exit.isFailure(exit)).toBe(true)
        expect(same(emitted, bytes.subarray(mebibyte, 2 * mebibyte))).toBe(true)
      }
    })))

  it.effect.each([Option.none(), Option.some(treeHash(new Uint8Array()))])(
    "emits nothing for an empty output",
    (hash) =>
      provided(Effect.gen(function*() {
        const output = { vault: address, jobId: JobId.make("nothing"), size: 0, treeHash: hash }
        expect(yield* collect(Download.stream(output))).toHaveLength(0)
      }))
  )

  it.effect("fails with the range and the problem of the damaged window", () => {
    const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, body(() => Stream.empty))
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        const error = yield* Effect.flip(Stream.runDrain(Download.stream(output, { windowSize })))
        expect(error).toEqual(
          new BrokenOutput({
            jobId: output.jobId,
            start: 2 * mebibyte,
            end: 3 * mebibyte - 1,
            problem: "only 0 of the requested 1048576 bytes arrived"
          })
        )
      }).pipe(tampered.with)
    )
  })

  it.effect("waits between attempts as the retry policy says", () => {
    const tampered = tampering(0, 3, body(() => Stream.empty))
    const policy = RetryPolicy.fromSchedule(Schedule.spaced("10 seconds"))
    return Effect.gen(function*() {
      const output = yield* retrieved(bytes)
      const fiber = yield* Effect.fork(collect(Download.stream(output, { windowSize })))
      yield* TestClock.adjust("29 seconds")
      expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
      yield* TestClock.adjust("1 second")
      expect(same(yield* Fiber.join(fiber), bytes)).toBe(true)
    }).pipe(
      tampered.with,
      Effect.provideService(RetryPolicy.RetryPolicy, policy),
      Effect.provide(Support.layer())
    )
  })

  it.effect("retries a window 30 times by default", () => {
    const tampered = tampering(2 * mebibyte, 29, flipped)
    return Effect.gen(function*() {
      const output = yield* retrieved(bytes)
      expect(same(yield* collect(Download.stream(output, { windowSize })), bytes)).toBe(true)
      expect(tampered.requested.filter((start) => start === 2 * mebibyte)).toHaveLength(30)
      expect(tampered.requested).toHaveLength(34)
    }).pipe(tampered.with, Effect.provide(Support.layer()), inVirtualTime)
  })

  it.effect("verifies an output of one window by the root when the response has no tree hash", () =>
    provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        expect(same(yield* collect(Download.stream(output)), bytes)).toBe(true)
        const tampered = tampering(0, Number.POSITIVE_INFINITY, flipped)
        const { emitted, exit } = yield* watch(Download.stream(output)).pipe(tampered.with)
        expect(Exit.mapBoth(exit, { onFailure: ({ _tag }) => _tag, onSuccess: () => "all" }))
          .toEqual(Exit.fail("BrokenOutput"))
        expect(emitted).toHaveLength(0)
      }).pipe(withoutHashes)
    ))

  it.effect("fails at its end when the whole does not have the tree hash of the job", () =>
    provided(Effect.gen(function*() {
      const expected = treeHash(pattern(1))
      const output = { ...(yield* retrieved(bytes)), treeHash: Option.some(expected) }
      const { emitted, exit } = yield* watch(Download.stream(output, { windowSize }))
      expect(same(emitted, bytes)).toBe(true)
      expect(exit).toEqual(Exit.fail(
        new BrokenOutput({
          jobId: output.jobId,
          start: 0,
          end: bytes.length - 1,
          problem: `the whole has tree hash ${treeHash(bytes)} instead of ${expected}`
        })
      ))
    })))

  it.effect("fails with the error of the service", () =>
    provided(Effect.gen(function*() {
      const output = { ...(yield* retrieved(bytes)), jobId: JobId.make("gone") }
      expect(yield* Effect.flip(Stream.runDrain(Download.stream(output)))).toBeInstanceOf(JobNotFound)
    })))

  it.effect.each<[string, Download.StreamOptions]>([
    ["windowSize", { windowSize: 3 * mebibyte }],
    ["windowSize", { windowSize: 0 }],
    ["concurrency", { concurrency: 0 }],
    ["concurrency", { concurrency: 1.5 }],
    ["from", { from: -1 }],
    ["from", { from: 0.5 }],
    ["from", { from: mebibyte + 1 }]
  ])("rejects an invalid %s", ([field, options]) => {
    const { change, sent } = Support.recording()
    const output = { vault: address, jobId: JobId.make("some"), size: mebibyte, treeHash: Option.none() }
    return Effect.gen(function*() {
      expect(yield* Effect.flip(Stream.runDrain(Download.stream(output, options)))).toMatchObject({
        _tag: "InvalidInput",
        field
      })
      expect(sent).toEqual([])
    }).pipe(Effect.provide(Support.layer(change)))
  })

  /** Replaces the service by one that returns zeros, and counts the windows that are fetched. */
  const slowly = (delay: "0 seconds" | "1 second") => {
    const fetching = Support.gauge()
    return {
      fetching,
      output: { vault: address, jobId: JobId.make("zeros"), size: 20 * mebibyte, treeHash: Option.none() },
      with: replacing(() => ({
        getJobOutput: (input) =>
          Effect.as(fetching.during(Effect.sleep(delay)), {
            acceptRanges: Option.none(),
            archiveDescription: Option.none(),
            contentRange: Option.map(Option.fromNullable(input.range), (range) => ({ range, total: 20 * mebibyte })),
            contentType: Option.none(),
            treeHash: Option.none(),
            body: Stream.succeed(new Uint8Array(mebibyte))
          })
      }))
    }
  }

  it.effect.each([1, 3, 6])("fetches %d windows at once", (concurrency) => {
    const service = slowly("1 second")
    return provided(
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(Stream.runDrain(Download.stream(service.output, { windowSize, concurrency })))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        expect([service.fetching.peak, service.fetching.total]).toEqual([concurrency, 20])
      }).pipe(service.with)
    )
  })

  it.effect.each([[1, 1], [3, 4], [6, 7]] as const)(
    "with concurrency %d holds at most %d windows in memory for a slow consumer",
    ([concurrency, most]) => {
      const service = slowly("0 seconds")
      let used = 0
      let alive = 0
      return provided(
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(
            Stream.runForEach(
              Download.stream(service.output, { windowSize, concurrency }),
              () =>
                Effect.sleep("1 second").pipe(Effect.zipRight(Effect.sync(() => {
                  alive = Math.max(alive, service.fetching.total - used)
                  used++
                })))
            )
          )
          yield* TestClock.adjust("1 minute")
          yield* Fiber.join(fiber)
          expect([used, alive]).toEqual([20, most])
        }).pipe(service.with)
      )
    }
  )

  it.effect("fetches no more windows for a consumer that has stopped", () => {
    const service = slowly("1 second")
    return provided(
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(
          Stream.runForEach(Download.stream(service.output, { windowSize, concurrency: 3 }), () => Effect.never)
        )
        yield* TestClock.adjust("1 hour")
        expect([service.fetching.live, service.fetching.total]).toEqual([0, 4])
        yield* Fiber.interrupt(fiber)
      }).pipe(service.with)
    )
  })

  it.effect("interrupts the other windows when the consumer needs no more", () => {
    const service = slowly("1 second")
    return provided(
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(collect(
          Stream.take(Download.stream(service.output, { windowSize, concurrency: 3 }), 1)
        ))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toHaveLength(mebibyte)
        expect(service.fetching.live).toBe(0)
        expect(service.fetching.total).toBeLessThanOrEqual(6)
      }).pipe(service.with)
    )
  })

  it.effect("reports progress in the order in which windows are verified", () => {
    const reported: Array<Progress.Event> = []
    const onProgress = (event: Progress.Event) => Effect.sync(() => void reported.push(event))
    const tampered = tampering(mebibyte, 2, body(() => Stream.empty))
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        yield* Stream.runDrain(Download.stream(output, { windowSize, onProgress, concurrency: 1 }))
        const total = Option.some(bytes.length)
        expect(reported.filter(Progress.Event.$is("Verified"))).toEqual(
          [1, 2, 3, 4, 4.5].map((n, index) =>
            Progress.Event.Verified({
              range: { start: index * mebibyte, end: n * mebibyte - 1 },
              bytes: n * mebibyte,
              total
            })
          )
        )
        const range = Option.some(ByteRange.make(mebibyte, mebibyte))
        expect(reported.filter(Progress.Event.$is("Retried"))).toEqual([1, 2].map((attempt) =>
          Progress.Event.Retried({
            range,
            bytes: mebibyte,
            total,
            operation: "GetJobOutput",
            error: "BrokenOutput",
            attempt,
            wait: expect.anything()
          })
        ))
      }).pipe(tampered.with)
    )
  })
})

layer(stored)("Download.stream of one output", (it) => {
  it.effect.each(damages)("fetches only the damaged window again: %s", ([, change]) => {
    const tampered = tampering(2 * mebibyte, 2, change)
    return withRetries(
      Effect.gen(function*() {
        const output = yield* Stored
        expect(same(yield* collect(Download.stream(output, { windowSize })), bytes)).toBe(true)
        expect(tampered.requested.sort()).toEqual([0, 1, 2, 2, 2, 3, 4].map((n) => n * mebibyte))
      }).pipe(tampered.with)
    )
  })

  it.effect.each(damages)("emits no damaged byte when each attempt is damaged: %s", ([, change]) => {
    const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, change)
    return withRetries(
      Effect.gen(function*() {
        const output = yield* Stored
        const { emitted, exit } = yield* watch(Download.stream(output, { windowSize }))
        expect(Exit.mapBoth(exit, { onFailure: ({ _tag }) => _tag, onSuccess: () => "all" }))
          .toEqual(Exit.fail("BrokenOutput"))
        expect(same(emitted, bytes.subarray(0, 2 * mebibyte))).toBe(true)
        expect(tampered.requested.filter((start) => start === 2 * mebibyte)).toHaveLength(4)
      }).pipe(tampered.with)
    )
  })

  it.effect.prop(
    "starts at any byte, and fetches only the windows from that byte on",
    [
      FastCheck.oneof(
        FastCheck.integer({ min: 0, max: bytes.length }),
        FastCheck.constantFrom(0, 1, mebibyte - 1, mebibyte, mebibyte + 1, bytes.length - 1, bytes.length)
      ),
      FastCheck.constantFrom(mebibyte, 2 * mebibyte, 16 * mebibyte)
    ],
    ([from, windowSize]) => {
      const { requested, with: watched } = tampering(0, 0, (response) => response)
      return withRetries(
        Effect.gen(function*() {
          const output = yield* Stored
          const reported: Array<Progress.Event> = []
          const onProgress = (event: Progress.Event) => Effect.sync(() => void reported.push(event))
          const rest = yield* collect(Download.stream(output, { from, windowSize, onProgress }))
          expect(same(rest, bytes.subarray(from))).toBe(true)
          const windows = ByteRange.windows({ start: 0, end: bytes.length - 1 }, bytes.length, windowSize)
          const needed = windows.filter(({ end }) => end >= from)
          expect(requested).toEqual(needed.map(({ start }) => start))
          expect(reported).toHaveLength(needed.length)
          expect(reported.every(({ total }) => Option.contains(total, bytes.length))).toBe(true)
          if (needed.length > 0) expect(reported.at(-1)?.bytes).toBe(bytes.length)
          expect(Download.verification(output, { from, windowSize }) === "root" || needed.length < windows.length)
            .toBe(true)
        }).pipe(watched)
      )
    },
    { fastCheck: { numRuns: 30 } }
  )
})
