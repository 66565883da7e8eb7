/** Responses with random framing that arrive in random segments and are read late and in every way. */
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import { NodeHttp } from "../../src/node/index.ts"
import { ca, createServer, ways } from "../support/tlsServer.ts"
import { bodyOf, framing, read, send } from "./framings.ts"

describe.each(ways)("NodeHttp over %s", (_, secure) => {
  it.scopedLive(
    "receives 600 bodies with random framing correctly, although they are read late",
    () =>
      Effect.gen(function*() {
        const seed = Date.now()
        const framings = fc.sample(framing, { numRuns: 600, seed })
        const { origin } = yield* createServer(secure, (socket) => {
          socket.on("data", (request: Buffer) => {
            const given = framings[Number(/^GET \/(\d+)/.exec(request.toString("latin1"))?.[1])]
            if (given !== undefined) void send(socket, given)
          })
        })
        yield* Effect.forEach(framings, (given, index) =>
          Effect.gen(function*() {
            const response = yield* HttpClient.get(`${origin}/${index}`)
            yield* Effect.sleep(given.delay)
            const body = yield* read(response, given)
            expect(Buffer.compare(body, bodyOf(given)), `seed ${seed}, framing ${JSON.stringify(given)}`).toBe(0)
          }), { concurrency: 4, discard: true })
      }).pipe(Effect.provide(NodeHttp.layerWith({ ca }))),
    60_000
  )
})
