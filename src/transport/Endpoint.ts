/**
 * Where requests go and for which region they are signed (spec section 2).
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

/**
 * Where requests go.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string
  /** As the `Host` header carries it. */
  readonly host: string
  /** The region requests are signed for. */
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
 * A region, and when it is not AWS that serves it, a url. `allowHttp` lets a url be plain HTTP on another machine.
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
// Where clouds hand credentials to whoever asks: never a place to send a request of ours.
const metadata = [
  /^169\.254(\.\d{1,3}){2}$/,
  /^\[(::(ffff:(0:)?)?|64:ff9b::)a9fe:[0-9a-f]{1,4}\]$/,
  /^\[(fd00:ec2|fe[89ab][0-9a-f]):.*\]$/,
  /^100\.100\.100\.200$/,
  /^metadata\.google\.internal\.?$/
]

const problemOf = (text: string, url: URL, allowHttp: boolean): string | undefined => {
  if (url.username !== "" || url.password !== "") return "must not carry a user name or password"
  // By the text and not its parts: the URL parser mends `https:host`, `https://@host` and `%6c` for `l`.
  if (!/^[a-z]+:\/\/[\w.:[\]-]+\/?$/i.test(text)) return "must be a scheme, a host and a port only"
  if (metadata.some((address) => address.test(url.hostname))) return "must not be a metadata address"
  if (url.protocol === "https:") return undefined
  if (url.protocol !== "http:") return "must be https"
  return allowHttp || loopback.test(url.hostname) ? undefined : "must be https (or http on this machine)"
}

/**
 * The endpoint of a region, or of a url that may be trusted with signed requests: https, or http on this machine.
 * Fails when the region is not one of Glacier's (with a url any region name will do) or the url is not safe.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Either.Either<Service, EndpointError> => {
  const fail = (message: string) => Either.left(new EndpointError({ message }))
  const region = Regions.signingRegion(options.region)
  if (!Schema.is(Regions.RegionName)(region)) return fail(`${show(options.region)} is not the name of a region`)
  if (options.endpoint === undefined && Option.isNone(Regions.get(region))) {
    return fail(`Glacier is not known to be in region ${show(options.region)}: give the endpoint's url as well`)
  }
  return Either.flatMap(
    Either.mapLeft(Regions.resolve(options), (message) => new EndpointError({ message })),
    (text) => {
      // The URL parser drops control characters silently: what is sent would not be what was checked.
      if (/[^\x21-\x7e]/.test(text) || !URL.canParse(text)) return fail("The endpoint is not a url")
      const url = new URL(text)
      const problem = problemOf(text, url, options.allowHttp ?? false)
      return problem === undefined
        ? Either.right({ url: url.origin, host: url.host, region })
        : fail(`The endpoint ${problem}`)
    }
  )
}

/**
 * The endpoint of a region or url: see `make`.
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

const environment = Config.all({
  region: Config.nonEmptyString("AWS_REGION").pipe(Config.orElse(() => Config.nonEmptyString("AWS_DEFAULT_REGION"))),
  endpoint: Config.nonEmptyString("AWS_ENDPOINT_URL_GLACIER").pipe(
    Config.orElse(() => Config.nonEmptyString("AWS_ENDPOINT_URL")),
    Config.option
  ),
  useFips: Config.withDefault(Config.boolean("AWS_USE_FIPS_ENDPOINT"), false),
  useDualStack: Config.withDefault(Config.boolean("AWS_USE_DUALSTACK_ENDPOINT"), false)
})

/**
 * The endpoint from `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ENDPOINT_URL_GLACIER` or `AWS_ENDPOINT_URL`,
 * `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` of the `ConfigProvider`, by default the environment.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<Endpoint, EndpointError> = Layer.effect(
  Endpoint,
  environment.pipe(
    Effect.mapError((error) => new EndpointError({ message: `No endpoint: ${String(error)}` })),
    Effect.flatMap((options) => make({ ...options, endpoint: Option.getOrUndefined(options.endpoint) }))
  )
)
