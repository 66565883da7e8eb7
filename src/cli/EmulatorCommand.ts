/**
 * `effect-glacier emulator`: a Glacier of one's own, for any client in any language.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Number from "effect/Number"
import * as Option from "effect/Option"
import * as Emulator from "../emulator/Emulator.ts"
import * as NodeEmulator from "../node/NodeEmulator.ts"

const delay = (name: string, byDefault: Duration.DurationInput, description: string) =>
  Options.text(name).pipe(
    Options.filterMap(Duration.decodeUnknown, `--${name} must be a duration such as "2 seconds"`),
    Options.withDefault(Duration.decode(byDefault)),
    Options.withDescription(description)
  )

const urlOf = (text: string): Option.Option<URL> =>
  URL.canParse(text)
    ? Option.some(new URL(text)).pipe(Option.filter(({ protocol }) => /^https?:$/.test(protocol)))
    : Option.none()

/**
 * The command: serves until it is told to stop by SIGINT or SIGTERM. Its first line on stdout says where it listens.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make(
  "emulator",
  {
    port: Options.integer("port").pipe(
      Options.filterMap(
        Option.liftPredicate(Number.between({ minimum: 0, maximum: 65_535 })),
        "--port must be 0 to 65535"
      ),
      Options.withDefault(9012),
      Options.withDescription("The port to listen on; 0 picks a free one")
    ),
    host: Options.text("host").pipe(
      Options.withDefault("127.0.0.1"),
      Options.withDescription("The address to listen on; by default only this machine can connect")
    ),
    data: Options.text("data").pipe(
      Options.optional,
      Options.withDescription("Where to keep vaults and archives; by default in memory")
    ),
    region: Options.text("region").pipe(
      Options.withDefault(NodeEmulator.region),
      Options.withDescription("The region of requests that are signed for none of Glacier's")
    ),
    accessKey: Options.text("access-key").pipe(
      Options.withDefault(Emulator.defaultKey.accessKeyId),
      Options.withDescription("The access key id that requests must be signed with")
    ),
    secretKey: Options.redacted("secret-key").pipe(
      Options.withDefault(Emulator.defaultKey.secretAccessKey),
      Options.withDescription("The secret access key that requests must be signed with")
    ),
    accountId: Options.text("account-id").pipe(
      Options.filterMap(Option.liftPredicate((id) => /^[0-9]{12}$/.test(id)), "--account-id must be 12 digits"),
      Options.withDefault("123456789012"),
      Options.withDescription("The account that all vaults belong to")
    ),
    jobDelay: delay("job-delay", "2 seconds", "How long a retrieval takes, for instance \"4 hours\""),
    inventoryDelay: delay("inventory-delay", 0, "How long after a write the next inventory is taken"),
    snsEndpoint: Options.text("sns-endpoint").pipe(
      Options.filterMap(urlOf, "--sns-endpoint must be an http or https url such as http://127.0.0.1:4566"),
      Options.optional,
      Options.withDescription("The SNS to publish notifications to; by default they go nowhere")
    )
  },
  ({ accessKey, data, region, secretKey, snsEndpoint, ...options }) =>
    Effect.flatMap(NodeEmulator.url, (url) => Console.log(`Glacier emulator listening on ${url}`)).pipe(
      Effect.zipRight(Effect.never),
      Effect.provide(NodeEmulator.layerServer({
        ...options,
        region,
        directory: Option.getOrUndefined(data),
        snsEndpoint: Option.getOrUndefined(snsEndpoint),
        keys: [{ accessKeyId: accessKey, secretAccessKey: secretKey }]
      }))
    )
).pipe(Command.withDescription("Run a Glacier of your own"))
