/** Support for tests of services: a vault on the emulator. */
import * as Layer from "effect/Layer"
import type * as Emulator from "../../src/emulator/Emulator.ts"
import * as Vault from "../../src/services/Vault.ts"
import type { Change } from "../transfer/support.ts"
import * as Support from "../transfer/support.ts"

/** The existing vault `photos`, with the client and its emulator. Jobs take 4 hours. */
export const layer = (change?: Change, options?: Emulator.Options) =>
  Layer.provideMerge(Layer.orDie(Vault.layer("photos")), Support.layer(change, { jobDelay: "4 hours", ...options }))
