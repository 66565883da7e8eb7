/** A server that redirects signed requests, and the server that it redirects them to. */
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { createServer, type RequestListener } from "node:http"
import { GlacierClient } from "../../src/index.ts"
import { NodeHttp } from "../../src/node/index.ts"
import { nodeHttp, undici } from "../support/httpClients.ts"
import * as TlsServer from "../support/tlsServer.ts"
import { call } from "../transport/calls.ts"
import { over } from "../transport/support.ts"

/** Starts a server on a free port, plain or over TLS, and records the targets of its requests. */
const serve = (listener: RequestListener, secure: boolean) =>
  Effect.gen(function*() {
    const targets: Array<string | undefined> = []
    const http = createServer((request, response) => {
      targets.push(request.url)
      listener(request, response)
    })
    const { origin } = yield* TlsServer.createServer(secure, (socket) => void http.emit("connection", socket))
    return { targets, origin }
  })

type Client = (ca: string) => Layer.Layer<HttpClient.HttpClient>

const clients: ReadonlyArray<readonly [name: string, secure: boolean, client: Client]> = [
  ["node:http", false, nodeHttp],
  ["node:http over TLS", true, nodeHttp],
  ["undici", false, undici],
  ["undici over TLS", true, undici],
  ["NodeHttp", false, (ca) => Layer.orDie(NodeHttp.layerWith({ ca }))],
  ["NodeHttp over TLS", true, (ca) => Layer.orDie(NodeHttp.layerWith({ ca }))],
  ["fetch", false, () => FetchHttpClient.layer]
]

const names = ["describeVault", "createVault", "uploadArchive"] as const

describe("a signed request", () => {
  describe.each(clients)("over %s", (_, secure, client) => {
    it.scopedLive.each([301, 302, 303, 307, 308])(
      "is not redirected by status %i [S6]",
      (status) =>
        Effect.gen(function*() {
          const elsewhere = yield* serve((_, response) => response.end("{}"), secure)
          const home = yield* serve((request, response) => {
            request.resume()
            response.writeHead(status, { location: `${elsewhere.origin.replace("127.0.0.1", "localhost")}/stolen` })
              .end()
          }, secure)
          const services = over(client(TlsServer.ca), { endpoint: { region: "us-east-1", endpoint: home.origin } })
          for (const name of names) {
            const error = yield* Effect.flatMap(GlacierClient.GlacierClient, call(name).run).pipe(
              Effect.provide(services),
              Effect.flip
            )
            expect(error).toMatchObject({ _tag: "UnknownServiceError", status, code: `HTTP ${status}` })
          }
          expect(home.targets).toEqual(names.map((name) => call(name).request.split(" ")[1]))
          expect(elsewhere.targets).toEqual([])
        })
    )
  })
})
