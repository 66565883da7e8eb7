/**
 * Glacier's checksum: the SHA-256 of each MiB, then of each pair of neighbours, until one hash is left. A node without a
 * neighbour moves up unchanged. So parts can be hashed separately and combined, and a range of an archive can be verified
 * without the rest. See Computing Checksums (Amazon Glacier Developer Guide).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Limits from "./Limits.ts"
import * as Sha256 from "./Sha256.ts"

/**
 * A tree hash as 64 lower-case hex digits, the form of `x-amz-sha256-tree-hash`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TreeHash = Schema.String.pipe(
  Schema.pattern(/^[0-9a-f]{64}$/, {
    identifier: "TreeHash",
    message: () => "must be a SHA-256 tree hash as 64 lower-case hex digits"
  }),
  Schema.brand("TreeHash")
)

/**
 * @since 0.1.0
 * @category schemas
 */
export type TreeHash = typeof TreeHash.Type

/**
 * Sibling nodes of one height, pushed left to right, and the root above them. Like a binary counter it holds one
 * finished subtree for each set bit of their number: O(log n) digests.
 */
interface Nodes {
  readonly push: (node: Uint8Array) => void
  /** Call once, after at least one push. */
  readonly root: () => TreeHash
}

const nodes = (create: Sha256.Create): Nodes => {
  const stack: Array<Uint8Array> = []
  let count = 0
  const join = (right: Uint8Array): Uint8Array => Sha256.digest(create, stack.pop() ?? new Uint8Array(), right)
  return {
    push(node) {
      let top = node
      for (let n = ++count; n % 2 === 0; n /= 2) top = join(top)
      stack.push(top)
    },
    root() {
      let top = stack.pop() ?? new Uint8Array()
      while (stack.length > 0) top = join(top)
      return TreeHash.make(Encoding.encodeHex(top))
    }
  }
}

/**
 * An incremental tree hash. It holds one running digest and O(log n) finished ones.
 *
 * @since 0.1.0
 * @category models
 */
export interface Builder {
  /** Adds bytes: any number of them, at any boundary. */
  readonly update: (bytes: Uint8Array) => void
  /** The bytes added so far. */
  readonly size: () => number
  /** The tree hash of all bytes added. Ends the builder. */
  readonly digest: () => TreeHash
}

/**
 * Starts an incremental tree hash. Calls `onLeaf` with the digest of each MiB (and of the shorter rest) in order.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { TreeHash } from "effect-glacier"
 * import { Sha256 } from "effect-glacier/protocol"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const builder = TreeHash.builder(yield* Sha256.Sha256)
 *   builder.update(new TextEncoder().encode("hello "))
 *   builder.update(new TextEncoder().encode("world"))
 *   return builder.digest() // b94d27b9...
 * })
 */
export const builder = (create: Sha256.Create, onLeaf?: (digest: Uint8Array) => void): Builder => {
  const tree = nodes(create)
  let leaf = create()
  let filled = 0
  let size = 0
  const close = (): void => {
    const digest = leaf.digest()
    onLeaf?.(digest)
    tree.push(digest)
    leaf = create()
    filled = 0
  }
  return {
    update(bytes) {
      size += bytes.length
      for (let offset = 0; offset < bytes.length;) {
        const slice = bytes.subarray(offset, offset + Limits.mebibyte - filled)
        leaf.update(slice)
        filled += slice.length
        offset += slice.length
        if (filled === Limits.mebibyte) close()
      }
    },
    size: () => size,
    digest() {
      if (filled > 0 || size === 0) close()
      return tree.root()
    }
  }
}

/**
 * Computes the tree hash of bytes in memory.
 *
 * @since 0.1.0
 * @category hashing
 */
export const ofBytes = (create: Sha256.Create, bytes: Uint8Array): TreeHash => {
  const running = builder(create)
  running.update(bytes)
  return running.digest()
}

/**
 * Options for hashing a Stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Receives the number of bytes hashed so far. */
  readonly onProgress?: ((bytes: number) => Effect.Effect<void>) | undefined
}

/**
 * Computes the tree hash of a Stream of bytes with the `Sha256` in use. Memory holds O(log n) digests.
 *
 * @since 0.1.0
 * @category hashing
 * @example
 * import { FileSystem } from "@effect/platform"
 * import { TreeHash } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.flatMap(
 *   FileSystem.FileSystem,
 *   (fs) => TreeHash.ofStream(fs.stream("photos.tar"), { onProgress: (bytes) => Effect.log(`${bytes} bytes`) })
 * )
 */
export const ofStream = Effect.fnUntraced(function*<E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: Options = {}
) {
  const running = builder(yield* Sha256.Sha256)
  yield* Stream.runForEach(stream, (bytes) => {
    running.update(bytes)
    return options.onProgress?.(running.size()) ?? Effect.void
  })
  return running.digest()
})

/**
 * Computes the tree hash of the digests of leaves in order (at least 1). It verifies a range without its bytes.
 *
 * @since 0.1.0
 * @category hashing
 */
export const ofLeaves = (create: Sha256.Create, leaves: Iterable<Uint8Array>): TreeHash => {
  const tree = nodes(create)
  for (const leaf of leaves) tree.push(leaf)
  return tree.root()
}

/**
 * Computes the tree hash of an archive from those of its parts in order (at least 1). All parts except the last must have the
 * same size, 1 MiB times a power of two: for other sizes the result is not the archive's tree hash.
 *
 * @since 0.1.0
 * @category hashing
 */
export const combine = (create: Sha256.Create, parts: Iterable<TreeHash>): TreeHash => {
  const tree = nodes(create)
  for (const part of parts) tree.push(Either.getOrThrow(Encoding.decodeHex(part)))
  return tree.root()
}
