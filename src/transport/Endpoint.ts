/**
 * The endpoint that requests are sent to, and the region that they are signed for.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { EndpointError, show } from "../protocol/GlacierError.ts"
import * as Regions from "../protocol/Regions.ts"
import { problemOf as configProblem } from "./internal/configProblem.ts"

/**
 * An endpoint of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The scheme, host and port, without a trailing slash. */
  readonly url: string
  /** The value of the `Host` header. */
  readonly host: string
  /** The region that requests are signed for. */
  readonly region: string
}

/**
 * The endpoint in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Endpoint extends Context.Tag("effect-glacier/Endpoint")<Endpoint, Service>() {}

/**
 * A region, and a url unless AWS serves the region. With `allowHttp` the url may use plain HTTP to another machine.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly useFips?: boolean | undefined
  readonly useDualStack?: boolean | undefined
  readonly allowHttp?: boolean | undefined
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
// Clouds hand out credentials at these addresses without authentication: a signed request must never go there.
const metadata = [
  /^169\.254(\.\d{1,3}){2}$/,
  /^\[(::(ffff:(0:)?)?|64:ff9b::)a9fe:[0-9a-f]{1,4}\]$/,
  /^\[(fd00:ec2|fe[89ab][0-9a-f]):.*\]$/,
  /^100\.100\.100\.200$/,
  /^metadata\.google\.internal\.?$/
]

const problemOf = (text: string, url: URL, allowHttp: boolean): string | undefined => {
  if (url.username !== "" || url.password !== "") return "must not carry a user name or password"
  // Checks the text and not its parts: the URL parser repairs `https:host`, `https://@host` and `%6c` for `l`.
  if (!/^[a-z]+:\/\/[\w.:[\]-]+\/?$/i.test(text)) return "must be a scheme, a host and a port only"
  if (metadata.some((address) => address.test(url.hostname))) return "must not be a metadata address"
  if (url.protocol === "https:") return undefined
  if (url.protocol !== "http:") return "must be https"
  return allowHttp || loopback.test(url.hostname) ? undefined : "must be https (or http on this machine)"
}

/** The sources of settings, as errors name them after the value. Empty for an option. */
interface Sources {
  readonly region: string
  readonly endpoint: string
  /** What to do about FIPS or dual stack together with a url. */
  readonly conflict: string
}

const isHost = /^(\/\/)?([\w.-]+|\[[\da-f:]+\])(:\d+)?(\/.*)?$/i

/** A url without a user, a password and a query, so that an error can show it. */
const shown = (text: string): string => show(text.replace(/[?#].*$/s, "?...").replace(/^([^@]*?:\/\/)?.*@/s, "$1...@"))

const hintFor = (text: string): string => {
  const [, , host = ""] = isHost.exec(text) ?? []
  if (host === "") return "is not a url; write one such as https://glacier.example.com"
  return `is not a url: it has no scheme; write ${loopback.test(host) ? "http" : "https"}://${
    text.replace(/^\/\//, "")
  }`
}

const resolve = (options: Options, sources: Sources): Either.Either<Service, EndpointError> => {
  const fail = (message: string) => Either.left(new EndpointError({ message }))
  const region = Regions.signingRegion(options.region)
  const ofRegion = `${show(options.region)}${sources.region}`
  if (!Schema.is(Regions.RegionName)(region)) {
    return fail(`${ofRegion} is not the name of a region; write one such as eu-west-1`)
  }
  if (options.endpoint === undefined && Option.isNone(Regions.get(region))) {
    return fail(`Glacier is not known to be in region ${ofRegion}: give the endpoint's url as well`)
  }
  return Either.flatMap(
    Either.mapLeft(Regions.resolve(options), (problem) => new EndpointError({ message: problem + sources.conflict })),
    (text) => {
      const endpoint = `The endpoint ${shown(text)}${sources.endpoint}`
      // The URL parser drops control characters silently: the url that is used would not be the one that was checked.
      if (/[^\x21-\x7e]/.test(text)) return fail(`${endpoint} is not a url: it has a character that no url has`)
      if (!URL.canParse(text) || isHost.test(text)) return fail(`${endpoint} ${hintFor(text)}`)
      const url = new URL(text)
      const problem = problemOf(text, url, options.allowHttp ?? false)
      if (problem !== undefined) return fail(`${endpoint} ${problem}`)
      const named = Option.getOrElse(Regions.ofHost("glacier", url.hostname), () => region)
      return named === region
        ? Either.right({ url: url.origin, host: url.host, region })
        : fail(`${endpoint} is in region ${named}, but requests would be signed for ${ofRegion}; write ${named} there`)
    }
  )
}

/**
 * Makes the endpoint of a region, or of a url that is safe for signed requests: https, or http on this machine. Fails
 * when the region is not one of Glacier's (with a url any region name is valid), when the url is not safe, or when it is
 * AWS's url of another region.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Either.Either<Service, EndpointError> =>
  resolve(options, { region: "", endpoint: "", conflict: "" })

/**
 * Provides the endpoint of a region or url: see `make`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Endpoint } from "effect-glacier"
 *
 * const ireland = Endpoint.layer({ region: "eu-west-1" })
 * const emulator = Endpoint.layer({ region: "eu-west-1", endpoint: "http://127.0.0.1:9012" })
 */
export const layer = (options: Options): Layer.Layer<Endpoint, EndpointError> => Layer.effect(Endpoint, make(options))

/** Reads the first of two variables that is set, with its name. */
const firstOf = (name: string, other: string) => {
  const variable = (name: string) => Config.map(Config.nonEmptyString(name), (value) => ({ name, value }))
  return Config.option(Config.orElse(variable(name), () => variable(other)))
}

const environment = Config.all({
  region: firstOf("AWS_REGION", "AWS_DEFAULT_REGION"),
  endpoint: firstOf("AWS_ENDPOINT_URL_GLACIER", "AWS_ENDPOINT_URL"),
  useFips: Config.withDefault(Config.boolean("AWS_USE_FIPS_ENDPOINT"), false),
  useDualStack: Config.withDefault(Config.boolean("AWS_USE_DUALSTACK_ENDPOINT"), false)
})

/**
 * A region and its source, as errors name it: `profile "work"`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegionOf {
  readonly name: string
  readonly source: string
}

/** The region that a url of AWS names. */
const inUrl = (endpoint: string | undefined) =>
  endpoint !== undefined && URL.canParse(endpoint)
    ? Regions.ofHost("glacier", new URL(endpoint).hostname)
    : Option.none()

/**
 * Provides the endpoint like `layerConfig`. When neither a variable nor the url names a region, `otherwise` provides it. Its
 * failure is appended to the error "No region".
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Endpoint } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const endpoint = Endpoint.layerConfigOr(Effect.succeed({ name: "eu-west-1", source: "the settings of this program" }))
 */
export const layerConfigOr = (otherwise: Effect.Effect<RegionOf, string>): Layer.Layer<Endpoint, EndpointError> =>
  Layer.effect(
    Endpoint,
    Effect.gen(function*() {
      const fail = (message: string) => new EndpointError({ message })
      const set = yield* Effect.mapError(environment, (error) => fail(`No endpoint: ${configProblem(error)}`))
      const endpoint = Option.getOrUndefined(set.endpoint)
      const region = yield* Option.match(
        Option.orElse(
          Option.map(set.region, ({ name, value }): RegionOf => ({ name: value, source: name })),
          () => Option.map(inUrl(endpoint?.value), (name): RegionOf => ({ name, source: "the url" }))
        ),
        {
          onNone: () =>
            Effect.mapError(otherwise, (problem) =>
              fail(
                `No region: AWS_REGION and AWS_DEFAULT_REGION are not set${problem}. ` +
                  "Set AWS_REGION, for instance to eu-west-1"
              )),
          onSome: Effect.succeed
        }
      )
      return yield* resolve({ ...set, region: region.name, endpoint: endpoint?.value }, {
        region: ` in ${region.source}`,
        endpoint: endpoint === undefined ? "" : ` in ${endpoint.name}`,
        conflict: endpoint === undefined
          ? ""
          : `; unset ${endpoint.name}, or else AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT`
      })
    })
  )

/**
 * Provides the endpoint from `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ENDPOINT_URL_GLACIER` or `AWS_ENDPOINT_URL`,
 * `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` of the `ConfigProvider`, by default the environment. When no
 * region is set, a url of AWS names the region.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<Endpoint, EndpointError> = layerConfigOr(Effect.fail(""))
