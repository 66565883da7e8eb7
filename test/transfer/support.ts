/** A Glacier in this process that has the vault `photos`, and means to watch and to disturb the traffic with it. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

export const { mebibyte } = Limits

export const address = { vaultName: "photos" }

const block = Uint8Array.from({ length: mebibyte }, (_, i) => i * 31 + (i >> 8))

/** Bytes of which no MiB is like another. */
export const pattern = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let start = 0; start < size; start += mebibyte) {
    bytes.set(block.subarray(0, size - start), start)
    bytes[start] = start / mebibyte
  }
  return bytes
}

export const treeHash = (bytes: Uint8Array): TreeHash.TreeHash => TreeHash.ofBytes(() => createHash("sha256"), bytes)

/** The bytes of a Stream in one piece. */
export const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.map(Stream.runCollect(stream), (pieces) => Buffer.concat(Chunk.toReadonlyArray(pieces)))

/** Whether bytes are the same: `toEqual` is slow for MiBs. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Retries what is safe to retry `times` times, at once. */
export const promptly = (times: number): RetryPolicy.Policy => ({
  while: RetryPolicy.isSafe,
  schedule: Schedule.recurs(times),
  metered: false
})

type Response = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

/** What becomes of a request that `send` would send. */
export type Change = (send: Response, request: HttpClientRequest.HttpClientRequest) => Response

/** The answer is lost, or the request when it is not sent. */
export const lost = (request: HttpClientRequest.HttpClientRequest): Response =>
  Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))

/** Keeps the requests that are sent, as `PUT /-/vaults/photos`. */
export const recording = () => {
  const sent: Array<string> = []
  const change: Change = (send, request) => {
    sent.push(`${request.method} ${new URL(request.url).pathname}`)
    return send
  }
  return { sent, change }
}

const create = Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.createVault(address))

/** A client, and behind it an emulator that has the vault and whose jobs are done at once unless told otherwise. */
export const layer = (change: Change = (send) => send, options: Emulator.Options = {}) =>
  GlacierClient.layer.pipe(
    Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, HttpClient.transform(change)))),
    Layer.provide(Emulator.layerHttpClient),
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(Endpoint.layer({ region: "us-east-1" })),
    // A client of its own: this request is none of those that `change` sees.
    Layer.provide(Layer.provide(Layer.effectDiscard(create), Layer.fresh(TestGlacier.layerClient()))),
    Layer.provideMerge(Emulator.layerMemory({ jobDelay: 0, ...options })),
    Layer.provideMerge(NodeHashing.layer)
  )

/** Runs an effect with some methods of its client replaced. */
export const replacing =
  (replace: (glacier: GlacierClient.Service) => Partial<GlacierClient.Service>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | GlacierClient.GlacierClient> =>
    Effect.updateService(effect, GlacierClient.GlacierClient, (glacier) => ({ ...glacier, ...replace(glacier) }))

/** Counts how much of something there is at once. */
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

/** The archive as the service gives it back. */
export const stored = Effect.fnUntraced(function*(archiveId: string) {
  const glacier = yield* GlacierClient.GlacierClient
  const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
  const { archiveDescription, body } = yield* glacier.getJobOutput({ ...address, jobId })
  return { description: archiveDescription, bytes: yield* collect(body) }
})

/** The multipart uploads that are open. */
export const openUploads = Effect.flatMap(
  GlacierClient.GlacierClient,
  (glacier) => Effect.map(glacier.listMultipartUploads(address), ({ uploads }) => uploads)
)
