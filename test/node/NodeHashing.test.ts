import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { execFile } from "node:child_process"
import { createHash, createHmac } from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { availableParallelism } from "node:os"
import { promisify } from "node:util"
import workerThreads, { type Worker } from "node:worker_threads"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import fixture from "../fixtures/treehash-vectors.json" with { type: "json" }
import { bytesOf } from "../protocol/patterns.ts"
import { expected, inputs, mebibyte } from "../transport/hashing.ts"

const sha256 = Effect.provide(Sha256.Sha256, NodeHashing.layer)

/** The Hasher of a layer whose Scope is closed. It hashes on the main thread. */
const onMainThread = Effect.provide(Hasher.Hasher, NodeHashing.layer)

/** The threads that are started until the Scope closes, and the number of them that have ended. */
const threads = Effect.acquireRelease(
  Effect.sync(() => {
    const started: Array<Worker> = []
    const counts = { ended: 0 }
    const listener = (worker: Worker) => {
      started.push(worker)
      worker.once("exit", () => counts.ended++)
    }
    process.on("worker", listener)
    return { started, counts, listener }
  }),
  ({ listener }) => Effect.sync(() => process.off("worker", listener))
)

/** Waits for one turn of the event loop, after which the event of a started thread has arrived. */
const nextTurn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const shared = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

const random = (size: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let offset = 0; offset < size; offset += 4_096) {
    bytes.set(createHash("sha256").update(`${seed} ${offset}`).digest().subarray(0, size - offset), offset)
  }
  return bytes
}

describe("NodeHashing", () => {
  describe.each([
    { way: "in threads", layer: NodeHashing.layer },
    { way: "on the main thread", layer: Layer.effect(Hasher.Hasher, onMainThread) }
  ])("$way", ({ layer }) => {
    it.effect.each(inputs)("hashes $size bytes of $kind", ({ bytes }) =>
      Effect.gen(function*() {
        const { hashes, treeHash } = yield* Hasher.Hasher
        expect(yield* hashes(bytes)).toEqual(expected(bytes))
        expect(yield* treeHash(bytes)).toBe(expected(bytes).treeHash)
      }).pipe(Effect.provide(layer)))

    it.effect("computes the published hashes", () =>
      Effect.gen(function*() {
        const { hashes, treeHash } = yield* Hasher.Hasher
        for (const { pattern, sha256, size, tree_hash } of fixture.vectors) {
          const bytes = bytesOf(pattern, size)
          expect(yield* hashes(bytes)).toEqual({ contentSha256: sha256, treeHash: tree_hash })
          expect(yield* treeHash(bytes)).toBe(tree_hash)
        }
      }).pipe(Effect.provide(layer)))
  })

  it.scoped("computes the same hashes in threads as on the main thread", () =>
    Effect.gen(function*() {
      const [threaded, plain] = [yield* Hasher.Hasher, yield* onMainThread]
      const bytes = random(40 * mebibyte, 1)
      const both = [bytes, shared(bytes)]
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.nat(40 * mebibyte), fc.nat(40 * mebibyte), fc.constantFrom(...both), (a, b, bytes) => {
            const piece = bytes.subarray(Math.min(a, b), Math.max(a, b))
            return Effect.runPromise(Effect.gen(function*() {
              expect(yield* threaded.hashes(piece)).toEqual(yield* plain.hashes(piece))
              expect(yield* threaded.treeHash(piece)).toBe(yield* plain.treeHash(piece))
            }))
          }),
          { numRuns: 15 }
        )
      )
    }).pipe(Effect.provide(NodeHashing.layer)))

  it.scoped("starts no thread for small bytes, at most one per core for large ones, and ends them with its Scope", () =>
    Effect.gen(function*() {
      const { counts, started } = yield* threads
      yield* Effect.gen(function*() {
        const { hashes } = yield* Hasher.Hasher
        yield* hashes(new Uint8Array(mebibyte))
        yield* nextTurn
        expect(started).toHaveLength(0)
        const pieces = Array.from({ length: 64 }, (_, index) => {
          const bytes = random(mebibyte + index * 40_000, index)
          return index % 2 === 0 ? bytes : shared(bytes)
        })
        expect(yield* Effect.forEach(pieces, hashes, { concurrency: "unbounded" })).toEqual(pieces.map(expected))
        expect(started).toHaveLength(availableParallelism())
        expect(counts.ended).toBe(0)
      }).pipe(Effect.provide(NodeHashing.layer))
      expect(counts.ended).toBe(availableParallelism())
    }))

  it.scoped("keeps hashing when waiting callers are interrupted", () =>
    Effect.gen(function*() {
      const { hashes } = yield* Hasher.Hasher
      const { started } = yield* threads
      const [large, small] = [random(9 * mebibyte, 1), random(5 * mebibyte, 2)]
      const sum = expected(small)
      for (const [interrupted, kept] of [[large, small], [shared(large), small], [large, shared(small)]] as const) {
        for (let turns = 0; turns < 8; turns++) {
          const fibers = yield* Effect.replicateEffect(Effect.fork(hashes(interrupted)), 4)
          yield* Effect.replicateEffect(nextTurn, turns)
          yield* Fiber.interruptAll(fibers)
          expect(yield* Effect.replicateEffect(hashes(kept), 2, { concurrency: 2 })).toEqual([sum, sum])
        }
      }
      expect(started.length).toBeLessThanOrEqual(availableParallelism())
    }).pipe(Effect.provide(NodeHashing.layer)))

  it.scoped("hashes the bytes of a thread that dies again, and starts another thread", () =>
    Effect.gen(function*() {
      const { counts, started } = yield* threads
      const { hashes } = yield* Hasher.Hasher
      const bytes = random(9 * mebibyte, 1)
      const sum = expected(bytes)
      const kill = Effect.zipRight(nextTurn, Effect.promise(async () => started.at(-1)?.terminate()))
      yield* hashes(bytes)
      for (const piece of [bytes, shared(bytes)]) {
        const fiber = yield* Effect.fork(hashes(piece))
        yield* kill
        expect(yield* Fiber.join(fiber)).toEqual(sum)
        expect(yield* hashes(piece)).toEqual(sum)
        yield* kill
        expect(yield* hashes(piece)).toEqual(sum)
      }
      yield* nextTurn
      expect(started).toHaveLength(5)
      expect(counts.ended).toBe(4)
    }).pipe(Effect.provide(NodeHashing.layer)))

  it.scoped("hashes on the main thread when no thread can be started", () =>
    Effect.gen(function*() {
      const { Worker } = workerThreads
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          workerThreads.Worker = class {
            constructor() {
              throw new Error("no threads here")
            }
          } as unknown as typeof Worker
          syncBuiltinESMExports()
        }),
        () =>
          Effect.sync(() => {
            workerThreads.Worker = Worker
            syncBuiltinESMExports()
          })
      )
      const { started } = yield* threads
      const { hashes } = yield* Hasher.Hasher
      const bytes = random(3 * mebibyte, 1)
      expect(yield* hashes(bytes)).toEqual(expected(bytes))
      yield* nextTurn
      expect(started).toHaveLength(0)
    }).pipe(Effect.provide(NodeHashing.layer)))

  it("does not keep a finished program alive, but ends only after pending hashes", async () => {
    const path = new URL("../../src/", import.meta.url).href
    const code = `
      import * as Effect from "effect/Effect"
      import * as ManagedRuntime from "effect/ManagedRuntime"
      import * as NodeHashing from "${path}node/NodeHashing.ts"
      import * as Hasher from "${path}transport/Hasher.ts"
      const runtime = ManagedRuntime.make(NodeHashing.layer)
      const hash = Effect.flatMap(Hasher.Hasher, ({ treeHash }) => treeHash(new Uint8Array(${3 * mebibyte})))
      runtime.runPromise(hash).then(console.log)
    `
    const run = promisify(execFile)
    const args = ["--import", "tsx", "--input-type=module", "--eval", code]
    const { stdout } = await run(process.execPath, args, { timeout: 20_000 })
    expect(stdout.trim()).toBe(expected(new Uint8Array(3 * mebibyte)).treeHash)
  })

  describe("allocate", () => {
    it.effect.each([0, 1, mebibyte, mebibyte + 1, 5 * mebibyte, 16 * mebibyte])(
      "allocates %d bytes",
      (size) =>
        Effect.gen(function*() {
          const { allocate, hashes } = yield* Hasher.Hasher
          const bytes = yield* allocate(size)
          expect(bytes).toHaveLength(size)
          bytes.fill(7)
          expect(yield* hashes(bytes)).toEqual(expected(bytes))
        }).pipe(Effect.scoped, Effect.provide(NodeHashing.layer))
    )

    it.effect("reuses memory, but never for two allocations at once", () =>
      Effect.gen(function*() {
        const { allocate } = yield* Hasher.Hasher
        const buffers = (...sizes: ReadonlyArray<number>) =>
          Effect.scoped(
            Effect.map(
              Effect.forEach(sizes, (size) => allocate(size * mebibyte)),
              (all) => new Set(all.map(({ buffer }) => buffer))
            )
          )
        const first = yield* buffers(16, 12, 9)
        expect(first.size).toBe(3)
        expect(yield* buffers(10, 16, 16)).toEqual(first)
        expect((yield* buffers(2, 3, 16, 4)).size).toBe(4)
        const all = yield* buffers(16, 16, 16, 4)
        for (let runs = 0; runs < 20; runs++) {
          for (const buffer of yield* buffers(2, 14, 9, 16)) expect(all).toContain(buffer)
        }
      }).pipe(Effect.provide(NodeHashing.layer)))
  })

  it.effect("replaces the portable implementations", () =>
    Effect.gen(function*() {
      expect(yield* onMainThread).not.toBe(yield* Hasher.Hasher)
      expect(yield* sha256).not.toBe(yield* Sha256.Sha256)
    }))

  it.effect("computes the same digests and keyed digests as the portable Sha256", () =>
    Effect.gen(function*() {
      const [native, portable] = [yield* sha256, yield* Sha256.Sha256]
      const text = new TextEncoder().encode("Welcome to Amazon Glacier.")
      for (const key of [undefined, new Uint8Array(), new Uint8Array(32).fill(7), new Uint8Array(100).fill(7)]) {
        const hex = Sha256.hex(() => native(key), text, text)
        expect(hex).toBe(Sha256.hex(() => portable(key), text, text))
        const plain = key === undefined ? createHash("sha256") : createHmac("sha256", key)
        expect(hex).toBe(plain.update(text).update(text).digest("hex"))
      }
    }))

  it.effect("runs other fibers while it hashes on the main thread", () =>
    Effect.gen(function*() {
      const { treeHash } = yield* onMainThread
      const hashing = yield* Effect.fork(treeHash(new Uint8Array(8 * mebibyte)))
      let turns = 0
      while (Option.isNone(yield* Fiber.poll(hashing))) {
        turns++
        yield* Effect.yieldNow()
      }
      expect(turns).toBeGreaterThan(3)
    }))
})
