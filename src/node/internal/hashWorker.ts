/**
 * A thread that hashes pieces of bytes.
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

/** A slice of a piece in shared memory. */
interface Slice {
  readonly bytes: Uint8Array
  /** Whether it starts a piece. */
  readonly first: boolean
  /** Whether to compute the SHA-256 of the whole piece, too. */
  readonly linear: boolean
}

/** The digests of the slice's leaves, and the SHA-256 of the piece so far. */
export interface Digests {
  readonly leaves: ReadonlyArray<Uint8Array>
  readonly linear: Uint8Array
}

/** The program of the thread. As text, because a file has another name in the sources than in the package. */
const program = `
const { createHash } = require("node:crypto")
const { parentPort } = require("node:worker_threads")

let running = createHash("sha256")

parentPort.on("message", ({ bytes, first, linear }) => {
  if (first) running = createHash("sha256")
  const leaves = []
  for (let offset = 0; offset < bytes.length; offset += ${Limits.mebibyte}) {
    // Into both hashes while it is in the processor's cache.
    const leaf = bytes.subarray(offset, offset + ${Limits.mebibyte})
    if (linear) running.update(leaf)
    leaves.push(createHash("sha256").update(leaf).digest())
  }
  parentPort.postMessage({ leaves, linear: running.copy().digest() })
})
`

/** A thread that hashes one piece after another. */
export interface HashWorker {
  /** Hashes a piece. Copies bytes that are not in shared memory through two small shared slots. */
  readonly hash: (bytes: Uint8Array, linear: boolean) => Effect.Effect<Digests, WorkerGone>
  readonly isGone: () => boolean
  /** Ends the thread. Callers that wait fail with `WorkerGone`. */
  readonly end: Effect.Effect<void>
}

/** The thread has ended, or could not be started. */
export class WorkerGone extends Data.TaggedError("WorkerGone") {}

/** The bytes that are copied at once: enough to keep the thread busy while the event loop is busy. */
const slotSize = 2 * Limits.mebibyte

/** The bytes of shared memory that are hashed at once. An abandoned piece occupies the thread for no longer. */
const sliceSize = 16 * Limits.mebibyte

/** Starts a thread. It keeps the process alive only while it hashes. Throws when no thread can start. */
export const start = (): HashWorker => {
  // Without the loaders of the program, which are slow to start, and without its environment, which holds secrets.
  const worker = new Worker(program, { eval: true, execArgv: [], env: {} })
  const waiting: Array<Deferred.Deferred<Digests, WorkerGone>> = []
  const slots: Array<Uint8Array> = []
  let gone = false
  worker.unref()
  worker.on("message", (digests: Digests) => {
    const asked = waiting.shift()
    if (waiting.length === 0) worker.unref()
    if (asked !== undefined) Deferred.unsafeDone(asked, Exit.succeed(digests))
  })
  // Without a listener it would end the process; "exit" follows.
  worker.on("error", () => {})
  worker.on("exit", () => {
    gone = true
    for (const asked of waiting.splice(0)) Deferred.unsafeDone(asked, Exit.fail(new WorkerGone()))
  })

  const ask = (slice: Slice): Effect.Effect<Digests, WorkerGone> => {
    const asked = Deferred.unsafeMake<Digests, WorkerGone>(FiberId.none)
    waiting.push(asked)
    worker.ref()
    worker.postMessage(slice)
    return Deferred.await(asked)
  }

  const copy = (slice: Uint8Array, index: number): Uint8Array => {
    const slot = slots[index] ??= new Uint8Array(new SharedArrayBuffer(slotSize))
    slot.set(slice)
    return slot.subarray(0, slice.length)
  }

  return {
    isGone: () => gone,
    end: Effect.promise(() => {
      worker.ref()
      return worker.terminate()
    }),
    // Replies arrive in order, so an interrupted caller can abandon its reply; the next caller skips it.
    hash: Effect.fnUntraced(function*(bytes, linear) {
      const shared = bytes.buffer instanceof SharedArrayBuffer
      const size = shared ? sliceSize : slotSize
      const all: Array<Digests> = []
      let previous: Effect.Effect<Digests, WorkerGone> | undefined
      for (let offset = 0, index = 0; offset < bytes.length; offset += size, index = 1 - index) {
        const slice = bytes.subarray(offset, offset + size)
        const next = ask({ bytes: shared ? slice : copy(slice, index), first: offset === 0, linear })
        // The slot of the next slice but one is free then, and the thread has this one meanwhile.
        if (previous !== undefined) all.push(yield* previous)
        previous = next
      }
      if (previous !== undefined) all.push(yield* previous)
      return { leaves: all.flatMap(({ leaves }) => leaves), linear: all.at(-1)?.linear ?? new Uint8Array() }
    })
  }
}
