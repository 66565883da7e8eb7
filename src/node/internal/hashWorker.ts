/**
 * A worker thread that hashes pieces of bytes, one after another.
 *
 * @internal
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import { Worker } from "node:worker_threads"
import * as Limits from "../../protocol/Limits.ts"
import * as Hasher from "../../transport/Hasher.ts"

/** A slice of a piece, in shared memory. */
interface Slice {
  readonly bytes: Uint8Array
  /** Whether the slice is the first of its piece. */
  readonly first: boolean
  /** Whether to compute the SHA-256 of the whole piece besides those of its leaves. */
  readonly linear: boolean
}

/** The digests of the leaves of a slice, and the SHA-256 of the piece up to its end. */
export interface Digests {
  readonly leaves: ReadonlyArray<Uint8Array>
  readonly linear: Uint8Array
}

/** The program of the thread. It is a string, because a file would have different paths in the sources and in the package. */
const program = `
const { createHash } = require("node:crypto")
const { parentPort } = require("node:worker_threads")

let running = createHash("sha256")

parentPort.on("message", ({ bytes, first, linear }) => {
  if (first) running = createHash("sha256")
  const leaves = []
  for (let offset = 0; offset < bytes.length; offset += ${Limits.mebibyte}) {
    // Both hashes read the leaf while it is in the processor's cache.
    const leaf = bytes.subarray(offset, offset + ${Limits.mebibyte})
    if (linear) running.update(leaf)
    leaves.push(createHash("sha256").update(leaf).digest())
  }
  parentPort.postMessage({ leaves, linear: running.copy().digest() })
})
`

/** A thread that hashes one piece after another. */
export interface HashWorker {
  /**
   * Hashes a piece of at least one byte, after the pieces of earlier calls. Bytes outside shared memory are copied through
   * two small buffers that are shared.
   */
  readonly hash: (bytes: Uint8Array, linear: boolean) => Effect.Effect<Digests, WorkerGone>
  readonly isGone: () => boolean
  /** Ends the thread. Pending hashes fail with `WorkerGone`. */
  readonly end: Effect.Effect<void>
}

/** The thread has ended, or could not be started. */
export class WorkerGone extends Data.TaggedError("WorkerGone") {}

/** The size of a shared buffer: enough bytes to keep the thread busy while the main thread is busy, too. */
const bufferSize = 2 * Limits.mebibyte

/** The size of a slice in shared memory. An interrupted hash occupies the thread until its current slice ends. */
const sliceSize = 16 * Limits.mebibyte

/** Starts a thread. It keeps the process alive only while it hashes. Throws if no thread can be started. */
export const start = (): HashWorker => {
  // Without the loaders of the program, which are slow to start, and without its environment, which may hold secrets.
  const worker = new Worker(program, { eval: true, execArgv: [], env: {} })
  const pending: Array<Deferred.Deferred<Digests, WorkerGone>> = []
  const buffers: Array<Uint8Array> = []
  const posting = Effect.unsafeMakeSemaphore(1)
  let gone = false
  worker.unref()
  worker.on("message", (digests: Digests) => {
    const request = pending.shift()
    if (pending.length === 0) worker.unref()
    if (request !== undefined) Deferred.unsafeDone(request, Exit.succeed(digests))
  })
  // Without a listener an error would end the process. The event "exit" follows it.
  worker.on("error", () => {})
  worker.on("exit", () => {
    gone = true
    for (const request of pending.splice(0)) Deferred.unsafeDone(request, Exit.fail(new WorkerGone()))
  })

  const hashSlice = (slice: Slice): Effect.Effect<Digests, WorkerGone> => {
    const request = Deferred.unsafeMake<Digests, WorkerGone>(FiberId.none)
    pending.push(request)
    worker.ref()
    worker.postMessage(slice)
    return Deferred.await(request)
  }

  const copy = (slice: Uint8Array, index: number): Uint8Array => {
    const buffer = buffers[index] ??= new Uint8Array(new SharedArrayBuffer(bufferSize))
    Hasher.copyInto(buffer, 0, slice)
    return buffer.subarray(0, slice.length)
  }

  return {
    isGone: () => gone,
    end: Effect.promise(() => {
      worker.ref()
      return worker.terminate()
    }),
    // Digests arrive in order. An interrupted caller need not wait for its digests: those of the next caller come after them.
    hash: Effect.fnUntraced(function*(bytes, linear) {
      const shared = bytes.buffer instanceof SharedArrayBuffer
      const size = shared ? sliceSize : bufferSize
      const all: Array<Digests> = []
      let previous: Effect.Effect<Digests, WorkerGone> = Effect.fail(new WorkerGone())
      // Slices of two pieces must not alternate. The next piece may be posted while the last slice of this one is hashed.
      yield* posting.withPermits(1)(Effect.gen(function*() {
        for (let offset = 0, index = 0; offset < bytes.length; offset += size, index = 1 - index) {
          const slice = bytes.subarray(offset, offset + size)
          const next = hashSlice({ bytes: shared ? slice : copy(slice, index), first: offset === 0, linear })
          // Waits for the previous slice, whose buffer is used next. The thread hashes this slice meanwhile.
          if (offset > 0) all.push(yield* previous)
          previous = next
        }
        // The next piece uses the same buffers.
        if (!shared) yield* previous
      }))
      all.push(yield* previous)
      return { leaves: all.flatMap(({ leaves }) => leaves), linear: all.at(-1)?.linear ?? new Uint8Array() }
    })
  }
}
