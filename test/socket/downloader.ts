/**
 * A program that downloads the output of a job to a file. It prints `done`, or the tag and the message of its error.
 *
 *     downloader.ts TARGET JOB            with the locks of NodeGlacier
 *     downloader.ts TARGET JOB unlocked   with locks that other processes do not see
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

const [, , target = "", jobId = "", locks] = process.argv

const download = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.job(jobId)
  yield* job.outputToFile(target, { windowSize: Limits.mebibyte, concurrency: 2 })
  yield* Console.log("done")
}).pipe(
  Effect.catchAll((error) => Console.log(`${error._tag}: ${error.message}`)),
  (effect) => locks === "unlocked" ? Effect.provideService(effect, FileLock.FileLock, FileLock.makeInProcess()) : effect
)

const layer = Vault.layer("films").pipe(
  Layer.provideMerge(NodeGlacier.layerClient),
  Layer.provide(Layer.merge(Credentials.layerConfig, Endpoint.layerConfig)),
  Layer.merge(NodeContext.layer)
)

NodeRuntime.runMain(Effect.provide(download, layer))
