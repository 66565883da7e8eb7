import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders } from "node:http"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { jobId, uploadId, welcomeHash } from "../transport/calls.ts"
import { over } from "../transport/support.ts"
import { endless, kibibyte, mebibyte, meter, vault } from "./meteredTraffic.ts"

describe.each([["100 KiB/s", 100 * kibibyte], ["20 MiB/s", 20 * mebibyte]])("A bandwidth of %s", (_, limit) => {
  const limited = Effect.provide(Layer.orDie(Bandwidth.layerWith({ up: limit, down: limit })))

  it.scoped("limits all transfers of two clients together, in each direction [R8]", () =>
    Effect.gen(function*() {
      const [up, down] = [meter(), meter()]
      const http = Layer.succeed(HttpClient.HttpClient, endless(up))
      const body = new Uint8Array(limit * 3)
      const transfers = (context: Context.Context<GlacierClient.GlacierClient>) => {
        const glacier = Context.get(context, GlacierClient.GlacierClient)
        const uploading = Effect.asVoid(glacier.uploadMultipartPart({
          ...vault,
          uploadId,
          range: { start: 0, end: body.length - 1 },
          contentSha256: welcomeHash,
          treeHash: welcomeHash,
          body
        }))
        const downloading = Effect.flatMap(
          glacier.getJobOutput({ ...vault, jobId }),
          ({ body }) => Stream.runForEach(body, down.record)
        )
        return [uploading, uploading, downloading, downloading].map((one) =>
          Effect.forever<void, GlacierError, never>(one)
        )
      }
      const clients = [yield* Layer.build(over(http)), yield* Layer.build(over(http))]
      yield* Effect.timeoutOption(Effect.all(clients.flatMap(transfers), { concurrency: "unbounded" }), "60 seconds")
      for (const { most, total } of [up, down]) {
        expect(Math.abs(total() / (limit * 60) - 1)).toBeLessThanOrEqual(0.02)
        expect(most()).toBeLessThanOrEqual(1.25 * limit)
      }
    }).pipe(limited, inVirtualTime))
})

describe("A bandwidth of 100 KiB/s", () => {
  it.effect("is used by two uploads and two downloads at once, which transfer the right bytes [R8]", () =>
    Effect.gen(function*() {
      const all = Uint8Array.from({ length: 3 * mebibyte }, (_, index) => index * 7 >> 4)
      const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.all([Clock.currentTimeMillis, effect, Clock.currentTimeMillis]).pipe(
          Effect.map(([start, value, end]) => ({ value, seconds: (end - start) / 1_000 }))
        )
      const photos = yield* Vault.make("photos")
      yield* photos.create
      const upload = photos.upload(Source.bytes(all), { partSize: mebibyte, concurrency: 3 })
      const uploads = yield* timed(Effect.all([upload, upload], { concurrency: 2 }))
      const jobs = yield* Effect.forEach(uploads.value, ({ archiveId }) => photos.retrieveArchive(archiveId))
      yield* Effect.forEach(jobs, (job) => job.wait())
      const downloads = yield* timed(Effect.forEach(
        jobs,
        (job) => Stream.runCollect(job.output({ windowSize: mebibyte })),
        { concurrency: 2 }
      ))
      for (const chunks of downloads.value) expect(Buffer.compare(Buffer.concat([...chunks]), all)).toBe(0)
      for (const { seconds } of [uploads, downloads]) {
        expect(Math.abs(seconds * 100 * kibibyte / (6 * mebibyte) - 1)).toBeLessThanOrEqual(0.02)
      }
    }).pipe(
      Effect.provide(over(Layer.provide(Emulator.layerHttpClient, Emulator.layerMemory({ jobDelay: "1 minute" })))),
      Effect.provide(Layer.orDie(Bandwidth.layerWith({ up: 100 * kibibyte, down: 100 * kibibyte }))),
      Effect.provide(NodeHashing.layer),
      inVirtualTime
    ))
})

/** A server that fails the first request and records all of them. */
const server = Effect.acquireRelease(
  Effect.promise(async () => {
    const sent: Array<{ readonly headers: IncomingHttpHeaders; readonly bytes: number }> = []
    const server = createServer((request, response) => {
      let bytes = 0
      request.on("data", (data: Buffer) => bytes += data.length)
      request.on("end", () => {
        sent.push({ headers: request.headers, bytes })
        response.writeHead(sent.length === 1 ? 500 : 204, { "x-amz-sha256-tree-hash": welcomeHash }).end()
      })
    })
    await once(server.listen(0, "127.0.0.1"), "listening")
    const address = server.address()
    return { server, sent, port: typeof address === "object" ? address?.port : undefined }
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

describe.each([["node:http", NodeHttpClient.layer], ["undici", NodeHttpClient.layerUndici]])("Over %s", (_, http) => {
  it.scopedLive("bytes under a limit have a Content-Length and are sent again with each attempt [R8]", () =>
    Effect.gen(function*() {
      const { port, sent } = yield* server
      const body = new Uint8Array(256 * kibibyte)
      const [, seconds] = yield* Effect.flatMap(GlacierClient.GlacierClient, (glacier) =>
        glacier.uploadMultipartPart({
          ...vault,
          uploadId,
          range: { start: 0, end: body.length - 1 },
          contentSha256: welcomeHash,
          treeHash: welcomeHash,
          body
        })).pipe(
          Effect.timed,
          Effect.map(([duration, value]) => [value, Duration.toSeconds(duration)] as const),
          Effect.provide(over(http, {
            endpoint: { region: "us-east-1", endpoint: `http://127.0.0.1:${port}` },
            policies: RetryPolicy.layer(RetryPolicy.standard)
          })),
          Effect.provide(Layer.orDie(Bandwidth.layerWith({ up: mebibyte })))
        )
      expect(seconds).toBeGreaterThan(0.4)
      expect(sent.map(({ bytes, headers }) => [bytes, headers["content-length"], headers["transfer-encoding"]]))
        .toEqual([
          [body.length, String(body.length), undefined],
          [body.length, String(body.length), undefined]
        ])
    }))
})
