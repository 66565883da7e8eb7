/**
 * Helpers of the conformance suite: test data, vaults, uploads, jobs and expected errors.
 *
 * @internal
 */
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../../client/GlacierClient.ts"
import * as RetryPolicy from "../../../policy/RetryPolicy.ts"
import * as ByteRange from "../../../protocol/ByteRange.ts"
import * as Limits from "../../../protocol/Limits.ts"
import type * as Operation from "../../../protocol/Operation.ts"
import type { operations } from "../../../protocol/Operations.ts"
import * as Sha256 from "../../../protocol/Sha256.ts"
import * as TreeHash from "../../../protocol/TreeHash.ts"
import { Hasher } from "../../../transport/Hasher.ts"
import { expect, Unexpected } from "../expect.ts"

export { collect } from "../response.ts"

export const mebibyte = Limits.mebibyte

export const utf8 = new TextEncoder()

export const slice = (bytes: Uint8Array, range: ByteRange.ByteRange) => bytes.subarray(range.start, range.end + 1)

/** Makes bytes such that no two MiBs are equal: `byte[i] = (i + (i >> 8) + 3 (i >> 16) + 7 (i >> 20)) & 0xFF`. */
export const ramp = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i + (i >> 8) + 3 * (i >> 16) + 7 * (i >> 20)
  return bytes
}

// Computed without the `Hasher` of the client, so a mistake in it is detected.
export const treeHash = (bytes: Uint8Array): string =>
  TreeHash.ofBytes(Context.get(Context.empty(), Sha256.Sha256), bytes)

/** Returns all elements of a Stream. */
export const all = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** Creates a vault with a new random name. Returns it with its account. */
export const created = Effect.fnUntraced(function*(name: string) {
  const glacier = yield* GlacierClient
  const unique = (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0")
  const vaultName = `conformance-${name}-${unique}`
  yield* glacier.createVault({ vaultName })
  const { vaultArn } = yield* glacier.describeVault({ vaultName })
  return {
    glacier,
    vaultName,
    account: vaultArn.split(":")[4] ?? "",
    arnOf: (other: string) => vaultArn.slice(0, -vaultName.length) + other
  }
})

/** Uploads bytes as an archive in one request. */
export const store = Effect.fnUntraced(function*(vaultName: string, body: Uint8Array, description?: string) {
  const glacier = yield* GlacierClient
  const hashes = yield* (yield* Hasher).hashes(body)
  return yield* glacier.uploadArchive({ vaultName, description, body, ...hashes })
})

/** Uploads a part that starts at the byte `start`. */
export const putPart = Effect.fnUntraced(
  function*(vaultName: string, uploadId: string, start: number, body: Uint8Array) {
    const glacier = yield* GlacierClient
    const hashes = yield* (yield* Hasher).hashes(body)
    return yield* glacier.uploadMultipartPart({
      vaultName,
      uploadId,
      range: ByteRange.make(start, body.length),
      body,
      ...hashes
    })
  }
)

export type Parameters = Operation.Input<typeof operations.initiateJob>["parameters"]

/** Starts a job. */
export const started = Effect.fnUntraced(
  function*(vaultName: string, parameters: Parameters) {
    const glacier = yield* GlacierClient
    const { jobId } = yield* glacier.initiateJob({ vaultName, parameters })
    return { vaultName, jobId }
  }
)

/** Starts a job and waits until it completes. */
export const finished = Effect.fnUntraced(
  function*(vaultName: string, parameters: Parameters) {
    const glacier = yield* GlacierClient
    const job = yield* started(vaultName, parameters)
    yield* Effect.repeat(glacier.describeJob(job), {
      until: ({ completed }) => completed,
      schedule: Schedule.union(Schedule.exponential("100 millis"), Schedule.spaced("1 minute"))
    })
    return job
  }
)

/** Starts the retrieval of an archive and waits until it completes. */
export const retrieve = (
  vaultName: string,
  archiveId: string,
  more: Partial<Extract<Parameters, { readonly type: "archive-retrieval" }>> = {}
) => finished(vaultName, { ...more, type: "archive-retrieval", archiveId })

/** A class of errors. */
export interface ErrorClass {
  readonly _tag: string
  new(fields: never): { readonly message: string }
}

/** Expects that an effect fails with an error of a class, and returns the error. */
export const rejected = <A, E, R>(effect: Effect.Effect<A, E, R>, Class: ErrorClass, message: string | RegExp = /./) =>
  // Without retries: their delays would never end with a clock that the caller does not move.
  Effect.matchEffect(Effect.provideService(effect, RetryPolicy.RetryPolicy, RetryPolicy.none), {
    onSuccess: () => Effect.fail(new Unexpected(`expected ${Class._tag}, but it succeeded`)),
    onFailure: (error) =>
      Effect.sync(() => {
        if (!(error instanceof Class)) throw new Unexpected(`expected ${Class._tag}, was ${String(error)}`)
        expect(error).toMatchObject({ message, requestId: /^[\w-]{47}$/ })
        return error
      })
  })
