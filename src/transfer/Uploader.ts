/**
 * An archive that is written piece by piece, for a program that produces its bytes over time. Memory holds at most
 * `concurrency + 1` parts.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import type { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import { InvalidInput } from "../protocol/GlacierError.ts"
import type { UploadId } from "../protocol/Names.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import * as Multipart from "./internal/multipart.ts"
import * as Writer from "./internal/writer.ts"
import type { Options, UploadedArchive, UploadError } from "./Upload.ts"
import type { Kept, OnFailure } from "./UploadKept.ts"
import * as UploadPlan from "./UploadPlan.ts"

/**
 * An archive that is being written. One fiber at a time writes to it: others wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface Uploader<out E = UploadError> {
  /**
   * Adds a piece of any size. Copies its bytes. Waits while `concurrency` parts are being sent and the next one is full.
   * Fails when a part has failed. After a write that failed or was interrupted, it is unknown how many of its bytes were
   * added: all later writes fail with `InvalidInput`.
   */
  readonly write: (piece: Uint8Array) => Effect.Effect<void, E>
  /** The number of bytes added so far. */
  readonly size: Effect.Effect<number>
  /** The tree hash of the bytes added so far. */
  readonly treeHash: Effect.Effect<TreeHash.TreeHash, E>
  /** The id of the upload, once it is open: there are more bytes than fit in a part. */
  readonly uploadId: Effect.Effect<Option.Option<UploadId>>
  /**
   * Sends the rest and completes the archive. Returns the same archive when called again. Fails with `InvalidInput` when no
   * bytes were added; then nothing was sent.
   */
  readonly close: Effect.Effect<UploadedArchive, E>
}

/**
 * Makes an uploader. It opens a multipart upload when there are more bytes than fit in a part. When the Scope ends before
 * `close`, the upload is aborted or kept, as `onFailure` says.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <Chosen extends OnFailure = "discard">(
  vault: VaultAddress,
  options?: Options<Chosen>
) => Effect.Effect<Uploader<UploadError | Kept<Chosen, UploadError>>, InvalidInput, GlacierClient | Scope.Scope> =
  Effect
    .fnUntraced(function*(vault, options = {}) {
      const pace = yield* UploadPlan.unsized(options)
      const multipart = yield* Multipart.make(vault, options)
      const { hasher, sha256 } = multipart
      const writer = yield* Writer.make(multipart, pace)
      const mutex = yield* Effect.makeSemaphore(1)
      let isBroken = false
      let archive = Option.none<UploadedArchive>()

      const exclusive = <A>(effect: Effect.Effect<A, UploadError>) =>
        Multipart.wrapKept(multipart)(
          Effect.provideService(mutex.withPermits(1)(effect), RetryPolicy.Default, RetryPolicy.patient)
        )

      const checkOpen = Effect.suspend(() =>
        isBroken || Option.isSome(archive)
          ? new InvalidInput({
            operation: "upload",
            field: "uploader",
            value: isBroken ? "broken by a write that failed or was interrupted" : "closed",
            rule: "must be open"
          })
          : Effect.void
      )

      const setBroken = Effect.sync(() => void (isBroken = true))

      return {
        write: (piece) =>
          exclusive(Effect.zipRight(checkOpen, Effect.onError(Writer.write(writer, piece), () => setBroken))),
        size: Effect.sync(() => writer.size),
        treeHash: exclusive(
          Effect.flatMap(Writer.written(writer), ({ hashes, rest }) =>
            rest.length === 0 && hashes.length > 0
              ? Effect.sync(() => TreeHash.combine(sha256, hashes))
              : Effect.map(hasher.treeHash(rest), (last) => TreeHash.combine(sha256, [...hashes, last])))
        ),
        uploadId: Multipart.idOf(multipart),
        close: exclusive(Effect.suspend(() =>
          Option.isSome(archive)
            ? Effect.succeed(archive.value)
            : Effect.zipRight(checkOpen, Writer.close(writer)).pipe(
              Effect.tap((closed) => Effect.sync(() => void (archive = Option.some(closed)))),
              Effect.onInterrupt(() => setBroken)
            )
        ))
      }
    })

/**
 * Makes a Sink that writes all its bytes to an archive of its own. Its result is that archive.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { Uploader } from "effect-glacier"
 * import { Stream } from "effect"
 *
 * const lines = Stream.make("one\n", "two\n").pipe(Stream.encodeText)
 *
 * const program = Stream.run(lines, Uploader.toSink(Uploader.make({ vaultName: "logs" })))
 */
export const toSink = <E, R>(
  uploader: Effect.Effect<Uploader<E>, E, R>
): Sink.Sink<UploadedArchive, Uint8Array, never, E, Exclude<R, Scope.Scope>> =>
  Sink.unwrapScoped(
    Effect.map(uploader, ({ close, write }) => Sink.mapEffect(Sink.forEach(write), () => close))
  )
