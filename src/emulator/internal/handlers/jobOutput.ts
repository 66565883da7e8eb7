/**
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ByteRange from "../../../protocol/ByteRange.ts"
import * as Jobs from "../../../protocol/Jobs.ts"
import * as ArchiveBytes from "../archiveBytes.ts"
import * as ErrorResponse from "../errorResponse.ts"
import * as Router from "../router.ts"
import * as State from "../state.ts"
import type { Store } from "../store.ts"
import { find } from "./jobs.ts"

/**
 * The range of an output that a `Range` header asks for, cut at the output's end. None, which means all of it, when
 * there is no such header or it is not in one of the forms the service knows.
 */
export const requested = (
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

export const routes = (store: Store): ReadonlyArray<Router.Route> => [
  Router.route(Jobs.GetJobOutput, ["range"], ({ jobId, vaultName }, call) =>
    Effect.gen(function*() {
      const job = yield* store.run((step) =>
        Either.filterOrLeft(
          find(step, call, call.arnPrefix + vaultName, jobId),
          (job) => State.statusOf(job, step.now) === "Succeeded",
          () => ErrorResponse.invalid(`The job is not currently available for download: ${jobId}`)
        )
      )
      const { task } = job
      const size = task._tag === "Archive" ? task.retrieval.end - task.retrieval.start + 1 : task.retrieval.size
      const asked = yield* requested(Router.header(call, "range"), size)
      const range = Option.getOrElse(asked, () => ByteRange.make(0, size))
      const common = {
        acceptRanges: Option.some("bytes"),
        contentRange: Option.map(asked, (range) => ({ range, total: size }))
      }
      const status = Option.isSome(asked) ? 206 : 200
      const length = ByteRange.length(range)
      const stored = ByteRange.make(range.start + (task._tag === "Archive" ? task.retrieval.start : 0), length)
      const read = (range: ByteRange.ByteRange) =>
        task._tag === "Archive"
          ? ArchiveBytes.read(store.blobs, task.archive, range)
          : store.blobs.read(task.retrieval.blob, range.start, ByteRange.length(range))
      // An answer that has begun can only break off: what cannot be read at all is said before.
      yield* Stream.runDrain(read(ByteRange.make(stored.start, 1)))
      const blobs = task._tag === "Archive" ? task.archive.blobs.map(({ id }) => id) : [task.retrieval.blob]
      const bytes = { stream: store.retaining(blobs)(read(stored)), length }
      if (task._tag === "Inventory") {
        return {
          output: {
            ...common,
            archiveDescription: Option.none(),
            contentType: Option.some(task.retrieval.format === "CSV" ? "text/csv" : "application/json"),
            treeHash: Option.none()
          },
          status,
          bytes
        }
      }
      const { archive, retrieval } = task
      return {
        output: {
          ...common,
          archiveDescription: Option.fromNullable(archive.description || undefined),
          contentType: Option.some("application/octet-stream"),
          // Of a retrieval that no tree hash spans not even all of it has one (spec section 8.6).
          treeHash: retrieval.treeHash === undefined
            ? Option.none()
            : ArchiveBytes.treeHash(call.sha256, archive, stored)
        },
        status,
        bytes
      }
    }))
]
