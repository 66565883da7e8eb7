/**
 * Glacier for tests: the emulator in this process and a client that talks to it without a socket. Both use the `Clock`, so
 * under `TestClock` a retrieval of hours takes milliseconds. Functions for tests complete a job, take an inventory and show
 * the contents of a vault.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import type * as TestServices from "effect/TestServices"
import type * as GlacierClient from "../client/GlacierClient.ts"
import * as Emulator from "../emulator/Emulator.ts"
import type * as Inside from "../emulator/Inside.ts"
import type { EndpointError } from "../protocol/GlacierError.ts"
import * as Client from "./internal/client.ts"

/**
 * Provides a client for the `Emulator` in the context.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  key: Emulator.Key = Emulator.defaultKey
): Layer.Layer<GlacierClient.GlacierClient, EndpointError, Emulator.Emulator> =>
  Layer.provide(Client.over(key), Emulator.layerHttpClient)

/**
 * Provides a client and its emulator in memory. By default the delays are those of the real service: 5 minutes for Expedited
 * retrievals, 4 hours for Standard ones, 8 for Bulk ones, 4 for inventories. Inventories are a day old by default.
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

/**
 * Provides `layer` and a `TestClock`, for tests that have none. An `it.effect` of `@effect/vitest` has one already.
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
 *   yield* TestGlacier.takeInventory("photos")
 *   const job = yield* vault.retrieveInventory()
 *   yield* TestGlacier.completeJob(job.id)
 *   return yield* job.describe
 * }).pipe(Effect.provide(Layer.provideMerge(Vault.layer("photos"), TestGlacier.layerTest())))
 */
export const layerTest = (
  options: Emulator.Options = {}
): Layer.Layer<GlacierClient.GlacierClient | Emulator.Emulator | TestServices.TestServices, EndpointError> =>
  Layer.provideMerge(layer(options), TestContext.TestContext)

const orNotFound = <A>(name: string, value: A | undefined): Effect.Effect<A, Cause.NoSuchElementException> =>
  value === undefined
    ? Effect.fail(new Cause.NoSuchElementException(`The emulator has no ${name}`))
    : Effect.succeed(value)

/**
 * Returns the current contents of a vault without a request: archives with their bytes, open uploads and jobs.
 *
 * Fails with `NoSuchElementException` when the vault does not exist.
 *
 * @since 0.1.0
 * @category looking inside
 * @example
 * import { TestGlacier } from "effect-glacier/testing"
 * import { Effect } from "effect"
 *
 * const sizes = Effect.map(TestGlacier.inside("photos"), ({ archives }) => archives.map(({ size }) => size))
 */
export const inside = (
  vaultName: string
): Effect.Effect<Inside.Vault, Cause.NoSuchElementException, Emulator.Emulator> =>
  Effect.flatMap(
    Emulator.Emulator,
    ({ vaults }) =>
      Effect.flatMap(vaults, (all) =>
        orNotFound(`vault ${vaultName}`, all.find((vault) => vault.vaultName === vaultName)))
  )

/**
 * Takes an inventory of a vault now: from then on `describe` counts, and a retrieved inventory lists, the archives that the
 * vault has at this moment.
 *
 * Fails with `NoSuchElementException` when the vault does not exist.
 *
 * @since 0.1.0
 * @category time
 */
export const takeInventory = (
  vaultName: string
): Effect.Effect<void, Cause.NoSuchElementException | Emulator.EmulatorStorageError, Emulator.Emulator> =>
  Effect.flatMap(inside(vaultName), (vault) => vault.takeInventory)

/**
 * Moves the `TestClock` to the moment at which a job completes. Does not move it if the job has completed already.
 *
 * Fails with `NoSuchElementException` when the job does not exist.
 *
 * @since 0.1.0
 * @category time
 */
export const completeJob = (
  jobId: string
): Effect.Effect<void, Cause.NoSuchElementException, Emulator.Emulator> =>
  Effect.gen(function*() {
    const { vaults } = yield* Emulator.Emulator
    const jobs = (yield* vaults).flatMap((vault) => vault.jobs)
    const { completesAt } = yield* orNotFound(`job ${jobId}`, jobs.find((job) => job.jobId === jobId))
    yield* TestClock.adjust(Math.max(0, DateTime.distance(yield* DateTime.now, completesAt)))
  })
