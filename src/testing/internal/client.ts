/**
 * The client that talks to an emulator in the same process.
 *
 * @internal
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../../client/GlacierClient.ts"
import type * as Emulator from "../../emulator/Emulator.ts"
import type { EndpointError } from "../../protocol/GlacierError.ts"
import * as Credentials from "../../transport/Credentials.ts"
import * as Endpoint from "../../transport/Endpoint.ts"

/** Provides a client over the `HttpClient` in the context. It signs with a key of the emulator. */
export const over = (
  key: Emulator.Key
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, HttpClient.HttpClient> =>
  // Fresh, because a program may use two clients, one of them with faults. They must not share one instance.
  Layer.fresh(GlacierClient.layer).pipe(
    Layer.provide(Credentials.layer(key)),
    Layer.provide(Endpoint.layer({ region: "us-east-1" }))
  )
