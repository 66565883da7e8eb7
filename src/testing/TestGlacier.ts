/**
 * Glacier for tests: the emulator in this process and a client that talks to it without a socket. Time is that of the
 * `Clock`, so that under `TestClock` a retrieval of hours takes milliseconds.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as GlacierClient from "../client/GlacierClient.ts"
import * as Emulator from "../emulator/Emulator.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Credentials from "../transport/Credentials.ts"
import * as Endpoint from "../transport/Endpoint.ts"

/**
 * A client for the `Emulator` given to it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  key: Emulator.Key = Emulator.defaultKey
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, Emulator.Emulator> =>
  GlacierClient.layer.pipe(
    Layer.provide(Emulator.layerHttpClient),
    Layer.provide(Credentials.layer(key)),
    Layer.provide(Endpoint.layer({ region: "us-east-1" }))
  )

/**
 * A client and the emulator in memory that it talks to.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Vault } from "effect-glacier"
 * import { TestGlacier } from "effect-glacier/testing"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   yield* vault.create
 *   return yield* vault.describe
 * }).pipe(Effect.provide(Layer.provideMerge(Vault.layer("photos"), TestGlacier.layer({ jobDelay: "4 hours" }))))
 */
export const layer = (
  options: Emulator.Options = {}
): Layer.Layer<GlacierClient.GlacierClient | Emulator.Emulator, EndpointError> =>
  Layer.provideMerge(layerClient(options.keys?.[0]), Emulator.layerMemory(options))
