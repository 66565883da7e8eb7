/**
 * The emulator behind a socket. Programs that do not run an emulator do not load this file and its many imports.
 *
 * @internal
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { mkdirSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Socket } from "node:net"
import { join } from "node:path"
import * as Emulator from "../../emulator/Emulator.ts"
import * as Topics from "../../emulator/Topics.ts"
import * as Credentials from "../../transport/Credentials.ts"
import * as NodeHashing from "../NodeHashing.ts"
import type * as Certificate from "./certificate.ts"
import { acquire } from "./lock.ts"

/** The default address, which only this machine can reach. */
export const defaultHost = "127.0.0.1"

/** Options of the emulator and its server. */
export interface Options extends Emulator.Options {
  /** The folder of its data. Default: none, the data is kept in memory. */
  readonly directory?: string | undefined
  /** The address to listen on. Default: 127.0.0.1, which only this machine can reach. */
  readonly host?: string | undefined
  /** The port to listen on. Default: 0, which chooses a free port. */
  readonly port?: number | undefined
  /** Serves HTTPS with a generated certificate (`true`) or with the given one. Default: plain HTTP. */
  readonly tls?: true | Certificate.Certificate | undefined
  /** The SNS endpoint to which notifications are published, signed with the first key. Default: none are published. */
  readonly snsEndpoint?: URL | undefined
}

/** The URL of the server in the context, for clients on this machine. */
export const urlOf = (scheme: "http" | "https"): Effect.Effect<string, never, HttpServer.HttpServer> =>
  HttpServer.addressWith((address) => {
    if (address._tag === "UnixAddress") return Effect.succeed(`unix://${address.path}`)
    const { hostname, port } = address
    const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname.includes(":") ? `[${hostname}]` : hostname
    return Effect.succeed(`${scheme}://${host}:${port}`)
  })

/**
 * Locks a folder until the Scope closes. Two emulators in one folder would overwrite each other's journal and remove each
 * other's blobs.
 */
const lockFolder = (directory: string): Effect.Effect<void, Emulator.EmulatorStorageError, Scope.Scope> => {
  const failed = (what: string) => (error: unknown) =>
    new Emulator.EmulatorStorageError({
      path: directory,
      reason: `${what}: ${error instanceof Error ? error.message : String(error)}`
    })
  return Effect.zipRight(
    Effect.try({
      try: () => mkdirSync(directory, { recursive: true }),
      catch: failed("the directory cannot be made")
    }),
    Effect.mapError(acquire(directory, join(directory, "lock")), failed("the directory cannot be used"))
  )
}

/** Runs an emulator and its server. */
export const layerServer = (
  { directory, host = defaultHost, port = 0, snsEndpoint, tls: _, ...options }: Options,
  certificate: Certificate.Certificate | undefined
): Layer.Layer<HttpServer.HttpServer | Emulator.Emulator, ServeError | Emulator.EmulatorStorageError> =>
  Layer.unwrapEffect(Effect.sync(() => {
    // Without the limit of 5 minutes of Node.js: an upload may take longer, and the emulator limits slow bodies itself.
    const settings = { requestTimeout: 0 }
    const server = certificate === undefined
      ? Http.createServer(settings)
      : Https.createServer({ ...settings, cert: certificate.cert, key: certificate.key })
    // `server.closeAllConnections` would miss TLS connections whose handshake is not complete.
    const connections = new Set<Socket>()
    server.on("connection", (socket: Socket) => {
      connections.add(socket)
      socket.on("close", () => connections.delete(socket))
    })
    // Node.js removes its error handler from a socket that asks for an upgrade: a reset would end the process.
    server.on("upgrade", (_, socket) => socket.on("error", () => {}))
    const emulator = directory === undefined
      ? Emulator.layerMemory(options)
      : Layer.provideMerge(
        Emulator.layerFileSystem({ ...options, directory }),
        Layer.scopedDiscard(lockFolder(directory))
      )
    const topics = snsEndpoint === undefined
      ? Layer.empty
      : Layer.provide(
        Topics.layerSns({ endpoint: snsEndpoint, key: options.keys?.[0] ?? Emulator.defaultKey }),
        NodeHttpClient.layerUndici
      )
    return Emulator.layerServer.pipe(
      Layer.merge(
        Layer.scopedDiscard(
          Effect.addFinalizer(() => Effect.sync(() => connections.forEach((socket) => socket.destroy())))
        )
      ),
      Layer.provideMerge(NodeHttpServer.layerServer(() => server, { host, port })),
      Layer.provideMerge(emulator),
      Layer.provide(topics),
      Layer.provide(NodeHashing.layer),
      Layer.provide(NodeContext.layer)
    )
  }))

/** The credentials of a client of the emulator. */
export const credentials = ({ keys }: Options): Layer.Layer<Credentials.Credentials> =>
  Credentials.layer(keys?.[0] ?? Emulator.defaultKey)
