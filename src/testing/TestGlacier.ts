/**
 * Glacier for tests: the emulator in this process and a client that talks to it without a socket. Time is that of the
 * `Clock`, so that under `TestClock` a retrieval of hours takes milliseconds. And what a test does besides: it lets time
 * pass until a job is complete, has an inventory taken and looks into a vault.
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
 * A client and the emulator in memory that it talks to. Unless the options say otherwise, all takes as long as with the
 * real service: Expedited retrievals 5 minutes, Standard ones 4 hours, Bulk 8, inventories 4, and they are a day behind.
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
 * `layer` with a `TestClock` of its own, for tests that have none: in an `it.effect` there is one already.
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

const found = <A>(what: string, one: A | undefined): Effect.Effect<A, Cause.NoSuchElementException> =>
  one === undefined
    ? Effect.fail(new Cause.NoSuchElementException(`The emulator has no ${what}`))
    : Effect.succeed(one)

/**
 * What is in the vault of that name at this moment, without a request: archives and their bytes, uploads that are open,
 * jobs.
 *
 * Fails with `NoSuchElementException` when there is no such vault.
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
      Effect.flatMap(vaults, (all) => found(`vault ${vaultName}`, all.find((one) => one.vaultName === vaultName)))
  )

/**
 * Takes an inventory of a vault now: from then on `describe` counts what is there at this moment, and an inventory that
 * is retrieved lists it.
 *
 * Fails with `NoSuchElementException` when there is no such vault.
 *
 * @since 0.1.0
 * @category time
 */
export const takeInventory = (
  vaultName: string
): Effect.Effect<void, Cause.NoSuchElementException | Emulator.EmulatorStorageError, Emulator.Emulator> =>
  Effect.flatMap(inside(vaultName), (vault) => vault.takeInventory)

/**
 * Moves the `TestClock` to the moment at which a job is complete and no further, and not at all when it is complete.
 *
 * Fails with `NoSuchElementException` when there is no such job.
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
    const { completesAt } = yield* found(`job ${jobId}`, jobs.find((one) => one.jobId === jobId))
    yield* TestClock.adjust(Math.max(0, DateTime.distance(yield* DateTime.now, completesAt)))
  })
