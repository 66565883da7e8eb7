/** How our programs run over the undici client of `@effect/platform-node`: the rest is as in `NodeGlacier.layer`. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type * as FileSystem from "@effect/platform/FileSystem"
import { Credentials, Endpoint, GlacierClient, HttpHooks } from "effect-glacier"
import { NodeHashing } from "effect-glacier/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { finish } from "../../finish.ts"

const layer = GlacierClient.layer.pipe(
  // undici sends memory that threads share, so parts need no copy.
  Layer.provide([NodeHttpClient.layerUndici, Layer.succeed(HttpHooks.SendsShared, true)]),
  Layer.provide([Credentials.layerConfig, Endpoint.layerConfig]),
  Layer.provideMerge(NodeHashing.layer),
  Layer.merge(NodeContext.layer)
)

export const main = <E>(
  program: Effect.Effect<object, E, GlacierClient.GlacierClient | FileSystem.FileSystem>
) => program.pipe(Effect.map(finish), Effect.provide(layer), NodeRuntime.runMain)
