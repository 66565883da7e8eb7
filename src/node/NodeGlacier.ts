/**
 * The Glacier client with everything that it needs on Node.js.
 *
 * @since 0.1.0
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../client/GlacierClient.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Credentials from "../transport/Credentials.ts"
import * as Endpoint from "../transport/Endpoint.ts"
import * as Profile from "./internal/profile.ts"
import * as NodeCredentials from "./NodeCredentials.ts"
import * as NodeFileLock from "./NodeFileLock.ts"
import * as NodeHashing from "./NodeHashing.ts"
import * as NodeHttp from "./NodeHttp.ts"

/**
 * The client for the `Credentials` and `Endpoint` in the context. It includes `NodeHttp.layerConfig`, which reads `HTTPS_PROXY`,
 * `HTTP_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE`, native hashing (`NodeHashing`), and file locks (`NodeFileLock`).
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient: Layer.Layer<
  GlacierClient.GlacierClient,
  EndpointError,
  Credentials.Credentials | Endpoint.Endpoint
> = GlacierClient.layer.pipe(
  Layer.provide(NodeHttp.layerConfig),
  Layer.provideMerge(Layer.merge(NodeHashing.layer, NodeFileLock.layer))
)

/**
 * The endpoint that the environment configures:
 *
 * - Region: `AWS_REGION` or `AWS_DEFAULT_REGION`, otherwise the region of the profile in use (`AWS_PROFILE`).
 * - Endpoint: `AWS_ENDPOINT_URL_GLACIER` or `AWS_ENDPOINT_URL`, otherwise that of AWS.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEndpoint: Layer.Layer<Endpoint.Endpoint, EndpointError> = Endpoint.layerConfigOr(Profile.region)

/**
 * The credentials that the environment configures: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`,
 * otherwise `NodeCredentials.layer`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerCredentials: Layer.Layer<Credentials.Credentials> = Layer.catchAll(
  Credentials.layerConfig,
  () => NodeCredentials.layer
)

/**
 * The client and Node's file system, configured by the environment: `layerClient` with the endpoint of `layerEndpoint` and the
 * credentials of `layerCredentials`, which it provides to the program as well.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Vault } from "effect-glacier"
 * import { NodeGlacier } from "effect-glacier/node"
 * import { Effect, Layer } from "effect"
 *
 * Effect.flatMap(Vault.Vault, (vault) => vault.describe).pipe(
 *   Effect.provide(Layer.provideMerge(Vault.layer("photos"), NodeGlacier.layer)),
 *   Effect.runPromise
 * )
 */
export const layer: Layer.Layer<
  GlacierClient.GlacierClient | Endpoint.Endpoint | Credentials.Credentials | NodeContext.NodeContext,
  EndpointError
> = layerClient.pipe(
  Layer.provideMerge(Layer.merge(layerEndpoint, layerCredentials)),
  Layer.merge(NodeContext.layer)
)
