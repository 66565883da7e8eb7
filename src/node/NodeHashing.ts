/**
 * SHA-256 and tree hashes by Node.js itself, in threads of their own where that is quicker.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import { createHash, createHmac } from "node:crypto"
import { availableParallelism } from "node:os"
import * as Limits from "../protocol/Limits.ts"
import { ContentSha256 } from "../protocol/Names.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import * as Hasher from "../transport/Hasher.ts"
import { type Digests, type HashWorker, start, WorkerGone } from "./internal/hashWorker.ts"

const create: Sha256.Create = (key) => key === undefined ? createHash("sha256") : createHmac("sha256", key)

/** Yields to sockets and timers. A fiber that only yields would continue before them. */
const breathe = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Feeds bytes to hashes 1 MiB at a time, while it is in the processor's cache. */
const feed = Effect.fnUntraced(function*(bytes: Uint8Array, use: (slice: Uint8Array) => void) {
  for (let offset = 0; offset < bytes.length; offset += Limits.mebibyte) {
    if (offset > 0) yield* breathe
    use(bytes.subarray(offset, offset + Limits.mebibyte))
  }
})

/** Hashes on the event loop, which others get in between. */
const inThread: Pick<Hasher.Service, "hashes" | "treeHash"> = {
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
    return { contentSha256: ContentSha256.make(Encoding.encodeHex(linear.digest())), treeHash: tree.digest() }
  })
}

/** Up to here a thread costs more than it brings. */
const worthAThread = Limits.mebibyte

/** Threads, one for each core at most, started when all others are busy and ended with the Scope. */
const threads = Effect.gen(function*() {
  const cores = availableParallelism()
  const turns = yield* Effect.makeSemaphore(cores)
  const idle: Array<HashWorker> = []
  let closed = false
  yield* Effect.addFinalizer(() => {
    closed = true
    return turns.withPermits(cores)(Effect.forEach(idle, ({ end }) => end, { concurrency: "unbounded", discard: true }))
  })

  const take: Effect.Effect<HashWorker, WorkerGone> = Effect.suspend(() => {
    if (closed) return new WorkerGone()
    const worker = idle.pop()
    if (worker === undefined) return Effect.try({ try: start, catch: () => new WorkerGone() })
    return worker.isGone() ? take : Effect.succeed(worker)
  })
  return (bytes: Uint8Array, linear: boolean) =>
    turns.withPermits(1)(
      Effect.acquireUseRelease(
        take,
        (worker) => worker.hash(bytes, linear),
        (worker) => Effect.sync(() => idle.push(worker))
      )
    )
})

/** Memory that threads share, used again: new memory costs as much as a tenth of the hashing, and is given back late. */
const recycled = (): Hasher.Service["allocate"] => {
  const spare: Array<SharedArrayBuffer> = []
  const acquire = (size: number): SharedArrayBuffer => {
    const fitting = spare.findIndex(({ byteLength }) => byteLength >= size)
    const [found] = fitting === -1 ? [] : spare.splice(fitting, 1)
    return found ?? new SharedArrayBuffer(2 ** Math.ceil(Math.log2(size)))
  }
  return (size) =>
    size <= worthAThread
      ? Effect.sync(() => new Uint8Array(size))
      : Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => acquire(size)),
          (buffer) =>
            Effect.sync(() => {
              spare.push(buffer)
              spare.sort((a, b) => a.byteLength - b.byteLength)
            })
        ),
        (buffer) => new Uint8Array(buffer, 0, size)
      )
}

const make = Effect.map(threads, (inThreads): Hasher.Service => {
  const hash = <A>(bytes: Uint8Array, linear: boolean, done: (digests: Digests) => A, alone: Effect.Effect<A>) =>
    inThreads(bytes, linear).pipe(Effect.map(done), Effect.catchAll(() => alone))
  const leaf = (bytes: Uint8Array) => Effect.sync(() => Hasher.ofLeaf(Sha256.digest(create, bytes)))
  const root = ({ leaves }: Digests) => TreeHash.ofLeaves(create, leaves)
  return {
    allocate: recycled(),
    treeHash: (bytes) =>
      bytes.length <= worthAThread
        ? Effect.map(leaf(bytes), ({ treeHash }) => treeHash)
        : hash(bytes, false, root, inThread.treeHash(bytes)),
    hashes: (bytes) =>
      bytes.length <= worthAThread
        ? leaf(bytes)
        : hash(
          bytes,
          true,
          (digests) => ({
            contentSha256: ContentSha256.make(Encoding.encodeHex(digests.linear)),
            treeHash: root(digests)
          }),
          inThread.hashes(bytes)
        )
  }
})

/**
 * Provides the SHA-256 of Node.js for tree hashes, signatures and parts. Bytes of more than 1 MiB are hashed in threads, at
 * most one for each core. The threads start with the first such work, and end with the Scope of the Layer. Without threads,
 * and after that Scope, bytes are hashed on the event loop, 1 MiB at a time.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Layer.merge(
  Layer.succeed(Sha256.Sha256, create),
  Layer.scoped(Hasher.Hasher, make)
)
