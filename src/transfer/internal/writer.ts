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
import { copyInto } from "../../transport/Hasher.ts"
import type { Pace } from "../UploadPlan.ts"
import * as AdaptiveConcurrency from "./adaptiveConcurrency.ts"
import * as Memory from "./memory.ts"
import * as Multipart from "./multipart.ts"
import { sendPart, sendSingle } from "./sendPart.ts"

type SendFailure = Effect.Effect.Error<ReturnType<typeof sendPart<never, never, never>>>

const noMemory: Memory.Memory = { bytes: new Uint8Array(), free: Effect.void }

/** A writer for one fiber at a time. After `write` or `close` was interrupted, it must not be used any more. */
export interface Writer {
  readonly multipart: Multipart.Multipart
  readonly partSize: Pace["partSize"]
  readonly allocate: (size: number) => Effect.Effect<Memory.Memory>
  /** The fibers that send parts. */
  readonly fibers: FiberSet.FiberSet
  readonly concurrency: AdaptiveConcurrency.AdaptiveConcurrency
  /** The first failure of a part. */
  readonly failure: Deferred.Deferred<never, SendFailure>
  /** The tree hash of each part that was handed to a fiber. */
  readonly hashes: Array<Deferred.Deferred<TreeHash>>
  /** The part that fills. */
  slab: Memory.Memory
  filled: number
  /** The number of bytes so far. */
  size: number
}

export const make = Effect.fnUntraced(function*(multipart: Multipart.Multipart, { concurrency, partSize }: Pace) {
  const writer: Writer = {
    multipart,
    partSize,
    allocate: yield* Memory.allocator,
    fibers: yield* FiberSet.make(),
    concurrency: yield* AdaptiveConcurrency.make(concurrency),
    failure: yield* Deferred.make<never, SendFailure>(),
    hashes: [],
    slab: noMemory,
    filled: 0,
    size: 0
  }
  return writer
})

/** Fails when a part has failed, else never ends. */
export const failed = ({ failure }: Writer): Effect.Effect<never, SendFailure> => Deferred.await(failure)

/** Waits for an effect, or fails as soon as a part has failed. */
const orFailure = <A>({ failure }: Writer, effect: Effect.Effect<A>): Effect.Effect<A, SendFailure> =>
  Effect.zipLeft(
    Effect.raceFirst(effect, Deferred.await(failure)),
    Effect.flatMap(Deferred.poll(failure), Option.getOrElse(() => Effect.void))
  )

/** Hands the part that was filled to a fiber that sends it, as soon as fewer than `concurrency` parts are being sent. */
const dispatch = Effect.fnUntraced(function*(writer: Writer) {
  const { concurrency: { onRetry, permits }, failure, fibers, hashes, multipart, partSize } = writer
  const uploadId = yield* Multipart.initiate(multipart, partSize)
  yield* orFailure(writer, permits.take(1))
  const { filled, size, slab: { bytes, free } } = writer
  writer.slab = noMemory
  writer.filled = 0
  const hashed = yield* Deferred.make<TreeHash>()
  hashes.push(hashed)
  yield* FiberSet.run(
    fibers,
    sendPart(multipart, {
      range: ByteRange.make(size - filled, filled),
      read: Effect.succeed(bytes.subarray(0, filled)),
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

/** Adds a piece. Copies its bytes. */
export const write = Effect.fnUntraced(function*(writer: Writer, piece: Uint8Array) {
  const { allocate, hashes, partSize } = writer
  for (let offset = 0; offset < piece.length;) {
    // A full part is held until more bytes arrive: an archive of one part is sent in a single request.
    if (writer.filled === partSize) {
      if (hashes.length + 1 === Limits.maximumParts) return yield* new SourceTooLarge({ partSize })
      yield* dispatch(writer)
    }
    if (writer.slab === noMemory) writer.slab = yield* allocate(partSize)
    const fitting = piece.subarray(offset, offset + partSize - writer.filled)
    copyInto(writer.slab.bytes, writer.filled, fitting)
    writer.filled += fitting.length
    writer.size += fitting.length
    offset += fitting.length
  }
})

/** The bytes of the part that fills. */
const rest = ({ filled, slab }: Writer): Uint8Array => slab.bytes.subarray(0, filled)

const allHashes = ({ hashes }: Writer): Effect.Effect<Array<TreeHash>> => Effect.forEach(hashes, Deferred.await)

/** Returns the tree hashes of the parts so far, and the bytes of the part that fills. */
export const written = (writer: Writer) =>
  Effect.suspend(() => Effect.map(orFailure(writer, allHashes(writer)), (hashes) => ({ hashes, rest: rest(writer) })))

/** Sends the rest and completes the upload. */
export const close = Effect.fnUntraced(function*(writer: Writer) {
  const { fibers, hashes, multipart, partSize, size } = writer
  yield* check("upload", "size", ArchiveSize, size)
  multipart.reporter.setTotal(size)
  if (hashes.length === 0 && !Multipart.isInParts(multipart)) return yield* sendSingle(multipart, rest(writer))
  if (writer.filled > 0) yield* dispatch(writer)
  const uploadId = yield* Multipart.initiate(multipart, partSize)
  yield* orFailure(writer, FiberSet.awaitEmpty(fibers))
  return yield* Multipart.complete(multipart, uploadId, size, yield* allHashes(writer))
})
