/**
 * The proxies and the certificate authorities that the environment names.
 *
 * @internal
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import { EndpointError, show } from "../../protocol/GlacierError.ts"
import type { Options } from "./dispatcher.ts"

/** A variable in lower case, which goes first, or in upper case. Empty is unset. */
const variable = (name: string) =>
  Config.nonEmptyString(name.toLowerCase()).pipe(
    Config.orElse(() => Config.nonEmptyString(name)),
    Config.option,
    Config.map(Option.getOrUndefined)
  )

const environment = Config.all({
  HTTP_PROXY: variable("HTTP_PROXY"),
  HTTPS_PROXY: variable("HTTPS_PROXY"),
  NO_PROXY: variable("NO_PROXY"),
  AWS_CA_BUNDLE: Config.map(Config.option(Config.nonEmptyString("AWS_CA_BUNDLE")), Option.getOrUndefined)
})

/** The URL of a proxy. Errors do not quote the value: it may hold a password. */
const proxyOf = (name: string, value: string | undefined): Effect.Effect<string | undefined, EndpointError> => {
  if (value === undefined) return Effect.succeed(undefined)
  const text = value.includes("://") ? value : `http://${value}`
  return URL.canParse(text) && /^(https?|socks5?):$/.test(new URL(text).protocol)
    ? Effect.succeed(text)
    : new EndpointError({ message: `The proxy in ${name} is not a URL; write http://HOST:PORT` })
}

/** The certificates in a file. */
const bundleOf = (path: string | undefined): Effect.Effect<string | undefined, EndpointError> => {
  const refuse = (problem: string) =>
    new EndpointError({
      message: `The file ${show(path)} in AWS_CA_BUNDLE ${problem}; give a file of PEM certificates`
    })
  return path === undefined ? Effect.succeed(undefined) : Effect.try({
    try: () => readFileSync(path, "utf8"),
    catch: (error) => refuse(`cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }).pipe(Effect.filterOrFail((text) => text.includes("-----BEGIN "), () => refuse("has no certificate")))
}

/** The options that the `ConfigProvider` gives. */
export const options: Effect.Effect<Options, EndpointError> = Effect.gen(function*() {
  const { AWS_CA_BUNDLE, HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = yield* Effect.mapError(
    environment,
    (error) => new EndpointError({ message: `The proxies cannot be read: ${String(error)}` })
  )
  return {
    ca: yield* bundleOf(AWS_CA_BUNDLE),
    proxies: {
      http: yield* proxyOf("HTTP_PROXY", HTTP_PROXY),
      https: yield* proxyOf("HTTPS_PROXY", HTTPS_PROXY),
      except: NO_PROXY
    }
  }
})
