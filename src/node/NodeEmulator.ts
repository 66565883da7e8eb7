/**
 * The emulator behind a socket of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import type * as GlacierClient from "../client/GlacierClient.ts"
import * as Emulator from "../emulator/Emulator.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Credentials from "../transport/Credentials.ts"
import * as Endpoint from "../transport/Endpoint.ts"
import * as NodeGlacier from "./NodeGlacier.ts"
import * as NodeHashing from "./NodeHashing.ts"

/**
 * How the emulator is to listen and behave.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Emulator.Options {
  /** Where it keeps its data. Default: in memory, gone with it. */
  readonly directory?: string | undefined
  /** Default: 127.0.0.1, which only this machine reaches. */
  readonly host?: string | undefined
  /** Default: 0, a free one. */
  readonly port?: number | undefined
}

/**
 * A running emulator and the `HttpServer` it listens on. When the scope ends it stops at once, open requests included:
 * what it has acknowledged is stored.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServer = ({ directory, host = "127.0.0.1", port = 0, ...options }: Options = {}): Layer.Layer<
  HttpServer.HttpServer | Emulator.Emulator,
  ServeError | Emulator.EmulatorStorageError
> =>
  Layer.unwrapEffect(Effect.sync(() => {
    // An upload may take longer than the 5 minutes Node gives a request; the emulator has its own rule for slow ones.
    const server = createServer({ requestTimeout: 0 })
    // A socket that asks for another protocol is handed over without its error handler: a reset would end the process.
    server.on("upgrade", (_, socket) => socket.on("error", () => {}))
    const emulator = directory === undefined
      ? Emulator.layerMemory(options)
      : Emulator.layerFile({ ...options, directory })
    return Emulator.layerServer.pipe(
      Layer.merge(Layer.scopedDiscard(Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections())))),
      Layer.provideMerge(NodeHttpServer.layerServer(() => server, { host, port })),
      Layer.provideMerge(emulator),
      Layer.provide(NodeHashing.layer),
      Layer.provide(NodeContext.layer)
    )
  }))

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
  GlacierClient.GlacierClient | HttpServer.HttpServer | NodeContext.NodeContext,
  ServeError | EndpointError | Emulator.EmulatorStorageError
> => {
  const keys = options.keys?.[0] ?? Emulator.defaultKey
  const endpoint = Layer.unwrapEffect(
    HttpServer.addressFormattedWith((url) => Effect.succeed(Endpoint.layer({ region, endpoint: url })))
  )
  return NodeGlacier.layerClient.pipe(
    Layer.provide(Layer.merge(endpoint, Credentials.layer(keys))),
    Layer.provideMerge(layerServer(options)),
    Layer.merge(NodeContext.layer)
  )
}
