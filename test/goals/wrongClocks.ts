/** A client and an emulator whose clocks differ. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { over } from "../transport/support.ts"
import type { Options } from "../transport/support.ts"

export const vault = { vaultName: "photos" }

export const minute = Duration.toMillis("1 minute")

export const hour = 60 * minute

/** Makes a clock that is ahead of another clock. */
export const ahead = (clock: Clock.Clock, millis: () => number): Clock.Clock => ({
  ...clock,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + millis(),
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis())
})

export interface Network {
  /** The milliseconds by which the client's clock is ahead of the service's. */
  readonly wrong?: () => number
  /** The time that the n-th part takes to arrive. */
  readonly delay?: (part: number) => Duration.DurationInput
  /** Whether the response to a request is lost. */
  readonly loses?: (response: HttpClientResponse.HttpClientResponse) => boolean
}

/** Makes a client of an emulator that has its own clock, and counts the requests and parts that the emulator receives. */
export const emulated = ({ delay = () => 0, loses = () => false, wrong = () => 0 }: Network, options: Options = {}) =>
  Effect.gen(function*() {
    const seen = { requests: 0, parts: 0 }
    // No clock may show a time before 1970.
    yield* Effect.sleep("1 day")
    const network = Effect.map(
      HttpClient.HttpClient,
      (http) =>
        HttpClient.transform(http, (send, request) =>
          Effect.gen(function*() {
            const { method, url } = request
            seen.requests++
            if (method === "PUT" && url.includes("/multipart-uploads/")) {
              yield* Effect.sleep(delay(++seen.parts))
            }
            const clock = yield* Effect.clock
            const response = yield* Effect.withClock(send, ahead(clock, () => -wrong()))
            return loses(response)
              ? yield* new HttpClientError.RequestError({ request, reason: "Transport" })
              : response
          }))
    )
    const http = Layer.effect(HttpClient.HttpClient, network).pipe(
      Layer.provide(Emulator.layerHttpClient),
      Layer.provide(Emulator.layerMemory())
    )
    const policies = RetryPolicy.layer(RetryPolicy.standard)
    return { seen, context: yield* Layer.build(over(http, { policies, ...options })) }
  })

export const ask = (context: Context.Context<GlacierClient.GlacierClient>) =>
  Context.get(context, GlacierClient.GlacierClient).listVaults({})
