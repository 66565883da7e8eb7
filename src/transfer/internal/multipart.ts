/**
 * An upload from its opening to its completion or abort. `make` ties it to a Scope: when the Scope ends, an upload that is
 * still open is aborted or kept, as `onFailure` says. `sendPart.ts` sends the bytes.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as GlacierClient from "../../client/GlacierClient.ts"
import * as RetryPolicy from "../../policy/RetryPolicy.ts"
import * as Timeouts from "../../policy/Timeouts.ts"
import { OutcomeUnknown, SourceChanged } from "../../protocol/GlacierError.ts"
import { check } from "../../protocol/InputCheck.ts"
import { Description, type PartSize, type UploadId } from "../../protocol/Names.ts"
import { operations } from "../../protocol/Operations.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import * as Hasher from "../../transport/Hasher.ts"
import type { Failure } from "../../transport/Method.ts"
import type { OnProgress } from "../Progress.ts"
import { type Kept, type OnFailure, UploadKept } from "../UploadKept.ts"
import * as OpeningUpload from "./openingUpload.ts"
import * as ProgressReporter from "./progressReporter.ts"
import { isGone, type ResumedUpload } from "./resumedUpload.ts"

export interface Settings<Chosen extends OnFailure = OnFailure> {
  readonly description?: string | undefined
  readonly onFailure?: Chosen | undefined
  readonly onProgress?: OnProgress | undefined
  /** Whether even a small archive is sent in parts: a completion can be requested again, a single request cannot. */
  readonly alwaysInParts?: boolean | undefined
  /** Runs before the request that opens the upload. */
  readonly beforeOpening?: Effect.Effect<void> | undefined
  readonly onInitiated?: ((uploadId: UploadId) => Effect.Effect<void>) | undefined
  /** Runs when the service has the part that begins at that byte. */
  readonly onPartStored?: ((start: number, treeHash: TreeHash.TreeHash) => Effect.Effect<void>) | undefined
  /** Runs before the request that completes the upload, with the tree hash of the whole archive. */
  readonly onCompleting?: ((treeHash: TreeHash.TreeHash) => Effect.Effect<void>) | undefined
}

/**
 * How far the upload is at the service:
 *
 * - `Idle`: no request has been sent.
 * - `Opening`: the request that opens it is under way.
 * - `Open`: the service keeps its parts. `doubt` is set after a completion whose response was lost: the error to fail with
 *   if it cannot be found out whether the upload was completed.
 * - `Ended`: there is nothing to abort or to resume, because it was completed, aborted or forgotten by the service.
 */
type State = Data.TaggedEnum<{
  readonly Idle: object
  readonly Opening: {
    readonly opening: OpeningUpload.OpeningUpload<Failure<typeof operations.initiateMultipartUpload>>
  }
  readonly Open: { readonly uploadId: UploadId; readonly doubt: Option.Option<OutcomeUnknown> }
  readonly Ended: { readonly uploadId: UploadId }
}>

const { Ended, Idle, Open, Opening } = Data.taggedEnum<State>()

export interface Multipart<Chosen extends OnFailure = OnFailure> {
  readonly vault: VaultAddress
  readonly description: string | undefined
  readonly settings: Settings<Chosen>
  /** Whether the upload stays open when it fails. */
  readonly keep: boolean
  readonly resumed: ResumedUpload | undefined
  readonly glacier: GlacierClient.Service
  readonly hasher: Hasher.Service
  readonly sha256: Sha256.Create
  readonly reporter: ProgressReporter.ProgressReporter
  state: State
}

const OptionalDescription = Schema.UndefinedOr(Description)

export const make = Effect.fnUntraced(function*<Chosen extends OnFailure>(
  vault: VaultAddress,
  settings: Settings<Chosen>,
  resumed?: ResumedUpload
) {
  const multipart: Multipart<Chosen> = {
    vault,
    description: yield* check("upload", "description", OptionalDescription, settings.description),
    settings,
    keep: (settings.onFailure ?? (resumed === undefined ? "discard" : "keep")) === "keep",
    resumed,
    glacier: yield* GlacierClient.GlacierClient,
    hasher: yield* Hasher.Hasher,
    sha256: yield* Sha256.Sha256,
    reporter: ProgressReporter.make(settings.onProgress),
    state: resumed === undefined
      ? Idle()
      : Option.isSome(resumed.gone)
      ? Ended({ uploadId: resumed.uploadId })
      : Open({ uploadId: resumed.uploadId, doubt: Option.none() })
  }
  // Not `Effect.addFinalizer`, which keeps all state of the fiber: too much for a small archive, for which nothing is
  // opened.
  const context = yield* Effect.context<never>()
  yield* Scope.addFinalizerExit(yield* Effect.scope, (exit) => Effect.provide(release(multipart, exit), context))
  return multipart
})

/** Whether the archive must be sent in parts, even when it fits in one. */
export const isInParts = ({ resumed, settings }: Multipart): boolean =>
  resumed !== undefined || settings.alwaysInParts === true

/** Opens the upload if it is not open yet, and returns its id. */
export const initiate = (multipart: Multipart, partSize: PartSize) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { description, glacier, reporter, settings, state, vault } = multipart
      if (state._tag === "Opening") return yield* restore(state.opening.uploadId)
      if (state._tag !== "Idle") return state.uploadId
      if (settings.beforeOpening !== undefined) yield* restore(settings.beforeOpening)
      const opening = yield* OpeningUpload.start(Effect.map(
        reporter.reportRetries()(glacier.initiateMultipartUpload({ ...vault, description, partSize })),
        ({ uploadId }) => uploadId
      ))
      multipart.state = Opening({ opening })
      const uploadId = yield* restore(opening.uploadId)
      multipart.state = Open({ uploadId, doubt: Option.none() })
      if (settings.onInitiated !== undefined) yield* restore(settings.onInitiated(uploadId))
      return uploadId
    })
  )

/** Completes the upload. An upload that was completed before gives its archive if that has the same tree hash. */
export const complete = Effect.fnUntraced(function*(
  multipart: Multipart,
  uploadId: UploadId,
  size: number,
  hashes: ReadonlyArray<TreeHash.TreeHash>
) {
  const { glacier, reporter, resumed, settings, sha256, vault } = multipart
  for (const start of resumed?.parts.keys() ?? []) {
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
  const wasGone = resumed !== undefined && Option.isSome(resumed.gone)
  if (resumed?.stored !== undefined) {
    return yield* (resumed.stored.treeHash === treeHash ? Effect.succeed(resumed.stored) : otherBytes)
  }

  if (settings.onCompleting !== undefined) yield* settings.onCompleting(treeHash)
  const completed = yield* reporter.reportRetries()(
    glacier.completeMultipartUpload({ ...vault, uploadId, archiveSize: size, treeHash })
  ).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        if (multipart.state._tag !== "Open") return
        const hasEnded = error._tag === "OutcomeUnknown" || "archiveId" in error && error.archiveId !== undefined
        const doubt = RetryPolicy.isUnknown(error) ? Option.some(unknown(error.message)) : Option.none()
        multipart.state = hasEnded ? Ended({ uploadId }) : Open({ uploadId, doubt })
      })
    ),
    Effect.mapError((error) =>
      // The service rejects the size and the tree hash of other bytes for an upload that was completed.
      wasGone && (error._tag === "ChecksumMismatch" || error._tag === "InvalidParameterValue") ? otherBytes : error
    )
  )
  multipart.state = Ended({ uploadId })

  const { archiveId, location } = completed
  if (wasGone) {
    const stored = Option.orElse(completed.treeHash, () => resumed.requested)
    if (Option.isNone(stored)) {
      return yield* unknown(`Upload ${uploadId} was completed as archive ${archiveId}, perhaps with other bytes`)
    }
    if (stored.value !== treeHash) return yield* otherBytes
  }
  return { archiveId, treeHash, size, parts: hashes.length, location }
})

/** The retries of an abort are frequent, because it has little time. */
const insistent: RetryPolicy.Policy = {
  ...RetryPolicy.fromSchedule(Schedule.exponential("100 millis")),
  metered: false
}

/** An attempt gets a third of the time, so that another one can follow when a request is lost. */
const abort = ({ glacier, reporter, vault }: Multipart, uploadId: UploadId, limit: Duration.Duration) =>
  reporter.reportRetries()(glacier.abortMultipartUpload({ ...vault, uploadId })).pipe(
    Effect.provideService(Timeouts.Timeouts, Timeouts.make({ response: Duration.times(limit, 1 / 3) })),
    Effect.provideService(RetryPolicy.RetryPolicy, insistent),
    Effect.interruptible,
    Effect.timeout(limit)
  )

/** Aborts an upload that has failed. Logs a warning when the service does not confirm that it is not open any more. */
const discard = (multipart: Multipart, uploadId: UploadId, limit: Duration.Duration): Effect.Effect<void> =>
  abort(multipart, uploadId, limit).pipe(
    Effect.catchIf(isGone, () => Effect.void),
    Effect.catchTags({ VaultNotFound: () => Effect.void, OutcomeUnknown: () => Effect.void }),
    Effect.catchAllCause((cause) =>
      Effect.logWarning(
        `Upload ${uploadId} may still be open: the service did not confirm its abort (${String(Cause.squash(cause))})`
      )
    )
  )

/** Aborts an upload that is open when its Scope ends, or keeps it. */
const release = Effect.fnUntraced(function*(multipart: Multipart, exit: Exit.Exit<unknown, unknown>) {
  const { keep, state } = multipart
  // An interruption must not wait for a network that is gone.
  const limit = Duration.seconds(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause) ? 1 : 15)
  if (state._tag === "Open" && !keep) yield* discard(multipart, state.uploadId, limit)
  if (state._tag !== "Opening") return
  if (keep) return yield* state.opening.cancel
  const [took, uploadId] = yield* Effect.timed(state.opening.stop(limit))
  if (Option.isSome(uploadId)) yield* discard(multipart, uploadId.value, Duration.subtract(limit, took))
})

/**
 * Finds out whether an upload was completed when the response to its completion was lost: if it can still be aborted, it
 * was not. An upload that is to be kept is not aborted.
 */
export const resolveDoubt =
  (multipart: Multipart) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | OutcomeUnknown, R> =>
    Effect.catchAll(effect, (error) => {
      const { keep, state } = multipart
      if (keep || state._tag !== "Open" || Option.isNone(state.doubt)) return Effect.fail(error)
      const { doubt, uploadId } = state
      multipart.state = Ended({ uploadId })
      return Effect.matchEffect(abort(multipart, uploadId, Duration.seconds(15)), {
        onFailure: () => doubt.value,
        onSuccess: () => Effect.fail<E | OutcomeUnknown>(error)
      })
    })

/** Fails with `UploadKept`, which has the id and the error, while an upload that is to be kept is open. */
export const wrapKept =
  <Chosen extends OnFailure>(multipart: Multipart<Chosen>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Kept<Chosen, E>, R> =>
    Effect.catchAll(effect, (cause): Effect.Effect<never, E | Kept<Chosen, E>> => {
      const { keep, state } = multipart
      return keep && state._tag === "Open"
        // The compiler does not see that `Chosen` allows for "keep" here.
        ? Effect.fail(new UploadKept({ uploadId: state.uploadId, cause }) as Kept<Chosen, E>)
        : Effect.fail(cause)
    })

/** The id, once the service has given it. */
export const idOf = (multipart: Multipart): Effect.Effect<Option.Option<UploadId>> =>
  Effect.sync(() => {
    const { state } = multipart
    return "uploadId" in state ? Option.some(state.uploadId) : Option.none()
  })
