/**
 * A program that tests kill and start again. It uploads a file with a checkpoint in a folder and prints the id of the
 * archive, or downloads the output of a job.
 *
 *     transfer.ts upload FILE FOLDER
 *     transfer.ts download FILE JOB
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

const [, , task, file = "", argument = ""] = process.argv

const upload = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const archive = yield* vault.uploadWithCheckpoint("film", Source.file(file), {
    description: "film",
    partSize: Limits.mebibyte,
    concurrency: 2
  })
  yield* Console.log(archive.archiveId)
}).pipe(Effect.provide(NodeCheckpoint.layer(argument)))

const download = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.job(argument)
  yield* job.outputToFile(file, { windowSize: Limits.mebibyte, concurrency: 2, onFailure: "keep" })
})

const layer = Vault.layer("films").pipe(
  Layer.provide(NodeGlacier.layerClient),
  Layer.provide(Layer.merge(Credentials.layerConfig, Endpoint.layerConfig)),
  Layer.merge(NodeContext.layer)
)

const program = Effect.if(task === "upload", { onTrue: () => upload, onFalse: () => download })

NodeRuntime.runMain(Effect.provide(program, layer))
