/**
 * What a Glacier does, as a client sees it: the suite that the emulator of this package is held to, over every HTTP
 * client. It is a list of cases, each an Effect, for any test runner and any Glacier that a `GlacierClient` reaches.
 *
 * Each case makes vaults of its own, whose names begin with `conformance-`, and leaves them.
 *
 * @since 0.1.0
 */
import { accounts } from "./internal/conformance/accounts.ts"
import type * as Internal from "./internal/conformance/case.ts"
import { jobs } from "./internal/conformance/jobs.ts"
import { settings } from "./internal/conformance/settings.ts"
import { uploads } from "./internal/conformance/uploads.ts"
import { vaults } from "./internal/conformance/vaults.ts"

export {
  /**
   * A case has failed: its name, and what was not as expected.
   *
   * @since 0.1.0
   * @category errors
   */
  ConformanceFailure
} from "./internal/conformance/case.ts"

/**
 * What a case asks of a Glacier beyond requests and answers:
 *
 * - `jobs`: it waits for jobs, which take hours where they take their time.
 * - `inventories`: an inventory must show at once what was written. The service of AWS is a day behind.
 * - `locks`: it locks a vault for good.
 * - `account`: it changes the data-retrieval policy, or buys capacity, which must be that of nobody else.
 *
 * @since 0.1.0
 * @category models
 */
export type Need = Internal.Need

/**
 * A case.
 *
 * @since 0.1.0
 * @category models
 */
export type Case = Internal.Case

/**
 * All cases. An emulator of `jobDelay` and `inventoryDelay` 0 has what they need.
 *
 * @since 0.1.0
 * @category cases
 * @example
 * import { Conformance, TestGlacier } from "effect-glacier/testing"
 * import { Effect } from "effect"
 *
 * // With a vitest: for (const { name, run } of Conformance.cases) it.effect(name, () => Effect.provide(run, glacier))
 * const program = Effect.forEach(Conformance.cases, ({ run }) => run, { discard: true }).pipe(
 *   Effect.provide(TestGlacier.layer({ jobDelay: 0, inventoryDelay: 0 }))
 * )
 *
 * // What can be run against an account that is in use
 * const harmless = Conformance.cases.filter(({ needs }) => needs.length === 0)
 */
export const cases: ReadonlyArray<Case> = [...vaults, ...uploads, ...jobs, ...settings, ...accounts]
