/**
 * The command `effect-glacier emulator`: runs the emulator as a server for clients in any language.
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
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Emulator from "../../emulator/Emulator.ts"
import * as NodeEmulator from "../../node/NodeEmulator.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Shell from "../Shell.ts"
import * as TextOption from "../TextOption.ts"

/** An option with a default, which its help shows. */
const withDefault = <A>(options: Options.Options<A>, description: string, value: A, shown = String(value)) =>
  options.pipe(Options.withDefault(value), Options.withDescription(`${description}. Default: ${shown}`))

/** An option that has no value when it is left out; its help shows what happens then. */
const optional = <A>(options: Options.Options<A>, description: string, otherwise = "none") =>
  options.pipe(Options.optional, Options.withDescription(`${description}. Default: ${otherwise}`))

const named = (name: string, placeholder: string) => Options.text(name).pipe(Options.withPseudoName(placeholder))

const duration = (name: string) =>
  TextOption.make(name, "duration", Duration.decodeUnknown, "a duration: write such as \"2 seconds\"")

const repeated = <A>(
  name: string,
  placeholder: string,
  read: (text: string) => Option.Option<A>,
  rule: string,
  description: string
) =>
  named(name, placeholder).pipe(
    Options.repeated,
    // The message does not show the value, because a key has a secret.
    Options.filterMap((texts) => Option.all(texts.map(read)), `A value of --${name} is not ${rule}`),
    Options.withDescription(`${description}. Can be given several times. Default: none`)
  )

const isAccount = (id: string): boolean => /^[0-9]{12}$/.test(id)

const accountRule = "an account: write 12 digits"

const keyOf = (text: string): Option.Option<Emulator.Key> => {
  const [, accessKeyId, secret, accountId] = /^(\w{1,128}):(.+):([0-9]{12})$/.exec(text) ?? []
  return accessKeyId === undefined || secret === undefined
    ? Option.none()
    : Option.some({ accessKeyId, secretAccessKey: Redacted.make(secret), accountId })
}

const server = {
  port: withDefault(
    TextOption.wholeNumber("port", 0, 65_535),
    "The port to listen on. 0 picks a free one",
    9012
  ),
  host: withDefault(named("host", "address"), "The address to listen on", "127.0.0.1"),
  directory: optional(named("data", "folder"), "The folder that keeps vaults and archives", "in memory"),
  region: withDefault(
    named("region", "name"),
    "The region of requests whose signature names no Glacier region",
    NodeEmulator.region
  )
}

const tls = Options.all({
  isOn: Options.boolean("tls").pipe(
    Options.withDescription("Serve https with a certificate made at start. Default: http")
  ),
  cert: optional(named("tls-cert", "file"), "Serve https with the certificate in this PEM file"),
  key: optional(named("tls-key", "file"), "The PEM file with the private key of that certificate")
}).pipe(Options.filterMap(
  ({ cert, isOn, key }) =>
    Option.isSome(cert) === Option.isSome(key)
      ? Option.some(Option.getOrElse(Option.all({ cert, key }), () => isOn))
      : Option.none(),
  "--tls-cert and --tls-key must be given together"
))

/** The TLS options of the emulator, from the options of the command. */
const certificateOf = (
  tls: boolean | NodeEmulator.Certificate
): Effect.Effect<NodeEmulator.Options["tls"], NodeEmulator.CertificateError> =>
  typeof tls === "object" ? NodeEmulator.readCertificate(tls) : Effect.succeed(tls || undefined)

const accounts = {
  accessKey: withDefault(
    named("access-key", "id"),
    "The access key id that requests must be signed with",
    Emulator.defaultKey.accessKeyId
  ),
  secretKey: withDefault(
    Options.redacted("secret-key").pipe(Options.withPseudoName("secret")),
    "The secret of that key",
    Emulator.defaultKey.secretAccessKey,
    Redacted.value(Emulator.defaultKey.secretAccessKey)
  ),
  accountId: withDefault(
    TextOption.make("account-id", "id", Option.liftPredicate(isAccount), accountRule),
    "The account of that key",
    "123456789012"
  ),
  otherKeys: repeated(
    "key",
    "key",
    keyOf,
    "a key: write its id, its secret and an account of 12 digits, as in ID:SECRET:ACCOUNT",
    "Another key, as ID:SECRET:ACCOUNT"
  ),
  withoutStorage: repeated(
    "without-storage",
    "id",
    Option.liftPredicate(isAccount),
    accountRule,
    "An account without storage, which is rejected"
  )
}

const delays = {
  all: withDefault(duration("job-delay"), "How long a job takes", Duration.seconds(2), "2 seconds"),
  Expedited: optional(duration("expedited-delay"), "How long an Expedited retrieval takes", "--job-delay"),
  Standard: optional(duration("standard-delay"), "How long a Standard retrieval takes", "--job-delay"),
  Bulk: optional(duration("bulk-delay"), "How long a Bulk retrieval takes", "--job-delay"),
  Inventory: optional(duration("inventory-job-delay"), "How long the retrieval of an inventory takes", "--job-delay")
}

const inventoryDelay = withDefault(
  duration("inventory-delay"),
  "How long after a write the next inventory is taken",
  Duration.zero,
  "0 seconds"
)

/** How long things are kept. Without an option, the emulator uses its own default. */
const expiry = {
  Job: optional(duration("job-expiry"), "How long a completed job and its output are kept", "24 hours"),
  Upload: optional(duration("upload-expiry"), "How long an idle multipart upload is kept", "24 hours"),
  Lock: optional(duration("lock-expiry"), "How long a vault lock may be in progress", "24 hours")
}

const limits = {
  maximumVaults: optional(TextOption.wholeNumber("maximum-vaults", 1), "How many vaults a region may have", "1000"),
  expeditedLimit: optional(
    TextOption.wholeNumber("expedited-limit", 1),
    "Bytes above which an Expedited retrieval needs provisioned capacity"
  )
}

const urlOf = (text: string): Option.Option<URL> =>
  URL.canParse(text)
    ? Option.some(new URL(text)).pipe(Option.filter(({ protocol }) => /^https?:$/.test(protocol)))
    : Option.none()

const snsEndpoint = optional(
  TextOption.make("sns-endpoint", "url", urlOf, "a URL: write such as http://127.0.0.1:4566"),
  "The URL of the SNS that receives notifications"
)

/** Writes the authority's certificate to a file, which is removed with the scope. */
const writeAuthority = Effect.fnUntraced(function*(ca: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" }), "ca.pem")
  yield* fs.writeFileString(file, ca)
  // AWS CLI, boto3 and this package read the first, any program on Node.js the second.
  return { AWS_CA_BUNDLE: file, NODE_EXTRA_CA_CERTS: file }
})

/** Prints where the emulator listens, and the variables that a client needs to use it. */
const announce = Effect.fnUntraced(function*(
  { accessKey, isGenerated, region, secretKey }: {
    readonly accessKey: string
    readonly secretKey: Redacted.Redacted
    readonly region: string
    readonly isGenerated: boolean
  }
) {
  const { ca, url } = yield* NodeEmulator.Address
  const trust = yield* Effect.transposeMapOption(Option.filter(ca, () => isGenerated), writeAuthority)
  const variables = {
    AWS_ENDPOINT_URL_GLACIER: url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: Redacted.value(secretKey),
    ...Option.getOrElse(trust, () => ({}))
  }
  yield* Console.log([
    `Glacier emulator listening on ${url}`,
    "To use it, run these lines in the shell of the client:",
    ...Object.entries(variables).map(([name, value]) => `  export ${name}=${Shell.quote(value)}`)
  ].join("\n"))
})

/**
 * The command. It serves until SIGINT or SIGTERM. Its first line on stdout is the URL it listens on. The next lines are the
 * `export` commands that a client needs: endpoint, region, key, and the certificate authority of a generated certificate.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "emulator",
  { ...server, tls, ...accounts, delays, inventoryDelay, expiry, ...limits, snsEndpoint },
  ({ accessKey, delays: { all, ...kinds }, directory, expiry, otherKeys, secretKey, tls, ...options }) =>
    Effect.flatMap(
      certificateOf(tls),
      (certificate) =>
        announce({ accessKey, secretKey, region: options.region, isGenerated: certificate === true }).pipe(
          Effect.zipRight(Effect.never),
          Effect.provide(NodeEmulator.layerServer({
            ...options,
            tls: certificate,
            directory: Option.getOrUndefined(directory),
            maximumVaults: Option.getOrUndefined(options.maximumVaults),
            expeditedLimit: Option.getOrUndefined(options.expeditedLimit),
            snsEndpoint: Option.getOrUndefined(options.snsEndpoint),
            keys: [{ accessKeyId: accessKey, secretAccessKey: secretKey }, ...otherKeys],
            jobDelay: Record.map(kinds, Option.getOrElse(() => all)),
            expiry: Record.map(expiry, Option.getOrUndefined)
          })),
          Effect.scoped
        )
    )
).pipe(CliCommand.toProgram({
  description: "Run an emulator of Amazon Glacier",
  examples: [
    "effect-glacier emulator",
    "effect-glacier emulator --data archives --job-delay \"4 hours\" --tls"
  ]
}))
