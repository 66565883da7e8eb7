/**
 * The output of a job, verified: cut into windows that the hash tree can check, fetched side by side, each checked
 * before a byte of it is passed on, and the whole against the tree hash that the job promises. Memory holds at most
 * `concurrency + 1` windows, and for each the digest.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { BrokenOutput, type InvalidInput } from "../protocol/GlacierError.ts"
import * as Check from "../protocol/InputCheck.ts"
import { GetJobOutput } from "../protocol/Jobs.ts"
import type { JobId } from "../protocol/Names.ts"
import { PartSize } from "../protocol/Names.ts"
import { Sha256 } from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import { Hasher } from "../transport/Hasher.ts"
import type { Failure } from "../transport/Method.ts"
import * as ResponseBody from "../transport/ResponseBody.ts"
import * as Memory from "./internal/memory.ts"
import * as PartialFile from "./internal/partialFile.ts"
import * as ProgressReporter from "./internal/progressReporter.ts"
import type { OnProgress } from "./Progress.ts"
import * as Target from "./Target.ts"
import { defaultPartSize } from "./UploadPlan.ts"

/**
 * What is to be read, as DescribeJob tells it: the size of the output in bytes, and the tree hash of all of it where
 * there is one (inventories, and ranges of an archive that no node of its tree spans, have none).
 *
 * @since 0.1.0
 * @category models
 */
export interface Output {
  readonly vault: VaultAddress
  readonly jobId: JobId
  readonly size: number
  readonly treeHash: Option.Option<TreeHash.TreeHash>
}

/**
 * How to download.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The most bytes of a window: 1 MiB times a power of two. Default: 16 MiB. */
  readonly windowSize?: number | undefined
  /** Windows in flight. Default: 4. */
  readonly concurrency?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * How to download as a Stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOptions extends Options {
  /**
   * The byte to begin at, any of them: the windows before it are not fetched, and of the one that it lies in only the
   * rest is passed on, after all of it was verified. Default: 0.
   */
  readonly from?: number | undefined
}

/**
 * How to download to a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface FileOptions extends Options {
  /**
   * What becomes of the windows that are there when the download fails or is interrupted: `remove` (the default) leaves
   * nothing, `keep` leaves them for a later download of the same bytes to the same path, as the death of the process does.
   */
  readonly onFailure?: "discard" | "keep" | undefined
  /** The time of the last modification that the file gets. Default: that of the download. */
  readonly modified?: DateTime.Utc | undefined
}

/**
 * What is checked of an output besides its size: with `root` each window before it is passed on, and the whole against
 * the tree hash of the job; with `windows` each window, but not the whole, because the first are left out; with `size`
 * nothing, because there is no tree hash. (Should the service send one with a window even so, that window is checked.)
 *
 * @since 0.1.0
 * @category models
 */
export type Verification = "root" | "windows" | "size"

/**
 * What is in a file after a download.
 *
 * @since 0.1.0
 * @category models
 */
export interface Downloaded {
  /** Bytes. */
  readonly size: number
  readonly verification: Verification
}

/**
 * @since 0.1.0
 * @category models
 */
export type DownloadError = Failure<typeof GetJobOutput> | BrokenOutput

const Position = (size: number) =>
  Schema.Number.pipe(
    Schema.filter((n) => Number.isInteger(n) && n >= 0 && n <= size, {
      message: () => `must be a whole number of 0 to ${size}`
    })
  )

/**
 * What will be checked of a download.
 *
 * @since 0.1.0
 * @category getters
 */
export const verification = (output: Output, options: StreamOptions = {}): Verification =>
  Option.isNone(output.treeHash)
    ? "size"
    : (options.from ?? 0) < (options.windowSize ?? defaultPartSize)
    ? "root"
    : "windows"

/**
 * Checks how to download, as a download does before it fetches anything: for work that pays before it downloads.
 *
 * @since 0.1.0
 * @category getters
 */
export const check = (
  options: Options
): Either.Either<{ readonly windowSize: PartSize; readonly concurrency: number }, InvalidInput> =>
  Either.all({
    windowSize: Check.check("download", "windowSize", PartSize, options.windowSize ?? defaultPartSize),
    concurrency: Check.check("download", "concurrency", Check.Concurrency, options.concurrency ?? 4)
  })

/**
 * The windows of an output and what fetches and checks them; shared by the Stream and the file. A window that comes
 * without a tree hash can be checked with the whole only: `early` is for who passes it on before.
 */
const prepare = Effect.fnUntraced(function*(output: Output, options: StreamOptions, early: boolean) {
  const glacier = yield* GlacierClient
  const hasher = yield* Hasher
  const sha256 = yield* Sha256
  const { concurrency, windowSize } = yield* check(options)
  const from = yield* Check.check("download", "from", Position(output.size), options.from ?? 0)
  const all = output.size === 0 ? [] : ByteRange.windows(ByteRange.make(0, output.size), output.size, windowSize)
  const ranges = all.filter((range) => range.end >= from)
  const reporter = ProgressReporter.make(options.onProgress, ranges[0]?.start ?? output.size)
  reporter.setTotal(output.size)

  const fetch = Effect.fnUntraced(function*(range: ByteRange.ByteRange, bytes: Uint8Array) {
    const broken = (problem: string) => new BrokenOutput({ jobId: output.jobId, ...range, problem })
    const answer = yield* glacier.getJobOutput({ ...output.vault, jobId: output.jobId, range }).pipe(
      // Headers come to harm in transit as bytes do.
      Effect.catchTag("MalformedResponse", (error) => broken(error.message))
    )
    const filled = yield* Effect.mapError(ResponseBody.read(answer.body, bytes), (error) => broken(error.message))
    if (filled > bytes.length) return yield* broken(`more than the ${bytes.length} bytes asked for`)
    if (filled < bytes.length) return yield* broken(`only ${filled} of ${bytes.length} bytes arrived`)
    const isAll = bytes.length === output.size
    if (Option.isSome(answer.contentRange)) {
      const { range: { end, start }, total } = answer.contentRange.value
      if (start !== range.start || end !== range.end) return yield* broken(`bytes ${start} to ${end} arrived instead`)
      if (total !== output.size) return yield* broken(`is of ${total} bytes, not of ${output.size}`)
    } else if (!isAll) return yield* broken("does not say which bytes arrived")
    const promised = isAll ? Option.orElse(output.treeHash, () => answer.treeHash) : answer.treeHash
    const treeHash = yield* hasher.treeHash(bytes)
    if (Option.isSome(promised)) {
      if (treeHash !== promised.value) return yield* broken(`has tree hash ${treeHash}, promised was ${promised.value}`)
    } else if (early && Option.isSome(output.treeHash)) return yield* broken("came without its tree hash")
    return { bytes, treeHash }
  })

  return {
    concurrency,
    ranges,
    /**
     * Fetches a window into memory of its length. Only a broken window is fetched again here: other failures were already
     * retried by the transport.
     */
    fetch: (range: ByteRange.ByteRange, bytes: Uint8Array) =>
      Effect.provideService(
        reporter.reportRetries(range)(
          glacier.retry(fetch(range, bytes), GetJobOutput, (error) => error._tag === "BrokenOutput")
        ),
        RetryPolicy.Default,
        RetryPolicy.patient
      ),
    /** Tells that a window is done. */
    tell: (tag: "Verified" | "Kept", range: ByteRange.ByteRange) =>
      reporter.reportDone(tag, range.start, ByteRange.length(range)),
    /** Takes the tree hashes of the windows in order: all of one size but the last, so that they combine. */
    verify: (hashes: ReadonlyArray<TreeHash.TreeHash>) => {
      if (Option.isNone(output.treeHash) || hashes.length === 0 || hashes.length < all.length) return Effect.void
      const treeHash = TreeHash.combine(sha256, hashes)
      return treeHash === output.treeHash.value ? Effect.void : new BrokenOutput({
        jobId: output.jobId,
        start: 0,
        end: output.size - 1,
        problem: `the whole has tree hash ${treeHash}, promised was ${output.treeHash.value}`
      })
    },
    /** The bytes of a window that are asked for. */
    wanted: (range: ByteRange.ByteRange, bytes: Uint8Array) => bytes.subarray(Math.max(0, from - range.start))
  }
})

/** The most bytes that are passed on at once: smaller ones cost who takes them more, larger ones the system. */
const pieceSize = 1024 * 1024

/** Copies of bytes, made one by one as they are asked for: who gets them may keep them. */
const pieces = (bytes: Uint8Array) =>
  Stream.unfold(0, (at) =>
    at < bytes.length
      ? Option.some([new Uint8Array(bytes.subarray(at, at + pieceSize)), at + pieceSize] as const)
      : Option.none())

/** What its spans say of an output. */
const attributesOf = (output: Output) => ({ "glacier.vault": output.vault.vaultName, "glacier.job": output.jobId })

/**
 * The bytes of an output, in order. Each window is checked before its bytes are passed on; should the whole not have the
 * promised tree hash, the Stream fails at its end. See `verification` for what is checked when. No window is fetched
 * before there is room for it: a slow consumer slows the service down.
 *
 * @since 0.1.0
 * @category downloading
 */
export const stream = (
  output: Output,
  options: StreamOptions = {}
): Stream.Stream<Uint8Array, DownloadError, GlacierClient> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const { concurrency, fetch, ranges, tell, verify, wanted } = yield* prepare(output, options, true)
    const room = yield* Effect.makeSemaphore(concurrency + 1)
    const allocate = yield* Memory.allocator
    const hashes: Array<TreeHash.TreeHash> = []
    return Stream.fromIterable(ranges).pipe(
      Stream.rechunk(1),
      Stream.mapEffect((range) =>
        Effect.gen(function*() {
          yield* room.take(1)
          const memory = yield* allocate(ByteRange.length(range))
          const { bytes, treeHash } = yield* fetch(range, memory.bytes)
          yield* tell("Verified", range)
          return { bytes: wanted(range, bytes), treeHash, free: Effect.zipRight(memory.free, room.release(1)) }
        }), { concurrency }),
      Stream.flatMap(({ bytes, free, treeHash }) => {
        hashes.push(treeHash)
        return Stream.concat(pieces(bytes), Stream.execute(free))
      }),
      Stream.concat(Stream.execute(Effect.suspend(() => verify(hashes))))
    )
  })).pipe(Stream.withSpan("Download.stream", { attributes: attributesOf(output) }))

/**
 * Downloads an output to a file by parallel windows: written to another name beside it, and renamed when all is there,
 * verified and fsynced, so that an older file stays whole until then and survives any failure.
 *
 * What an earlier download to that path left behind, of the job or of another that promises the same tree hash, with
 * windows of the same size, is not fetched again where it still has its tree hash.
 *
 * Before anything is fetched it fails
 *
 * - with `TargetRejected` when the path cannot become a file: see `Target.check`;
 * - with `FileInUse` while another download writes to that path, whatever its bytes and however it spells the path. With
 *   the lock of `effect-glacier/node` that holds for downloads of other processes, too.
 *
 * Fails with `FileReplaced`, and leaves the target as it is, when a process that the lock does not reach removed or
 * replaced the partial file.
 *
 * @since 0.1.0
 * @category downloading
 */
export const toFile: (
  output: Output,
  path: string,
  options?: FileOptions
) => Effect.Effect<
  Downloaded,
  DownloadError | Target.TargetError | PlatformError.PlatformError,
  GlacierClient | FileSystem.FileSystem
> = Effect.fn("Download.toFile")(function*(output, path, options = {}) {
  yield* Effect.annotateCurrentSpan(attributesOf(output))
  const hasher = yield* Hasher
  const { concurrency, fetch, ranges, tell, verify } = yield* prepare(output, options, false)
  const file = yield* PartialFile.open(
    yield* Target.check(path),
    Option.getOrElse(output.treeHash, () => output.jobId),
    options.onFailure ?? "discard"
  )

  const window = Effect.fnUntraced(function*(range: ByteRange.ByteRange) {
    const kept = yield* file.kept(range)
    if (Option.isSome(kept)) return yield* Effect.as(tell("Kept", range), kept.value)
    // Once it is written, others may have the memory.
    const { bytes, treeHash } = yield* Effect.flatMap(
      hasher.allocate(ByteRange.length(range)),
      (memory) => fetch(range, memory)
    )
    yield* file.write(range, bytes, treeHash)
    yield* tell("Verified", range)
    return treeHash
  }, Effect.scoped)
  const hashes = yield* Effect.forEach(ranges, window, { concurrency })
  // Who knows which window is wrong: none is worth keeping.
  yield* Effect.tapError(verify(hashes), () => file.discard)
  yield* file.complete(output.size, options.modified)
  return { size: output.size, verification: verification(output, options) }
}, Effect.scoped)
