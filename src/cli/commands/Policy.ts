/**
 * The command `effect-glacier policy`: shows or changes the access policy of a vault, and shows the data retrieval policy.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes } from "../../policy/Format.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Settings from "../Settings.ts"
import * as State from "../State.ts"

const access = (file: Option.Option<string>, remove: boolean) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const glacier = yield* GlacierClient
    const fs = yield* FileSystem.FileSystem
    const { result } = yield* Output
    const vault = Settings.addressOf(state)
    const current = Effect.asSome(glacier.getVaultAccessPolicy(vault)).pipe(
      Effect.catchTag("AccessPolicyNotSet", () => Effect.succeedNone)
    )
    const subject = `the access policy of the vault ${state.vaultName}`
    if (Option.isSome(file)) {
      const policy = yield* fs.readFileString(file.value)
      yield* Settings.changeConfirmed(
        Option.match(yield* current, {
          onNone: () => `set ${subject} to that in ${file.value}`,
          onSome: () => `replace ${subject} by that in ${file.value}`
        }),
        glacier.setVaultAccessPolicy({ ...vault, policy })
      )
    }
    if (remove && Option.isSome(yield* current)) {
      yield* Settings.changeConfirmed(`remove ${subject}`, glacier.deleteVaultAccessPolicy(vault))
    }
    const { json, text } = Option.match(yield* current, {
      onNone: () => ({ json: null, text: "No access policy" }),
      onSome: ({ policy }) => Settings.policyOf(policy)
    })
    yield* result({ json: { policy: json }, text })
  }))

/** Shows the data retrieval policy, which the account has in each region. */
const retrieval = Effect.gen(function*() {
  const glacier = yield* GlacierClient
  const { result } = yield* Output
  const { account } = yield* Globals.Globals
  const { policy: { rules: [{ bytesPerHour, strategy }] } } = yield* glacier.getDataRetrievalPolicy({
    accountId: Option.getOrUndefined(account)
  })
  const limit = bytesPerHour === undefined ? "" : `: ${formatBytes(bytesPerHour)} in an hour`
  const text = strategy === "None" ? "No limit" : `${strategy}${limit}`
  yield* result({ json: { strategy, bytesPerHour: bytesPerHour ?? null }, text })
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "policy",
  {
    file: Options.file("set", { exists: "yes" }).pipe(
      Options.optional,
      Options.withDescription("Set the policy to that in this file, as JSON")
    ),
    remove: Options.boolean("remove").pipe(Options.withDescription("Remove the policy")),
    isRetrieval: Options.boolean("retrieval").pipe(
      Options.withDescription("Show the data retrieval policy of the account instead")
    ),
    globals: Globals.options
  },
  ({ file, globals, isRetrieval, remove }) =>
    Settings.atMostOne({ set: Option.isSome(file), remove, retrieval: isRetrieval }).pipe(
      Effect.zipRight(Effect.provide(isRetrieval ? retrieval : access(file, remove), NodeGlacier.layer)),
      CliCommand.withGlobals(globals)
    )
).pipe(CliCommand.toProgram({
  description: "Show the access policy of a vault, or change it and show the result",
  examples: [
    "effect-glacier policy --vault photos",
    "effect-glacier policy --vault photos --set policy.json",
    "effect-glacier policy --retrieval"
  ]
}))
