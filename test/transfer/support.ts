/** An emulator in this process that has the vault `photos`, and functions to watch and to disturb its traffic. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { ConnectionError } from "../../src/protocol/GlacierError.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import type { operations } from "../../src/protocol/Operations.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import type * as Download from "../../src/transfer/Download.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import type { Response } from "../../src/transport/Method.ts"
import { treeHash } from "../support/hashes.ts"
import { promptly } from "../support/retryPolicies.ts"

export { treeHash }

export const { mebibyte } = Limits

export const address = { vaultName: "photos" }

const block = Uint8Array.from({ length: mebibyte }, (_, i) => i * 31 + (i >> 8))

/** Bytes in which each MiB differs from all others. */
export const pattern = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let start = 0; start < size; start += mebibyte) {
    bytes.set(block.subarray(0, size - start), start)
    bytes[start] = start / mebibyte
  }
  return bytes
}

/** Collects the bytes of a Stream. */
export const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.map(Stream.runCollect(stream), (pieces) => Buffer.concat(Chunk.toReadonlyArray(pieces)))

/** Whether bytes are equal: `toEqual` is slow for MiBs. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

type Sent = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

/** Changes what happens to a request. `send` sends it. */
export type Change = (send: Sent, request: HttpClientRequest.HttpClientRequest) => Sent

/** Loses the response, or the request if it was not sent. */
export const lost = (request: HttpClientRequest.HttpClientRequest): Sent =>
  Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))

/** Records the requests that are sent, as `PUT /-/vaults/photos`. */
export const recording = () => {
  const sent: Array<string> = []
  const change: Change = (send, request) => {
    sent.push(`${request.method} ${new URL(request.url).pathname}`)
    return send
  }
  return { sent, change }
}

const create = Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.createVault(address))

/** A client of an emulator that has the vault. Jobs succeed at once by default. */
export const layer = (change: Change = (send) => send, options: Emulator.Options = {}) =>
  GlacierClient.layer.pipe(
    Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, HttpClient.transform(change)))),
    Layer.provide(Emulator.layerHttpClient),
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(Endpoint.layer({ region: "us-east-1" })),
    // A client of its own, so that `change` does not see this request.
    Layer.provide(Layer.provide(Layer.effectDiscard(create), Layer.fresh(TestGlacier.layerClient()))),
    Layer.provideMerge(Emulator.layerMemory({ jobDelay: 0, ...options })),
    Layer.provideMerge(NodeHashing.layer)
  )

/** Retries safe calls up to three times without a delay. */
export const withRetries = Effect.provideService(RetryPolicy.RetryPolicy, promptly(3))

/** Provides a new emulator, and retries without a delay. */
export const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(withRetries, Effect.provide(layer()))

/** Runs an effect with some methods of its client replaced. */
export const replacing =
  (replace: (glacier: GlacierClient.Service) => Partial<GlacierClient.Service>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | GlacierClient.GlacierClient> =>
    Effect.updateService(effect, GlacierClient.GlacierClient, (glacier) => ({ ...glacier, ...replace(glacier) }))

/** Counts how many things of a kind exist at once. */
export const gauge = () => {
  const count = {
    live: 0,
    peak: 0,
    total: 0,
    add(): void {
      count.total++
      count.peak = Math.max(count.peak, ++count.live)
    },
    remove(): void {
      count.live--
    },
    during: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(Effect.sync(count.add), () => effect, () => Effect.sync(count.remove))
  }
  return count
}

/** Retrieves an archive. */
export const stored = Effect.fnUntraced(function*(archiveId: string) {
  const glacier = yield* GlacierClient.GlacierClient
  const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
  const { archiveDescription, body } = yield* glacier.getJobOutput({ ...address, jobId })
  return { description: archiveDescription, bytes: yield* collect(body) }
})

/** Lists the open multipart uploads. */
export const openUploads = Effect.flatMap(
  GlacierClient.GlacierClient,
  (glacier) => Effect.map(glacier.listMultipartUploads(address), ({ uploads }) => uploads)
)

/** Makes a function that sends the part of 1 MiB at an index of an archive. */
export const sendingParts = (uploadId: string) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient.GlacierClient
    const hasher = yield* Hasher.Hasher
    return Effect.fnUntraced(function*(bytes: Uint8Array, index: number) {
      const body = bytes.subarray(index * mebibyte, (index + 1) * mebibyte)
      const range = ByteRange.make(index * mebibyte, body.length)
      yield* glacier.uploadMultipartPart({ ...address, uploadId, range, ...(yield* hasher.hashes(body)), body })
    })
  })

type Output = Response<(typeof operations)["getJobOutput"]>

/** Stores bytes, retrieves them, and returns the output of the job. */
export const retrieved = Effect.fnUntraced(function*(bytes: Uint8Array, range?: ByteRange.ByteRange) {
  const glacier = yield* GlacierClient.GlacierClient
  const { archiveId } = yield* Upload.upload(address, Source.bytes(bytes), { partSize: 64 * mebibyte })
  const { jobId } = yield* glacier.initiateJob({
    ...address,
    parameters: { type: "archive-retrieval", archiveId, retrievalByteRange: range }
  })
  const job = yield* glacier.describeJob({ ...address, jobId })
  const size = range === undefined ? bytes.length : ByteRange.length(range)
  const output: Download.Output = { vault: address, jobId, size, treeHash: job.treeHash }
  return output
})

/**
 * Changes the responses to the first `times` requests for the window from `start` on. Records the first bytes of all
 * requested windows.
 */
export const tampering = (start: number, times: number, change: (response: Output) => Output) => {
  const requested: Array<number | undefined> = []
  return {
    requested,
    with: replacing((glacier) => ({
      getJobOutput: (input) => {
        requested.push(input.range?.start)
        const isWanted = input.range?.start === start && requested.filter((other) => other === start).length <= times
        return Effect.map(glacier.getJobOutput(input), (response) => isWanted ? change(response) : response)
      }
    }))
  }
}

export const body = (change: (body: Output["body"]) => Output["body"]) => (response: Output): Output => ({
  ...response,
  body: change(response.body)
})

export const flipped = body(Stream.map((piece) => piece.map((byte, index) => index === 1_000 ? byte ^ 1 : byte)))

/** Other bytes, with their tree hash. */
const zeros = (response: Output): Output => ({
  ...response,
  body: Stream.succeed(new Uint8Array(mebibyte)),
  treeHash: Option.some(treeHash(new Uint8Array(mebibyte)))
})

/** The size of the output that `damages` are for. */
export const outputSize = 4.5 * mebibyte

/** The Content-Range of a MiB of an output. */
const mebibyteOf = (total: number, index: number) => ({ range: ByteRange.make(index * mebibyte, mebibyte), total })

const reset = new ConnectionError({ operation: "GetJobOutput", message: "reset" })

/** The faults in transit of the third MiB of an output. */
export const damages: ReadonlyArray<readonly [name: string, change: (response: Output) => Output]> = [
  ["a flipped bit", flipped],
  ["a missing byte", body(Stream.map((piece) => piece.subarray(0, -1)))],
  ["no bytes", body(() => Stream.empty)],
  ["a byte too many", body(Stream.concat(Stream.succeed(new Uint8Array(1))))],
  ["a broken connection", body(Stream.concat(Stream.fail(reset)))],
  [
    "another tree hash",
    (response) => ({ ...response, treeHash: Option.some(treeHash(new Uint8Array(mebibyte))) })
  ],
  [
    "the bytes of another window",
    (response) => ({ ...zeros(response), contentRange: Option.some(mebibyteOf(outputSize, 0)) })
  ],
  [
    "the bytes of another window without a Content-Range",
    (response) => ({ ...zeros(response), contentRange: Option.none() })
  ],
  [
    "a Content-Range of another size",
    (response) => ({ ...response, contentRange: Option.some(mebibyteOf(outputSize + 1, 2)) })
  ],
  ["no tree hash", (response) => ({ ...response, treeHash: Option.none() })]
]

export const withoutHashes = replacing((glacier) => ({
  getJobOutput: (input) =>
    Effect.map(glacier.getJobOutput(input), (response) => ({ ...response, treeHash: Option.none() }))
}))

/** Runs a Stream. Returns the bytes that it emitted, and how it ended. */
export const watch = Effect.fnUntraced(function*<E, R>(stream: Stream.Stream<Uint8Array, E, R>) {
  const pieces: Array<Uint8Array> = []
  const exit = yield* Effect.exit(Stream.runForEach(stream, (piece) => Effect.sync(() => void pieces.push(piece))))
  return { emitted: Buffer.concat(pieces), exit }
})
