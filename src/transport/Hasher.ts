/**
 * The two hashes of bytes in memory: of a part, an archive, or a window of a download.
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
 * Hashes bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Computes both hashes, which an upload sends. */
  readonly hashes: (bytes: Uint8Array) => Effect.Effect<Hashes>
  /** Computes the tree hash alone, which a download verifies. */
  readonly treeHash: (bytes: Uint8Array) => Effect.Effect<TreeHash.TreeHash>
  /**
   * Allocates memory of `size` bytes that is cheap to hash, and frees it when the Scope closes. Its initial content is
   * arbitrary. It can be a `SharedArrayBuffer`: see `HttpHooks.SendsShared`.
   */
  readonly allocate: (size: number) => Effect.Effect<Uint8Array, never, Scope.Scope>
}

/**
 * Makes both hashes of at most 1 MiB from its SHA-256: they are equal.
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
    // WebCrypto rejects shared memory, so its bytes are copied.
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

/** The most bytes that WebCrypto hashes at once on some platforms. */
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
 * The hasher in use. The default is WebCrypto, which every platform has; `effect-glacier/node` has the hasher of Node.js.
 *
 * @since 0.1.0
 * @category tags
 */
export class Hasher extends Context.Reference<Hasher>()("effect-glacier/Hasher", {
  defaultValue: (): Service => web
}) {}

/** The number of bytes that are copied at once: they stay in the processor's cache. */
const slice = 65_536

/** Memory in which bytes have the same alignment as their target. */
let aligned: Uint8Array | undefined

/**
 * Copies bytes into memory from `allocate`, to the position `at`. When the memory is shared, `Uint8Array.set` takes up to ten
 * times as long for bytes of another alignment, as in most pieces of a response.
 *
 * @since 0.1.0
 * @category memory
 */
export const copyInto = (memory: Uint8Array, at: number, bytes: Uint8Array): void => {
  const start = memory.byteOffset + at
  if (memory.buffer instanceof ArrayBuffer || (start - bytes.byteOffset) % 8 === 0) return memory.set(bytes, at)
  aligned ??= new Uint8Array(slice + 8)
  for (let from = 0; from < bytes.length; from += slice) {
    const piece = bytes.subarray(from, from + slice)
    aligned.set(piece, start % 8)
    memory.set(aligned.subarray(start % 8, start % 8 + piece.length), at + from)
  }
}
