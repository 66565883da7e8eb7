/**
 * Bytes that come in pieces of any size, cut into parts: at most `concurrency` on their way and one that fills.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import { SourceTooLarge } from "../../protocol/GlacierError.ts"
import { check } from "../../protocol/InputCheck.ts"
import * as Limits from "../../protocol/Limits.ts"
import { ArchiveSize } from "../../protocol/Names.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import type { Pace } from "../UploadPlan.ts"
import * as AdaptiveConcurrency from "./adaptiveConcurrency.ts"
import * as Memory from "./memory.ts"
import type * as Multipart from "./multipart.ts"

type Multipart = Effect.Effect.Success<ReturnType<typeof Multipart.make>>

type Failure = Effect.Effect.Error<ReturnType<Multipart["part"]>>

/** Not to be written to by several fibers at once, nor after a write or the closing was interrupted. */
export const make = Effect.fnUntraced(function*(
  multipart: Pick<
    Multipart,
    "complete" | "hash" | "initiate" | "part" | "resumes" | "single" | "sized"
  >,
  { concurrency, partSize }: Pace
) {
  const fibers = yield* FiberSet.make()
  const slots = yield* AdaptiveConcurrency.make(concurrency)
  const failure = yield* Deferred.make<never, Failure>()
  const hashes: Array<Deferred.Deferred<TreeHash>> = []
  const allocate = yield* Memory.allocator
  const none: Memory.Memory = { bytes: new Uint8Array(), free: Effect.void }
  let slab = none
  let filled = 0
  let size = 0

  /** Waits, but not longer than until a part has failed. */
  const orFailure = <A>(effect: Effect.Effect<A>) =>
    Effect.zipLeft(
      Effect.raceFirst(effect, Deferred.await(failure)),
      Effect.flatMap(Deferred.poll(failure), Option.getOrElse(() => Effect.void))
    )

  /** Sends off the part that was filled, as soon as there are fewer than `concurrency` on their way. */
  const dispatch = Effect.fnUntraced(function*() {
    const uploadId = yield* multipart.initiate(partSize)
    yield* orFailure(slots.permits.take(1))
    const { bytes, free } = slab
    const body = bytes.subarray(0, filled)
    const start = size - filled
    slab = none
    filled = 0
    const hashed = yield* Deferred.make<TreeHash>()
    hashes.push(hashed)
    yield* FiberSet.run(
      fibers,
      multipart.hash(start, body).pipe(
        Effect.tap(({ treeHash }) => Deferred.succeed(hashed, treeHash)),
        Effect.flatMap((hashes) => multipart.part(uploadId, { start, body, ...hashes }, slots)),
        Effect.catchAllCause((cause) => Deferred.failCause(failure, cause)),
        Effect.ensuring(Effect.zipRight(free, slots.permits.release(1)))
      )
    )
    return uploadId
  })

  const all = Effect.suspend(() => Effect.forEach(hashes, Deferred.await))

  return {
    size: Effect.sync(() => size),

    /** The tree hashes of the parts so far, and the bytes of the one that fills. */
    written: Effect.map(orFailure(all), (hashes) => ({ hashes, rest: slab.bytes.subarray(0, filled) })),

    /** Fails when a part has failed, else never ends. */
    failed: Deferred.await(failure),

    write: Effect.fnUntraced(function*(chunk: Uint8Array) {
      for (let offset = 0; offset < chunk.length;) {
        // A full part is held until there is more: what fits in one goes in a single request.
        if (filled === partSize) {
          if (hashes.length + 1 === Limits.maximumParts) return yield* new SourceTooLarge({ partSize })
          yield* dispatch()
        }
        if (slab === none) slab = yield* allocate(partSize)
        const piece = chunk.subarray(offset, offset + partSize - filled)
        slab.bytes.set(piece, filled)
        filled += piece.length
        size += piece.length
        offset += piece.length
      }
    }),

    close: Effect.gen(function*() {
      yield* check("upload", "size", ArchiveSize, size)
      multipart.sized(size)
      if (hashes.length === 0 && !multipart.resumes) return yield* multipart.single(slab.bytes.subarray(0, filled))
      if (filled > 0) yield* dispatch()
      const uploadId = yield* multipart.initiate(partSize)
      yield* orFailure(FiberSet.awaitEmpty(fibers))
      return yield* multipart.complete(uploadId, size, yield* all)
    })
  }
})
