/**
 * The emulator behind a socket of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import type { HttpServer } from "@effect/platform/HttpServer"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../client/GlacierClient.ts"
import type * as Emulator from "../emulator/Emulator.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Endpoint from "../transport/Endpoint.ts"
import type * as Server from "./internal/emulatorServer.ts"
import * as NodeHashing from "./NodeHashing.ts"
import * as NodeHttp from "./NodeHttp.ts"

/**
 * How the emulator is to listen and behave.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Server.Options {}

/** Loaded when an emulator is wanted. */
const server = Effect.promise(() => import("./internal/emulatorServer.ts"))

/**
 * The url of a server for clients on this machine.
 *
 * @since 0.1.0
 * @category getters
 */
export const url: Effect.Effect<string, never, HttpServer> = Effect.flatMap(server, ({ url }) => url)

/**
 * A running emulator and the `HttpServer` it listens on. When the scope ends it stops at once, open requests included:
 * what it has acknowledged is stored.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServer = (
  options: Options = {}
): Layer.Layer<HttpServer | Emulator.Emulator, ServeError | Emulator.EmulatorStorageError> =>
  Layer.unwrapEffect(Effect.map(server, ({ layerServer }) => layerServer(options)))

/**
 * The region of `layer`.
 *
 * @since 0.1.0
 * @category constants
 */
export const region = "us-east-1"

/**
 * An emulator on a free port of this machine and a client that talks to it over real HTTP with real signatures.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Vault } from "effect-glacier"
 * import { NodeEmulator } from "effect-glacier/node"
 * import { Effect, Layer } from "effect"
 *
 * const emulated = NodeEmulator.layer({ jobDelay: "1 second", inventoryDelay: 0 })
 *
 * Effect.flatMap(Vault.Vault, (vault) => vault.create).pipe(
 *   Effect.provide(Layer.provideMerge(Vault.layer("photos"), emulated)),
 *   Effect.runPromise
 * )
 */
export const layer = (options: Options = {}): Layer.Layer<
  GlacierClient.GlacierClient | HttpServer | NodeContext.NodeContext,
  ServeError | EndpointError | Emulator.EmulatorStorageError
> => {
  const endpoint = Layer.unwrapEffect(Effect.map(url, (endpoint) => Endpoint.layer({ region, endpoint })))
  const credentials = Layer.unwrapEffect(Effect.map(server, ({ credentials }) => credentials(options)))
  return GlacierClient.layer.pipe(
    // Without the proxies of the environment: the server is on this machine.
    Layer.provide(NodeHttp.layer),
    Layer.provideMerge(NodeHashing.layer),
    Layer.provide(Layer.merge(endpoint, credentials)),
    Layer.provideMerge(layerServer(options)),
    Layer.merge(NodeContext.layer)
  )
}
