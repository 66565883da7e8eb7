/**
 * The two hashes of bytes that are all there: a part, an archive, a window of a download.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import type * as Scope from "effect/Scope"
import * as Limits from "../protocol/Limits.ts"
import { ContentSha256 } from "../protocol/Names.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"

/**
 * The hashes that an upload sends with its bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hashes {
  readonly contentSha256: ContentSha256
  readonly treeHash: TreeHash.TreeHash
}

/**
 * What hashes bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Both hashes: what an upload sends. */
  readonly hashes: (bytes: Uint8Array) => Effect.Effect<Hashes>
  /** The tree hash alone: what a download checks. */
  readonly treeHash: (bytes: Uint8Array) => Effect.Effect<TreeHash.TreeHash>
  /**
   * Memory of so many bytes for what is to be hashed, from where that costs least. What it holds at first is arbitrary;
   * when the Scope closes others may have it. (It may be shared by threads: see `Body.SendsShared`.)
   */
  readonly allocate: (size: number) => Effect.Effect<Uint8Array, never, Scope.Scope>
}

/**
 * Both hashes of at most 1 MiB, from its SHA-256: they are the same.
 *
 * @since 0.1.0
 * @category hashing
 */
export const ofLeaf = (sha256: Uint8Array): Hashes => {
  const hex = Encoding.encodeHex(sha256)
  return { contentSha256: ContentSha256.make(hex), treeHash: TreeHash.TreeHash.make(hex) }
}

const digest = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const { buffer, byteLength, byteOffset } = bytes
    // WebCrypto takes no memory that threads share: such bytes are copied.
    const own = buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(bytes)
    return new Uint8Array(await crypto.subtle.digest("SHA-256", own))
  })

const slices = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from(
    { length: Math.max(1, Math.ceil(bytes.length / Limits.mebibyte)) },
    (_, index) => bytes.subarray(index * Limits.mebibyte, (index + 1) * Limits.mebibyte)
  )

const treeHash = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const create = yield* Sha256.Sha256
  return TreeHash.ofLeaves(create, yield* Effect.forEach(slices(bytes), digest, { concurrency: 4 }))
})

/** WebCrypto takes no more at once on some platforms. */
const atOnce = 1_024 * Limits.mebibyte

const linear = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const sha256 = bytes.length <= atOnce ? yield* digest(bytes) : Sha256.digest(yield* Sha256.Sha256, bytes)
  return ContentSha256.make(Encoding.encodeHex(sha256))
})

const web: Service = {
  treeHash,
  hashes: (bytes) =>
    bytes.length <= Limits.mebibyte
      ? Effect.map(digest(bytes), ofLeaf)
      : Effect.all({ contentSha256: linear(bytes), treeHash: treeHash(bytes) }),
  allocate: (size) => Effect.sync(() => new Uint8Array(size))
}

/**
 * The hasher in use: without a Layer WebCrypto, which every platform has. `effect-glacier/node` has that of Node.js.
 *
 * @since 0.1.0
 * @category tags
 */
export class Hasher extends Context.Reference<Hasher>()("effect-glacier/Hasher", {
  defaultValue: (): Service => web
}) {}
