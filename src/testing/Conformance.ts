/**
 * What a Glacier does, as a client sees it: the suite that the emulator of this package is held to, over every HTTP
 * client. It is a list of cases, each an Effect, for any test runner and any Glacier that a `GlacierClient` reaches.
 *
 * Each case makes vaults of its own, whose names begin with `conformance-`, and leaves them.
 *
 * @since 0.1.0
 */
import { accounts } from "./internal/conformance/accounts.ts"
import type { Case } from "./internal/conformance/case.ts"
import { jobs } from "./internal/conformance/jobs.ts"
import { settings } from "./internal/conformance/settings.ts"
import { uploads } from "./internal/conformance/uploads.ts"
import { vaults } from "./internal/conformance/vaults.ts"

export type {
  /**
   * A case.
   *
   * @since 0.1.0
   * @category models
   */
  Case,
  /**
   * What a case needs of a Glacier beyond requests and responses:
   *
   * - `jobs`: the case waits for jobs, which takes hours at the service.
   * - `inventories`: an inventory must show at once what was written. The service of AWS is a day behind.
   * - `locks`: the case locks a vault for good.
   * - `account`: the case changes the data-retrieval policy or buys capacity, so the account must be unused otherwise.
   *
   * @since 0.1.0
   * @category models
   */
  Need
} from "./internal/conformance/case.ts"

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
