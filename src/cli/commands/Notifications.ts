/**
 * The command `effect-glacier notifications`: shows or changes the topic that receives a message when a job ends.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import type { NotificationConfiguration } from "../../protocol/Notifications.ts"
import * as CliCommand from "../CliCommand.ts"
import { Usage } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Settings from "../Settings.ts"
import * as State from "../State.ts"

type Events = NotificationConfiguration["events"]

const names = { archive: "ArchiveRetrievalCompleted", inventory: "InventoryRetrievalCompleted" } as const

const allEvents: Events = [names.archive, names.inventory]

const format = ({ events, snsTopic }: NotificationConfiguration): string => `${snsTopic}: ${events.join(", ")}`

const run = Effect.fnUntraced(function*(topic: Option.Option<string>, given: Events, remove: boolean) {
  yield* Settings.atMostOne({ set: Option.isSome(topic), remove })
  if (given.length > 0 && Option.isNone(topic)) {
    return yield* new Usage({ message: "--event needs the topic that receives the messages: use --set ARN" })
  }
  yield* State.withVault(Effect.fnUntraced(function*(state) {
    const glacier = yield* GlacierClient
    const { result } = yield* Output
    const vault = Settings.addressOf(state)
    const find = Effect.asSome(glacier.getVaultNotifications(vault)).pipe(
      Effect.catchTag("NotificationsNotSet", () => Effect.succeedNone)
    )
    const subject = `the notifications of the vault ${state.vaultName}`
    const current = yield* find
    if (Option.isSome(topic)) {
      const configuration = { snsTopic: topic.value, events: given.length > 0 ? given : allEvents }
      const set = glacier.setVaultNotifications({ ...vault, configuration })
      yield* Option.match(Option.map(current, format), {
        onNone: () => Settings.change(`set ${subject} to ${format(configuration)}`, set),
        onSome: (old) => Settings.changeConfirmed(`replace ${subject}, ${old}, by ${format(configuration)}`, set)
      })
    }
    if (remove && Option.isSome(current)) {
      yield* Settings.changeConfirmed(
        `remove ${subject}, ${format(current.value)}`,
        glacier.deleteVaultNotifications(vault)
      )
    }
    yield* result(Option.match(yield* find, {
      onNone: () => ({ json: { topic: null, events: [] }, text: "No notifications" }),
      onSome: (configuration) => ({
        json: { topic: configuration.snsTopic, events: configuration.events },
        text: format(configuration)
      })
    }))
  }))
}, Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "notifications",
  {
    topic: Options.text("set").pipe(
      Options.withPseudoName("arn"),
      Options.optional,
      Options.withDescription("Send messages to the SNS topic with this ARN")
    ),
    events: Options.choice("event", ["archive", "inventory"]).pipe(
      Options.repeated,
      Options.map((jobs): Events => jobs.map((job) => names[job])),
      Options.withDescription("The jobs whose end is reported: archive or inventory. Default: both")
    ),
    remove: Options.boolean("remove").pipe(Options.withDescription("Send no messages")),
    globals: Globals.options
  },
  ({ events, globals, remove, topic }) => CliCommand.withGlobals(globals)(run(topic, events, remove))
).pipe(CliCommand.toProgram({
  description: "Show the SNS topic that receives a message when a job ends, or change it and show the result",
  examples: [
    "effect-glacier notifications --vault photos",
    "effect-glacier notifications --vault photos --set arn:aws:sns:us-east-1:123456789012:jobs --event archive"
  ]
}))
