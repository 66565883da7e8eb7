/**
 * Tree hashes of files.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { availableParallelism } from "node:os"
import * as Limits from "../protocol/Limits.ts"
import { Sha256 } from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import * as RegularFile from "../transfer/RegularFile.ts"
import { Hasher } from "../transport/Hasher.ts"

/** The number of bytes that are read and hashed at once. They fit into the processor's cache. */
const windowSize = 4 * Limits.mebibyte

/** Reads from the position of the file until the memory is full or the file ends. Returns the number of bytes. */
const fill = Effect.fnUntraced(function*(file: FileSystem.File, bytes: Uint8Array) {
  let filled = 0
  while (filled < bytes.length) {
    const read = Number(yield* file.read(bytes.subarray(filled)))
    if (read === 0) break
    filled += read
  }
  return filled
})

/**
 * Computes the tree hash of a file. The file is read in windows, which the `Hasher` in the context hashes concurrently. Fails
 * with the file system's error, also when the path is not a regular file (see `RegularFile.open`). For a pipe use
 * `TreeHash.ofStream`.
 *
 * @since 0.1.0
 * @category hashing
 * @example
 * import { NodeContext } from "@effect/platform-node"
 * import { NodeHashing, NodeTreeHash } from "effect-glacier/node"
 * import { Console, Effect, Layer } from "effect"
 *
 * NodeTreeHash.ofFile("package.json").pipe(
 *   Effect.flatMap(Console.log),
 *   Effect.provide(Layer.merge(NodeContext.layer, NodeHashing.layer)),
 *   Effect.runPromise
 * )
 */
export const ofFile: (
  path: string,
  options?: TreeHash.Options
) => Effect.Effect<TreeHash.TreeHash, PlatformError.PlatformError, FileSystem.FileSystem> = Effect.fn(
  "NodeTreeHash.ofFile"
)(function*(path, options = {}) {
  const hasher = yield* Hasher
  const sha256 = yield* Sha256
  const file = yield* RegularFile.open(path)
  const reading = yield* Effect.makeSemaphore(1)
  const hashes: Array<TreeHash.TreeHash> = []
  let windows = 0
  let ended = false
  let hashed = 0

  const next = Effect.fnUntraced(function*(bytes: Uint8Array) {
    if (ended) return undefined
    const length = yield* fill(file, bytes)
    ended = length < bytes.length
    // An empty file has one empty leaf. An empty window after others has none.
    return length === 0 && windows > 0 ? undefined : { index: windows++, length }
  })
  const reader = Effect.gen(function*() {
    const bytes = yield* hasher.allocate(windowSize)
    const read = reading.withPermits(1)(next(bytes))
    for (let window = yield* read; window !== undefined; window = yield* read) {
      hashes[window.index] = yield* hasher.treeHash(bytes.subarray(0, window.length))
      hashed += window.length
      if (options.onProgress !== undefined) yield* options.onProgress(hashed)
    }
  })

  // One more reader than there are cores: it reads while the others hash.
  yield* Effect.replicateEffect(reader, availableParallelism() + 1, { concurrency: "unbounded", discard: true })
  return TreeHash.combine(sha256, hashes)
}, Effect.scoped)
