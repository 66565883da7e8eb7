/**
 * The command `effect-glacier tags`: shows or changes the tags of a vault.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import * as CliCommand from "../CliCommand.ts"
import { Usage } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Settings from "../Settings.ts"
import * as State from "../State.ts"

type Tag = readonly [key: string, value: string]

/** Reads `KEY=VALUE`. A value may have further equals signs. */
const tagOf = (text: string): Effect.Effect<Tag, Usage> => {
  const end = text.indexOf("=")
  return end > 0
    ? Effect.succeed([text.slice(0, end), text.slice(end + 1)])
    : new Usage({ message: `--set ${text} has no key and value: write --set KEY=VALUE` })
}

/** Sets and removes tags. Asks first if values are lost. */
const change = Effect.fnUntraced(function*(
  state: State.VaultState,
  set: ReadonlyArray<Tag>,
  remove: ReadonlyArray<string>
) {
  const glacier = yield* GlacierClient
  const vault = Settings.addressOf(state)
  const { tags } = yield* glacier.listTagsForVault(vault)
  const removed = remove.filter((key) => Record.has(tags, key))
  const [added, replaced] = Arr.partition(set, ([key, value]) => Record.has(tags, key) && tags[key] !== value)
  const changes = [
    ...removed.map((key) => `remove ${key}=${tags[key]}`),
    ...replaced.map(([key, value]) => `set ${key}=${value} instead of ${tags[key]}`),
    ...added.map(([key, value]) => `set ${key}=${value}`)
  ]
  if (changes.length === 0) return
  const losesValues = removed.length + replaced.length > 0
  yield* (losesValues ? Settings.changeConfirmed : Settings.change)(
    `change the tags of the vault ${state.vaultName}: ${changes.join(", ")}`,
    Effect.gen(function*() {
      if (removed.length > 0) yield* glacier.removeTagsFromVault({ ...vault, tagKeys: removed })
      if (set.length > 0) yield* glacier.addTagsToVault({ ...vault, tags: Object.fromEntries(set) })
    })
  )
})

const run = (set: ReadonlyArray<string>, remove: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const given = yield* Effect.forEach(set, tagOf)
    yield* State.withVault(Effect.fnUntraced(function*(state) {
      const glacier = yield* GlacierClient
      const { note, results } = yield* Output
      yield* change(state, given, remove)
      const { tags } = yield* glacier.listTagsForVault(Settings.addressOf(state))
      if (Record.isEmptyReadonlyRecord(tags)) yield* note("No tags")
      yield* results(Stream.map(Stream.fromIterable(Object.entries(tags)), ([key, value]) => ({
        json: { key, value },
        text: `${key}=${value}`
      })))
    }))
  }).pipe(Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "tags",
  {
    set: Options.text("set").pipe(
      Options.withPseudoName("key=value"),
      Options.repeated,
      Options.withDescription("Set this tag. Can be given several times")
    ),
    remove: Options.text("remove").pipe(
      Options.withPseudoName("key"),
      Options.repeated,
      Options.withDescription("Remove the tag with this key. Can be given several times")
    ),
    globals: Globals.options
  },
  ({ globals, remove, set }) => CliCommand.withGlobals(globals)(run(set, remove))
).pipe(CliCommand.toProgram({
  description: "Show the tags of a vault, or change them and show the result",
  examples: [
    "effect-glacier tags --vault photos",
    "effect-glacier tags --vault photos --set owner=ada --remove project"
  ]
}))
