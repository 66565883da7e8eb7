/**
 * An archive on its way into a vault: in one request, or as a multipart upload from its opening to its end.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as Pages from "../../client/Pages.ts"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as Timeouts from "../../policy/Timeouts.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import { MalformedResponse, OutcomeUnknown, SourceChanged } from "../../protocol/GlacierError.ts"
import { check } from "../../protocol/InputCheck.ts"
import * as Limits from "../../protocol/Limits.ts"
import { type ContentSha256, Description, type PartSize, UploadId } from "../../protocol/Names.ts"
import { operations } from "../../protocol/Operations.ts"
import { ResourceNotFound, UploadNotFound } from "../../protocol/ServiceError.ts"
import { Sha256 } from "../../protocol/Sha256.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import { Hasher } from "../../transport/Hasher.ts"
import type { Failure } from "../../transport/Method.ts"
import type { OnProgress } from "../Progress.ts"
import { type Kept, type OnFailure, UploadKept } from "../UploadKept.ts"
import type { AdaptiveConcurrency } from "./adaptiveConcurrency.ts"
import * as ProgressReporter from "./progressReporter.ts"

const OptionalDescription = Schema.UndefinedOr(Description)

export interface Settings<Chosen extends OnFailure> {
  readonly description?: string | undefined
  readonly onFailure?: Chosen | undefined
  readonly onInitiated?: ((uploadId: UploadId) => Effect.Effect<void>) | undefined
  /** Runs before the service is asked to complete the upload, with the tree hash of the whole. */
  readonly onCompleting?: ((treeHash: TreeHash.TreeHash) => Effect.Effect<void>) | undefined
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
  /** The tree hash with which its completion was requested, if that is known. */
  readonly requested: Option.Option<TreeHash.TreeHash>
}

/** Why a part cannot be one of an upload with parts of that size. Older services list ends that are one byte too far. */
const problemOf = ({ end, start }: ByteRange.ByteRange, partSize: PartSize): string | undefined =>
  start % partSize !== 0 || end - start > partSize || start / partSize >= Limits.maximumParts
    ? `a part with bytes ${start} to ${end}, but the part size is ${partSize}`
    : undefined

/** Whether the service says that an upload is not open. AWS's text is not known, so an unknown text counts as well. */
export const isGone = (error: unknown): error is UploadNotFound | ResourceNotFound =>
  error instanceof UploadNotFound || error instanceof ResourceNotFound

/** Asks the service what it has of an upload. Fails when the part size is not the one that is `known`. */
export const find = Effect.fnUntraced(function*(vault: VaultAddress, id: string, known?: PartSize) {
  const uploadId = yield* check("upload", "uploadId", UploadId, id)
  const parts = new Map<number, TreeHash.TreeHash>()
  const found: Opened = {
    uploadId,
    partSize: undefined,
    parts,
    trusted: new Map(),
    gone: Option.none(),
    requested: Option.none()
  }
  const malformed = (problem: string) =>
    new MalformedResponse({ operation: operations.listParts.name, status: 200, problem })
  return yield* Stream.runFoldEffect(Pages.partPages({ ...vault, uploadId }), known, (known, page) => {
    const partSize = known ?? page.partSize
    if (page.partSize !== partSize) return malformed(`part size ${page.partSize}, but it is ${partSize}`)
    for (const { range, treeHash } of page.parts) {
      const problem = problemOf(range, partSize)
      if (problem !== undefined) return malformed(problem)
      parts.set(range.start, treeHash)
    }
    return Effect.succeed(partSize)
  }).pipe(
    Effect.map((partSize): Opened => ({ ...found, partSize })),
    Effect.catchIf(
      isGone,
      ({ message }) => Effect.succeed<Opened>({ ...found, parts: new Map(), gone: Option.some(message) })
    )
  )
})

/** How an abort is retried, which has little time. */
const insistent: RetryPolicy.Policy = {
  ...RetryPolicy.fromSchedule(Schedule.exponential("100 millis")),
  metered: false
}

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
  const keep = (settings.onFailure ?? (opened === undefined ? "discard" : "keep")) === "keep"
  /** Set when nothing can be sent any more. */
  const gone = Option.flatMap(Option.fromNullable(opened), ({ gone }) => gone)
  /** Whether there is, or soon may be, an upload that the service keeps open. */
  let pending = Option.isNone(gone)
  let known = Option.map(Option.fromNullable(opened), ({ uploadId }) => uploadId)
  let opening: Option.Option<Fiber.Fiber<UploadId, Failure<typeof operations.initiateMultipartUpload>>> = Option.map(
    known,
    Fiber.succeed
  )
  const reporter = ProgressReporter.make(settings.onProgress)
  /** Until then no request to open the upload is under way: the last attempt has failed (epoch milliseconds). */
  let restsUntil = 0
  /** Set at the end of the scope: from then on no other request is made to open the upload. */
  let isClosing = false
  /** What a completion fails with whose response was lost, when nothing more can be found out. */
  let doubt = Option.none<OutcomeUnknown>()

  /** An attempt gets a third of the time, so that another can follow a request that is lost. */
  const abort = (uploadId: UploadId, limit: Duration.Duration) =>
    reporter.reportRetries()(glacier.abortMultipartUpload({ ...vault, uploadId })).pipe(
      Effect.provideService(Timeouts.Timeouts, Timeouts.make({ response: Duration.times(limit, 1 / 3) })),
      Effect.provideService(RetryPolicy.RetryPolicy, insistent),
      Effect.interruptible,
      Effect.timeout(limit)
    )

  const drop = (uploadId: UploadId, limit: Duration.Duration) =>
    abort(uploadId, limit).pipe(
      // Then it is not open.
      Effect.catchIf(isGone, () => Effect.void),
      Effect.catchTags({ VaultNotFound: () => Effect.void, OutcomeUnknown: () => Effect.void }),
      Effect.catchAllCause((cause) =>
        Effect.logWarning(
          `Upload ${uploadId} may still be open: the service did not confirm its abort (${String(Cause.squash(cause))})`
        )
      )
    )

  // Not `Effect.addFinalizer`, which keeps all state of the fiber: too much for a small archive, of which nothing is
  // opened.
  const context = yield* Effect.context<never>()
  yield* Scope.addFinalizerExit(yield* Effect.scope, (exit) =>
    Option.match(opening, {
      onNone: () => Effect.void,
      onSome: (fiber) =>
        Effect.gen(function*() {
          isClosing = true
          // An upload whose id is known is open, even if the clock was set back to a time between two attempts to open it.
          const isResting = Option.isNone(known) && restsUntil > (yield* Clock.currentTimeMillis)
          if (!pending || keep || isResting) return
          // An interruption must not wait for a network that is gone.
          const limit = Duration.seconds(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause) ? 1 : 15)
          const [took, opened] = yield* Effect.timed(
            Effect.option(Effect.timeout(Effect.interruptible(Fiber.join(fiber)), limit))
          )
          if (Option.isSome(opened)) yield* drop(opened.value, Duration.subtract(limit, took))
        }).pipe(
          Effect.catchAllCause(() => Effect.void),
          Effect.zipRight(Fiber.interrupt(fiber)),
          Effect.provide(context)
        )
    }))

  return {
    /** Whether there is an upload to go on with. */
    resumes: opened !== undefined,
    sized: reporter.setTotal,

    initiate: (partSize: PartSize) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          if (Option.isSome(opening)) return yield* restore(Fiber.join(opening.value))
          // In a fiber that is not interrupted at once: while the answer is under way, there may be an upload to drop.
          const fiber = yield* Effect.forkDaemon(Effect.interruptible(Effect.map(
            reporter.reportRetries()(glacier.initiateMultipartUpload({ ...vault, description, partSize })).pipe(
              RetryPolicy.onRetry(({ wait }) =>
                isClosing
                  ? Effect.interrupt
                  : Effect.map(Clock.currentTimeMillis, (now) => void (restsUntil = now + Duration.toMillis(wait)))
              )
            ),
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
        if (Option.isSome(treeHash)) yield* reporter.reportDone("Kept", range.start, ByteRange.length(range))
        return treeHash
      }),

    /** What is to be sent with a part: no SHA-256 if the part itself need not be sent. */
    hash: (start: number, body: Uint8Array) =>
      Effect.gen(function*() {
        yield* reporter.report("Read", start, body.length)
        const known = opened?.parts.get(start)
        const own = known !== undefined || Option.isSome(gone) ? yield* hasher.treeHash(body) : undefined
        const hashes = own !== undefined && (own === known || Option.isSome(gone))
          ? { treeHash: own, contentSha256: undefined }
          : yield* hasher.hashes(body)
        yield* reporter.report("Hashed", start, body.length)
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
      slots: AdaptiveConcurrency
    ) =>
      Effect.gen(function*() {
        if (contentSha256 === undefined) return yield* reporter.reportDone("Kept", start, body.length)
        const range = ByteRange.make(start, body.length)
        yield* glacier.uploadMultipartPart({ ...vault, uploadId, range, treeHash, contentSha256, body }).pipe(
          RetryPolicy.onRetry(slots.narrow),
          reporter.reportRetries(range)
        )
        yield* reporter.reportDone("Sent", start, body.length)
      }),

    single: (body: Uint8Array) =>
      Effect.gen(function*() {
        const size = body.length
        reporter.setTotal(size)
        yield* reporter.report("Read", 0, size)
        const hashes = yield* hasher.hashes(body)
        yield* reporter.report("Hashed", 0, size)
        const { archiveId, location } = yield* reporter.reportRetries(ByteRange.make(0, size))(
          glacier.uploadArchive({ ...vault, description, ...hashes, body })
        )
        yield* reporter.reportDone("Sent", 0, size)
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
        const unknown = (message: string) =>
          new OutcomeUnknown({
            operation: operations.completeMultipartUpload.name,
            message: `${message} (look for an archive with tree hash ${treeHash} in the next inventory)`
          })
        const otherBytes = new SourceChanged({ message: `Upload ${uploadId} was completed with other bytes` })
        if (settings.onCompleting !== undefined) yield* settings.onCompleting(treeHash)
        const answer = yield* reporter.reportRetries()(
          glacier.completeMultipartUpload({ ...vault, uploadId, archiveSize: size, treeHash })
        ).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              doubt = RetryPolicy.isUnknown(error) ? Option.some(unknown(error.message)) : Option.none()
              // The upload is not open any more: there is nothing to abort or to resume.
              if (error._tag === "OutcomeUnknown" || "archiveId" in error && error.archiveId !== undefined) {
                pending = false
              }
            })
          ),
          Effect.mapError((error) =>
            // An upload that was completed refuses the size and the tree hash of other bytes.
            Option.isSome(gone) && (error._tag === "ChecksumMismatch" || error._tag === "InvalidParameterValue")
              ? otherBytes
              : error
          )
        )
        pending = false
        const { archiveId, location } = answer
        if (Option.isSome(gone)) {
          const stored = Option.orElse(answer.treeHash, () => opened?.requested ?? Option.none())
          if (Option.isNone(stored)) {
            return yield* unknown(`Upload ${uploadId} was completed as archive ${archiveId}, perhaps with other bytes`)
          }
          if (stored.value !== treeHash) return yield* otherBytes
        }
        return { archiveId, treeHash, size, parts: hashes.length, location }
      }),

    /**
     * Tells whether an upload that is not to be kept was completed when the response to that was lost: if it can still be
     * aborted, it was not.
     */
    settling: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | OutcomeUnknown, R> =>
      Effect.catchAll(effect, (error) => {
        if (keep || !pending || Option.isNone(doubt) || Option.isNone(known)) return Effect.fail(error)
        pending = false
        const { value } = doubt
        return Effect.matchEffect(abort(known.value, Duration.seconds(15)), {
          onFailure: () => value,
          onSuccess: () => Effect.fail<E | OutcomeUnknown>(error)
        })
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
