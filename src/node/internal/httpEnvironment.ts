/**
 * Reads and checks proxies and certificate authorities, from options or from the environment.
 *
 * @internal
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { EndpointError } from "../../protocol/GlacierError.ts"
import type { Options } from "./dispatcher.ts"

/** Reads a variable by its name in lower case, else in upper case. Treats an empty value as unset. */
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

/** The sources of the options, for errors. */
interface Sources {
  readonly ca: string
  readonly http: string
  readonly https: string
}

const invalid = (message: string) => new EndpointError({ message })

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** Whether a text is the URL of a proxy. */
const isProxy = (text: string): boolean => {
  try {
    const { hash, password, pathname, protocol, search, username } = new URL(text)
    decodeURIComponent(`${username}:${password}`)
    // Text after the host may be the rest of a password that is not percent-encoded.
    return /^https?:$/.test(protocol) && `${pathname}${search}${hash}` === "/"
  } catch {
    return false
  }
}

/** Returns the URL of a proxy, with a scheme. Errors do not quote the value, because it may contain a password. */
const proxyOf = (source: string, value: string | undefined): Effect.Effect<string | undefined, EndpointError> => {
  if (value === undefined) return Effect.succeed(undefined)
  const text = value.includes("://") ? value : `http://${value}`
  return isProxy(text) ? Effect.succeed(text) : invalid(
    `The proxy in ${source} is not a URL of an HTTP proxy; write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, ` +
      "with special characters of the password percent-encoded"
  )
}

const certificate = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^]*?-----END \1-----/g

/** Returns the certificates in a PEM text. Fails if there are none, or if one is invalid. */
const authoritiesOf = (source: string, text: string | undefined): Effect.Effect<string | undefined, EndpointError> => {
  if (text === undefined) return Effect.succeed(undefined)
  const certificates = Array.from(text.matchAll(certificate), ([pem]) => pem)
  const advice = "give certificates of authorities as PEM text"
  if (certificates.length === 0) return invalid(`${source} has no certificate; ${advice}`)
  return Effect.try({
    try: () => {
      for (const pem of certificates) new X509Certificate(pem)
      return certificates.join("\n")
    },
    catch: (error) => invalid(`${source} has a certificate that cannot be read (${messageOf(error)}); ${advice}`)
  })
}

/** Checks options. Fails with `EndpointError` if a proxy or the authorities are invalid. */
export const checked = (
  { ca, proxies = {} }: Options,
  sources: Sources
): Effect.Effect<Options, EndpointError> =>
  Effect.gen(function*() {
    return {
      ca: yield* authoritiesOf(sources.ca, ca),
      proxies: {
        http: yield* proxyOf(sources.http, proxies.http),
        https: yield* proxyOf(sources.https, proxies.https),
        except: proxies.except
      }
    }
  })

/** Reads options from the `ConfigProvider`. */
export const options: Effect.Effect<Options, EndpointError> = Effect.gen(function*() {
  const { AWS_CA_BUNDLE: path, HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = yield* Effect.mapError(
    environment,
    (error) => invalid(`The proxies cannot be read: ${String(error)}`)
  )
  const file = `The file "${path}" in AWS_CA_BUNDLE`
  const ca = yield* Effect.try({
    try: () => path === undefined ? undefined : readFileSync(path, "utf8"),
    catch: (error) => invalid(`${file} cannot be read (${messageOf(error)}); give a file of PEM certificates`)
  })
  return yield* checked(
    { ca, proxies: { http: HTTP_PROXY, https: HTTPS_PROXY, except: NO_PROXY } },
    { ca: file, http: "http_proxy or HTTP_PROXY", https: "https_proxy or HTTPS_PROXY" }
  )
})
