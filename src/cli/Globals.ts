/**
 * The options that all commands have, and the values that the user has given. Each has an environment variable, which counts
 * when the option is left out.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as Context from "effect/Context"
import * as Option from "effect/Option"

/**
 * Returns the variable that counts when an option of all commands is left out: `EFFECT_GLACIER_DRY_RUN` for `dry-run`.
 *
 * @since 0.1.0
 * @category getters
 */
export const variableOf = (name: string): string => `EFFECT_GLACIER_${name.toUpperCase().replaceAll("-", "_")}`

const text = (name: string, placeholder: string, description: string) =>
  Options.text(name).pipe(
    Options.withPseudoName(placeholder),
    Options.optional,
    Options.withDescription(description)
  )

const flag = (name: string, description: string) => Options.boolean(name).pipe(Options.withDescription(description))

/**
 * The text about the environment variables in the help of commands.
 *
 * @since 0.1.0
 * @category options
 */
export const environment = "Each option of all commands has a variable, which counts when the option is left out: " +
  `${variableOf("vault")}=photos is --vault photos, ${variableOf("dry-run")}=true is --dry-run.`

/**
 * The options.
 *
 * @since 0.1.0
 * @category options
 */
export const options = {
  vault: text("vault", "name", "The vault"),
  region: text("region", "name", "The region. Default: that of AWS's configuration"),
  profile: text("profile", "name", "The profile in AWS's configuration files, whose keys are used"),
  account: text("account", "id", "The account that owns the vault. Default: that of the keys"),
  endpoint: text("endpoint", "url", "The URL of the service, such as that of an emulator. Default: that of AWS"),
  state: text("state", "folder", "The folder with inventories, plans and records"),
  synologyNames: text("synology-names", "file", "The database of a Synology mapping vault, which has the names"),
  botoNames: flag("boto-names", "Decode the names that boto has encoded, such as %20"),
  json: flag("json", "Print JSON, one object in each line"),
  quiet: flag("quiet", "Print only results and errors"),
  verbose: flag("verbose", "Print debug messages and the trace of an error"),
  dryRun: flag("dry-run", "Print what would happen, and change nothing"),
  yes: flag("yes", "Do not ask for a confirmation")
}

/**
 * The values of the options.
 *
 * @since 0.1.0
 * @category models
 */
export interface Values {
  readonly vault: Option.Option<string>
  readonly region: Option.Option<string>
  readonly profile: Option.Option<string>
  readonly account: Option.Option<string>
  readonly endpoint: Option.Option<string>
  readonly state: Option.Option<string>
  readonly synologyNames: Option.Option<string>
  readonly botoNames: boolean
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly dryRun: boolean
  readonly yes: boolean
}

/**
 * The values in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Globals extends Context.Tag("effect-glacier/cli/Globals")<Globals, Values>() {}

/**
 * Writes the values that AWS's libraries read from the environment into it: they have no other common place. A profile takes
 * precedence over keys in the environment, as in the AWS CLI. Also turns off the libraries' warning about the version of
 * Node.js, which is about their next versions, not about the ones in this program.
 *
 * @since 0.1.0
 * @category options
 */
export const toEnvironment = (
  { endpoint, profile, region }: Values,
  environment: Record<string, string | undefined>
): void => {
  environment["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true"
  if (Option.isSome(profile)) {
    environment["AWS_PROFILE"] = profile.value
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) delete environment[name]
  }
  if (Option.isSome(region)) environment["AWS_REGION"] = region.value
  if (Option.isSome(endpoint)) environment["AWS_ENDPOINT_URL_GLACIER"] = endpoint.value
}
