/**
 * An archive on its way into a vault: in one request, or as a multipart upload from its opening to its end.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { check } from "../../protocol/Check.ts"
import { SourceChanged } from "../../protocol/GlacierError.ts"
import { type ContentSha256, Description, type PartSize, UploadId } from "../../protocol/Names.ts"
import type { operations } from "../../protocol/Operations.ts"
import { Sha256 } from "../../protocol/Sha256.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import { Hasher } from "../../transport/Hasher.ts"
import type { Failure } from "../../transport/Method.ts"
import type { OnProgress } from "../Progress.ts"
import { type Kept, type OnFailure, UploadKept } from "../UploadKept.ts"
import type { Line } from "./line.ts"
import * as Telling from "./telling.ts"

const OptionalDescription = Schema.UndefinedOr(Description)

export interface Settings<Chosen extends OnFailure> {
  readonly description?: string | undefined
  readonly onFailure?: Chosen | undefined
  readonly onInitiated?: ((uploadId: UploadId) => Effect.Effect<void>) | undefined
  readonly onProgress?: OnProgress | undefined
}

/** An upload that another run has opened. */
export interface Opened {
  readonly uploadId: UploadId
  readonly partSize: PartSize | undefined
  /** The tree hashes of the parts that the service has, by where they start: older services got their ends wrong. */
  readonly parts: ReadonlyMap<number, TreeHash.TreeHash>
  /** Those that need not be read again: the source is known to hold what was sent. */
  readonly trusted: ReadonlyMap<number, TreeHash.TreeHash>
  /** What the service said if it is not open any more: then nothing can be sent, but its end be asked for again. */
  readonly gone: Option.Option<string>
}

/** Asks the service what it has of an upload. */
export const find = Effect.fnUntraced(function*(vault: VaultAddress, id: string) {
  const glacier = yield* GlacierClient
  const uploadId = yield* check("upload", "uploadId", UploadId, id)
  const parts = new Map<number, TreeHash.TreeHash>()
  const pages = Stream.paginateEffect(
    undefined as string | undefined,
    (marker) =>
      Effect.map(glacier.listParts({ ...vault, uploadId, marker }), (page) => [page, Option.map(page.marker, String)])
  )
  return yield* Stream.runFold(pages, undefined as PartSize | undefined, (_, page) => {
    for (const { range, treeHash } of page.parts) parts.set(range.start, treeHash)
    return page.partSize
  }).pipe(
    Effect.map((partSize): Opened => ({ uploadId, partSize, parts, trusted: new Map(), gone: Option.none() })),
    Effect.catchTag(
      "ResourceNotFound",
      ({ message }) =>
        Effect.succeed<Opened>({
          uploadId,
          partSize: undefined,
          parts: new Map(),
          trusted: new Map(),
          gone: Option.some(message)
        })
    )
  )
})

/** The end of the scope decides on what was opened and not completed. */
export const make = Effect.fnUntraced(function*<Chosen extends OnFailure>(
  vault: VaultAddress,
  settings: Settings<Chosen>,
  opened?: Opened
) {
  const glacier = yield* GlacierClient
  const hasher = yield* Hasher
  const sha256 = yield* Sha256
  const description = yield* check("upload", "description", OptionalDescription, settings.description)
  const keep = (settings.onFailure ?? (opened === undefined ? "abort" : "keep")) === "keep"
  /** Set when nothing can be sent any more. */
  const gone = Option.flatMap(Option.fromNullable(opened), ({ gone }) => gone)
  /** Whether there is, or soon may be, an upload that the service keeps open. */
  let pending = Option.isNone(gone)
  let known = Option.map(Option.fromNullable(opened), ({ uploadId }) => uploadId)
  let opening: Option.Option<Fiber.Fiber<UploadId, Failure<typeof operations.initiateMultipartUpload>>> = Option.map(
    known,
    Fiber.succeed
  )
  const telling = Telling.make(settings.onProgress)

  // Not `Effect.addFinalizer`, which keeps all state of the fiber: too much for a small archive, of which nothing is
  // opened.
  const context = yield* Effect.context<never>()
  yield* Scope.addFinalizerExit(yield* Effect.scope, (exit) =>
    Option.match(opening, {
      onNone: () => Effect.void,
      onSome: (fiber) =>
        Effect.zipRight(
          pending && !keep
            ? Fiber.join(fiber).pipe(
              Effect.flatMap((uploadId) => telling.retries()(glacier.abortMultipartUpload({ ...vault, uploadId }))),
              Effect.interruptible,
              // Who interrupts it must not wait for a network that is gone.
              Effect.timeout(
                Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause) ? "1 second" : "15 seconds"
              ),
              Effect.catchAllCause((cause) => Effect.logDebug("An upload was not dropped", cause)),
              Effect.provide(context)
            )
            : Effect.void,
          Fiber.interrupt(fiber)
        )
    }))

  return {
    /** Whether there is an upload to go on with. */
    resumes: opened !== undefined,
    sized: telling.sized,

    initiate: (partSize: PartSize) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          if (Option.isSome(opening)) return yield* restore(Fiber.join(opening.value))
          // In a fiber that is not interrupted at once: while the answer is under way, there may be an upload to drop.
          const fiber = yield* Effect.forkDaemon(Effect.interruptible(Effect.map(
            telling.retries()(glacier.initiateMultipartUpload({ ...vault, description, partSize })),
            ({ uploadId }) => uploadId
          )))
          opening = Option.some(fiber)
          const uploadId = yield* restore(Fiber.join(fiber))
          known = Option.some(uploadId)
          if (settings.onInitiated !== undefined) yield* restore(settings.onInitiated(uploadId))
          return uploadId
        })
      ),

    /** The tree hash of a part that need not be read. */
    trusted: (range: ByteRange.ByteRange) =>
      Effect.gen(function*() {
        const treeHash = Option.fromNullable(opened?.trusted.get(range.start))
        if (Option.isSome(treeHash)) yield* telling.done("Kept", range.start, ByteRange.length(range))
        return treeHash
      }),

    /** What is to be sent with a part: no SHA-256 if the part itself need not be sent. */
    hash: (start: number, body: Uint8Array) =>
      Effect.gen(function*() {
        yield* telling.tell("Read", start, body.length)
        const known = opened?.parts.get(start)
        const own = known !== undefined || Option.isSome(gone) ? yield* hasher.treeHash(body) : undefined
        const hashes = own !== undefined && (own === known || Option.isSome(gone))
          ? { treeHash: own, contentSha256: undefined }
          : yield* hasher.hashes(body)
        yield* telling.tell("Hashed", start, body.length)
        return hashes
      }),

    /** Sends a part that has a permit of the line. */
    part: (
      uploadId: UploadId,
      { body, contentSha256, start, treeHash }: {
        readonly start: number
        readonly body: Uint8Array
        readonly treeHash: TreeHash.TreeHash
        readonly contentSha256: ContentSha256 | undefined
      },
      line: Line
    ) =>
      Effect.gen(function*() {
        if (contentSha256 === undefined) return yield* telling.done("Kept", start, body.length)
        const range = ByteRange.make(start, body.length)
        yield* glacier.uploadMultipartPart({ ...vault, uploadId, range, treeHash, contentSha256, body }).pipe(
          RetryPolicy.onRetry(line.narrow),
          telling.retries(range)
        )
        yield* telling.done("Sent", start, body.length)
      }),

    single: (body: Uint8Array) =>
      Effect.gen(function*() {
        const size = body.length
        telling.sized(size)
        yield* telling.tell("Read", 0, size)
        const hashes = yield* hasher.hashes(body)
        yield* telling.tell("Hashed", 0, size)
        const { archiveId, location } = yield* telling.retries(ByteRange.make(0, size))(
          glacier.uploadArchive({ ...vault, description, ...hashes, body })
        )
        yield* telling.done("Sent", 0, size)
        return { archiveId, treeHash: hashes.treeHash, size, parts: 1, location }
      }),

    complete: (uploadId: UploadId, size: number, hashes: ReadonlyArray<TreeHash.TreeHash>) =>
      Effect.gen(function*() {
        for (const start of opened?.parts.keys() ?? []) {
          if (start >= size) {
            return yield* new SourceChanged({
              message: `The source ends at byte ${size}, but the service already has a part from byte ${start} on`
            })
          }
        }
        const treeHash = TreeHash.combine(sha256, hashes)
        const answer = yield* telling.retries()(
          glacier.completeMultipartUpload({ ...vault, uploadId, archiveSize: size, treeHash })
        )
        pending = false
        if (Option.isSome(gone) && !Option.contains(Option.orElseSome(answer.treeHash, () => treeHash), treeHash)) {
          return yield* new SourceChanged({ message: `Upload ${uploadId} was completed with other bytes` })
        }
        return { archiveId: answer.archiveId, treeHash, size, parts: hashes.length, location: answer.location }
      }),

    /** Errors from when the upload is open say by which id it can be resumed, if it is kept. */
    naming: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Kept<Chosen, E>, R> =>
      Effect.catchAll(
        effect,
        (cause): Effect.Effect<never, E | Kept<Chosen, E>> =>
          keep && pending && Option.isSome(known)
            // The compiler does not see that `Chosen` allows for "keep" here.
            ? Effect.fail(new UploadKept({ uploadId: known.value, cause }) as Kept<Chosen, E>)
            : Effect.fail(cause)
      ),

    id: Effect.sync(() => known)
  }
})
