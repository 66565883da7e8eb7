/**
 * Downloads the output of a job and verifies it. The output is divided into windows that the hash tree can verify. Windows
 * are fetched concurrently, and each is verified before any of its bytes is emitted. At the end the whole is compared with
 * the tree hash of the job. Memory holds at most `concurrency + 1` windows, and the hash of each window.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { GlacierClient, Retry } from "../client/GlacierClient.ts"
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
import * as Hasher from "../transport/Hasher.ts"
import type { Failure } from "../transport/Method.ts"
import * as ResponseBody from "../transport/ResponseBody.ts"
import * as Memory from "./internal/memory.ts"
import * as PartialFile from "./internal/partialFile.ts"
import * as ProgressReporter from "./internal/progressReporter.ts"
import type { OnProgress } from "./Progress.ts"
import * as Target from "./Target.ts"
import { defaultPartSize } from "./UploadPlan.ts"

/**
 * The output of a job, as described by DescribeJob: its size in bytes, and the tree hash of the whole. Inventories have no
 * tree hash, nor have ranges of an archive that are not tree-hash aligned.
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
 * The options of a download.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The window size in bytes: 1 MiB times a power of two. Default: 16 MiB. */
  readonly windowSize?: number | undefined
  /** The number of windows fetched at once. Default: 4. */
  readonly concurrency?: number | undefined
  /** The tree hash that the whole must have, as the inventory lists it. Default: that of the job. */
  readonly treeHash?: TreeHash.TreeHash | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * The options of a download as a Stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOptions extends Options {
  /**
   * The first byte to emit. Windows before it are not fetched. The window that contains it is fetched and verified as a
   * whole. Default: 0.
   */
  readonly from?: number | undefined
}

/**
 * The options of a download to a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface FileOptions extends Options {
  /**
   * The fate of the fetched windows when the download fails or is interrupted: `discard` (the default) removes
   * them, `keep` keeps them for a later download of the same bytes to the same path. They are always kept when the process
   * dies.
   */
  readonly onFailure?: "discard" | "keep" | undefined
  /** The modification time of the file. Default: the time of the download. */
  readonly modified?: DateTime.Utc | undefined
}

/**
 * How an output is verified besides its size:
 *
 * - `root`: each window before it is emitted, and the whole by the tree hash of the job.
 * - `windows`: each window, but not the whole, because the first windows are not fetched.
 * - `size`: only the size, because the job has no tree hash. A window that comes with a tree hash is verified all the same.
 *
 * @since 0.1.0
 * @category models
 */
export type Verification = "root" | "windows" | "size"

/**
 * The result of a download to a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface Downloaded {
  /** The size in bytes. */
  readonly size: number
  readonly verification: Verification
}

/**
 * The errors of a download.
 *
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
 * Returns how a download will be verified.
 *
 * @since 0.1.0
 * @category getters
 */
export const verification = (output: Output, options: StreamOptions = {}): Verification =>
  Option.isNone(output.treeHash) && options.treeHash === undefined
    ? "size"
    : (options.from ?? 0) < (options.windowSize ?? defaultPartSize)
    ? "root"
    : "windows"

/**
 * Checks the options of a download. A download checks them itself before it fetches anything; call this before you pay for a
 * job.
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

/** Hashes the bytes of a window. */
type Hash<H> = (bytes: Uint8Array) => Effect.Effect<H>

/** A hash that verifies a window. */
type Verified = Pick<Hasher.Hashes, "treeHash">

/**
 * Fetches a window into memory of its length, and verifies its position, size and tree hash. When it is emitted `early`,
 * before the whole is verified, a window without a tree hash of its own is rejected.
 */
const fetchWindow = Effect.fnUntraced(function*<H extends Verified>(
  output: Output,
  range: ByteRange.ByteRange,
  bytes: Uint8Array,
  hash: Hash<H>,
  early: boolean
) {
  const glacier = yield* GlacierClient
  const broken = (problem: string) => new BrokenOutput({ jobId: output.jobId, ...range, problem })
  const response = yield* glacier.getJobOutput({ ...output.vault, jobId: output.jobId, range }).pipe(
    // Headers can be damaged in transit as bytes can: the window is fetched again.
    Effect.catchTag("MalformedResponse", (error) => broken(error.message))
  )
  const filled = yield* Effect.mapError(ResponseBody.read(response.body, bytes), (error) => broken(error.message))
  if (filled > bytes.length) return yield* broken(`more than the requested ${bytes.length} bytes arrived`)
  if (filled < bytes.length) return yield* broken(`only ${filled} of the requested ${bytes.length} bytes arrived`)
  const isAll = bytes.length === output.size
  if (Option.isSome(response.contentRange)) {
    const { range: { end, start }, total } = response.contentRange.value
    if (start !== range.start || end !== range.end) return yield* broken(`bytes ${start} to ${end} arrived instead`)
    if (total !== output.size) return yield* broken(`the output has ${total} bytes instead of ${output.size}`)
  } else if (!isAll) return yield* broken("the response has no Content-Range")
  const expected = isAll ? Option.orElse(output.treeHash, () => response.treeHash) : response.treeHash
  const hashes = yield* hash(bytes)
  const { treeHash } = hashes
  if (Option.isSome(expected)) {
    if (treeHash !== expected.value) return yield* broken(`tree hash ${treeHash} instead of ${expected.value}`)
  } else if (early && Option.isSome(output.treeHash)) return yield* broken("the response has no tree hash")
  return hashes
})

const wrongWhole = ({ jobId, size }: Output, found: string, expected: string) =>
  new BrokenOutput({
    jobId,
    start: 0,
    end: Math.max(0, size - 1),
    problem: `the whole has tree hash ${found} instead of ${expected}`
  })

/** Adds the tree hash that the caller expects to an output. Fails when the job has another one. */
const expecting = (output: Output, { treeHash }: Options): Effect.Effect<Output, BrokenOutput> => {
  if (treeHash === undefined) return Effect.succeed(output)
  const found = Option.getOrElse(output.treeHash, () => treeHash)
  return found === treeHash
    ? Effect.succeed({ ...output, treeHash: Option.some(treeHash) })
    : wrongWhole(output, found, treeHash)
}

/**
 * Plans the windows of an output, and provides the functions that fetch and verify them. See `fetchWindow` for `early`.
 */
const prepare = Effect.fnUntraced(function*(described: Output, options: StreamOptions, early: boolean) {
  const output = yield* expecting(described, options)
  const glacier = yield* GlacierClient
  const sha256 = yield* Sha256
  const { concurrency, windowSize } = yield* check(options)
  const from = yield* Check.check("download", "from", Position(output.size), options.from ?? 0)
  const all = output.size === 0 ? [] : ByteRange.windows(ByteRange.make(0, output.size), output.size, windowSize)
  const ranges = all.filter((range) => range.end >= from)
  const reporter = ProgressReporter.make(options.onProgress, ranges[0]?.start ?? output.size)
  reporter.setTotal(output.size)

  return {
    concurrency,
    ranges,
    /**
     * Fetches a window into memory of its length. Retries only broken windows: the transport has already retried other
     * failures.
     */
    fetch: <H extends Verified>(range: ByteRange.ByteRange, bytes: Uint8Array, hash: Hash<H>) => {
      const fetching = fetchWindow(output, range, bytes, hash, early)
      return Effect.provideService(
        reporter.reportRetries(range)(
          glacier[Retry]?.(fetching, GetJobOutput, (error) => error._tag === "BrokenOutput") ?? fetching
        ),
        RetryPolicy.Default,
        RetryPolicy.patient
      )
    },
    /** Reports that a window is done. */
    report: (tag: "Verified" | "Kept", range: ByteRange.ByteRange) =>
      reporter.reportDone(tag, range.start, ByteRange.length(range)),
    /**
     * Compares the whole with the tree hash of the job. The hashes of the windows combine because all but the last have the
     * same size.
     */
    verify: (hashes: ReadonlyArray<TreeHash.TreeHash>) => {
      if (Option.isNone(output.treeHash) || hashes.length === 0 || hashes.length < all.length) return Effect.void
      const treeHash = TreeHash.combine(sha256, hashes)
      return treeHash === output.treeHash.value ? Effect.void : wrongWhole(output, treeHash, output.treeHash.value)
    },
    /** The bytes of a window from the byte `from` on. */
    wanted: (range: ByteRange.ByteRange, bytes: Uint8Array) => bytes.subarray(Math.max(0, from - range.start))
  }
})

/** Makes the hash of windows whose linear hash is not needed. */
const hashTree = Effect.map(
  Hasher.Hasher,
  (hasher): Hash<Verified> => (bytes) => Effect.map(hasher.treeHash(bytes), (treeHash) => ({ treeHash }))
)

/** The size of the pieces that a Stream emits: smaller ones cost the consumer more, larger ones the system. */
const pieceSize = 1024 * 1024

/** Emits copies of the bytes, made one by one as they are pulled. The consumer may keep them: the memory is reused. */
const pieces = (bytes: Uint8Array) =>
  Stream.unfold(0, (at) =>
    at < bytes.length
      ? Option.some([new Uint8Array(bytes.subarray(at, at + pieceSize)), at + pieceSize] as const)
      : Option.none())

/** The span attributes of an output. */
const attributesOf = (output: Output) => ({ "glacier.vault": output.vault.vaultName, "glacier.job": output.jobId })

/**
 * Emits the bytes of an output in order. Each window is verified before its bytes are emitted. If the whole does not have the
 * tree hash of the job, the Stream fails with `BrokenOutput` at its end. See `verification` for what is verified when.
 *
 * A window is fetched only when there is memory for it, so a slow consumer slows the download down.
 *
 * @since 0.1.0
 * @category downloading
 */
export const stream = (
  output: Output,
  options: StreamOptions = {}
): Stream.Stream<Uint8Array, DownloadError, GlacierClient> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const { concurrency, fetch, ranges, report, verify, wanted } = yield* prepare(output, options, true)
    const room = yield* Effect.makeSemaphore(concurrency + 1)
    const allocate = yield* Memory.allocator
    const hash = yield* hashTree
    const hashes: Array<TreeHash.TreeHash> = []
    return Stream.fromIterable(ranges).pipe(
      Stream.rechunk(1),
      Stream.mapEffect((range) =>
        Effect.gen(function*() {
          yield* room.take(1)
          const memory = yield* allocate(ByteRange.length(range))
          const { treeHash } = yield* fetch(range, memory.bytes, hash)
          yield* report("Verified", range)
          return { bytes: wanted(range, memory.bytes), treeHash, free: Effect.zipRight(memory.free, room.release(1)) }
        }), { concurrency }),
      Stream.flatMap(({ bytes, free, treeHash }) => {
        hashes.push(treeHash)
        return Stream.concat(pieces(bytes), Stream.execute(free))
      }),
      Stream.concat(Stream.execute(Effect.suspend(() => verify(hashes))))
    )
  })).pipe(Stream.withSpan("Download.stream", { attributes: attributesOf(output) }))

/**
 * A window of an output, which is verified. Its memory is used again after the function that received it has ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface Window {
  readonly range: ByteRange.ByteRange
  readonly bytes: Uint8Array
  readonly hashes: Hasher.Hashes
}

/** The work of a download on windows whose hashes are `H`. */
interface Windows<H, E, R> {
  readonly hash: Hash<H>
  readonly kept: (range: ByteRange.ByteRange) => Effect.Effect<Option.Option<TreeHash.TreeHash>, E, R>
  readonly use: (range: ByteRange.ByteRange, bytes: Uint8Array, hashes: H) => Effect.Effect<void, E, R>
  readonly discard: Effect.Effect<void, E, R>
  readonly whenRoom?: WhenRoom | undefined
}

/** Fetches the windows that are not kept, uses each, and verifies the whole. */
const throughWindows = Effect.fnUntraced(function*<H extends Verified, E, R>(
  output: Output,
  options: Options,
  { discard, hash, kept, use, whenRoom = () => identity }: Windows<H, E, R>
) {
  const hasher = yield* Hasher.Hasher
  const { concurrency, fetch, ranges, report, verify } = yield* prepare(output, options, false)
  const fetched = Effect.fnUntraced(function*(range: ByteRange.ByteRange) {
    const bytes = yield* hasher.allocate(ByteRange.length(range))
    const hashes = yield* fetch(range, bytes, hash)
    yield* use(range, bytes, hashes)
    yield* report("Verified", range)
    return hashes.treeHash
    // The memory is freed when the window was used.
  }, Effect.scoped)
  const hashes = yield* Effect.forEach(
    ranges,
    (range) =>
      Effect.flatMap(kept(range), (found) =>
        Option.isSome(found)
          ? Effect.as(report("Kept", range), found.value)
          : whenRoom(ByteRange.length(range))(fetched(range))),
    { concurrency }
  )
  // It is unknown which window is wrong, so none is kept.
  yield* Effect.tapError(verify(hashes), () => discard)
})

/**
 * Runs the work on a window when there is memory for it.
 *
 * @since 0.1.0
 * @category models
 */
export type WhenRoom = (size: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * The options of `forEachWindow`.
 *
 * @since 0.1.0
 * @category models
 */
export interface WindowOptions<out E = never, out R = never> extends Options {
  /** Returns the tree hash of a window that is not to be fetched, because an earlier download has used it. Default: none. */
  readonly kept?: ((range: ByteRange.ByteRange) => Effect.Effect<Option.Option<TreeHash.TreeHash>, E, R>) | undefined
  /** Runs when the windows together do not have the tree hash of the job: any of them can be wrong. Default: nothing. */
  readonly discard?: Effect.Effect<void, E, R> | undefined
  /** Limits the memory of several downloads together. Default: only `concurrency` limits it. */
  readonly whenRoom?: WhenRoom | undefined
}

/**
 * Passes the windows of an output to a function, several at once and in any order. Each window is verified before. When all
 * are used, compares the whole with the tree hash of the job, and fails with `BrokenOutput` if it differs. So nothing that
 * the function has stored counts before this Effect succeeds.
 *
 * @since 0.1.0
 * @category downloading
 */
export const forEachWindow: <E = never, R = never>(
  output: Output,
  use: (window: Window) => Effect.Effect<void, E, R>,
  options?: WindowOptions<E, R>
) => Effect.Effect<void, DownloadError | E, GlacierClient | R> = Effect.fn("Download.forEachWindow")(
  function*<E = never, R = never>(
    output: Output,
    use: (window: Window) => Effect.Effect<void, E, R>,
    options: WindowOptions<E, R> = {}
  ) {
    yield* Effect.annotateCurrentSpan(attributesOf(output))
    const hasher = yield* Hasher.Hasher
    yield* throughWindows(output, options, {
      hash: hasher.hashes,
      kept: options.kept ?? (() => Effect.succeedNone),
      use: (range, bytes, hashes) => use({ range, bytes, hashes }),
      discard: options.discard ?? Effect.void,
      whenRoom: options.whenRoom
    })
  }
)

/**
 * Downloads an output to a file. It writes concurrent windows to a partial file beside the target. When the partial file is
 * complete, verified and fsynced, it is renamed to the target. An older file at the target is unchanged until then, and
 * survives any failure.
 *
 * It reuses the windows that an earlier download to the same path left, of this job or of another one with the same tree
 * hash, if the window size is the same. Each is reused only if its bytes still have their tree hash.
 *
 * Before it fetches anything, it fails with
 *
 * - `TargetRejected` when no file can be written to the path: see `Target.check`;
 * - `FileInUse` while another download writes to that path, whatever its bytes and however it spells the path. With the lock
 *   of `effect-glacier/node` this includes downloads of other processes.
 *
 * Fails with `BrokenOutput` when the output cannot be verified. Fails with `FileReplaced`, and leaves the target unchanged,
 * when a process that does not see the lock removed or replaced the partial file.
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
  // Before anything is created beside the target.
  yield* check(options)
  const file = yield* PartialFile.open(
    yield* Target.check(path),
    options.treeHash ?? Option.getOrElse(output.treeHash, () => output.jobId),
    options.onFailure ?? "discard"
  )
  yield* throughWindows(output, options, {
    hash: yield* hashTree,
    kept: file.kept,
    use: (range, bytes, { treeHash }) => file.write(range, bytes, treeHash),
    discard: file.discard
  })
  yield* file.complete(output.size, options.modified)
  return { size: output.size, verification: verification(output, options) }
}, Effect.scoped)
