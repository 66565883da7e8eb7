import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Supervisor from "effect/Supervisor"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as Download from "../../src/transfer/Download.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { sha256Hex, treeHash } from "../support/hashes.ts"
import { inVirtualTime } from "../support/virtualClock.ts"

const vault = { vaultName: "photos" }

/** Two parts, of which the last is small. */
const bytes = new Uint8Array(mebibyte + 1).fill(7)

const hashes = { treeHash: treeHash(bytes), contentSha256: sha256Hex(bytes) }

/** A request, in virtual milliseconds. */
interface Flight {
  readonly start: number
  end: number | undefined
}

/** A network with latency to a service that fails every third request. From a given time on, no responses arrive. */
const makeNetwork = () => {
  const network = { flights: new Array<Flight>(), fails: true, silentFrom: Number.POSITIVE_INFINITY }
  const through = (http: HttpClient.HttpClient) =>
    HttpClient.transform(http, (send, request) =>
      Effect.gen(function*() {
        const flight: Flight = { start: yield* Clock.currentTimeMillis, end: undefined }
        network.flights.push(flight)
        const fails = network.fails && network.flights.length % 3 === 2
        const response = fails
          ? Effect.succeed(HttpClientResponse.fromWeb(request, new Response(null, { status: 500 })))
          : send
        return yield* Effect.sleep(100).pipe(
          Effect.zipRight(response),
          Effect.zipLeft(Effect.sleep(100)),
          Effect.zipLeft(flight.start >= network.silentFrom ? Effect.never : Effect.void),
          Effect.ensuring(Effect.map(Clock.currentTimeMillis, (now) => {
            flight.end = now
          }))
        )
      }))
  return { network, through }
}

const clientOver = (http: HttpClient.HttpClient, policies: Layer.Layer<never> = Layer.empty) =>
  GlacierClient.layer.pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(Layer.orDie(Endpoint.layer({ region: "us-east-1" }))),
    Layer.provide(policies)
  )

type Work = (output: Download.Output) => Effect.Effect<unknown, unknown, GlacierClient.GlacierClient>

const calls: Work = () =>
  Effect.flatMap(GlacierClient.GlacierClient, (glacier) => Effect.repeatN(glacier.describeVault(vault), 3))

const upload = (options: Upload.Options = {}): Work => () =>
  Upload.upload(vault, Source.bytes(bytes), { partSize: mebibyte, ...options })

const download: Work = (output) => Stream.runDrain(Download.stream(output, { windowSize: mebibyte }))

/** Uses a client without latency and failures. */
const directly = <A, E>(use: (glacier: GlacierClient.Service) => Effect.Effect<A, E>) =>
  Effect.flatMap(
    HttpClient.HttpClient,
    (http) => Effect.provide(Effect.flatMap(GlacierClient.GlacierClient, use), clientOver(http))
  )

const openUploads = directly((glacier) =>
  Effect.map(glacier.listMultipartUploads(vault), ({ uploads }) => uploads.length)
)

const prepare = directly((glacier) =>
  Effect.gen(function*() {
    yield* glacier.createVault(vault)
    const { archiveId } = yield* glacier.uploadArchive({ ...vault, ...hashes, body: bytes })
    const { jobId } = yield* glacier.initiateJob({ ...vault, parameters: { type: "archive-retrieval", archiveId } })
    const output: Download.Output = { vault, jobId, size: bytes.length, treeHash: Option.some(hashes.treeHash) }
    return output
  })
)

/** Makes a client over a network, and an output to download. All its interruptions share one `RatePolicy`. */
const makeWorld = Effect.gen(function*() {
  const output = yield* prepare
  const { network, through } = makeNetwork()
  const client = yield* Layer.build(
    clientOver(
      through(yield* HttpClient.HttpClient),
      Layer.orDie(RatePolicy.layerWith({ requestsPerSecond: 8, concurrency: 2 }))
    )
  )

  /** Interrupts some work after some milliseconds. Returns what the work left behind. */
  const interrupt = Effect.fnUntraced(function*(work: Work, after: number, silentFrom = Number.POSITIVE_INFINITY) {
    const quota = yield* RetryQuota.make()
    const supervisor = yield* Supervisor.track
    const started = yield* Clock.currentTimeMillis
    Object.assign(network, { flights: [], silentFrom: started + silentFrom })
    const fiber = yield* work(output).pipe(
      Effect.provide(client),
      Effect.provideService(RetryQuota.RetryQuota, quota),
      Effect.withRandom(Random.make("the same")),
      Effect.forkDaemon,
      Effect.supervised(supervisor)
    )
    yield* Effect.sleep(after)
    const { flights } = network
    const inFlight = flights.filter(({ end }) => end === undefined)
    const isRetry = inFlight.length > 0 && flights.length % 3 === 0
    const interrupted = yield* Clock.currentTimeMillis
    const exit = yield* Fiber.interrupt(fiber)
    const ended = yield* Clock.currentTimeMillis
    const left = {
      exit,
      isRetry,
      /** The milliseconds since the interruption, and since the end of the requests that were in flight then. */
      took: ended - interrupted,
      late: ended - Math.max(interrupted, ...inFlight.map(({ end = Number.POSITIVE_INFINITY }) => end)),
      fibers: (yield* supervisor.value).length,
      tokens: yield* quota.tokens,
      flights: flights.map(({ start }) => start - started)
    }
    // Until the rate permits requests again.
    yield* Effect.sleep("2 seconds")
    return left
  })

  /** The milliseconds that two concurrent requests take under the rate. */
  const pair = Effect.gen(function*() {
    const { describeVault } = yield* GlacierClient.GlacierClient
    Object.assign(network, { fails: false, silentFrom: Number.POSITIVE_INFINITY })
    const [time] = yield* Effect.timed(Effect.all([describeVault(vault), describeVault(vault)], { concurrency: 2 }))
    return Duration.toMillis(time)
  }).pipe(Effect.provide(client))

  return { interrupt, pair }
})

/** 125 ms between two requests, and 200 ms to a response. */
const fastest = 325

const environment = <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
  effect.pipe(
    Effect.scoped,
    Effect.provide(Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory({ jobDelay: 0 })))),
    Effect.provide(NodeHashing.layer),
    Effect.withRandom(Random.make("interruption")),
    inVirtualTime
  )

/** Interrupts some work at a number of points, spread evenly from its start to its end. */
const everywhere = Effect.fnUntraced(function*(work: Work, points: number) {
  const { interrupt, pair } = yield* makeWorld
  const whole = yield* interrupt(work, 60_000)
  expect(whole).toMatchObject({ exit: { _tag: "Success" }, fibers: 0, tokens: 500 })
  const length = Math.max(...whole.flights) + 200
  const left = yield* Effect.forEach(
    Array.from({ length: points }, (_, point) => Math.floor(length * point / points)),
    (after) => interrupt(work, after)
  )
  expect(yield* pair).toBe(fastest)
  return { left, open: yield* openUploads }
})

describe("an interruption", () => {
  it.live.each<[name: string, work: Work, metered: boolean]>([
    ["calls", calls, true],
    ["an upload", upload(), false],
    ["a download", download, false]
  ])(
    "of %s at any of 200 points ends within a second and leaves nothing behind [R7]",
    ([, work, metered]) =>
      Effect.gen(function*() {
        const { left, open } = yield* everywhere(work, 200)
        for (const { exit, fibers, isRetry, late, tokens } of left) {
          expect(Exit.isInterrupted(exit)).toBe(true)
          expect(late).toBeLessThan(1_000)
          expect(fibers).toBe(0)
          // A retry costs tokens only when it was sent.
          expect(tokens).toBe(metered && isRetry ? 486 : 500)
        }
        expect(open).toBe(0)
      }).pipe(environment),
    60_000
  )

  it.live("leaves an upload open only with onFailure: keep [R7]", () =>
    Effect.gen(function*() {
      const { left, open } = yield* everywhere(upload({ onFailure: "keep" }), 20)
      expect(left.every(({ exit, fibers }) => Exit.isInterrupted(exit) && fibers === 0)).toBe(true)
      expect(open).toBeGreaterThan(10)
    }).pipe(environment))

  it.live("ends within 100 ms while an upload waits to retry its first request, because no request is in flight [R7]", () =>
    Effect.gen(function*() {
      for (const after of [1_000, 5_000, 60_000]) {
        const requests: Array<string> = []
        const http = HttpClient.transform(yield* HttpClient.HttpClient, (_, request) =>
          Effect.sync(() => {
            requests.push(request.method)
            return HttpClientResponse.fromWeb(request, new Response(null, { status: 503 }))
          }))
        const fiber = yield* Effect.forkDaemon(
          Upload.upload(vault, Source.bytes(bytes), { partSize: mebibyte }).pipe(Effect.provide(clientOver(http)))
        )
        yield* Effect.sleep(after)
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        expect(Duration.toMillis(took)).toBeLessThanOrEqual(100)
        expect(new Set(requests)).toEqual(new Set(["POST"]))
      }
    }).pipe(environment))

  it.live("of 60 uploads under faults leaves no upload open whose id was received and whose abort can arrive [R7]", () =>
    Effect.gen(function*() {
      yield* prepare
      const service = yield* HttpClient.HttpClient
      const received = new Set<string>()
      for (let seed = 0; seed < 60; seed++) {
        const { wrapHttpClient } = yield* Faults.make({
          seed,
          rates: { LostResponse: 0.1, LostRequest: 0.05, Unavailable: 0.1, ResetBeforeHeaders: 0.1, Throttled: 0.1 }
        })
        const http = HttpClient.transform(
          wrapHttpClient(service),
          (send) =>
            Effect.tap(Effect.delay(send, 20), ({ headers }) =>
              Effect.sync(() => {
                const id = headers["x-amz-multipart-upload-id"]
                if (id !== undefined) received.add(id)
              }))
        )
        const fiber = yield* Effect.forkDaemon(
          Upload.upload(vault, Source.bytes(bytes), { partSize: mebibyte }).pipe(Effect.provide(clientOver(http)))
        )
        yield* Effect.sleep(seed * 25)
        yield* Fiber.interrupt(fiber)
      }
      const open = yield* directly((glacier) => glacier.listMultipartUploads(vault))
      expect(received.size).toBeGreaterThan(20)
      expect(open.uploads.filter(({ uploadId }) => received.has(uploadId))).toEqual([])
    }).pipe(environment))

  it.live("ends within a second even when no responses arrive any more [R7]", () =>
    Effect.gen(function*() {
      const { interrupt, pair } = yield* makeWorld
      for (const silentFrom of [0, 150]) {
        for (const after of [50, 300, 450, 5_000, 29_990, 40_000]) {
          for (const work of [calls, upload(), download]) {
            const { exit, fibers, took } = yield* interrupt(work, after, silentFrom)
            expect(Exit.isInterrupted(exit)).toBe(true)
            expect(took).toBeLessThanOrEqual(1_000)
            expect(fibers).toBe(0)
          }
        }
      }
      expect(yield* pair).toBe(fastest)
    }).pipe(environment))
})
