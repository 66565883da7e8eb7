/**
 * An emulator of Amazon Glacier, in memory or on disk, in this process or behind a socket. It verifies signatures,
 * hashes and ranges as the service does. Jobs take hours and inventories lag by a day, both by Effect's `Clock`: a test
 * can skip the wait with `TestClock.adjust`.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Limits from "../protocol/Limits.ts"
import type * as Inside from "./Inside.ts"
import * as App from "./internal/app.ts"
import * as Delays from "./internal/delays.ts"
import * as InProcessClient from "./internal/inProcessClient.ts"
import * as Inspect from "./internal/inspect.ts"
import * as JobNotifications from "./internal/jobNotifications.ts"
import type { Key } from "./internal/key.ts"
import type { EmulatorStorageError } from "./internal/storageError.ts"
import * as Store from "./internal/store.ts"
import type { Notification } from "./Topics.ts"

export type {
  /**
   * One duration for all kinds, or an object with a duration for each kind. Kinds left out of the object keep their
   * defaults.
   *
   * @since 0.1.0
   * @category models
   */
  Durations
} from "./internal/delays.ts"

export type {
  /**
   * Credentials that the emulator accepts. With a `sessionToken`, requests must have that token; without it, none.
   *
   * @since 0.1.0
   * @category models
   */
  Key
} from "./internal/key.ts"

export {
  /**
   * The emulator cannot read or write its files, or its journal was not written by this emulator.
   *
   * @since 0.1.0
   * @category errors
   */
  EmulatorStorageError
} from "./internal/storageError.ts"

/**
 * Options of the emulator. All have defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The account of keys without an `accountId`: 12 digits. Default: `123456789012`. */
  readonly accountId?: string | undefined
  /** The region of requests whose signature names a region without Glacier. Default: `us-east-1`. */
  readonly region?: string | undefined
  /** The keys that requests may be signed with. Default: `defaultKey` only. */
  readonly keys?: ReadonlyArray<Key> | undefined
  /**
   * The time from InitiateJob until a job is complete: one for all jobs, or one for each tier of archive retrievals and
   * one for inventories. Default: Expedited 5 minutes, Standard 4 hours, Bulk 8 hours, Inventory 4 hours.
   */
  readonly jobDelay?: Delays.Durations<Delays.JobKind> | undefined
  /**
   * The time until something expires, one for all or one for each: a job after its completion, an upload after its
   * last part, and a vault lock that is in progress. Default: 24 hours each.
   */
  readonly expiry?: Delays.Durations<Delays.Expiry> | undefined
  /** The maximum number of vaults of an account in a region. Default: 1,000. */
  readonly maximumVaults?: number | undefined
  /**
   * The size in bytes above which an archive needs provisioned capacity for Expedited retrievals. Without capacity they
   * are rejected with 503 `InsufficientCapacityException`. Default: no limit. The service documents about 250 MB.
   */
  readonly expeditedLimit?: number | undefined
  /** The inventory lag: the time from a write until inventories and vault counts show it. Default: 24 hours. */
  readonly inventoryDelay?: Duration.DurationInput | undefined
  /**
   * Accounts whose signed requests are all rejected with 400 `NoLongerSupportedException`, as the service rejects
   * accounts that have never stored anything. Default: none.
   */
  readonly withoutStorage?: ReadonlyArray<string> | undefined
  /** The longest pause between two chunks of a request body, after which the request fails with 408. Default: 60 seconds. */
  readonly bodyTimeout?: Duration.DurationInput | undefined
}

/**
 * The key that the emulator accepts by default: the example key of AWS's documentation.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultKey: Key = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

/**
 * A running emulator.
 *
 * @since 0.1.0
 * @category models
 * @example
 * import { Vault } from "effect-glacier"
 * import { Emulator } from "effect-glacier/emulator"
 * import { TestGlacier } from "effect-glacier/testing"
 * import { Effect, Layer, Option, Stream, TestClock, TestContext } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { notifications } = yield* Emulator.Emulator
 *   const notification = yield* Effect.fork(Stream.runHead(notifications))
 *   const vault = yield* Vault.Vault
 *   yield* vault.create
 *   yield* TestClock.adjust("1 day")
 *   yield* vault.retrieveInventory({ snsTopic: "arn:aws:sns:us-east-1:123456789012:done" })
 *   yield* TestClock.adjust("4 hours")
 *   return Option.map(yield* notification, ({ job }) => job.statusCode)
 * }).pipe(
 *   Effect.provide(
 *     Vault.layer("photos").pipe(
 *       Layer.provideMerge(TestGlacier.layer()),
 *       // Not needed in `it.effect`, which provides it
 *       Layer.provideMerge(TestContext.TestContext)
 *     )
 *   )
 * )
 */
export interface Service {
  /** The HTTP application: reads `HttpServerRequest` and returns the response. */
  readonly app: HttpApp.Default<never, Scope.Scope>
  /** The notifications of jobs that end while the stream runs. */
  readonly notifications: Stream.Stream<Notification>
  /** The vaults of all accounts and regions with their current contents. */
  readonly vaults: Effect.Effect<ReadonlyArray<Inside.Vault>>
}

/**
 * The tag of a running emulator.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Emulator } from "effect-glacier/emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { app } = yield* Emulator.Emulator
 *   return app
 * }).pipe(Effect.provide(Emulator.layerMemory()))
 */
export class Emulator extends Context.Tag("effect-glacier/Emulator")<Emulator, Service>() {}

const make = (store: Store.Store, options: Options): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { notifications, onJobInitiated } = yield* JobNotifications.make(store)
    const app = yield* App.make(store, {
      onJobInitiated,
      accountId: options.accountId ?? "123456789012",
      region: options.region ?? "us-east-1",
      keys: options.keys ?? [defaultKey],
      delays: Delays.make({
        inventoryLag: options.inventoryDelay ?? "24 hours",
        job: options.jobDelay,
        expiry: options.expiry
      }),
      maximumVaults: options.maximumVaults ?? Limits.maximumVaults,
      expeditedLimit: options.expeditedLimit ?? Number.POSITIVE_INFINITY,
      withoutStorage: options.withoutStorage ?? [],
      bodyTimeout: Duration.decode(options.bodyTimeout ?? "60 seconds")
    })
    return { app, notifications, vaults: Inspect.vaults(store) }
  })

/**
 * An emulator that keeps everything in memory.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Emulator } from "effect-glacier/emulator"
 * import { Layer } from "effect"
 *
 * // An HttpClient that sends requests to an emulator whose jobs take a minute
 * const client = Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory({ jobDelay: "1 minute" })))
 */
export const layerMemory = (options: Options = {}): Layer.Layer<Emulator> =>
  Layer.scoped(Emulator, Effect.flatMap(Store.memory, (store) => make(store, options)))

/**
 * An emulator that keeps everything in a directory, which it creates if needed. Acknowledged changes survive the death
 * of the process: an emulator that opens the directory later has them. Only one process at a time may use a directory.
 *
 * Fails with `EmulatorStorageError` when the directory cannot be used, or when its journal cannot be read.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Emulator } from "effect-glacier/emulator"
 * import { NodeContext } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * const emulator = Emulator.layerFileSystem({ directory: "./glacier" }).pipe(Layer.provide(NodeContext.layer))
 */
export const layerFileSystem = (
  options: Options & { readonly directory: string }
): Layer.Layer<Emulator, EmulatorStorageError, FileSystem.FileSystem | Path.Path> =>
  Layer.scoped(Emulator, Effect.flatMap(Store.files(options.directory), (store) => make(store, options)))

/**
 * An HttpClient that calls the emulator in the same process, for any host in the URL. Bodies stream in both directions.
 * Interrupting a call interrupts the emulator's handler.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Emulator } from "effect-glacier/emulator"
 * import { HttpClient } from "@effect/platform"
 * import { Effect, Layer } from "effect"
 *
 * // 400 MissingAuthenticationTokenException: the request is not signed
 * const program = HttpClient.get("https://glacier.us-east-1.amazonaws.com/-/vaults").pipe(
 *   Effect.map((response) => response.status),
 *   Effect.provide(Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory())))
 * )
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, Emulator> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(Emulator, ({ app }) => InProcessClient.make(app))
)

/**
 * Serves the emulator on the provided HttpServer.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Emulator } from "effect-glacier/emulator"
 * import { NodeHttpServer } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import { createServer } from "node:http"
 *
 * const server = Emulator.layerServer.pipe(
 *   Layer.provide(Emulator.layerMemory()),
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 7000 }))
 * )
 */
export const layerServer: Layer.Layer<never, never, Emulator | HttpServer.HttpServer> = Layer.unwrapEffect(
  Effect.map(Emulator, ({ app }) => HttpServer.serve(app))
).pipe(
  // The server's spans contain the headers of requests.
  Layer.locallyWith(Headers.currentRedactedNames, (names) => [...names, "x-amz-security-token"])
)
