/**
 * The common parts of the commands for the settings of a vault. Each command shows its setting, and changes it by options such as `--set`
 * and `--remove`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Confirm from "./Confirm.ts"
import { Usage } from "./Failures.ts"
import { Globals } from "./Globals.ts"
import { Output } from "./Output.ts"
import type { VaultState } from "./State.ts"

/**
 * The vault of a state folder, as the operations of `GlacierClient` take it.
 *
 * @since 0.1.0
 * @category getters
 */
export const addressOf = ({ account, vaultName }: VaultState) => ({ accountId: account, vaultName })

/**
 * Fails with `Usage` when more than one of these options is given.
 *
 * @since 0.1.0
 * @category checking
 */
export const atMostOne = (given: Readonly<Record<string, boolean>>): Effect.Effect<void, Usage> => {
  const names = Object.keys(given).filter((name) => given[name]).map((name) => `--${name}`)
  return names.length <= 1
    ? Effect.void
    : new Usage({ message: `${names.join(" and ")} cannot be used together: use one after the other` })
}

/**
 * Changes a setting. With `--dry-run`, only prints what it would do, such as `abort the lock`.
 *
 * @since 0.1.0
 * @category changing
 */
export const change = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { result } = yield* Output
    const { dryRun } = yield* Globals
    const text = `This would ${what}`
    yield* dryRun ? result({ json: { type: "summary", dryRun: true, message: text }, text }) : effect
  })

/**
 * Changes a setting that people or programs may depend on: asks first. With `--dry-run`, only prints what it would do.
 *
 * @since 0.1.0
 * @category changing
 */
export const changeConfirmed = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
  change(what, Effect.zipRight(Confirm.yesOrNo(`This will ${what}`), effect))

const decodeJson = Schema.decodeOption(Schema.parseJson())

/**
 * Returns a policy as a value for `--json`, and as formatted text for people.
 *
 * @since 0.1.0
 * @category formatting
 */
export const policyOf = (policy: string): { readonly json: unknown; readonly text: string } =>
  Option.match(decodeJson(policy), {
    onNone: () => ({ json: policy, text: policy }),
    onSome: (json) => ({ json, text: JSON.stringify(json, null, 2) })
  })
