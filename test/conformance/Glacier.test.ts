/** The conformance suite over every connection to an emulator: in-process, and each HTTP client over TCP and TLS. Delays are tested in `Time.test.ts`. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as NodeHttp from "../../src/node/NodeHttp.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { isFull } from "../support/full.ts"
import { nodeHttp, undici } from "../support/httpClients.ts"
import { conformance } from "./suite.ts"
import type { Connection } from "./suite/support.ts"

const client = (
  http: Layer.Layer<HttpClient.HttpClient, Emulator.EmulatorStorageError, FileSystem.FileSystem | Path.Path>,
  endpoint: Endpoint.Options,
  { alter = identity, key = Emulator.defaultKey }: Parameters<Connection>[1] = {}
) =>
  Layer.effect(GlacierClient.GlacierClient, GlacierClient.make).pipe(
    Layer.provideMerge(Transport.layer),
    Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, alter))),
    Layer.provide([http, Credentials.layer(key), Endpoint.layer(endpoint)])
  )

const inProcess: Connection = ({ directory, ...options }, how) =>
  client(
    Emulator.layerHttpClient.pipe(Layer.provide(
      directory === undefined ? Emulator.layerMemory(options) : Emulator.layerFileSystem({ ...options, directory })
    )),
    { region: NodeEmulator.region },
    how
  ).pipe(Layer.provide([NodeHashing.layer, NodeContext.layer]))

/** Makes an HTTP client. `ca` is the authority of the emulator if it serves TLS. */
type Http = (ca: string | undefined) => Layer.Layer<HttpClient.HttpClient>

const overSocket = (http: Http, tls?: true): Connection => (options, how) =>
  Layer.unwrapEffect(
    Effect.map(NodeEmulator.Address, ({ ca, url: endpoint }) =>
      client(http(Option.getOrUndefined(ca)), { region: NodeEmulator.region, endpoint }, how))
  ).pipe(Layer.provide([NodeEmulator.layerServer({ ...options, tls }), NodeContext.layer]))

describe("conformance", () => {
  // The full form adds the connections that the quick form leaves out, and does not repeat the others.
  if (isFull) {
    conformance("undici", overSocket(undici))
    conformance("undici over TLS", overSocket(undici, true))
    conformance("node:http", overSocket(nodeHttp))
    conformance("node:http over TLS", overSocket(nodeHttp, true))
  } else {
    conformance("in-process", inProcess)
    conformance("NodeHttp", overSocket((ca) => Layer.orDie(NodeHttp.layerWith({ ca }))))
    conformance("NodeHttp over TLS", overSocket((ca) => Layer.orDie(NodeHttp.layerWith({ ca })), true))
    conformance("fetch", overSocket(() => FetchHttpClient.layer), false)
  }
})
