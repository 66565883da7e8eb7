/**
 * Checkpoints in files of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Layer from "effect/Layer"
import * as Checkpoint from "../transfer/Checkpoint.ts"
import * as NodeFileLock from "./NodeFileLock.ts"
import * as NodeHashing from "./NodeHashing.ts"

/**
 * Stores checkpoints as append-only files in a folder, and fsyncs each write. Creates the folder when it is needed. Only one
 * process at a time can use a checkpoint: the layer includes `NodeFileLock.layer`, and also provides it to the program.
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
 * Effect.flatMap(Vault.Vault, (vault) => vault.uploadWithCheckpoint("holiday", Source.file("holiday.tar"))).pipe(
 *   Effect.provide(layer),
 *   Effect.runPromise
 * )
 */
export const layer = (directory: string): Layer.Layer<Checkpoint.Checkpoint> =>
  Checkpoint.layerFileSystem(directory).pipe(
    Layer.provide([NodeFileSystem.layer, NodeHashing.layerSha256]),
    Layer.provideMerge(NodeFileLock.layer)
  )
