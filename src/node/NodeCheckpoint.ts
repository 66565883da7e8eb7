/**
 * Checkpoints in files of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Layer from "effect/Layer"
import * as Checkpoint from "../transfer/Checkpoint.ts"
import * as NodeFileLock from "./NodeFileLock.ts"

/**
 * Checkpoints in a folder, which is made when it is needed: append-only files, fsynced. Each has one owner in all processes,
 * by `NodeFileLock.layer`, which is provided to the program, too.
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
    Layer.provide(NodeFileSystem.layer),
    Layer.provideMerge(NodeFileLock.layer)
  )
