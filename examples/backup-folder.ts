/**
 * Stores the files of a folder in a vault, one archive for each. Run it again, and it stores only files that are new or have
 * changed.
 *
 *     node --import tsx examples/backup-folder.ts FOLDER CHECKPOINTS
 *
 * Credentials, region and endpoint come from the environment.
 */
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"
import { BackupPlan, Vault } from "effect-glacier"
import { NodeCheckpoint, NodeGlacier } from "effect-glacier/node"

const [, , folder = "examples", checkpoints = "checkpoints"] = process.argv

const print = <E extends { readonly message: string }>(outcome: BackupPlan.Outcome<E>) => {
  switch (outcome._tag) {
    case "Stored":
      return Console.log(`${outcome.before ? "unchanged" : "stored"} ${outcome.path}: ${outcome.archive.archiveId}`)
    case "Empty":
      return Console.log(`empty ${outcome.path}`)
    default:
      return Console.log(`${outcome._tag.toLowerCase()} ${outcome.path}: ${outcome.error.message}`)
  }
}

const program = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  yield* Stream.runForEach(BackupPlan.run("example", BackupPlan.files(folder)), print)
})

const layer = Vault.layer("backups").pipe(
  Layer.provideMerge(NodeGlacier.layer),
  Layer.merge(NodeContext.layer),
  Layer.merge(NodeCheckpoint.layer(checkpoints))
)

program.pipe(Effect.provide(layer), NodeRuntime.runMain)
