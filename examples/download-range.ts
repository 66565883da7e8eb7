/**
 * Downloads a range of an archive to a file. The download is interrupted half-way and then resumed. Runs against the emulator
 * over HTTP.
 *
 *     node --import tsx examples/download-range.ts
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Fiber, Layer, Queue, Schedule } from "effect"
import { ByteRange, Source, Vault } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"

class Differs extends Data.TaggedError("Differs")<{ readonly message: string }> {}

const mebibyte = 1_048_576

const archive = Uint8Array.from({ length: 12 * mebibyte }, (_, i) => i * 31 + (i >> 8) + 7 * (i >> 20))

// The service requires ranges aligned to MiB. One node of the hash tree covers this range, so it can be verified.
const range = ByteRange.make(4 * mebibyte, 4 * mebibyte)

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const vault = yield* Vault.Vault
  yield* vault.create
  const { archiveId, size } = yield* vault.upload(Source.bytes(archive))

  const job = yield* vault.retrieveArchive(archiveId, { range })
  yield* job.wait(Schedule.spaced("200 millis"))
  yield* Console.log(`Bytes ${range.start} to ${range.end} of ${size}, to be verified by ${yield* job.verification()}`)

  const target = path.join(yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" }), "range")
  const windows = yield* Queue.unbounded<number>()
  const download = job.outputToFile(target, {
    windowSize: mebibyte,
    concurrency: 1,
    onFailure: "keep",
    onProgress: ({ bytes }) => Queue.offer(windows, bytes)
  })

  const fiber = yield* Effect.fork(download)
  yield* Queue.take(windows)
  const has = yield* Queue.take(windows)
  yield* Fiber.interrupt(fiber)
  yield* Console.log(`Interrupted after ${has / mebibyte} MiB`)

  yield* Queue.takeAll(windows)
  const downloaded = yield* download
  const written = yield* fs.readFile(target)
  if (Buffer.compare(written, archive.subarray(range.start, range.end + 1)) !== 0) {
    return yield* new Differs({ message: "What came back differs from what was uploaded" })
  }
  yield* Console.log(`Resumed: ${downloaded.size} bytes, verified`)
})

const emulator = NodeEmulator.layer({ jobDelay: "1 second" })

program.pipe(
  Effect.scoped,
  Effect.provide(Layer.provideMerge(Vault.layer("download-range"), emulator)),
  NodeRuntime.runMain
)
