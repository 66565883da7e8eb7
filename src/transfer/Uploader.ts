/**
 * An archive that is written piece by piece, by a program that makes its bytes as it goes. Memory holds at most
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
import { Sha256 } from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import { Hasher } from "../transport/Hasher.ts"
import * as Multipart from "./internal/multipart.ts"
import * as Writer from "./internal/writer.ts"
import type { Options, UploadedArchive, UploadError } from "./Upload.ts"
import type { Kept, OnFailure } from "./UploadKept.ts"
import * as UploadPlan from "./UploadPlan.ts"

/**
 * An archive in the making. It is written to by one fiber at a time: others wait for their turn.
 *
 * @since 0.1.0
 * @category models
 */
export interface Uploader<out E = UploadError> {
  /**
   * Adds a piece of any size. Its bytes are copied. It waits while all parts that there may be at a time are full and on
   * their way, and fails when one of them has failed. After one that failed or was interrupted nobody knows how much of it
   * was added: no other is taken.
   */
  readonly write: (piece: Uint8Array) => Effect.Effect<void, E>
  /** The bytes added so far. */
  readonly size: Effect.Effect<number>
  /** The tree hash of the bytes added so far. */
  readonly treeHash: Effect.Effect<TreeHash.TreeHash, E>
  /** The id, once there are more bytes than fit in a part. */
  readonly uploadId: Effect.Effect<Option.Option<UploadId>>
  /**
   * Sends what is left and makes all of it one archive; done again, it gives the same. An empty one is refused, before
   * anything was opened at the service.
   */
  readonly close: Effect.Effect<UploadedArchive, E>
}

/**
 * Begins an archive. Nothing is opened at the service before there are more bytes than fit in a part. What was opened
 * and not closed is dropped or kept when the Scope ends, as `onFailure` says.
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
      const hasher = yield* Hasher
      const sha256 = yield* Sha256
      const pace = yield* UploadPlan.unsized(options)
      const multipart = yield* Multipart.make(vault, options)
      const writer = yield* Writer.make(multipart, pace)
      const turn = yield* Effect.makeSemaphore(1)
      let broken = false
      let archive = Option.none<UploadedArchive>()

      const inTurn = <A>(effect: Effect.Effect<A, UploadError>) =>
        multipart.naming(Effect.provideService(turn.withPermits(1)(effect), RetryPolicy.Default, RetryPolicy.patient))

      const whileOpen = Effect.suspend(() =>
        broken || Option.isSome(archive)
          ? new InvalidInput({
            operation: "upload",
            field: "uploader",
            value: broken ? "broken off" : "closed",
            rule: "must be open"
          })
          : Effect.void
      )

      const breaks = Effect.sync(() => void (broken = true))

      return {
        write: (piece) => inTurn(Effect.zipRight(whileOpen, Effect.onError(writer.write(piece), () => breaks))),
        size: writer.size,
        treeHash: inTurn(Effect.flatMap(writer.written, ({ hashes, rest }) =>
          rest.length === 0 && hashes.length > 0
            ? Effect.sync(() => TreeHash.combine(sha256, hashes))
            : Effect.map(hasher.treeHash(rest), (last) => TreeHash.combine(sha256, [...hashes, last])))),
        uploadId: multipart.id,
        close: inTurn(Effect.suspend(() =>
          Option.isSome(archive)
            ? Effect.succeed(archive.value)
            : Effect.zipRight(whileOpen, writer.close).pipe(
              Effect.tap((closed) => Effect.sync(() => void (archive = Option.some(closed)))),
              Effect.onInterrupt(() => breaks)
            )
        ))
      }
    })

/**
 * A Sink that writes all it is given to an archive of its own, and gives that archive.
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
