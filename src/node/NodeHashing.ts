/**
 * SHA-256 and tree hashes with the native implementation of Node.js, in worker threads where that is faster.
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

/** Waits for one turn of the event loop, so that sockets and timers run. `Effect.yieldNow` would resume before them. */
const nextTurn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Passes the bytes to `use` in slices of 1 MiB, which stay in the processor's cache. Other work runs between slices. */
const forEachSlice = Effect.fnUntraced(function*(bytes: Uint8Array, use: (slice: Uint8Array) => void) {
  for (let offset = 0; offset < bytes.length; offset += Limits.mebibyte) {
    if (offset > 0) yield* nextTurn
    use(bytes.subarray(offset, offset + Limits.mebibyte))
  }
})

/** Hashes on the main thread. Other work runs between slices. */
const onMainThread: Pick<Hasher.Service, "hashes" | "treeHash"> = {
  treeHash: Effect.fnUntraced(function*(bytes) {
    const tree = TreeHash.builder(create)
    yield* forEachSlice(bytes, tree.update)
    return tree.digest()
  }),
  hashes: Effect.fnUntraced(function*(bytes) {
    const tree = TreeHash.builder(create)
    const linear = create()
    yield* forEachSlice(bytes, (slice) => {
      tree.update(slice)
      linear.update(slice)
    })
    return { contentSha256: ContentSha256.make(Encoding.encodeHex(linear.digest())), treeHash: tree.digest() }
  })
}

/** The size in bytes up to which the main thread is faster than a worker thread. */
const maximumOnMainThread = Limits.mebibyte

/** The number of pieces at a thread: while it hashes one, the next one waits there already. */
const piecesPerThread = 2

interface Thread {
  readonly worker: HashWorker
  /** The number of pieces that the thread hashes or that wait for it. */
  pieces: number
}

/**
 * A pool of worker threads, at most one for each core. A thread is started when all others are busy. All threads end with
 * the Scope.
 */
const makePool = Effect.gen(function*() {
  const cores = availableParallelism()
  const permits = yield* Effect.makeSemaphore(cores * piecesPerThread)
  let threads: ReadonlyArray<Thread> = []
  let closed = false
  yield* Effect.addFinalizer(() => {
    closed = true
    return permits.withPermits(cores * piecesPerThread)(
      Effect.suspend(() =>
        Effect.forEach(threads, ({ worker }) => worker.end, { concurrency: "unbounded", discard: true })
      )
    )
  })

  const take: Effect.Effect<Thread, WorkerGone> = Effect.suspend(() => {
    if (closed) return new WorkerGone()
    threads = threads.filter(({ worker }) => !worker.isGone())
    const [least] = [...threads].sort((a, b) => a.pieces - b.pieces)
    if (least !== undefined && (least.pieces === 0 || threads.length === cores)) return Effect.succeed(least)
    return Effect.try({
      try: () => {
        const started: Thread = { worker: start(), pieces: 0 }
        threads = [...threads, started]
        return started
      },
      catch: () => new WorkerGone()
    })
  })

  return (bytes: Uint8Array, linear: boolean) =>
    permits.withPermits(1)(
      Effect.acquireUseRelease(
        Effect.tap(take, (thread) => Effect.sync(() => thread.pieces++)),
        ({ worker }) => worker.hash(bytes, linear),
        (thread) => Effect.sync(() => thread.pieces--)
      )
    )
})

/**
 * Allocates memory that threads share, and reuses it. Allocating new memory takes up to a tenth of the time of hashing, and
 * garbage collection frees it late.
 */
const makeAllocate = (): Hasher.Service["allocate"] => {
  const spare: Array<SharedArrayBuffer> = []
  const acquire = (size: number): SharedArrayBuffer => {
    const fitting = spare.findIndex(({ byteLength }) => byteLength >= size)
    const [found] = fitting === -1 ? [] : spare.splice(fitting, 1)
    return found ?? new SharedArrayBuffer(2 ** Math.ceil(Math.log2(size)))
  }
  return (size) =>
    size <= maximumOnMainThread
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

const make = Effect.map(makePool, (hashInThread): Hasher.Service => {
  const hash = <A>(bytes: Uint8Array, linear: boolean, toResult: (digests: Digests) => A, fallback: Effect.Effect<A>) =>
    hashInThread(bytes, linear).pipe(Effect.map(toResult), Effect.catchAll(() => fallback))
  const leaf = (bytes: Uint8Array) => Effect.sync(() => Hasher.ofLeaf(Sha256.digest(create, bytes)))
  const root = ({ leaves }: Digests) => TreeHash.ofLeaves(create, leaves)
  return {
    allocate: makeAllocate(),
    treeHash: (bytes) =>
      bytes.length <= maximumOnMainThread
        ? Effect.map(leaf(bytes), ({ treeHash }) => treeHash)
        : hash(bytes, false, root, onMainThread.treeHash(bytes)),
    hashes: (bytes) =>
      bytes.length <= maximumOnMainThread
        ? leaf(bytes)
        : hash(
          bytes,
          true,
          (digests) => ({
            contentSha256: ContentSha256.make(Encoding.encodeHex(digests.linear)),
            treeHash: root(digests)
          }),
          onMainThread.hashes(bytes)
        )
  }
})

/**
 * Provides the native SHA-256 of Node.js for tree hashes, signatures and checkpoints, without threads.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSha256: Layer.Layer<never> = Layer.succeed(Sha256.Sha256, create)

/**
 * Provides the native SHA-256 of Node.js for tree hashes, signatures and parts. Bytes of more than 1 MiB are hashed in worker
 * threads, at most one for each core. Threads are started when they are needed, and end with the Scope of the layer. If no
 * thread can be started, and after that Scope, bytes are hashed on the main thread, 1 MiB at a time.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Layer.merge(layerSha256, Layer.scoped(Hasher.Hasher, make))
