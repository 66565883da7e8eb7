/** The values of the options that all commands have, for tests of modules. */
import * as Option from "effect/Option"
import type * as Globals from "../../src/cli/Globals.ts"

/** The values when only the state folder is given. */
export const globalsOf = (state: string): Globals.Values => ({
  vault: Option.none(),
  region: Option.none(),
  profile: Option.none(),
  account: Option.none(),
  endpoint: Option.none(),
  state: Option.some(state),
  synologyNames: Option.none(),
  botoNames: false,
  json: false,
  quiet: false,
  verbose: false,
  dryRun: false,
  yes: false
})
