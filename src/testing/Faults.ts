/**
 * All that can go wrong between a program, Glacier and the disk, on purpose: at random by a seed, or as a script says. It
 * stands between the client and the emulator (`layerHttpClient`) and before the file system (`layerFileSystem`), and
 * counts what it did. Time is that of the `Clock`.
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
 * What can go wrong.
 *
 * With any request: `LostRequest` (it never arrives, and nobody answers), `LostResponse` (the service acts, and nobody
 * answers), `ResetBeforeHeaders` (the service acts, the connection breaks), `Throttled` (400), `Failed` (500, though the
 * service has acted), `Unavailable` (503), `ProxyPage` (502 and HTML), `ExpiredCredentials` (403), `ClockJump` (the clock
 * of `inJumpingTime` is set ahead or back by 5 minutes to an hour). With answers that have a body: `ResetAfterHeaders`,
 * `ResetMidBody` and `Stalled`, half of it and then silence.
 *
 * With the bytes of archives: `TimedOut` (408) of uploads; `Trickled` (1 KiB a second) and `FlippedBit` both ways;
 * `Truncated`, `ExtraBytes` and `WrongContentRange` of outputs. A bit is flipped only where a hash protects it.
 * `DamagedBodies` flips a bit of every body that is uploaded from then on, so that no retry helps; a single number as
 * `rates` leaves it out.
 *
 * With tree hashes: `RejectedTreeHash` (400, nothing is stored) wherever a request has one, `WrongTreeHash` (another) and
 * `NoTreeHash` (none) wherever a response has one.
 *
 * With lists: `StalePage` lacks the last of its entries, `RepeatedPage` has each twice and backwards. `RepeatedMarker` adds a
 * marker that leads to the same page and the same marker again. `EmptyMarker` sets the marker to the empty text.
 *
 * With uploads and jobs: `GoneAfterComplete` (404 though the archive was made), `ExpiredUpload` and `ExpiredJob`: from
 * then on the service is not asked about that one any more, the answer is 404, and no list has it. In the emulator it
 * stays what it was.
 *
 * On disk: `NoSpace` (nothing is written), `ShortWrite` (half is), `FailedSync`, `FileChanged` (before it is read, a file
 * gets another byte at its end), `NoPermission` (EACCES: a file is neither opened nor renamed), and `CrossDevice` (EXDEV:
 * it is not renamed).
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
 * A fault of a script: it happens with the request `at` (1 is the first) of those of an operation, such as
 * `UploadMultipartPart`, on disk of `open`, `write`, `sync`, `read` or `rename`. Where it cannot happen, nothing does.
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
 * What is to go wrong. Without `rates` and `script` nothing does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** With the same seed the same goes wrong with the same requests, in the same way. Default: 0. */
  readonly seed?: number | undefined
  /**
   * How often: a number from 0 to 1 for all together, of which those that can happen are equally likely; or one for each
   * kind.
   */
  readonly rates?: number | { readonly [K in Kind]?: number } | undefined
  /** What goes wrong in any case. */
  readonly script?: ReadonlyArray<Step> | undefined
}

/**
 * What has gone wrong.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** What has gone wrong so far, in order. As the script of the same seed it goes wrong again. */
  readonly injected: Effect.Effect<ReadonlyArray<Step>>
  /** How often what has gone wrong. */
  readonly counts: Effect.Effect<{ readonly [K in Kind]?: number }>
  /** The ids of the uploads and jobs that were made to expire. */
  readonly expired: Effect.Effect<ReadonlySet<string>>
  /** An HTTP client with which it goes wrong. */
  readonly wrapHttpClient: (http: HttpClient.HttpClient) => HttpClient.HttpClient
  /** A file system with which it goes wrong. */
  readonly wrapFileSystem: (fs: FileSystem.FileSystem) => FileSystem.FileSystem
  /** The clock that jumps. Sleeps are as long as they are, as those of a machine whose time is set. */
  readonly clock: Clock.Clock
}

/**
 * What goes wrong.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Source, Vault } from "effect-glacier"
 * import { Faults, TestGlacier } from "effect-glacier/testing"
 * import { Effect, Layer } from "effect"
 *
 * // The connection breaks after the service has the first part
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
 * Faults after a clock of their own, that of the caller.
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
        Traffic.harming(
          HttpClient.transform(http, Effect.withClock(clock)),
          plan,
          (millis) => void (ahead = millis)
        ),
      wrapFileSystem: (fs) => Disk.harming(fs, plan),
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
 * What is to go wrong, for `layerHttpClient`, `layerClient` and `layerFileSystem`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Faults } from "effect-glacier/testing"
 *
 * // Every tenth request, by chance
 * const tenth = Faults.layer({ seed: 7, rates: 0.1 })
 *
 * // A service that throttles, and now and then a reply that is lost
 * const busy = Faults.layer({ seed: 7, rates: { Throttled: 0.3, LostResponse: 0.01 } })
 */
export const layer = (options: Options = {}): Layer.Layer<Faults> => Layer.effect(Faults, make(options))

/**
 * The `HttpClient` in use, with which it goes wrong.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Faults } from "effect-glacier/testing"
 * import { NodeHttp } from "effect-glacier/node"
 * import { Layer } from "effect"
 *
 * // Against whatever Glacier there is
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
 * A client for the `Emulator` given to it, and between them what goes wrong.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  key: Emulator.Key = Emulator.defaultKey
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, Emulator.Emulator | Faults> =>
  Layer.provide(Client.over(key), Layer.provide(layerHttpClient, Emulator.layerHttpClient))

/**
 * The `FileSystem` in use, with which it goes wrong: with the files that are opened or renamed and those written as a whole.
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
 * Runs an effect by the clock that `ClockJump` sets ahead and back, as if the time of this machine were changed. The
 * service, at the other end of the client, goes on by the right time.
 *
 * @since 0.1.0
 * @category combinators
 */
export const inJumpingTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Faults> =>
  Effect.flatMap(Faults, ({ clock }) => Effect.withClock(effect, clock))
