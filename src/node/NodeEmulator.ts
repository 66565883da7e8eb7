/**
 * The emulator behind a socket of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import type { HttpServer } from "@effect/platform/HttpServer"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as GlacierClient from "../client/GlacierClient.ts"
import type * as Emulator from "../emulator/Emulator.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Endpoint from "../transport/Endpoint.ts"
import * as Certificates from "./internal/certificate.ts"
import { CertificateError } from "./internal/certificate.ts"
import type * as Server from "./internal/emulatorServer.ts"
import * as NodeHashing from "./NodeHashing.ts"
import * as NodeHttp from "./NodeHttp.ts"

/**
 * Options of the emulator and its server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Server.Options {}

/**
 * A certificate and its private key, as PEM text, or the paths of files with them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Certificate extends Certificates.Certificate {}

export {
  /**
   * The emulator cannot serve TLS, because its certificate or key cannot be read or used, or because none can be
   * generated.
   *
   * @since 0.1.0
   * @category errors
   */
  CertificateError
}

/**
 * Where an emulator listens: its URL for clients on this machine and, when it serves TLS, the PEM text of the authorities
 * that they must trust. For a given certificate these are the certificates that come with it.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { NodeEmulator, NodeHttp } from "effect-glacier/node"
 * import { Effect, Layer, Option } from "effect"
 *
 * // An HTTP client that trusts the emulator.
 * const http = Layer.unwrapEffect(
 *   Effect.map(NodeEmulator.Address, ({ ca }) => NodeHttp.layerWith({ ca: Option.getOrUndefined(ca) }))
 * )
 */
export class Address extends Context.Tag("effect-glacier/NodeEmulator/Address")<Address, {
  readonly url: string
  readonly ca: Option.Option<string>
}>() {}

/** Imported when it is needed: a program that only uses `region` or `url` need not load the emulator. */
const server = Effect.promise(() => import("./internal/emulatorServer.ts"))

/**
 * The URL of an emulator for clients on this machine: `https://` when it serves TLS.
 *
 * @since 0.1.0
 * @category getters
 */
export const url: Effect.Effect<string, never, Address> = Effect.map(Address, ({ url }) => url)

/**
 * Reads a certificate and its private key for `Options.tls` from PEM files. Fails with `CertificateError` when a file
 * cannot be read, is not PEM text, or when the key does not belong to the certificate.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readCertificate = (paths: Certificate): Effect.Effect<Certificate, CertificateError> =>
  Certificates.read(paths)

/**
 * Runs an emulator with its `HttpServer` and `Address`. When the scope closes, it stops at once and cuts open requests off.
 * Everything that it has acknowledged is stored.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServer = (
  options: Options = {}
): Layer.Layer<
  HttpServer | Emulator.Emulator | Address,
  ServeError | Emulator.EmulatorStorageError | CertificateError
> =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const { defaultHost, layerServer, urlOf } = yield* server
    const certificate = options.tls && (yield* Certificates.resolve(options.tls, options.host ?? defaultHost))
    const address = Effect.map(urlOf(certificate === undefined ? "http" : "https"), (url) => ({
      url,
      ca: Option.fromNullable(certificate?.ca)
    }))
    return Layer.provideMerge(Layer.effect(Address, address), layerServer(options, certificate))
  }))

/**
 * The region of the client in `layer`.
 *
 * @since 0.1.0
 * @category constants
 */
export const region = "us-east-1"

/**
 * Runs an emulator on a free port of this machine, with a client that uses real HTTP and real signatures. With `tls` both use
 * HTTPS, and the client trusts the emulator's certificate.
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
  GlacierClient.GlacierClient | HttpServer | Address | NodeContext.NodeContext,
  ServeError | EndpointError | Emulator.EmulatorStorageError | CertificateError
> => {
  const connection = Layer.unwrapEffect(
    Effect.map(
      Address,
      // The server is on this machine, so proxies of the environment must not be used.
      ({ ca, url: endpoint }) =>
        Layer.merge(NodeHttp.layerWith({ ca: Option.getOrUndefined(ca) }), Endpoint.layer({ region, endpoint }))
    )
  )
  const credentials = Layer.unwrapEffect(Effect.map(server, ({ credentials }) => credentials(options)))
  return GlacierClient.layer.pipe(
    Layer.provide(Layer.merge(connection, credentials)),
    Layer.provideMerge(NodeHashing.layer),
    Layer.provideMerge(layerServer(options)),
    Layer.merge(NodeContext.layer)
  )
}
