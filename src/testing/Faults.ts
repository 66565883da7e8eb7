/**
 * Injects faults between a program, Glacier and the disk: at random from a seed, or as a script says. The faults are
 * injected between the client and the emulator (`layerHttpClient`) and in front of the file system (`layerFileSystem`).
 * Injected faults are counted. Delays use the `Clock`.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as GlacierClient from "../client/GlacierClient.ts"
import * as Emulator from "../emulator/Emulator.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Client from "./internal/client.ts"
import * as Disk from "./internal/disk.ts"
import * as Plan from "./internal/plan.ts"
import * as Traffic from "./internal/traffic.ts"

/**
 * The kinds of faults.
 *
 * Faults of any request:
 *
 * - `LostRequest`: the request never arrives, and no response comes.
 * - `LostResponse`: the service executes the request, but no response comes.
 * - `ResetBeforeHeaders`: the service executes the request, then the connection breaks.
 * - `Throttled`: status 400.
 * - `Failed`: status 500, although the service has executed the request.
 * - `Unavailable`: status 503.
 * - `ProxyPage`: status 502 with an HTML page.
 * - `ExpiredCredentials`: status 403.
 * - `ClockJump`: the clock of `inJumpingTime` is set ahead or back by 5 minutes to an hour.
 *
 * Faults of responses with a body:
 *
 * - `ResetAfterHeaders`, `ResetMidBody`: the connection breaks after the headers, or after half of the body.
 * - `Stalled`: half of the body arrives, then nothing more.
 *
 * Faults of the bytes of archives:
 *
 * - `TimedOut`: status 408 for an upload.
 * - `Trickled`: the body of an upload or download comes at 1 KiB per second.
 * - `FlippedBit`: one bit of an upload or download is flipped, if a hash protects it.
 * - `DamagedBodies`: one bit is flipped in this upload and in every later one, so no retry helps. A single number as `rates`
 *   leaves it out.
 * - `Truncated`, `ExtraBytes`, `WrongContentRange`: a job output is too short, too long, or has another range.
 *
 * Faults of tree hashes:
 *
 * - `RejectedTreeHash`: status 400, and nothing is stored. For every request with a tree hash.
 * - `WrongTreeHash`, `NoTreeHash`: the response has another tree hash, or none. For every response with one.
 *
 * Faults of lists:
 *
 * - `StalePage`: the last entry is missing.
 * - `RepeatedPage`: each entry appears twice, in reverse order.
 * - `RepeatedMarker`: the marker leads to the same page with the same marker.
 * - `EmptyMarker`: the marker is the empty string.
 *
 * Faults of uploads and jobs:
 *
 * - `GoneAfterComplete`: status 404, although the archive was stored.
 * - `ExpiredUpload`, `ExpiredJob`: from now on, requests for that upload or job get status 404 without reaching the service,
 *   and no list contains it. The emulator still has it.
 *
 * Faults on disk:
 *
 * - `NoSpace`: nothing is written. `ShortWrite`: half is written. `FailedSync`: fsync fails.
 * - `FileChanged`: a byte is appended to a file before it is read.
 * - `NoPermission`: a file cannot be opened or renamed (EACCES). `CrossDevice`: a file cannot be renamed (EXDEV).
 *
 * @since 0.1.0
 * @category models
 */
export const Kind = Plan.Kind

/**
 * @since 0.1.0
 * @category models
 */
export type Kind = Plan.Kind

/**
 * A fault of a script. It is injected into the execution number `at` (1 is the first) of an operation: an operation of
 * Glacier such as `UploadMultipartPart`, or `open`, `write`, `sync`, `read` or `rename` on disk. If the operation cannot have
 * that fault, nothing is injected.
 *
 * @since 0.1.0
 * @category models
 */
export const Step = Plan.Step

/**
 * @since 0.1.0
 * @category models
 */
export type Step = Plan.Step

/**
 * The faults to inject. Without `rates` and `script` there are none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The seed of random faults. The same seed injects the same faults into the same requests. Default: 0. */
  readonly seed?: number | undefined
  /**
   * The probability of a fault, from 0 to 1: one number for all kinds together, or one for each kind. With one number, all
   * kinds that the operation can have are equally likely.
   */
  readonly rates?: number | { readonly [K in Kind]?: number } | undefined
  /** Faults to inject in any case. */
  readonly script?: ReadonlyArray<Step> | undefined
}

/**
 * The faults that were injected, and the wrappers that inject them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The faults injected so far, in order. Used as `script` with the same seed, they repeat the same faults. */
  readonly injected: Effect.Effect<ReadonlyArray<Step>>
  /** The number of injected faults of each kind. */
  readonly counts: Effect.Effect<{ readonly [K in Kind]?: number }>
  /** The ids of the uploads and jobs that `ExpiredUpload` and `ExpiredJob` made expire. */
  readonly expired: Effect.Effect<ReadonlySet<string>>
  /** Returns an HTTP client with injected faults. */
  readonly wrapHttpClient: (http: HttpClient.HttpClient) => HttpClient.HttpClient
  /** Returns a file system with injected faults. */
  readonly wrapFileSystem: (fs: FileSystem.FileSystem) => FileSystem.FileSystem
  /** The clock that `ClockJump` sets. Sleeps keep their length, as on a machine whose time is set. */
  readonly clock: Clock.Clock
}

/**
 * The injected faults.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Source, Vault } from "effect-glacier"
 * import { Faults, TestGlacier } from "effect-glacier/testing"
 * import { Effect, Layer } from "effect"
 *
 * // The connection breaks after the service has stored the first part
 * const script = [{ fault: "ResetBeforeHeaders", operation: "UploadMultipartPart", at: 1 }] as const
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   yield* vault.create
 *   yield* vault.upload(Source.bytes(new Uint8Array(3_000_000)), { partSize: 1024 * 1024 })
 *   return yield* Effect.flatMap(Faults.Faults, ({ counts }) => counts)
 * }).pipe(
 *   Effect.provide(Vault.layer("photos").pipe(
 *     Layer.provideMerge(Faults.layerClient()),
 *     Layer.provideMerge(Faults.layer({ script })),
 *     Layer.provide(TestGlacier.layer())
 *   ))
 * )
 */
export class Faults extends Context.Tag("effect-glacier/testing/Faults")<Faults, Service>() {}

/**
 * Makes a service that injects faults, with the `Clock` of the caller.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service> =>
  Effect.map(Effect.clock, (clock) => {
    const plan = Plan.make(options)
    let ahead = 0
    const now = () => clock.unsafeCurrentTimeMillis() + ahead
    return {
      injected: Effect.sync(() => plan.injected.slice()),
      counts: Effect.sync(() => {
        const counts: { [K in Kind]?: number } = {}
        for (const { fault } of plan.injected) counts[fault] = (counts[fault] ?? 0) + 1
        return counts
      }),
      expired: Effect.sync(() => new Set(plan.expired)),
      // The time of the service does not jump.
      wrapHttpClient: (http) =>
        Traffic.withFaults(
          HttpClient.transform(http, Effect.withClock(clock)),
          plan,
          (millis) => void (ahead = millis)
        ),
      wrapFileSystem: (fs) => Disk.withFaults(fs, plan),
      clock: {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: now,
        currentTimeMillis: Effect.sync(now),
        // A machine's monotonic clock does not jump.
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
        currentTimeNanos: clock.currentTimeNanos,
        sleep: (duration) => clock.sleep(duration)
      }
    }
  })

/**
 * Provides faults for `layerHttpClient`, `layerClient` and `layerFileSystem`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Faults } from "effect-glacier/testing"
 *
 * // A random tenth of all requests
 * const tenth = Faults.layer({ seed: 7, rates: 0.1 })
 *
 * // A service that throttles, and a few lost responses
 * const busy = Faults.layer({ seed: 7, rates: { Throttled: 0.3, LostResponse: 0.01 } })
 */
export const layer = (options: Options = {}): Layer.Layer<Faults> => Layer.effect(Faults, make(options))

/**
 * Injects faults into the `HttpClient` in the context.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Faults } from "effect-glacier/testing"
 * import { NodeHttp } from "effect-glacier/node"
 * import { Layer } from "effect"
 *
 * // For a client of any Glacier
 * const http = Faults.layerHttpClient.pipe(
 *   Layer.provide(NodeHttp.layer),
 *   Layer.provide(Faults.layer({ rates: 0.1 }))
 * )
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient | Faults> = Layer.effect(
  HttpClient.HttpClient,
  Effect.zipWith(Faults, HttpClient.HttpClient, ({ wrapHttpClient }, http) => wrapHttpClient(http))
)

/**
 * Provides a client for the `Emulator` in the context, with faults between the two.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  key: Emulator.Key = Emulator.defaultKey
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, Emulator.Emulator | Faults> =>
  Layer.provide(Client.over(key), Layer.provide(layerHttpClient, Emulator.layerHttpClient))

/**
 * Injects faults into the `FileSystem` in the context: into `open`, `rename` and `writeFile`, and into reads, writes and
 * fsyncs of opened files.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Faults } from "effect-glacier/testing"
 * import { NodeFileSystem } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * const fullDisk = Faults.layerFileSystem.pipe(
 *   Layer.provide(NodeFileSystem.layer),
 *   Layer.provide(Faults.layer({ rates: { NoSpace: 1 } }))
 * )
 */
export const layerFileSystem: Layer.Layer<FileSystem.FileSystem, never, FileSystem.FileSystem | Faults> = Layer.effect(
  FileSystem.FileSystem,
  Effect.zipWith(Faults, FileSystem.FileSystem, ({ wrapFileSystem }, fs) => wrapFileSystem(fs))
)

/**
 * Runs an effect with the clock that `ClockJump` sets ahead and back, as if the time of this machine were changed. The
 * service keeps the right time.
 *
 * @since 0.1.0
 * @category combinators
 */
export const inJumpingTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Faults> =>
  Effect.flatMap(Faults, ({ clock }) => Effect.withClock(effect, clock))
