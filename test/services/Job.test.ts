import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { JobExpired, JobRunning } from "../../src/protocol/GlacierError.ts"
import { VaultNotFound } from "../../src/protocol/ServiceError.ts"
import * as Job from "../../src/services/Job.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Support from "../transfer/support.ts"
import { layer } from "./support.ts"

const { address, collect, mebibyte, pattern, same } = Support

const bytes = pattern(1.5 * mebibyte)

/** A job that retrieves an archive. */
const retrieval = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const { archiveId } = yield* vault.upload(Source.bytes(bytes))
  return { vault, archiveId, job: yield* vault.retrieveArchive(archiveId) }
})

describe("Job.wait", () => {
  it.effect("polls once when the job is done", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const { job } = yield* retrieval
      sent.length = 0
      expect((yield* job.wait()).completed).toBe(true)
      expect(sent).toHaveLength(1)
    }).pipe(Effect.provide(layer(change, { jobDelay: 0 })))
  })

  it.effect("polls by the given schedule", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const fiber = yield* Effect.fork(Effect.zipRight(job.wait(Schedule.spaced("3 hours")), Clock.currentTimeMillis))
      yield* TestClock.adjust("6 hours")
      expect(yield* Fiber.join(fiber)).toBe(6 * 3_600_000)
    }).pipe(Effect.provide(layer())))

  it.effect.each(
    [
      [Schedule.stop, 1],
      [Schedule.recurs(3), 4],
      [Schedule.spaced("1 hour").pipe(Schedule.upTo("2 hours")), 3]
    ] as const
  )("fails with JobRunning when the schedule has ended: %#", ([schedule, asked]) => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const { job } = yield* retrieval
      sent.length = 0
      const fiber = yield* Effect.fork(Effect.flip(job.wait(schedule)))
      yield* TestClock.adjust("3 hours")
      expect(yield* Fiber.join(fiber)).toEqual(
        new JobRunning({ jobId: job.id })
      )
      expect(sent).toHaveLength(asked)
    }).pipe(Effect.provide(layer(change)))
  })

  it.effect("fails with JobFailed when the archive was deleted meanwhile", () =>
    Effect.gen(function*() {
      const { archiveId, job, vault } = yield* retrieval
      const fiber = yield* Effect.fork(Effect.flip(job.wait()))
      yield* vault.deleteArchive(archiveId)
      yield* TestClock.adjust("5 hours")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "JobFailed", jobId: job.id, message: "Failed" })
      expect(yield* Effect.flip(Stream.runDrain(job.output()))).toMatchObject({ _tag: "JobFailed" })
    }).pipe(Effect.provide(layer())))

  it.effect("leaves the job running when it is interrupted", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const fiber = yield* Effect.fork(job.wait())
      yield* TestClock.adjust("1 hour")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      yield* TestClock.adjust("3 hours")
      expect((yield* job.describe).statusCode).toBe("Succeeded")
    }).pipe(Effect.provide(layer())))
})

describe("Job", () => {
  it.scoped("provides its output as a Stream and as a file", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/holiday.tar`
      expect(same(yield* collect(job.output({ windowSize: mebibyte })), bytes)).toBe(true)
      expect(yield* job.outputToFile(path, { windowSize: mebibyte })).toEqual({
        size: bytes.length,
        verification: "root"
      })
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    }).pipe(Effect.provide(layer(undefined, { jobDelay: 0 })), Effect.provide(NodeFileSystem.layer)))

  it.effect("provides its output from an offset, and reports how it is verified", () =>
    Effect.gen(function*() {
      const { archiveId, job, vault } = yield* retrieval
      const options = { windowSize: mebibyte, from: mebibyte + 100 }
      expect(same(yield* collect(job.output(options)), bytes.subarray(options.from))).toBe(true)
      expect([yield* job.verification(), yield* job.verification(options)]).toEqual(["root", "windows"])
      const aligned = yield* vault.retrieveArchive(archiveId, { range: { start: mebibyte, end: bytes.length - 1 } })
      const inventory = yield* vault.retrieveInventory()
      expect([yield* aligned.verification(), yield* inventory.verification()]).toEqual(["root", "size"])
    }).pipe(Effect.provide(layer(undefined, { jobDelay: 0, inventoryDelay: 0 }))))

  class Full extends Data.TaggedError("Full")<{ readonly at: number }> {}

  class Shelf extends Context.Tag("Shelf")<Shelf, { readonly holds: number }>() {}

  /** A Sink with its own error and requirement. It counts bytes. */
  const count = Sink.foldEffect(0, () => true, (sum: number, piece: Uint8Array) =>
    Effect.flatMap(
      Shelf,
      ({ holds }) => sum + piece.length > holds ? new Full({ at: sum }) : Effect.succeed(sum + piece.length)
    ))

  it.effect("runs its output into a Sink, and keeps the result, error and requirements of the Sink", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const into = (holds: number) =>
        Effect.provideService(job.outputTo(count, { windowSize: mebibyte }), Shelf, { holds })
      expect(yield* into(bytes.length)).toBe(bytes.length)
      expect(yield* Effect.flip(into(bytes.length - 1))).toEqual(new Full({ at: mebibyte }))
      expect(
        same(
          yield* job.outputTo(
            Sink.map(Sink.collectAll<Uint8Array>(), (pieces) => Buffer.concat(Chunk.toReadonlyArray(pieces)))
          ),
          bytes
        )
      ).toBe(true)
    }).pipe(Effect.provide(layer(undefined, { jobDelay: 0 }))))

  it.effect("returns no result of a Sink when the verification of the whole fails", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const wrong = yield* Job.attach(address, job.id).pipe(Support.replacing((glacier) => ({
        describeJob: (input) =>
          Effect.map(glacier.describeJob(input), (job) => ({
            ...job,
            treeHash: Option.some(Support.treeHash(new Uint8Array(1)))
          }))
      })))
      const error = yield* Effect.flip(wrong.outputTo(Sink.drain, { windowSize: mebibyte }))
      expect(error).toMatchObject({ _tag: "BrokenOutput", start: 0, end: bytes.length - 1 })
    }).pipe(Effect.provide(layer(undefined, { jobDelay: 0 }))))

  it.scoped("fails with JobRunning when the output is read before the job is done", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* TestClock.adjust("3 hours")
      for (
        const early of [
          Stream.runDrain(job.output()),
          job.outputTo(Sink.drain),
          Effect.asVoid(job.outputToFile(`${directory}/holiday.tar`))
        ]
      ) expect(yield* Effect.flip(early)).toBeInstanceOf(JobRunning)
      expect(yield* fs.readDirectory(directory)).toEqual([])
    }).pipe(Effect.provide(layer()), Effect.provide(NodeFileSystem.layer)))

  it.effect("expires 24 hours after it was done", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      yield* TestClock.adjust("27 hours")
      expect(same(yield* collect(job.output()), bytes)).toBe(true)
      yield* TestClock.adjust("1 hour")
      for (const gone of [job.describe, job.wait(), Stream.runDrain(job.output())]) {
        const error = yield* Effect.flip(gone)
        expect(error).toBeInstanceOf(JobExpired)
        expect(error).toMatchObject({
          jobId: job.id,
          message: `The job ID was not found: ${job.id} ` +
            "(the service keeps a job and its output for 24 hours after completion; start another job)"
        })
      }
    }).pipe(Effect.provide(layer())))

  it.scoped("reports its completion date when it expires during a download", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/holiday.tar`
      const windows = yield* Queue.unbounded<void>()
      const slowly = {
        windowSize: mebibyte,
        concurrency: 1,
        onProgress: () => Effect.zipRight(Queue.offer(windows, undefined), Effect.sleep("1 day"))
      }
      yield* TestClock.adjust("4 hours")
      const reads = [Stream.runDrain(job.output(slowly)), Effect.asVoid(job.outputToFile(path, slowly))]
      const fibers = yield* Effect.forEach(reads, (read) => Effect.fork(Effect.flip(read)))
      yield* Queue.takeN(windows, 2)
      yield* TestClock.adjust("1 day")
      for (const fiber of fibers) {
        expect(yield* Fiber.join(fiber)).toMatchObject({
          _tag: "JobExpired",
          jobId: job.id,
          completionDate: DateTime.unsafeMake(4 * 3_600_000),
          message: `The job ID was not found: ${job.id} ` +
            "(the service keeps a job and its output for 24 hours after completion; start another job)"
        })
      }
      expect(yield* fs.readDirectory(path.slice(0, path.lastIndexOf("/")))).toEqual([])
    }).pipe(Effect.provide(layer()), Effect.provide(NodeFileSystem.layer)))

  it.effect("fails with VaultNotFound, not JobExpired, when the vault is missing", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const elsewhere = yield* Job.attach({ vaultName: "music" }, job.id)
      expect(yield* Effect.flip(elsewhere.describe)).toBeInstanceOf(VaultNotFound)
    }).pipe(Effect.provide(layer())))

  it.effect("can be found by its id", () =>
    Effect.gen(function*() {
      const { job } = yield* retrieval
      const found = yield* Effect.provide(Job.Job, Job.layer(address, job.id))
      expect(found.id).toBe(job.id)
      expect(same(yield* collect(found.output()), bytes)).toBe(true)
    }).pipe(Effect.provide(layer(undefined, { jobDelay: 0 }))))

  it.effect.each(["", "a/b", "..", "a".repeat(1_025)])("rejects the id %j", (id) =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const error = yield* Effect.flip(Layer.build(Job.layer(address, id)))
      expect(error).toMatchObject({ _tag: "InvalidInput", operation: "job", field: "jobId" })
      expect((yield* glacier.listJobs(address)).jobs).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(layer())))
})
