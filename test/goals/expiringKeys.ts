/** A provider of keys that expire, and a service that verifies every signature. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Signature from "../../src/emulator/internal/signature.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { CredentialsError } from "../../src/protocol/GlacierError.ts"
import { ContentSha256 } from "../../src/protocol/Names.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId, uploadId } from "../transport/calls.ts"
import { errorResponseOf, over, responseOf } from "../transport/support.ts"

const mebibyte = 1_048_576

export const gibibyte = 1_024 * mebibyte

const partSize = 8 * mebibyte

/** Makes a provider of keys that expire after 15 minutes. It fails for some minutes after each issue. `seen` records its runs. */
export const issuer = (pause: number) => {
  let up = 0
  const seen = { asked: 0, running: 0, most: 0, issued: new Map<string, Credentials.Keys>() }
  const provider = Effect.gen(function*() {
    const number = ++seen.asked
    seen.most = Math.max(seen.most, ++seen.running)
    const fails = (yield* Clock.currentTimeMillis) < up
    yield* Effect.sleep("2 seconds")
    if (fails) return yield* new CredentialsError({ message: "the provider is down" })
    const keys: Credentials.Keys = {
      accessKeyId: `ASIA${number}`,
      secretAccessKey: Redacted.make(`secret ${number}`),
      sessionToken: Redacted.make(`token ${number}`),
      expiration: DateTime.add(yield* DateTime.now, { minutes: 15 })
    }
    up = (yield* Clock.currentTimeMillis) + pause * 60_000
    seen.issued.set(keys.accessKeyId, keys)
    return keys
  }).pipe(Effect.ensuring(Effect.sync(() => seen.running--)))
  return { provider, seen }
}

/** A service that ignores the bytes but verifies every signature, as late as possible: when the request has arrived. */
export const service = (issued: ReadonlyMap<string, Credentials.Keys>) => {
  const seen = { requests: 0, parts: 0, rejected: [] as ReadonlyArray<string>, active: 0, most: 0 }
  const keys: Signature.Keys = (id) => Option.fromNullable(issued.get(id))
  const client = HttpClient.make((request, url) =>
    Effect.gen(function*() {
      const sha256 = yield* Sha256.Sha256
      const isPart = request.method === "PUT"
      seen.most = Math.max(seen.most, ++seen.active)
      // A part takes from 120 to 216 seconds.
      const latency = isPart ? 120 + seen.requests++ * 37 % 97 : 1
      yield* Effect.ensuring(Effect.sleep(Duration.seconds(latency)), Effect.sync(() => seen.active--))
      const verified = Signature.verify({
        sha256,
        now: yield* Clock.currentTimeMillis,
        keys,
        request: {
          method: request.method,
          path: url.pathname,
          query: url.search.slice(1),
          headers: { ...request.headers, host: url.host }
        }
      })
      if (Either.isLeft(verified)) {
        const { code, message, status } = verified.left
        seen.rejected = [...seen.rejected, code]
        return HttpClientResponse.fromWeb(request, errorResponseOf(status, code, message))
      }
      if (isPart) seen.parts++
      return HttpClientResponse.fromWeb(
        request,
        isPart
          ? responseOf(204, null, { "x-amz-sha256-tree-hash": "0".repeat(64) })
          : url.pathname.endsWith("/multipart-uploads")
          ? responseOf(201, null, { "x-amz-multipart-upload-id": uploadId, location: "/upload" })
          : responseOf(201, null, { "x-amz-archive-id": archiveId, location: "/archive" })
      )
    })
  )
  return { seen, client }
}

/** A source of zeros, and a hasher that computes nothing: the service verifies neither. */
const zeros = new Uint8Array(partSize)

const source = (size: number) => ({
  size: Effect.succeed(size),
  read: (range: ByteRange.ByteRange) => Effect.succeed(zeros.subarray(0, ByteRange.length(range)))
})

const treeHash = TreeHash.TreeHash.make("0".repeat(64))

const hasher: Hasher.Service = {
  treeHash: () => Effect.succeed(treeHash),
  hashes: () => Effect.succeed({ treeHash, contentSha256: ContentSha256.make("0".repeat(64)) }),
  allocate: (size) => Effect.succeed(zeros.subarray(0, size))
}

/** Uploads bytes in parts of 8 MiB, 64 at once: 64 GiB take about 6 hours. */
export const uploading = (size: number, pause: number) =>
  Effect.gen(function*() {
    const { provider, seen } = issuer(pause)
    const { client, seen: served } = service(seen.issued)
    const { parts } = yield* Upload.upload({ vaultName: "photos" }, source(size), { partSize, concurrency: 64 }).pipe(
      Effect.provide(over(Layer.succeed(HttpClient.HttpClient, client), {
        credentials: Credentials.layerEffect(provider),
        policies: Layer.empty
      }))
    )
    return { parts, issuer: seen, service: served, hours: (yield* Clock.currentTimeMillis) / 3_600_000 }
  }).pipe(
    Effect.provideService(Hasher.Hasher, hasher),
    Effect.provide(NodeHashing.layer),
    inVirtualTime
  )
