import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
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
import { ResourceNotFound } from "../../src/protocol/ServiceError.ts"
import * as Download from "../../src/transfer/Download.ts"
import type { Progress } from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import type { Answer } from "../../src/transport/Method.ts"
import * as Support from "./support.ts"

const { address, collect, mebibyte, pattern, replacing, same, treeHash } = Support

const windowSize = mebibyte

type Output = Answer<(typeof operations)["getJobOutput"]>

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

type Disturbance = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | GlacierClient>

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

/** What can happen to a window of a MiB on its way. */
const harms: ReadonlyArray<readonly [name: string, change: (answer: Output) => Output]> = [
  ["a flipped bit", flipped],
  ["a cut", body(Stream.map((piece) => piece.subarray(0, -1)))],
  ["no bytes", body(() => Stream.empty)],
  ["bytes too many", body(Stream.concat(Stream.succeed(new Uint8Array(1))))],
  ["a broken connection", body(Stream.concat(Stream.fail(reset)))],
  [
    "another tree hash",
    (answer) => ({ ...answer, treeHash: Option.some(treeHash(new Uint8Array(mebibyte))) })
  ],
  [
    "the bytes of another window",
    (answer) => ({
      ...answer,
      body: Stream.succeed(new Uint8Array(mebibyte)),
      treeHash: Option.some(treeHash(new Uint8Array(mebibyte))),
      contentRange: Option.some({ range: { start: 0, end: mebibyte - 1 }, total: 4 * mebibyte })
    })
  ]
]

const withoutHashes = replacing((glacier) => ({
  getJobOutput: (input) => Effect.map(glacier.getJobOutput(input), (answer) => ({ ...answer, treeHash: Option.none() }))
}))

/** A layer of each test's own, and retries that do not wait. */
const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provideService(RetryPolicy.RetryPolicy, Support.promptly(3)), Effect.provide(Support.layer()))

const bytes = pattern(4.5 * mebibyte)

/** The pieces that a Stream emits, kept as they come, and how it ended. */
const watch = Effect.fnUntraced(function*<E, R>(stream: Stream.Stream<Uint8Array, E, R>) {
  const pieces: Array<Uint8Array> = []
  const exit = yield* Effect.exit(Stream.runForEach(stream, (piece) => Effect.sync(() => void pieces.push(piece))))
  return { emitted: Buffer.concat(pieces), exit }
})

describe("Download.stream", () => {
  it.effect.prop(
    "is the bytes that were uploaded, in order",
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

  it.effect.each([Option.none(), Option.some(treeHash(new Uint8Array()))])(
    "of nothing is empty",
    (hash) =>
      provided(Effect.gen(function*() {
        const output = { vault: address, jobId: JobId.make("nothing"), size: 0, treeHash: hash }
        expect(yield* collect(Download.stream(output))).toHaveLength(0)
      }))
  )

  it.effect.each(harms)("fetches a window again after %s, and that alone", ([, change]) => {
    const tampered = tampering(2 * mebibyte, 2, change)
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        expect(same(yield* collect(Download.stream(output, { windowSize })), bytes)).toBe(true)
        expect(tampered.asked.sort()).toEqual([0, 1, 2, 2, 2, 3, 4].map((n) => n * mebibyte))
      }).pipe(tampered.with)
    )
  })

  it.effect.each(harms)("emits nothing wrong when %s is all it gets", ([, change]) => {
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

  it.effect("says which bytes are broken, and how", () => {
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
            problem: "only 0 of 1048576 bytes arrived"
          })
        )
      }).pipe(tampered.with)
    )
  })

  it.effect("waits between the attempts as the policy says", () => {
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

  it.effect("takes the root for what no window was promised", () =>
    provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        expect(same(yield* collect(Download.stream(output, { windowSize })), bytes)).toBe(true)
        const error = yield* Effect.flip(
          Stream.runDrain(Download.stream(output, { windowSize })).pipe(tampering(2 * mebibyte, 1, flipped).with)
        )
        expect(error).toMatchObject({
          _tag: "BrokenOutput",
          start: 0,
          end: bytes.length - 1,
          problem: expect.stringContaining("the whole has tree hash")
        })
      }).pipe(withoutHashes)
    ))

  it.effect("fails at its end when the whole is not what was promised", () =>
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
          problem: `the whole has tree hash ${treeHash(bytes)}, promised was ${promised}`
        })
      ))
    })))

  it.effect("fails as the service fails", () =>
    provided(Effect.gen(function*() {
      const output = { ...(yield* retrieved(bytes)), jobId: JobId.make("gone") }
      expect(yield* Effect.flip(Stream.runDrain(Download.stream(output)))).toBeInstanceOf(ResourceNotFound)
    })))

  it.effect.each<[string, Download.Options]>([
    ["windowSize", { windowSize: 3 * mebibyte }],
    ["windowSize", { windowSize: 0 }],
    ["concurrency", { concurrency: 0 }],
    ["concurrency", { concurrency: 1.5 }]
  ])("refuses a bad %s", ([field, options]) => {
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
            contentRange: Option.none(),
            contentType: Option.none(),
            treeHash: Option.none(),
            body: Stream.succeed(
              new Uint8Array(Option.match(Option.fromNullable(input.range), {
                onNone: () => 0,
                onSome: ByteRange.length
              }))
            )
          })
      }))
    }
  }

  it.effect.each([1, 3, 6])("has %d windows in flight", (concurrency) => {
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

  it.effect.each([1, 3, 6])("keeps at most 2 windows more than the %d in flight", (concurrency) => {
    const service = slowly("0 seconds")
    let emitted = 0
    let ahead = 0
    return provided(
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(
          Stream.runForEach(
            Download.stream(service.output, { windowSize, concurrency }),
            () =>
              Effect.sleep("1 second").pipe(Effect.zipRight(Effect.sync(() => {
                ahead = Math.max(ahead, service.flying.total - emitted)
                emitted++
              })))
          )
        )
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        expect(emitted).toBe(20)
        expect(ahead).toBeGreaterThanOrEqual(concurrency)
        expect(ahead).toBeLessThanOrEqual(concurrency + 2)
      }).pipe(service.with)
    )
  })

  it.effect("lets go of the rest when no more is wanted", () => {
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

  it.effect("tells of progress, in the order in which windows are verified", () => {
    const told: Array<Progress> = []
    const onProgress = (progress: Progress) => Effect.sync(() => void told.push(progress))
    const tampered = tampering(mebibyte, 2, body(() => Stream.empty))
    return provided(
      Effect.gen(function*() {
        const output = yield* retrieved(bytes)
        yield* Stream.runDrain(Download.stream(output, { windowSize, onProgress, concurrency: 1 }))
        expect(told).toEqual(
          [1, 2, 3, 4, 4.5].map((n) => ({ bytes: n * mebibyte, total: bytes.length }))
        )
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
    "writes %d bytes, and leaves nothing else",
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

  it.scoped("writes to another name beside it until all is there", () =>
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
        Array.from({ length: 5 }, () => ["holiday.tar", expect.stringMatching(/^holiday\.tar\.\d+\.partial$/)])
      )
    })))

  it.scoped.each<[string, Disturbance]>([
    ["a window that stays broken", tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped).with],
    [
      "a whole that is not what was promised",
      (effect) => effect.pipe(tampering(2 * mebibyte, 1, flipped).with, withoutHashes)
    ]
  ])("leaves the older file alone after %s", ([, tampered]) =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const error = yield* Effect.flip(Download.toFile(output, path, { windowSize }).pipe(tampered))
      expect(error).toBeInstanceOf(BrokenOutput)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("leaves the older file alone when it is interrupted", () =>
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
      expect(yield* names).toHaveLength(2)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("fails with the file system's error when there is no such folder", () =>
    inFolder(Effect.gen(function*() {
      const { directory } = yield* folder
      const output = yield* retrieved(bytes)
      expect(yield* Effect.flip(Download.toFile(output, `${directory}/no/such/folder`))).toMatchObject({
        _tag: "SystemError",
        reason: "NotFound"
      })
    })))

  it.scoped("fails with the file system's error when the path is a folder, and leaves nothing", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.makeDirectory(path)
      const output = yield* retrieved(bytes)
      expect(yield* Effect.flip(Download.toFile(output, path))).toMatchObject({ _tag: "SystemError", method: "rename" })
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("two at once to one path do not mix", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      const others = pattern(3 * mebibyte).reverse()
      const outputs = yield* Effect.all([retrieved(bytes), retrieved(others)])
      yield* Effect.forEach(outputs, (output) => Download.toFile(output, path, { windowSize }), { concurrency: 2 })
      const written = yield* fs.readFile(path)
      expect(same(written, bytes) || same(written, others)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))
})
