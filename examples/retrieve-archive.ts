/**
 * Retrieves an archive to a file. The program can be stopped at any point and started again: it reuses the job that an
 * earlier run paid for, and resumes the file. Runs against the emulator over HTTP.
 *
 *     node --import tsx examples/retrieve-archive.ts
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Chunk, Console, Data, Effect, Layer, Schedule, Stream } from "effect"
import { Job, JobWaiting, Source, Vault } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"
import type { Jobs } from "effect-glacier/protocol"

class Differs extends Data.TaggedError("Differs")<{ readonly message: string }> {}

const archive = Uint8Array.from({ length: 5_000_000 }, (_, i) => i * 31 + (i >> 8) + 7 * (i >> 20))

/** The program to run again until it succeeds, by hand or by a timer. */
const retrieve = (archiveId: string, file: string) =>
  Effect.gen(function*() {
    const vault = yield* Vault.Vault
    return yield* Job.renewed(
      // Expedited takes minutes, but needs free capacity. An existing job is reused.
      (reuse) => Job.inTiers(["Expedited", "Standard"], (tier) => vault.retrieveArchive(archiveId, { tier, reuse })),
      (job: Job.Service) =>
        Effect.gen(function*() {
          yield* Console.log(`Reading what job ${job.id.slice(0, 20)}... has retrieved`)
          return yield* job.outputToFile(file, { onFailure: "keep" })
        })
    )
  }).pipe(
    // Prints each status, because hours without output look like a hang.
    Effect.provideService(
      JobWaiting.JobWaiting,
      JobWaiting.polling(Schedule.tapInput(
        JobWaiting.usual,
        (job: Jobs.JobDescription) => job.completed ? Effect.void : Console.log(job.statusCode)
      ))
    )
  )

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const vault = yield* Vault.Vault
  yield* vault.create
  const { archiveId } = yield* vault.upload(Source.bytes(archive))
  const file = path.join(yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" }), "archive")

  yield* Effect.timeoutOption(retrieve(archiveId, file), "500 millis")
  yield* Console.log("Stopped, and started again")
  const { size, verification } = yield* retrieve(archiveId, file)

  if (Buffer.compare(yield* fs.readFile(file), archive) !== 0) {
    return yield* new Differs({ message: "What came back differs from what was uploaded" })
  }
  const jobs = yield* Stream.runCollect(vault.jobs())
  yield* Console.log(`${size} bytes, verified by ${verification}, with ${Chunk.size(jobs)} job`)
})

const emulator = NodeEmulator.layer({ jobDelay: "1500 millis" })

program.pipe(
  Effect.scoped,
  Effect.provide(Layer.provideMerge(Vault.layer("retrieve-archive"), emulator)),
  NodeRuntime.runMain
)
