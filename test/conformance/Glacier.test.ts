/** The conformance suite over every way to reach a Glacier. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { conformance } from "./suite.ts"

const delays = { jobDelay: 0, inventoryDelay: 0 }

const overSocket = (http: Layer.Layer<HttpClient.HttpClient>) =>
  GlacierClient.layer.pipe(
    Layer.provide(http),
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(
      Layer.unwrapEffect(
        HttpServer.addressFormattedWith((endpoint) =>
          Effect.succeed(Endpoint.layer({ region: NodeEmulator.region, endpoint }))
        )
      )
    ),
    Layer.provide(NodeEmulator.layerServer(delays)),
    Layer.merge(NodeContext.layer)
  )

describe("conformance", () => {
  conformance("in-process", Layer.merge(TestGlacier.layer(delays), NodeContext.layer))
  conformance("undici", overSocket(NodeHttpClient.layerUndici))
  conformance("node:http", overSocket(NodeHttpClient.layer))
  conformance("fetch", overSocket(FetchHttpClient.layer))
})
