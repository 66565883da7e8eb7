/**
 * SHA-256 and tree hashes by Node.js itself.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import { createHash, createHmac } from "node:crypto"
import * as Limits from "../protocol/Limits.ts"
import { ContentSha256 } from "../protocol/Names.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import * as Hasher from "../transport/Hasher.ts"

const create: Sha256.Create = (key) => key === undefined ? createHash("sha256") : createHmac("sha256", key)

/** Lets sockets and timers have their turn: a fiber that merely yields goes on before them. */
const breathe = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Feeds bytes to hashes 1 MiB at a time, while it is in the processor's cache. */
const feed = Effect.fnUntraced(function*(bytes: Uint8Array, use: (slice: Uint8Array) => void) {
  for (let offset = 0; offset < bytes.length; offset += Limits.mebibyte) {
    if (offset > 0 && offset % (4 * Limits.mebibyte) === 0) yield* breathe
    use(bytes.subarray(offset, offset + Limits.mebibyte))
  }
})

const hasher: Hasher.Service = {
  treeHash: Effect.fnUntraced(function*(bytes) {
    const tree = TreeHash.builder(create)
    yield* feed(bytes, tree.update)
    return tree.digest()
  }),
  hashes: Effect.fnUntraced(function*(bytes) {
    const tree = TreeHash.builder(create)
    const linear = create()
    yield* feed(bytes, (slice) => {
      tree.update(slice)
      linear.update(slice)
    })
    return {
      contentSha256: ContentSha256.make(Encoding.encodeHex(linear.digest())),
      treeHash: tree.digest()
    }
  })
}

/**
 * Node's SHA-256 for tree hashes, signatures and parts.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Layer.mergeAll(
  Layer.succeed(Sha256.Sha256, create),
  Layer.succeed(Hasher.Hasher, hasher)
)
