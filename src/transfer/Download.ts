/**
 * The output of a job, verified: cut into windows that the hash tree can check, fetched side by side, each checked
 * before a byte of it is passed on, and the whole against the tree hash that the job promises. (Should the service not
 * send the tree hash of a window, which it may, that window is checked with the whole: a Stream has passed it on by
 * then, a file has not.) Memory holds at most `concurrency + 2` windows, and for each the digest.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { check, Concurrency } from "../protocol/Check.ts"
import { BrokenOutput } from "../protocol/GlacierError.ts"
import { GetJobOutput } from "../protocol/Jobs.ts"
import * as Limits from "../protocol/Limits.ts"
import type { JobId } from "../protocol/Names.ts"
import { PartSize } from "../protocol/Names.ts"
import { Sha256 } from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import { Hasher } from "../transport/Hasher.ts"
import type { Failure } from "../transport/Method.ts"
import type { OnProgress } from "./Progress.ts"
import { defaultPartSize } from "./UploadPlan.ts"

/**
 * What is to be read, as DescribeJob tells it: the size of the output in bytes, and the tree hash of all of it where
 * there is one (inventories and ranges that no node of the tree spans have none: of those only the size is checked).
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
 * @since 0.1.0
 * @category models
 */
export type DownloadError = Failure<typeof GetJobOutput> | BrokenOutput

/** What one write to a file may be at most: Node.js takes no more than 2 GiB. */
const slice = 64 * Limits.mebibyte

interface Window {
  readonly range: ByteRange.ByteRange
  readonly bytes: Uint8Array
  readonly treeHash: Option.Option<TreeHash.TreeHash>
}

/** The windows of an output and what fetches and checks them; shared by the Stream and the file. */
const prepare = Effect.fnUntraced(function*(output: Output, options: Options) {
  const glacier = yield* GlacierClient
  const hasher = yield* Hasher
  const sha256 = yield* Sha256
  const windowSize = yield* check("download", "windowSize", PartSize, options.windowSize ?? defaultPartSize)
  const concurrency = yield* check("download", "concurrency", Concurrency, options.concurrency ?? 4)
  const done = yield* Ref.make(0)

  const fetch = Effect.fnUntraced(function*(range: ByteRange.ByteRange) {
    const broken = (problem: string) => new BrokenOutput({ jobId: output.jobId, ...range, problem })
    const answer = yield* glacier.getJobOutput({ ...output.vault, jobId: output.jobId, range })
    const bytes = new Uint8Array(ByteRange.length(range))
    let filled = 0
    yield* answer.body.pipe(
      Stream.mapError((error) => broken(error.message)),
      Stream.runForEach((piece) => {
        if (filled + piece.length > bytes.length) return broken(`more than the ${bytes.length} bytes asked for`)
        bytes.set(piece, filled)
        filled += piece.length
        return Effect.void
      })
    )
    if (filled < bytes.length) return yield* broken(`only ${filled} of ${bytes.length} bytes arrived`)
    const got = Option.match(answer.contentRange, { onNone: () => range, onSome: ({ range }) => range })
    if (got.start !== range.start || got.end !== range.end) {
      return yield* broken(`bytes ${got.start} to ${got.end} arrived instead`)
    }
    const promised = Option.isSome(output.treeHash) || Option.isSome(answer.treeHash)
    const treeHash = promised ? Option.some(yield* hasher.treeHash(bytes)) : Option.none()
    if (Option.isSome(answer.treeHash) && Option.isSome(treeHash) && treeHash.value !== answer.treeHash.value) {
      return yield* broken(`has tree hash ${treeHash.value}, promised was ${answer.treeHash.value}`)
    }
    if (options.onProgress !== undefined) {
      const sum = yield* Ref.updateAndGet(done, (sum) => sum + bytes.length)
      yield* options.onProgress({ bytes: sum, total: output.size })
    }
    const window: Window = { range, bytes, treeHash }
    return window
  })

  return {
    concurrency,
    ranges: output.size === 0 ? [] : ByteRange.windows({ start: 0, end: output.size - 1 }, output.size, windowSize),
    // Only a broken window is fetched again here: other failures were already retried by the transport.
    fetch: (range: ByteRange.ByteRange) =>
      Effect.provideService(
        glacier.retry(fetch(range), GetJobOutput, (error) => error._tag === "BrokenOutput"),
        RetryPolicy.Fallback,
        RetryPolicy.patient
      ),
    /** Takes the tree hashes of the windows in order: all of one size but the last, so that they combine. */
    verify: (hashes: Iterable<Window["treeHash"]>) =>
      Option.match(Option.all([output.treeHash, Option.all(hashes)]), {
        onNone: () => Effect.void,
        onSome: ([promised, nodes]) => {
          if (nodes.length === 0) return Effect.void
          const treeHash = TreeHash.combine(sha256, nodes)
          return promised === treeHash
            ? Effect.void
            : new BrokenOutput({
              jobId: output.jobId,
              start: 0,
              end: output.size - 1,
              problem: `the whole has tree hash ${treeHash}, promised was ${promised}`
            })
        }
      })
  }
})

/**
 * The bytes of an output, in order. Each window is checked before its bytes are emitted; should the whole not have the
 * promised tree hash, the Stream fails at its end.
 *
 * @since 0.1.0
 * @category downloading
 */
export const stream = (
  output: Output,
  options: Options = {}
): Stream.Stream<Uint8Array, DownloadError, GlacierClient> =>
  Stream.unwrap(Effect.map(prepare(output, options), ({ concurrency, fetch, ranges, verify }) => {
    const hashes: Array<Window["treeHash"]> = []
    return Stream.fromIterable(ranges).pipe(
      Stream.rechunk(1),
      Stream.mapEffect(fetch, { concurrency }),
      Stream.map((window) => {
        hashes.push(window.treeHash)
        return window.bytes
      }),
      Stream.concat(Stream.execute(Effect.suspend(() => verify(hashes))))
    )
  }))

/**
 * Downloads an output to a file by parallel windows: written to a temporary name beside it and renamed when all is
 * there and verified, so that an older file stays whole until then and survives any failure.
 *
 * @since 0.1.0
 * @category downloading
 */
export const toFile: (
  output: Output,
  path: string,
  options?: Options
) => Effect.Effect<void, DownloadError | PlatformError.PlatformError, GlacierClient | FileSystem.FileSystem> = Effect
  .fn("Download.toFile")(function*(output, path, options = {}) {
    const fs = yield* FileSystem.FileSystem
    const { concurrency, fetch, ranges, verify } = yield* prepare(output, options)
    const temporary = `${path}.${yield* Random.nextIntBetween(0, 0xffff_ffff)}.partial`

    const write = Effect.fnUntraced(function*(range: ByteRange.ByteRange) {
      const window = yield* fetch(range)
      yield* Effect.scoped(Effect.gen(function*() {
        // A handle of its own: its position is shared by all who write through it.
        const file = yield* fs.open(temporary, { flag: "r+" })
        yield* file.seek(range.start, "start")
        for (let start = 0; start < window.bytes.length; start += slice) {
          yield* file.writeAll(window.bytes.subarray(start, start + slice))
        }
      }))
      return window.treeHash
    })

    yield* Effect.acquireUseRelease(
      Effect.scoped(fs.open(temporary, { flag: "wx" })),
      () =>
        Effect.scoped(Effect.gen(function*() {
          yield* verify(yield* Effect.forEach(ranges, write, { concurrency }))
          yield* Effect.flatMap(fs.open(temporary, { flag: "r+" }), (file) => file.sync)
          yield* fs.rename(temporary, path)
        })),
      // After the rename there is nothing left to remove.
      () => Effect.ignore(fs.remove(temporary, { force: true }))
    )
  })
