import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { BrokenOutput, ConnectionError } from "../../src/protocol/GlacierError.ts"
import { JobId } from "../../src/protocol/Names.ts"
import type { operations } from "../../src/protocol/Operations.ts"
import { JobNotFound } from "../../src/protocol/ServiceError.ts"
import * as Download from "../../src/transfer/Download.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import type { Response } from "../../src/transport/Method.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Support from "./support.ts"

const { address, collect, mebibyte, pattern, replacing, same, treeHash } = Support

const windowSize = mebibyte

const bytes = pattern(4.5 * mebibyte)

type Output = Response<(typeof operations)["getJobOutput"]>

/** Stores bytes and retrieves them. */
const retrieved = Effect.fnUntraced(function*(bytes: Uint8Array, range?: ByteRange.ByteRange) {
  const glacier = yield* GlacierClient
  const { archiveId } = yield* Upload.upload(address, Source.bytes(bytes), { partSize: 64 * mebibyte })
  const { jobId } = yield* glacier.initiateJob({
    ...address,
    parameters: { type: "archive-retrieval", archiveId, retrievalByteRange: range }
  })
  const job = yield* glacier.describeJob({ ...address, jobId })
  const size = range === undefined ? bytes.length : range.end - range.start + 1
  const output: Download.Output = { vault: address, jobId, size, treeHash: job.treeHash }
  return output
})

/** Changes the answers to requests for the window from `start`, the first `times` of them. Keeps what was asked for. */
const tampering = (start: number, times: number, change: (answer: Output) => Output) => {
  const asked: Array<number | undefined> = []
  return {
    asked,
    with: replacing((glacier) => ({
      getJobOutput: (input) => {
        asked.push(input.range?.start)
        const isWanted = input.range?.start === start && asked.filter((other) => other === start).length <= times
        return Effect.map(glacier.getJobOutput(input), (answer) => isWanted ? change(answer) : answer)
      }
    }))
  }
}

const body = (change: (body: Output["body"]) => Output["body"]) => (answer: Output): Output => ({
  ...answer,
  body: change(answer.body)
})

const reset = new ConnectionError({ operation: "GetJobOutput", message: "reset" })

const flipped = body(Stream.map((piece) => piece.map((byte, index) => index === 1_000 ? byte ^ 1 : byte)))

/** Other bytes, with their tree hash. */
const zeros = (answer: Output): Output => ({
  ...answer,
  body: Stream.succeed(new Uint8Array(mebibyte)),
  treeHash: Option.some(treeHash(new Uint8Array(mebibyte)))
})

/** The Content-Range of the first MiB, or of another, of an output. */
const mebibyteOf = (total: number, number: number) => ({ range: ByteRange.make(number * mebibyte, mebibyte), total })

/** What can happen to the third MiB of an output on its way. */
const harms: ReadonlyArray<readonly [name: string, change: (answer: Output) => Output]> = [
  ["a flipped bit", flipped],
  ["a missing byte", body(Stream.map((piece) => piece.subarray(0, -1)))],
  ["no bytes", body(() => Stream.empty)],
  ["a byte too many", body(Stream.concat(Stream.succeed(new Uint8Array(1))))],
  ["a broken connection", body(Stream.concat(Stream.fail(reset)))],
  [
    "another tree hash",
    (answer) => ({ ...answer, treeHash: Option.some(treeHash(new Uint8Array(mebibyte))) })
  ],
  [
    "the bytes of another window",
    (answer) => ({ ...zeros(answer), contentRange: Option.some(mebibyteOf(bytes.length, 0)) })
  ],
  ["the bytes of another window without a Content-Range", (answer) => ({ ...zeros(answer), contentRange: Option.none() })],
  [
    "a Content-Range of another size",
    (answer) => ({ ...answer, contentRange: Option.some(mebibyteOf(bytes.length + 1, 2)) })
  ],
  ["no tree hash", (answer) => ({ ...answer, treeHash: Option.none() })]
]

const withoutHashes = replacing((glacier) => ({
  getJobOutput: (input) => Effect.map(glacier.getJobOutput(input), (answer) => ({ ...answer, treeHash: Option.none() }))
}))

/** A layer of each test's own, and retries that do not wait. */
const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provideService(RetryPolicy.RetryPolicy, Support.promptly(3)), Effect.provide(Support.layer()))

/** The pieces that a Stream emits, kept as they come, and how it ended. */
const watch = Effect.fnUntraced(function*<E, R>(stream: Stream.Stream<Uint8Array, E, R>) {
  const pieces: Array<Uint8Array> = []
  const exit = yield* Effect.exit(Stream.runForEach(stream, (piece) => Effect.sync(() => void pieces.push(piece))))
  return { emitted: Buffer.concat(pieces), exit }
})

describe("Download.stream", () => {
  it.effect.prop(
    "emits the uploaded bytes in order",
    [
      FastCheck.oneof(
        { weight: 3, arbitrary: FastCheck.integer({ min: 1, max: 6 * mebibyte }) },
        { weight: 1, arbitrary: FastCheck.integer({ min: 1, max: 40 * mebibyte }) },
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
      const { asked, with: watched } = tampering(0, 0, (answer) => answer)
      return provided(
        Effect.gen(function*() {
          const output = yield* retrieved(bytes)
          const told: Array<Progress.Event> = []
          const onProgress = (event: Progress.Event) => Effect.sync(() => void told.push(event))
          const rest = yield* collect(Download.stream(output, { from, windowSize, onProgress }))
          expect(same(rest, bytes.subarray(from))).toBe(true)
          const windows = ByteRange.windows({ start: 0, end: bytes.length - 1 }, bytes.length, windowSize)
          const needed = windows.filter(({ end }) => end >= from)
          expect(asked).toEqual(needed.map(({ start }) => start))
          expect(told).toHaveLength(needed.length)
          expect(told.every(({ total }) => Option.contains(total, bytes.length))).toBe(true)
          if (needed.length > 0) expect(told.at(-1)?.bytes).toBe(bytes.length)
          expect(Download.verification(output, { from, windowSize }) === "root" || needed.length < windows.length)
            .toBe(true)
        }).pipe(watched)
      )
    },
    { fastCheck: { numRuns: 30 } }
  )

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

  it.effect.each(harms)("fetches only the damaged window again: %s", ([, change]) => {
    const tampered = tampering(2 * mebibyte, 2, change)
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        expect(same(yield* collect(Download.stream(output, { windowSize })), bytes)).toBe(true)
        expect(tampered.asked.sort()).toEqual([0, 1, 2, 2, 2, 3, 4].map((n) => n * mebibyte))
      }).pipe(tampered.with)
    )
  })

  it.effect.each(harms)("emits no damaged byte when each attempt is damaged: %s", ([, change]) => {
    const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, change)
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        const { emitted, exit } = yield* watch(Download.stream(output, { windowSize }))
        expect(Exit.mapBoth(exit, { onFailure: ({ _tag }) => _tag, onSuccess: () => "all" }))
          .toEqual(Exit.fail("BrokenOutput"))
        expect(same(emitted, bytes.subarray(0, 2 * mebibyte))).toBe(true)
        expect(tampered.asked.filter((start) => start === 2 * mebibyte)).toHaveLength(4)
      }).pipe(tampered.with)
    )
  })

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
      expect(tampered.asked.filter((start) => start === 2 * mebibyte)).toHaveLength(30)
      expect(tampered.asked).toHaveLength(34)
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
      const promised = treeHash(pattern(1))
      const output = { ...(yield* retrieved(bytes)), treeHash: Option.some(promised) }
      const { emitted, exit } = yield* watch(Download.stream(output, { windowSize }))
      expect(same(emitted, bytes)).toBe(true)
      expect(exit).toEqual(Exit.fail(
        new BrokenOutput({
          jobId: output.jobId,
          start: 0,
          end: bytes.length - 1,
          problem: `the whole has tree hash ${treeHash(bytes)} instead of ${promised}`
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

  /** A stand-in for the service that gives out zeros, and what counts the windows in flight. */
  const slowly = (delay: "0 seconds" | "1 second") => {
    const flying = Support.gauge()
    return {
      flying,
      output: { vault: address, jobId: JobId.make("zeros"), size: 20 * mebibyte, treeHash: Option.none() },
      with: replacing(() => ({
        getJobOutput: (input) =>
          Effect.as(flying.during(Effect.sleep(delay)), {
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
        expect([service.flying.peak, service.flying.total]).toEqual([concurrency, 20])
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
                  alive = Math.max(alive, service.flying.total - used)
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
        expect([service.flying.live, service.flying.total]).toEqual([0, 4])
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
        expect(service.flying.live).toBe(0)
        expect(service.flying.total).toBeLessThanOrEqual(6)
      }).pipe(service.with)
    )
  })

  it.effect("reports progress in the order in which windows are verified", () => {
    const told: Array<Progress.Event> = []
    const onProgress = (event: Progress.Event) => Effect.sync(() => void told.push(event))
    const tampered = tampering(mebibyte, 2, body(() => Stream.empty))
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        yield* Stream.runDrain(Download.stream(output, { windowSize, onProgress, concurrency: 1 }))
        const total = Option.some(bytes.length)
        expect(told.filter(Progress.Event.$is("Verified"))).toEqual(
          [1, 2, 3, 4, 4.5].map((n, index) =>
            Progress.Event.Verified({
              range: { start: index * mebibyte, end: n * mebibyte - 1 },
              bytes: n * mebibyte,
              total
            })
          )
        )
        const range = Option.some(ByteRange.make(mebibyte, mebibyte))
        expect(told.filter(Progress.Event.$is("Retried"))).toEqual([1, 2].map((attempt) =>
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

describe("Download.toFile", () => {
  /** A folder of its own, with the names in it and the path of a file in it. */
  const folder = Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    return { fs, directory, path: `${directory}/holiday.tar`, names: fs.readDirectory(directory) }
  })

  const older = new TextEncoder().encode("the holiday before")

  const inFolder = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    provided(effect).pipe(Effect.provide(NodeFileSystem.layer))

  it.scoped.each([1, mebibyte, bytes.length])(
    "writes %d bytes, and leaves no other file",
    (size) =>
      inFolder(Effect.gen(function*() {
        const { fs, names, path } = yield* folder
        yield* fs.writeFile(path, older)
        const output = yield* retrieved(pattern(size))
        yield* Download.toFile(output, path, { windowSize, concurrency: 3 })
        expect(same(yield* fs.readFile(path), pattern(size))).toBe(true)
        expect(yield* names).toEqual(["holiday.tar"])
      }))
  )

  it.scoped("writes to a partial file beside the target until it is complete", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const seen: Array<ReadonlyArray<string>> = []
      const output = yield* retrieved(bytes)
      yield* Download.toFile(output, path, {
        windowSize,
        onProgress: () =>
          Effect.orDie(Effect.provide(
            Effect.gen(function*() {
              seen.push((yield* names).sort())
              expect(same(yield* fs.readFile(path), older)).toBe(true)
            }),
            NodeFileSystem.layer
          ))
      })
      expect(seen).toEqual(
        Array.from({ length: 5 }, () => [
          "holiday.tar",
          expect.stringMatching(/^holiday\.tar\.[0-9a-f]{16}\.checkpoint$/),
          expect.stringMatching(/^holiday\.tar\.[0-9a-f]{16}\.partial$/)
        ])
      )
    })))

  it.scoped("verifies windows without a tree hash with the whole, before it renames the file", () =>
    inFolder(Effect.gen(function*() {
      const { fs, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const download = withoutHashes(Download.toFile(output, path, { windowSize }))
      const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped)
      expect(yield* Effect.flip(tampered.with(download))).toMatchObject({
        _tag: "BrokenOutput",
        start: 0,
        end: bytes.length - 1
      })
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect((yield* download).verification).toBe("root")
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    })))

  it.scoped("keeps the older file when a window stays damaged", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped)
      const error = yield* Effect.flip(Download.toFile(output, path, { windowSize }).pipe(tampered.with))
      expect(error).toBeInstanceOf(BrokenOutput)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped.each<NonNullable<Download.FileOptions["onFailure"]>>(["discard", "keep"])(
    "keeps only the older file when the whole has a wrong tree hash, with onFailure %s",
    (onFailure) =>
      inFolder(Effect.gen(function*() {
        const { fs, names, path } = yield* folder
        yield* fs.writeFile(path, older)
        const output = { ...(yield* retrieved(bytes)), treeHash: Option.some(treeHash(pattern(1))) }
        const error = yield* Effect.flip(Download.toFile(output, path, { windowSize, onFailure }))
        expect(error).toMatchObject({ _tag: "BrokenOutput", start: 0, end: bytes.length - 1 })
        expect(same(yield* fs.readFile(path), older)).toBe(true)
        expect(yield* names).toEqual(["holiday.tar"])
      }))
  )

  it.scoped("keeps the older file when it is interrupted", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const reached = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(Download.toFile(output, path, {
        windowSize,
        concurrency: 1,
        onProgress: ({ bytes }) =>
          bytes === 2 * mebibyte ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      }))
      yield* Deferred.await(reached)
      expect(yield* names).toHaveLength(3)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("fails before it fetches anything when the folder does not exist", () =>
    inFolder(Effect.gen(function*() {
      const { directory } = yield* folder
      const output = yield* retrieved(bytes)
      expect(yield* Effect.flip(Download.toFile(output, `${directory}/no/such/folder`))).toMatchObject({
        _tag: "TargetRejected",
        reason: "missing"
      })
    })))

  it.scoped("fails when the path is a folder, and leaves no other file", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.makeDirectory(path)
      const output = yield* retrieved(bytes)
      expect(yield* Effect.flip(Download.toFile(output, path))).toMatchObject({
        _tag: "TargetRejected",
        reason: "folder"
      })
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("writes one of two concurrent downloads to a path, and rejects the other", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      const others = pattern(3 * mebibyte).reverse()
      const outputs = yield* Effect.all([retrieved(bytes), retrieved(others)])
      const exits = yield* Effect.forEach(
        outputs,
        (output) => Effect.either(Download.toFile(output, path, { windowSize })),
        { concurrency: 2 }
      )
      expect(exits.filter(Either.isRight)).toHaveLength(1)
      expect(exits.filter(Either.isLeft)).toMatchObject([{ left: { _tag: "FileInUse", owner: "this process" } }])
      const written = yield* fs.readFile(path)
      expect(same(written, bytes) || same(written, others)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))
})
