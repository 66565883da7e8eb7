/**
 * Checkpoints in files of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Checkpoint from "../transfer/Checkpoint.ts"
import { lock } from "./internal/lock.ts"

/**
 * Checkpoints in a folder, which is made when it is needed: append-only files, fsynced. Who is at work with one keeps out
 * all others of this machine, also of other processes, until it is done or dead. (Processes of machines or containers
 * that share a folder do not see each other: give each its own.)
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Source, Vault } from "effect-glacier"
 * import { NodeCheckpoint, NodeGlacier } from "effect-glacier/node"
 * import { Effect, Layer } from "effect"
 *
 * const layer = Vault.layer("photos").pipe(
 *   Layer.provideMerge(NodeGlacier.layer),
 *   Layer.merge(NodeCheckpoint.layer("checkpoints"))
 * )
 *
 * Effect.flatMap(Vault.Vault, (vault) => vault.uploadResumable("holiday", Source.file("holiday.tar"))).pipe(
 *   Effect.provide(layer),
 *   Effect.runPromise
 * )
 */
export const layer = (directory: string): Layer.Layer<Checkpoint.Checkpoint> =>
  Layer.effect(
    Checkpoint.Checkpoint,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { open } = yield* Checkpoint.Checkpoint
      const locking = Effect.fnUntraced(function*(name: string) {
        const path = yield* Checkpoint.pathOf(directory, name)
        yield* fs.makeDirectory(directory, { recursive: true })
        yield* lock(`${path}.lock`)
      })
      return {
        open: (name) =>
          Effect.zipRight(
            Effect.mapError(locking(name), (error) =>
              error._tag === "Locked"
                ? new Checkpoint.CheckpointInUse({ name, owner: error.owner, lock: error.path })
                : new Checkpoint.CheckpointError({ name, problem: `cannot be locked: ${error.message}` })),
            open(name)
          )
      }
    })
  ).pipe(
    Layer.provide(Checkpoint.layerFileSystem(directory)),
    Layer.provide(NodeFileSystem.layer)
  )
