/**
 * The conformance suite: tests of the behaviour that a client sees. The emulator of this package must pass it over every
 * HTTP client. The suite is a list of cases, each an Effect. It works with any test runner, and with any Glacier that a
 * `GlacierClient` reaches.
 *
 * Each case creates vaults whose names begin with `conformance-`, and does not delete them.
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
   * A case of the suite.
   *
   * @since 0.1.0
   * @category models
   */
  Case,
  /**
   * A property of a Glacier that a case needs:
   *
   * - `jobs`: the case waits for jobs, which takes hours at AWS.
   * - `inventories`: an inventory must list new archives at once. At AWS an inventory is up to a day old.
   * - `locks`: the case locks a vault permanently.
   * - `account`: the case changes the data-retrieval policy or buys capacity, so the account must not be used otherwise.
   *
   * @since 0.1.0
   * @category models
   */
  Need
} from "./internal/conformance/case.ts"

export {
  /**
   * A case failed. Contains its name and the difference from the expected behaviour.
   *
   * @since 0.1.0
   * @category errors
   */
  ConformanceFailure
} from "./internal/conformance/case.ts"

/**
 * All cases. An emulator with `jobDelay: 0` and `inventoryDelay: 0` has everything that they need.
 *
 * @since 0.1.0
 * @category cases
 * @example
 * import { Conformance, TestGlacier } from "effect-glacier/testing"
 * import { Effect } from "effect"
 *
 * // With @effect/vitest: for (const { name, run } of Conformance.cases) it.effect(name, () => Effect.provide(run, glacier))
 * const program = Effect.forEach(Conformance.cases, ({ run }) => run, { discard: true }).pipe(
 *   Effect.provide(TestGlacier.layer({ jobDelay: 0, inventoryDelay: 0 }))
 * )
 *
 * // Cases that can run against an account that is in use
 * const harmless = Conformance.cases.filter(({ needs }) => needs.length === 0)
 */
export const cases: ReadonlyArray<Case> = [...vaults, ...uploads, ...jobs, ...settings, ...accounts]
