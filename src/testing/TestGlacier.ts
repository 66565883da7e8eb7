/**
 * Glacier for tests: the emulator in this process and a client that talks to it without a socket. Time is that of the
 * `Clock`, so that under `TestClock` a retrieval of hours takes milliseconds.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import type * as GlacierClient from "../client/GlacierClient.ts"
import * as Emulator from "../emulator/Emulator.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Client from "./internal/client.ts"

/**
 * A client for the `Emulator` given to it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  key: Emulator.Key = Emulator.defaultKey
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, Emulator.Emulator> =>
  Layer.provide(Client.over(key), Emulator.layerHttpClient)

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
