/**
 * The output of jobs, whole or as a range. See GetJobOutput (Amazon Glacier API Reference).
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ByteRange from "../../../protocol/ByteRange.ts"
import * as Jobs from "../../../protocol/Jobs.ts"
import type * as Sha256 from "../../../protocol/Sha256.ts"
import type { TreeHash } from "../../../protocol/TreeHash.ts"
import * as ArchiveBytes from "../archiveBytes.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { EmulatorStorageError } from "../storageError.ts"
import type { Store } from "../store.ts"
import { find } from "./jobs.ts"

/**
 * Returns the range of a `Range` header, cut at the end of the output. Returns none, which means the whole output, when
 * there is no header or it has a form that the service ignores.
 */
export const parseRange = (
  header: string | undefined,
  size: number
): Either.Either<Option.Option<ByteRange.ByteRange>, ErrorResponse.ErrorResponse> => {
  const [, first, last, suffix] = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header ?? "") ?? []
  const start = first !== undefined ? Number(first) : Math.max(0, size - Number(suffix))
  const end = last !== undefined ? Math.min(Number(last), size - 1) : size - 1
  if (first === undefined && (suffix === undefined || Number(suffix) === 0)) return Either.right(Option.none())
  if (last !== undefined && Number(last) < start) return Either.right(Option.none())
  return start < size
    ? Either.right(Option.some({ start, end }))
    : Either.left(ErrorResponse.invalid(`The start of the range is larger than size of retrieved data: ${header}`))
}

/** The output of a job. Ranges count from the start of the output. */
interface Output {
  readonly size: number
  /** The blobs that contain the output. */
  readonly blobs: ReadonlyArray<string>
  readonly read: (range: ByteRange.ByteRange) => Stream.Stream<Uint8Array, EmulatorStorageError>
  readonly headers: (range: ByteRange.ByteRange) => {
    readonly archiveDescription: Option.Option<string>
    readonly contentType: Option.Option<string>
    readonly treeHash: Option.Option<TreeHash>
  }
}

type Task<Tag> = Extract<State.Job["task"], { readonly _tag: Tag }>

const archiveOutput = (store: Store, sha256: Sha256.Create, { archive, retrieval }: Task<"Archive">): Output => {
  const inArchive = (range: ByteRange.ByteRange) =>
    ByteRange.make(retrieval.start + range.start, ByteRange.length(range))
  return {
    size: retrieval.end - retrieval.start + 1,
    blobs: archive.blobs.map(({ id }) => id),
    read: (range) => ArchiveBytes.read(store.blobs, archive, inArchive(range)),
    headers: (range) => ({
      archiveDescription: Option.fromNullable(archive.description || undefined),
      contentType: Option.some("application/octet-stream"),
      // When no tree hash spans the retrieved range, the service sends none for the parts of the range either.
      treeHash: retrieval.treeHash === undefined
        ? Option.none()
        : ArchiveBytes.treeHash(sha256, archive, inArchive(range))
    })
  }
}

const inventoryOutput = (store: Store, { retrieval }: Task<"Inventory">): Output => ({
  size: retrieval.size,
  blobs: [retrieval.blob],
  read: (range) => store.blobs.read(retrieval.blob, range.start, ByteRange.length(range)),
  headers: () => ({
    archiveDescription: Option.none(),
    contentType: Option.some(retrieval.format === "CSV" ? "text/csv" : "application/json"),
    treeHash: Option.none()
  })
})

const getJobOutput = (store: Store): Router.Route =>
  Router.route(Jobs.GetJobOutput, ["range"], ({ jobId, vaultName }, call) =>
    Effect.gen(function*() {
      const { task } = yield* store.run((step) =>
        Either.filterOrLeft(
          find(step, call, call.arnPrefix + vaultName, jobId),
          (job) => State.statusOf(job, step.now) === "Succeeded",
          () => ErrorResponse.invalid(`The job is not currently available for download: ${jobId}`)
        )
      )
      const output = task._tag === "Archive" ? archiveOutput(store, call.sha256, task) : inventoryOutput(store, task)
      const requested = yield* parseRange(Router.header(call, "range"), output.size)
      const range = Option.getOrElse(requested, () => ByteRange.make(0, output.size))
      // Once the response has started, a failure can only close the connection. Reading a byte finds it before that.
      yield* Stream.runDrain(output.read(ByteRange.make(range.start, 1)))
      return {
        output: {
          ...output.headers(range),
          acceptRanges: Option.some("bytes"),
          contentRange: Option.map(requested, (range) => ({ range, total: output.size }))
        },
        status: Option.isSome(requested) ? 206 : 200,
        bytes: { stream: store.retaining(output.blobs)(output.read(range)), length: ByteRange.length(range) }
      }
    }))

export const routes = (store: Store): ReadonlyArray<Router.Route> => [
  getJobOutput(store)
]
