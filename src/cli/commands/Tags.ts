/**
 * The command `effect-glacier tags`: shows or changes the tags of a vault.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import * as CliCommand from "../CliCommand.ts"
import { Usage } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Settings from "../Settings.ts"
import * as State from "../State.ts"

/** Reads `KEY=VALUE`. A value may have further equals signs. */
const tagOf = (text: string): Effect.Effect<readonly [string, string], Usage> => {
  const end = text.indexOf("=")
  return end > 0
    ? Effect.succeed([text.slice(0, end), text.slice(end + 1)])
    : new Usage({ message: `--set ${text} has no key and value: write --set KEY=VALUE` })
}

const run = (set: ReadonlyArray<string>, remove: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const added = yield* Effect.forEach(set, tagOf)
    yield* State.withVault(Effect.fnUntraced(function*(state) {
      const glacier = yield* GlacierClient
      const { results } = yield* Output
      const vault = Settings.addressOf(state)
      if (remove.length > 0) {
        yield* Settings.change(
          `remove the tags ${remove.join(", ")}`,
          glacier.removeTagsFromVault({ ...vault, tagKeys: remove })
        )
      }
      if (added.length > 0) {
        yield* Settings.change(
          `set the tags ${set.join(", ")}`,
          glacier.addTagsToVault({ ...vault, tags: Object.fromEntries(added) })
        )
      }
      const { tags } = yield* glacier.listTagsForVault(vault)
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
