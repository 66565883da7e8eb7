import type * as HttpClient from "@effect/platform/HttpClient"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../../client/GlacierClient.ts"
import type * as Emulator from "../../emulator/Emulator.ts"
import type { EndpointError } from "../../protocol/GlacierError.ts"
import * as Credentials from "../../transport/Credentials.ts"
import * as Endpoint from "../../transport/Endpoint.ts"

/** A client over the `HttpClient` given to it, which signs with a key of the emulator. */
export const over = (
  key: Emulator.Key
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, HttpClient.HttpClient> =>
  // Fresh: of two clients in one application, one with faults, each must be its own.
  Layer.fresh(GlacierClient.layer).pipe(
    Layer.provide(Credentials.layer(key)),
    Layer.provide(Endpoint.layer({ region: "us-east-1" }))
  )
