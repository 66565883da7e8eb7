/**
 * Cuts bytes that arrive in pieces of any size into parts, and sends these. At most `concurrency` parts are being sent while
 * one more fills.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { SourceTooLarge } from "../../protocol/GlacierError.ts"
import { check } from "../../protocol/InputCheck.ts"
import * as Limits from "../../protocol/Limits.ts"
import { ArchiveSize } from "../../protocol/Names.ts"
import type { TreeHash } from "../../protocol/TreeHash.ts"
import type { Pace } from "../UploadPlan.ts"
import * as AdaptiveConcurrency from "./adaptiveConcurrency.ts"
import * as Memory from "./memory.ts"
import * as Multipart from "./multipart.ts"
import { sendPart, sendSingle } from "./sendPart.ts"

type SendFailure = Effect.Effect.Error<ReturnType<typeof sendPart<never, never, never>>>

const noMemory: Memory.Memory = { bytes: new Uint8Array(), free: Effect.void }

/**
 * Makes a writer for one fiber at a time. After a write or the closing was interrupted, it must not be used any more: an
 * unknown number of bytes was added.
 */
export const make = Effect.fnUntraced(function*(multipart: Multipart.Multipart, { concurrency, partSize }: Pace) {
  const fibers = yield* FiberSet.make()
  const { onRetry, permits } = yield* AdaptiveConcurrency.make(concurrency)
  const allocate = yield* Memory.allocator
  /** The first failure of a part. */
  const failure = yield* Deferred.make<never, SendFailure>()
  /** The tree hash of each part that was handed to a fiber. */
  const hashes: Array<Deferred.Deferred<TreeHash>> = []
  /** The part that fills. */
  let slab = noMemory
  let filled = 0
  let size = 0

  /** Waits for an effect, or fails as soon as a part has failed. */
  const orFailure = <A>(effect: Effect.Effect<A>) =>
    Effect.zipLeft(
      Effect.raceFirst(effect, Deferred.await(failure)),
      Effect.flatMap(Deferred.poll(failure), Option.getOrElse(() => Effect.void))
    )

  /** Hands the part that was filled to a fiber that sends it, as soon as fewer than `concurrency` parts are being sent. */
  const dispatch = Effect.fnUntraced(function*() {
    const uploadId = yield* Multipart.initiate(multipart, partSize)
    yield* orFailure(permits.take(1))
    const { bytes, free } = slab
    const body = bytes.subarray(0, filled)
    const range = ByteRange.make(size - filled, filled)
    slab = noMemory
    filled = 0
    const hashed = yield* Deferred.make<TreeHash>()
    hashes.push(hashed)
    yield* FiberSet.run(
      fibers,
      sendPart(multipart, {
        range,
        read: Effect.succeed(body),
        uploadId: Effect.succeed(uploadId),
        // The permit was taken above, so that no more parts are in memory than are being sent.
        withPermit: identity,
        onRetry,
        onHashed: (treeHash) => Deferred.succeed(hashed, treeHash)
      }).pipe(
        Effect.catchAllCause((cause) => Deferred.failCause(failure, cause)),
        Effect.ensuring(Effect.zipRight(free, permits.release(1)))
      )
    )
  })

  const allHashes = Effect.suspend(() => Effect.forEach(hashes, Deferred.await))

  return {
    size: Effect.sync(() => size),

    /** The tree hashes of the parts so far, and the bytes of the part that fills. */
    written: Effect.map(orFailure(allHashes), (hashes) => ({ hashes, rest: slab.bytes.subarray(0, filled) })),

    /** Fails when a part has failed, else never ends. */
    failed: Deferred.await(failure),

    write: Effect.fnUntraced(function*(piece: Uint8Array) {
      for (let offset = 0; offset < piece.length;) {
        // A full part is held until more bytes arrive: an archive of one part is sent in a single request.
        if (filled === partSize) {
          if (hashes.length + 1 === Limits.maximumParts) return yield* new SourceTooLarge({ partSize })
          yield* dispatch()
        }
        if (slab === noMemory) slab = yield* allocate(partSize)
        const fitting = piece.subarray(offset, offset + partSize - filled)
        slab.bytes.set(fitting, filled)
        filled += fitting.length
        size += fitting.length
        offset += fitting.length
      }
    }),

    close: Effect.gen(function*() {
      yield* check("upload", "size", ArchiveSize, size)
      multipart.reporter.setTotal(size)
      if (hashes.length === 0 && !Multipart.isInParts(multipart)) {
        return yield* sendSingle(multipart, slab.bytes.subarray(0, filled))
      }
      if (filled > 0) yield* dispatch()
      const uploadId = yield* Multipart.initiate(multipart, partSize)
      yield* orFailure(FiberSet.awaitEmpty(fibers))
      return yield* Multipart.complete(multipart, uploadId, size, yield* allHashes)
    })
  }
})
