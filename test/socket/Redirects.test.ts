/** A server that sends its callers elsewhere, and the place it sends them to. */
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import { GlacierClient } from "../../src/index.ts"
import { call } from "../transport/calls.ts"
import { over } from "../transport/support.ts"

/** A server on a free port and the targets it was asked for. */
const serve = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const asked: Array<string | undefined> = []
      const server = createServer((request, response) => {
        asked.push(request.url)
        listener(request, response)
      })
      await once(server.listen(0, "127.0.0.1"), "listening")
      const address = server.address()
      return { server, asked, port: typeof address === "object" ? address?.port : undefined }
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const clients: ReadonlyArray<readonly [name: string, layer: Layer.Layer<HttpClient.HttpClient>]> = [
  ["node:http", NodeHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", FetchHttpClient.layer]
]

const names = ["describeVault", "createVault", "uploadArchive"] as const

describe("S6 a signed request goes to nobody else", () => {
  describe.each(clients)("over %s", (_, layer) => {
    it.scopedLive.each([301, 302, 303, 307, 308])("S6 when the answer is %i", (status) =>
      Effect.gen(function*() {
        const elsewhere = yield* serve((_, response) => response.end("{}"))
        const home = yield* serve((request, response) => {
          request.resume()
          response.writeHead(status, { location: `http://localhost:${elsewhere.port}/stolen` }).end()
        })
        const services = over(layer, {
          endpoint: { region: "us-east-1", endpoint: `http://127.0.0.1:${home.port}` }
        })
        for (const name of names) {
          const error = yield* Effect.flatMap(GlacierClient.GlacierClient, call(name).run).pipe(
            Effect.provide(services),
            Effect.flip
          )
          expect(error).toMatchObject({ _tag: "UnknownServiceError", status, code: `HTTP ${status}` })
        }
        expect(home.asked).toEqual(names.map((name) => call(name).request.split(" ")[1]))
        expect(elsewhere.asked).toEqual([])
      }))
  })
})
