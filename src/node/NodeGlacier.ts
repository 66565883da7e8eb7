/**
 * All that a program on Node.js needs of Glacier, wired.
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
 * The client over `NodeHttp.layerConfig`, which honours `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE`, with
 * native hashing and with locks that all processes see, for the `Credentials` and `Endpoint` given to it.
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
 * The client and Node's file system, wired from the environment: `AWS_REGION` or `AWS_DEFAULT_REGION`, or where these are
 * not set, the region of the profile in use (`AWS_PROFILE`); `AWS_ENDPOINT_URL_GLACIER` or `AWS_ENDPOINT_URL`; the
 * proxies and authorities of `layerClient`; and the credentials of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
 * `AWS_SESSION_TOKEN`, or where these are not set, of `NodeCredentials.layer`.
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
  GlacierClient.GlacierClient | NodeContext.NodeContext,
  EndpointError
> = layerClient.pipe(
  Layer.provide(Layer.catchAll(Credentials.layerConfig, () => NodeCredentials.layer)),
  Layer.provide(Endpoint.layerConfigOr(Profile.region)),
  Layer.merge(NodeContext.layer)
)
