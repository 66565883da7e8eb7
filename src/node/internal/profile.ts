/**
 * The profile in use in AWS's configuration files, read with AWS's own library.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { show } from "../../protocol/GlacierError.ts"
import type { RegionOf } from "../../transport/Endpoint.ts"

/** Reads the files each time, without a cache. */
const read = Effect.promise(async () => {
  // Imported when it is needed, because it is slow to load.
  const { getProfileName, parseKnownFiles } = await import("@smithy/core/config")
  const profiles = await parseKnownFiles({ ignoreCache: true })
  const name = getProfileName({})
  return { name, settings: profiles[name], names: Object.keys(profiles) }
})

const files = (): string =>
  `${process.env["AWS_CONFIG_FILE"] ?? "~/.aws/config"} or ${
    process.env["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials"
  }`

/** Explains that the profile in AWS_PROFILE does not exist. */
const missing = (name: string, names: ReadonlyArray<string>): string =>
  `there is no profile ${show(name)} (AWS_PROFILE) in ${files()}, which have ` +
  (names.length === 0 ? "no profiles" : `the profiles ${names.join(", ")}`)

/** The explanation, if the profile in AWS_PROFILE does not exist. */
export const problem: Effect.Effect<string | undefined> = Effect.map(
  read,
  ({ name, names, settings }) => settings === undefined && process.env["AWS_PROFILE"] ? missing(name, names) : undefined
)

/** The region of the profile. Fails with an explanation if there is none. */
export const region: Effect.Effect<RegionOf, string> = Effect.flatMap(read, ({ name, names, settings }) => {
  const region = settings?.["region"]
  if (region) return Effect.succeed({ name: region, source: `profile ${show(name)}` })
  return Effect.fail(
    settings === undefined && process.env["AWS_PROFILE"]
      ? `, and ${missing(name, names)}`
      : `, and profile ${show(name)} in ${files()} has no region`
  )
})
