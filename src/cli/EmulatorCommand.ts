/**
 * `effect-glacier emulator`: a Glacier of one's own, for any client in any language.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Number from "effect/Number"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Emulator from "../emulator/Emulator.ts"
import * as NodeEmulator from "../node/NodeEmulator.ts"

const duration = (name: string, description: string) =>
  Options.text(name).pipe(
    Options.filterMap(Duration.decodeUnknown, `--${name} must be a duration such as "2 seconds"`),
    Options.withDescription(description)
  )

const positive = (name: string, description: string) =>
  Options.integer(name).pipe(
    Options.filterMap(Option.liftPredicate(Number.greaterThan(0)), `--${name} must be more than 0`),
    Options.withDescription(description)
  )

const repeated = <A>(name: string, read: (text: string) => Option.Option<A>, rule: string, description: string) =>
  Options.text(name).pipe(
    Options.repeated,
    Options.filterMap((texts) => Option.all(texts.map(read)), `--${name} must be ${rule}`),
    Options.withDescription(`${description}; may be repeated`)
  )

const isAccount = (id: string): boolean => /^[0-9]{12}$/.test(id)

const keyOf = (text: string): Option.Option<Emulator.Key> => {
  const [, accessKeyId, secret, accountId] = /^(\w{1,128}):(.+):([0-9]{12})$/.exec(text) ?? []
  return accessKeyId === undefined || secret === undefined
    ? Option.none()
    : Option.some({ accessKeyId, secretAccessKey: Redacted.make(secret), accountId })
}

const server = {
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
  directory: Options.text("data").pipe(
    Options.optional,
    Options.withDescription("Where to keep vaults and archives; by default in memory")
  ),
  region: Options.text("region").pipe(
    Options.withDefault(NodeEmulator.region),
    Options.withDescription("The region of requests that are signed for none of Glacier's")
  )
}

const pem = (name: string, description: string) =>
  Options.optional(Options.text(name).pipe(Options.withDescription(description)))

const tls = Options.all({
  isOn: Options.boolean("tls").pipe(
    Options.withDescription("Serve https, with a certificate made at start unless one is given")
  ),
  cert: pem("tls-cert", "Serve https with the certificate in this PEM file"),
  key: pem("tls-key", "The PEM file with the private key of that certificate")
}).pipe(Options.filterMap(
  ({ cert, isOn, key }) =>
    Option.isSome(cert) === Option.isSome(key)
      ? Option.some(Option.getOrElse(Option.all({ cert, key }), () => isOn))
      : Option.none(),
  "--tls-cert and --tls-key must be given together"
))

/** The certificate that the options ask for. */
const certificateOf = (
  tls: boolean | NodeEmulator.Certificate
): Effect.Effect<NodeEmulator.Options["tls"], NodeEmulator.CertificateError> =>
  typeof tls === "object" ? NodeEmulator.readCertificate(tls) : Effect.succeed(tls || undefined)

const accounts = {
  accessKey: Options.text("access-key").pipe(
    Options.withDefault(Emulator.defaultKey.accessKeyId),
    Options.withDescription("The access key id that requests must be signed with")
  ),
  secretKey: Options.redacted("secret-key").pipe(
    Options.withDefault(Emulator.defaultKey.secretAccessKey),
    Options.withDescription("The secret access key that requests must be signed with")
  ),
  accountId: Options.text("account-id").pipe(
    Options.filterMap(Option.liftPredicate(isAccount), "--account-id must be 12 digits"),
    Options.withDefault("123456789012"),
    Options.withDescription("The account of that key")
  ),
  otherKeys: repeated(
    "key",
    keyOf,
    "an access key id, a secret and an account of 12 digits, as in ID:SECRET:ACCOUNT",
    "Another key, as ID:SECRET:ACCOUNT"
  ),
  withoutStorage: repeated(
    "without-storage",
    Option.liftPredicate(isAccount),
    "12 digits",
    "An account that is refused as one that never stored anything"
  )
}

const hour = Duration.hours(1)

const delays = {
  all: duration("job-delay", "How long a job takes, for instance \"4 hours\"").pipe(
    Options.withDefault(Duration.seconds(2))
  ),
  Expedited: Options.optional(duration("expedited-delay", "How long an Expedited retrieval takes instead")),
  Standard: Options.optional(duration("standard-delay", "How long a Standard retrieval takes instead")),
  Bulk: Options.optional(duration("bulk-delay", "How long a Bulk retrieval takes instead")),
  Inventory: Options.optional(duration("inventory-job-delay", "How long the retrieval of an inventory takes instead"))
}

const times = {
  inventoryDelay: duration("inventory-delay", "How long after a write the next inventory is taken").pipe(
    Options.withDefault(Duration.zero)
  ),
  expiry: Options.all({
    Job: duration("job-expiry", "How long a completed job and its output are kept").pipe(Options.withDefault(hour)),
    Upload: duration("upload-expiry", "How long an idle multipart upload is kept").pipe(Options.withDefault(hour)),
    Lock: duration("lock-expiry", "How long a vault lock may be in progress").pipe(Options.withDefault(hour))
  })
}

const limits = {
  maximumVaults: Options.optional(
    positive("maximum-vaults", "How many vaults there may be in a region; by default 1000")
  ),
  expeditedLimit: Options.optional(
    positive("expedited-limit", "Bytes above which Expedited retrievals need provisioned capacity; by default none do")
  )
}

const urlOf = (text: string): Option.Option<URL> =>
  URL.canParse(text)
    ? Option.some(new URL(text)).pipe(Option.filter(({ protocol }) => /^https?:$/.test(protocol)))
    : Option.none()

const snsEndpoint = Options.text("sns-endpoint").pipe(
  Options.filterMap(urlOf, "--sns-endpoint must be an http or https url such as http://127.0.0.1:4566"),
  Options.optional,
  Options.withDescription("The SNS to publish notifications to; by default they go nowhere")
)

/** Writes the authority's certificate to a file, which is removed with the scope, and says how clients come to trust it. */
const writeAuthority = Effect.fnUntraced(function*(ca: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" }), "ca.pem")
  yield* fs.writeFileString(file, ca)
  return `Clients must trust the authority that signed its certificate for this run:
  export AWS_CA_BUNDLE=${file}  # AWS CLI, boto3, effect-glacier
  export NODE_EXTRA_CA_CERTS=${file}  # any program on Node.js`
})

/** Prints where the emulator listens and, for a generated certificate, how to trust it. */
const announce = Effect.fnUntraced(function*(isGenerated: boolean) {
  const { ca, url } = yield* NodeEmulator.Address
  const trust = yield* Effect.transposeMapOption(Option.filter(ca, () => isGenerated), writeAuthority)
  yield* Console.log([`Glacier emulator listening on ${url}`, ...Option.toArray(trust)].join("\n"))
})

/**
 * The command: serves until SIGINT or SIGTERM ends it. Its first line on stdout says where it listens. With
 * a generated certificate the next lines name the file with the authority that clients must trust.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = Command.make(
  "emulator",
  { ...server, tls, ...accounts, delays, ...times, ...limits, snsEndpoint },
  ({ accessKey, delays: { all, ...kinds }, directory, otherKeys, secretKey, tls, ...options }) =>
    Effect.flatMap(certificateOf(tls), (certificate) =>
      announce(certificate === true).pipe(
        Effect.zipRight(Effect.never),
        Effect.provide(NodeEmulator.layerServer({
          ...options,
          tls: certificate,
          directory: Option.getOrUndefined(directory),
          maximumVaults: Option.getOrUndefined(options.maximumVaults),
          expeditedLimit: Option.getOrUndefined(options.expeditedLimit),
          snsEndpoint: Option.getOrUndefined(options.snsEndpoint),
          keys: [{ accessKeyId: accessKey, secretAccessKey: secretKey }, ...otherKeys],
          jobDelay: Record.map(kinds, Option.getOrElse(() => all))
        })),
        Effect.scoped
      ))
).pipe(Command.withDescription("Run a Glacier of your own"))
