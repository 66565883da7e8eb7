/**
 * The tasks of the library beside the program on the command line: they store a file, and download it.
 *
 *     commandTasks store FILE
 *     commandTasks download FILE
 */
import { NodeRuntime } from "@effect/platform-node"
import { Source, Vault } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const [task = "", path = ""] = process.argv.slice(2)

const store = Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  yield* vault.create
  const { archiveId, size } = yield* vault.upload(Source.file(path), { description: "archive" })
  yield* Effect.flatMap(vault.retrieveArchive(archiveId, { size }), (job) => job.wait())
})

const download = Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const job = yield* Stream.runHead(Stream.filter(vault.jobs(), ({ action }) => action === "ArchiveRetrieval")).pipe(
    Effect.flatten,
    Effect.flatMap(({ jobId }) => vault.job(jobId))
  )
  yield* job.outputToFile(path)
})

NodeRuntime.runMain(
  Effect.provide(Effect.if(task === "store", { onTrue: () => store, onFalse: () => download }), NodeGlacier.layer)
)
