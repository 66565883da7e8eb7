/**
 * A program that tests kill and start again. It backs up a folder, with checkpoints in another folder, and prints each
 * outcome.
 *
 *     backup.ts FOLDER CHECKPOINTS
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as BackupPlan from "../../src/services/BackupPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

const [, , folder = "", checkpoints = ""] = process.argv

const program = BackupPlan.run("films", BackupPlan.files(folder), { upload: { partSize: Limits.mebibyte } }).pipe(
  Stream.runForEach((outcome) =>
    Console.log(`${outcome._tag} ${outcome.path} ${outcome._tag === "Failed" ? String(outcome.error) : ""}`.trim())
  )
)

const layer = Vault.layer("films").pipe(
  Layer.provide(NodeGlacier.layerClient),
  Layer.provide(Layer.merge(Credentials.layerConfig, Endpoint.layerConfig)),
  Layer.merge(NodeContext.layer),
  Layer.merge(NodeCheckpoint.layer(checkpoints))
)

NodeRuntime.runMain(Effect.provide(program, layer))
