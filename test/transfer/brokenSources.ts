/** Uploads of sources that fail, never respond or are rejected. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import type { OnFailure } from "../../src/transfer/UploadKept.ts"
import * as Support from "./support.ts"

const { address, mebibyte, pattern, replacing } = Support

export const upload = <E, R, Chosen extends OnFailure = "discard">(
  source: Source.Source<E, R>,
  options?: Upload.Options<Chosen>
) => Upload.upload<E, R, Chosen>(address, source, { partSize: mebibyte, ...options })

export class Unreadable extends Data.TaggedError("Unreadable") {}

export class Disk extends Context.Tag("test/Disk")<Disk, Uint8Array>() {}

/** Five parts, of which the last is half a MiB. */
export const bytes = pattern(4.5 * mebibyte)

/** A source of the bytes that fails to read some parts. */
export const fromDisk = (broken?: number): Source.Source<Unreadable, Disk> => ({
  size: Effect.map(Disk, (all) => all.length),
  read: (range) =>
    range.start === broken
      ? Effect.fail(new Unreadable())
      : Effect.flatMap(Disk, (all) => Source.bytes(all).read(range))
})

export const mismatch = new ServiceError.ChecksumMismatch({
  operation: "UploadMultipartPart",
  status: 400,
  message: "Mismatch"
})

/** Rejects the part that starts at that byte. */
export const rejecting = (start: number) =>
  replacing((glacier) => ({
    uploadMultipartPart: (input) =>
      input.range.start === start ? Effect.fail(mismatch) : glacier.uploadMultipartPart(input)
  }))

/** A source that never finishes reading the part from `start` on. `reached` ends when the read begins. */
export const stuck = (start: number) =>
  Effect.map(Deferred.make<void>(), (reached) => {
    const source: Source.Source = {
      ...Source.bytes(bytes),
      read: (range) =>
        range.start === start
          ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
          : Source.bytes(bytes).read(range)
    }
    return { source, reached: Deferred.await(reached) }
  })

export const interrupted = Effect.fnUntraced(function*(options?: Upload.Options) {
  const { reached, source } = yield* stuck(2 * mebibyte)
  const fiber = yield* Effect.fork(upload(source, { concurrency: 1, ...options }))
  yield* reached
  return yield* Fiber.interrupt(fiber)
})

export const archives = "/-/vaults/photos/archives"

export const uploads = "/-/vaults/photos/multipart-uploads"
