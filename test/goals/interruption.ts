/** Transfers over a network with latency and failures, which are interrupted at any point. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
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
import * as Download from "../../src/transfer/Download.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { sha256Hex, treeHash } from "../support/hashes.ts"
import { inVirtualTime } from "../support/virtualClock.ts"

export const vault = { vaultName: "photos" }

/** Two parts, of which the last is small. */
export const bytes = new Uint8Array(mebibyte + 1).fill(7)

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

export const clientOver = (http: HttpClient.HttpClient, policies: Layer.Layer<never> = Layer.empty) =>
  GlacierClient.layer.pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(Layer.orDie(Endpoint.layer({ region: "us-east-1" }))),
    Layer.provide(policies)
  )

export type Work = (output: Download.Output) => Effect.Effect<unknown, unknown, GlacierClient.GlacierClient>

export const calls: Work = () =>
  Effect.flatMap(GlacierClient.GlacierClient, (glacier) => Effect.repeatN(glacier.describeVault(vault), 3))

export const upload = (options: Upload.Options = {}): Work => () =>
  Upload.upload(vault, Source.bytes(bytes), { partSize: mebibyte, ...options })

export const download: Work = (output) => Stream.runDrain(Download.stream(output, { windowSize: mebibyte }))

/** Uses a client without latency and failures. */
export const directly = <A, E>(use: (glacier: GlacierClient.Service) => Effect.Effect<A, E>) =>
  Effect.flatMap(
    HttpClient.HttpClient,
    (http) => Effect.provide(Effect.flatMap(GlacierClient.GlacierClient, use), clientOver(http))
  )

const openUploads = directly((glacier) =>
  Effect.map(glacier.listMultipartUploads(vault), ({ uploads }) => uploads.length)
)

export const prepare = directly((glacier) =>
  Effect.gen(function*() {
    yield* glacier.createVault(vault)
    const { archiveId } = yield* glacier.uploadArchive({ ...vault, ...hashes, body: bytes })
    const { jobId } = yield* glacier.initiateJob({ ...vault, parameters: { type: "archive-retrieval", archiveId } })
    const output: Download.Output = { vault, jobId, size: bytes.length, treeHash: Option.some(hashes.treeHash) }
    return output
  })
)

/** Makes a client over a network, and an output to download. All its interruptions share one `RatePolicy`. */
export const makeWorld = Effect.gen(function*() {
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
export const fastest = 325

export const environment = <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
  effect.pipe(
    Effect.scoped,
    Effect.provide(Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory({ jobDelay: 0 })))),
    Effect.provide(NodeHashing.layer),
    Effect.withRandom(Random.make("interruption")),
    inVirtualTime
  )

/** Interrupts some work at a number of points, spread evenly from its start to its end. */
export const everywhere = Effect.fnUntraced(function*(work: Work, points: number) {
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
