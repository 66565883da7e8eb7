/**
 * A Glacier of one's own, in memory or on disk, in this process or behind a socket. It checks signatures, hashes and
 * ranges as the service does, and takes its time: jobs and inventories follow the `Clock`, so that a test can let a day
 * pass at once.
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
import type * as DateTime from "effect/DateTime"
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
import type { EmulatorStorageError } from "./internal/storageError.ts"
import * as Store from "./internal/store.ts"
import type { Notification } from "./Topics.ts"

export type {
  /**
   * One duration for all, or one for each; each may be left out.
   *
   * @since 0.1.0
   * @category models
   */
  Durations
} from "./internal/delays.ts"

export {
  /**
   * The emulator's files cannot be read or written, or a journal is not one of this emulator's.
   *
   * @since 0.1.0
   * @category errors
   */
  EmulatorStorageError
} from "./internal/storageError.ts"

/**
 * Credentials that the emulator knows. With a session token, requests must carry it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
  /** From when on requests signed with it are refused with 403 `ExpiredTokenException`. By default never. */
  readonly expiration?: DateTime.Utc | undefined
  /** Whose key it is: 12 digits, by default the `accountId` of the options. */
  readonly accountId?: string | undefined
}

/**
 * How the emulator is set up. All may be left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The account of keys that name none: 12 digits, by default `123456789012`. */
  readonly accountId?: string | undefined
  /** Counts when a request is signed for a region that has no Glacier. By default `us-east-1`. */
  readonly region?: string | undefined
  /** By default `defaultKey` alone. */
  readonly keys?: ReadonlyArray<Key> | undefined
  /**
   * How long jobs take: all the same, or retrievals of archives by their tier, and inventories. By default Expedited 5
   * minutes, Standard 4 hours, Bulk 8 hours and Inventory 4 hours.
   */
  readonly jobDelay?: Delays.Durations<Delays.JobKind> | undefined
  /**
   * How long a job is kept after it is complete, an upload after its last part, and a vault lock that is in progress:
   * all the same, or each. By default 24 hours each.
   */
  readonly expiry?: Delays.Durations<Delays.Expiry> | undefined
  /** How many vaults there may be in a region, by default 1,000. */
  readonly maximumVaults?: number | undefined
  /**
   * Without provisioned capacity, Expedited retrievals of archives of more bytes than this are refused with 503
   * `InsufficientCapacityException`. By default none are; the real service speaks of some 250 MB.
   */
  readonly expeditedLimit?: number | undefined
  /** How long after a write an inventory shows it, by default 24 hours. */
  readonly inventoryDelay?: Duration.DurationInput | undefined
  /**
   * Accounts whose every signed request is answered with 400 `NoLongerSupportedException`, as the service does to one
   * that has never stored anything. By default none.
   */
  readonly withoutStorage?: ReadonlyArray<string> | undefined
  /** How long a request's body may pause, by default 60 seconds. */
  readonly bodyTimeout?: Duration.DurationInput | undefined
}

/**
 * The key that the emulator knows by default: the one of AWS's own examples.
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
 * // In an `it.effect` the TestContext is there already
 * const program = Effect.gen(function*() {
 *   const { notifications } = yield* Emulator.Emulator
 *   const told = yield* Effect.fork(Stream.runHead(notifications))
 *   const vault = yield* Vault.Vault
 *   yield* vault.create
 *   yield* TestClock.adjust("1 day")
 *   yield* vault.retrieveInventory({ snsTopic: "arn:aws:sns:us-east-1:123456789012:done" })
 *   yield* TestClock.adjust("4 hours")
 *   return Option.map(yield* told, ({ job }) => job.statusCode)
 * }).pipe(
 *   Effect.provide(Layer.provideMerge(Vault.layer("photos"), TestGlacier.layer())),
 *   Effect.provide(TestContext.TestContext)
 * )
 */
export interface Service {
  /** Answers every request; what it is asked it takes from `HttpServerRequest`. */
  readonly app: HttpApp.Default<never, Scope.Scope>
  /** What is told of jobs as they end, from when on the stream is run. */
  readonly notifications: Stream.Stream<Notification>
  /** All vaults of all accounts and regions, and what is in them at this moment. */
  readonly vaults: Effect.Effect<ReadonlyArray<Inside.Vault>>
}

/**
 * A running emulator.
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
 * // An HttpClient that talks to a Glacier whose jobs are done after a minute
 * const client = Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory({ jobDelay: "1 minute" })))
 */
export const layerMemory = (options: Options = {}): Layer.Layer<Emulator> =>
  Layer.scoped(Emulator, Effect.flatMap(Store.memory, (store) => make(store, options)))

/**
 * An emulator that keeps everything in a directory, which it makes if need be: what it has acknowledged is there when
 * the process dies and another one opens the directory again. One process at a time may have it open.
 *
 * Fails with `EmulatorStorageError` when the directory cannot be used or holds a journal that cannot be read.
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
 * An HttpClient that calls the emulator in the same process, whatever the host of the request. Bodies stream in both
 * directions; interrupting a call interrupts its handler.
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
 * Serves the emulator on whatever HttpServer there is.
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
  // The server's spans show the headers of requests.
  Layer.locallyWith(Headers.currentRedactedNames, (names) => [...names, "x-amz-security-token"])
)
