/**
 * The profile of AWS's configuration files that is in use, as AWS's own library reads them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { show } from "../../protocol/GlacierError.ts"
import type { RegionOf } from "../../transport/Endpoint.ts"

/** Reads the files anew each time. */
const read = Effect.promise(async () => {
  // Not before it is needed: it takes its time to load.
  const { getProfileName, parseKnownFiles } = await import("@smithy/core/config")
  const profiles = await parseKnownFiles({ ignoreCache: true })
  const name = getProfileName({})
  return { name, settings: profiles[name], names: Object.keys(profiles) }
})

const files = (): string =>
  `${process.env["AWS_CONFIG_FILE"] ?? "~/.aws/config"} or ${
    process.env["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials"
  }`

/** Why there is no such profile, if it is the one that AWS_PROFILE names. */
const missing = (name: string, names: ReadonlyArray<string>): string =>
  `there is no profile ${show(name)} (AWS_PROFILE) in ${files()}, which have ` +
  (names.length === 0 ? "no profiles" : `the profiles ${names.join(", ")}`)

/** Says that the profile which AWS_PROFILE names does not exist, if it does not. */
export const problem: Effect.Effect<string | undefined> = Effect.map(
  read,
  ({ name, names, settings }) => settings === undefined && process.env["AWS_PROFILE"] ? missing(name, names) : undefined
)

/** The region of the profile, or why there is none. */
export const region: Effect.Effect<RegionOf, string> = Effect.flatMap(read, ({ name, names, settings }) => {
  const region = settings?.["region"]
  if (region) return Effect.succeed({ name: region, source: `profile ${show(name)}` })
  return Effect.fail(
    settings === undefined && process.env["AWS_PROFILE"]
      ? `, and ${missing(name, names)}`
      : `, and profile ${show(name)} in ${files()} has no region`
  )
})
