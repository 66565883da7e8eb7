/**
 * The emulator behind a socket. It is a module of its own, so that a program that only uses a service need not load it.
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

/** Only this machine reaches it. */
export const defaultHost = "127.0.0.1"

/** How the emulator is to listen and behave. */
export interface Options extends Emulator.Options {
  /** Where it keeps its data. Default: in memory, gone with it. */
  readonly directory?: string | undefined
  /** Default: 127.0.0.1, which only this machine reaches. */
  readonly host?: string | undefined
  /** Default: 0, a free one. */
  readonly port?: number | undefined
  /** Serves https with a generated certificate (`true`) or with the given one. Default: plain http. */
  readonly tls?: true | Certificate.Certificate | undefined
  /** The SNS that notifications are published to, signed with the first of the keys. Default: they go nowhere. */
  readonly snsEndpoint?: URL | undefined
}

/** Where the server in the context is reached from this machine. */
export const urlOf = (scheme: "http" | "https"): Effect.Effect<string, never, HttpServer.HttpServer> =>
  HttpServer.addressWith((address) => {
    if (address._tag === "UnixAddress") return Effect.succeed(`unix://${address.path}`)
    const { hostname, port } = address
    const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname.includes(":") ? `[${hostname}]` : hostname
    return Effect.succeed(`${scheme}://${host}:${port}`)
  })

/**
 * Keeps other emulators out of a folder: two that write one journal, or sweep each other's blobs, would lose what they
 * have acknowledged.
 */
const locked = (directory: string): Effect.Effect<void, Emulator.EmulatorStorageError, Scope.Scope> => {
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

export const layerServer = (
  { directory, host = defaultHost, port = 0, snsEndpoint, tls: _, ...options }: Options,
  certificate: Certificate.Certificate | undefined
): Layer.Layer<HttpServer.HttpServer | Emulator.Emulator, ServeError | Emulator.EmulatorStorageError> =>
  Layer.unwrapEffect(Effect.sync(() => {
    // An upload may take longer than the 5 minutes Node gives a request; the emulator has its own rule for slow ones.
    const settings = { requestTimeout: 0 }
    const server = certificate === undefined
      ? Http.createServer(settings)
      : Https.createServer({ ...settings, cert: certificate.cert, key: certificate.key })
    // A TLS server knows only the connections that have completed the handshake.
    const connections = new Set<Socket>()
    server.on("connection", (socket: Socket) => {
      connections.add(socket)
      socket.on("close", () => connections.delete(socket))
    })
    // A socket that asks for another protocol is handed over without its error handler: a reset would end the process.
    server.on("upgrade", (_, socket) => socket.on("error", () => {}))
    const emulator = directory === undefined
      ? Emulator.layerMemory(options)
      : Layer.provideMerge(Emulator.layerFileSystem({ ...options, directory }), Layer.scopedDiscard(locked(directory)))
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

/** The credentials of a client of it. */
export const credentials = ({ keys }: Options): Layer.Layer<Credentials.Credentials> =>
  Credentials.layer(keys?.[0] ?? Emulator.defaultKey)
