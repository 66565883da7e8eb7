/**
 * The regions in which Glacier is registered, their partitions, and AWS's published rules for the endpoint of a region.
 *
 * A host name that follows the rules need not exist: AWS documents only some FIPS hosts and no dual-stack host of Glacier.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"

/**
 * A syntactically valid region name such as `eu-west-1`: lower case, at least two words joined by `-`, at most 63
 * characters. As it enters a host name, it can be one DNS label and nothing else.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RegionName = Schema.String.pipe(
  Schema.maxLength(63),
  Schema.pattern(/^[a-z]{2,}(-[a-z0-9]+)+$/),
  Schema.brand("effect-glacier/RegionName"),
  Schema.annotations({ identifier: "RegionName" })
)

/**
 * A syntactically valid region name.
 *
 * @since 0.1.0
 * @category schemas
 */
export type RegionName = typeof RegionName.Type

/**
 * A region in which Glacier is registered: its name, the name of its partition, a description for people, and the host
 * name of its endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface Region {
  readonly name: RegionName
  readonly partition: string
  readonly description: string
  readonly endpoint: string
}

/**
 * A group of regions under one DNS suffix. Its regions are those that match `pattern` and those in `listed`; Glacier is
 * registered in the keys of `glacier`, whose values are descriptions.
 *
 * @since 0.1.0
 * @category models
 */
export interface Partition {
  readonly name: string
  readonly dnsSuffix: string
  readonly dualStackDnsSuffix: string
  readonly pattern: RegExp
  readonly listed: ReadonlyArray<string>
  readonly glacier: Readonly<Record<string, string>>
}

const aws: Partition = {
  name: "aws",
  dnsSuffix: "amazonaws.com",
  dualStackDnsSuffix: "api.aws",
  pattern: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/,
  listed: ["aws-global"],
  glacier: {
    "af-south-1": "Africa (Cape Town)",
    "ap-east-1": "Asia Pacific (Hong Kong)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-southeast-3": "Asia Pacific (Jakarta)",
    "ca-central-1": "Canada (Central)",
    "eu-central-1": "Europe (Frankfurt)",
    "eu-north-1": "Europe (Stockholm)",
    "eu-south-1": "Europe (Milan)",
    "eu-west-1": "Europe (Ireland)",
    "eu-west-2": "Europe (London)",
    "eu-west-3": "Europe (Paris)",
    "me-south-1": "Middle East (Bahrain)",
    "sa-east-1": "South America (Sao Paulo)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)"
  }
}

/**
 * The partitions, in the order in which they claim a region. All of them support FIPS and dual stack.
 *
 * @since 0.1.0
 * @category regions
 */
export const partitions: ReadonlyArray<Partition> = [
  aws,
  {
    name: "aws-cn",
    dnsSuffix: "amazonaws.com.cn",
    dualStackDnsSuffix: "api.amazonwebservices.com.cn",
    pattern: /^cn-\w+-\d+$/,
    listed: ["aws-cn-global"],
    glacier: { "cn-north-1": "China (Beijing)", "cn-northwest-1": "China (Ningxia)" }
  },
  {
    name: "aws-us-gov",
    dnsSuffix: "amazonaws.com",
    dualStackDnsSuffix: "api.aws",
    pattern: /^us-gov-\w+-\d+$/,
    listed: ["aws-us-gov-global"],
    glacier: { "us-gov-east-1": "AWS GovCloud (US-East)", "us-gov-west-1": "AWS GovCloud (US-West)" }
  },
  {
    name: "aws-iso",
    dnsSuffix: "c2s.ic.gov",
    dualStackDnsSuffix: "api.aws.ic.gov",
    pattern: /^us-iso-\w+-\d+$/,
    listed: ["aws-iso-global"],
    glacier: { "us-iso-east-1": "US ISO East", "us-iso-west-1": "US ISO WEST" }
  },
  {
    name: "aws-iso-b",
    dnsSuffix: "sc2s.sgov.gov",
    dualStackDnsSuffix: "api.aws.scloud",
    pattern: /^us-isob-\w+-\d+$/,
    listed: ["aws-iso-b-global"],
    glacier: { "us-isob-east-1": "US ISOB East (Ohio)" }
  },
  {
    name: "aws-iso-e",
    dnsSuffix: "cloud.adc-e.uk",
    dualStackDnsSuffix: "api.cloud-aws.adc-e.uk",
    pattern: /^eu-isoe-\w+-\d+$/,
    listed: ["aws-iso-e-global"],
    glacier: {}
  },
  {
    name: "aws-iso-f",
    dnsSuffix: "csp.hci.ic.gov",
    dualStackDnsSuffix: "api.aws.hci.ic.gov",
    pattern: /^us-isof-\w+-\d+$/,
    listed: ["aws-iso-f-global"],
    glacier: {}
  },
  {
    name: "aws-eusc",
    dnsSuffix: "amazonaws.eu",
    dualStackDnsSuffix: "api.amazonwebservices.eu",
    pattern: /^eusc-(de)-\w+-\d+$/,
    listed: [],
    glacier: {}
  }
]

const all: ReadonlyArray<Region> = Arr.sortWith(
  partitions.flatMap((partition) =>
    Object.entries(partition.glacier).map(([name, description]) => ({
      name: RegionName.make(name),
      partition: partition.name,
      description,
      endpoint: `glacier.${name}.${partition.dnsSuffix}`
    }))
  ),
  (region) => region.name,
  Order.string
)

/**
 * Every region in which Glacier is registered, of all partitions, sorted by name.
 *
 * @since 0.1.0
 * @category regions
 */
export const regions = (): ReadonlyArray<Region> => all

/**
 * Finds the registered region with this name. None if Glacier is not registered there, or the region is newer than this list *.
 *
 * @since 0.1.0
 * @category regions
 */
export const get = (name: string): Option.Option<Region> =>
  Option.fromNullable(all.find((region) => region.name === name))

/**
 * The partition of a plain region name, registered or not: the first that lists it or whose pattern it matches, else
 * `aws`.
 *
 * @since 0.1.0
 * @category regions
 */
export const partitionOf = (region: string): Partition =>
  partitions.find(({ listed, pattern }) => listed.includes(region) || pattern.test(region)) ?? aws

/**
 * Returns the plain region, to which signatures are scoped: `us-east-1` both for itself and for the old pseudo-region
 * `fips-us-east-1`.
 *
 * @since 0.1.0
 * @category endpoints
 */
export const signingRegion = (region: string): string => region.replace(/^fips-/, "")

/**
 * Finds the region in the host name of an AWS endpoint, as endpoints of a service have it (`SERVICE.REGION.amazonaws.com`, also FIPS, dual stack
 * and other partitions) and those inside a VPC (`NAME.SERVICE.REGION.vpce.amazonaws.com`). None for any other host.
 *
 * @example
 * import { Regions } from "effect-glacier/protocol"
 *
 * Regions.ofHost("glacier", "glacier.eu-west-1.amazonaws.com") // Option.some("eu-west-1")
 *
 * @since 0.1.0
 * @category endpoints
 */
export const ofHost = (service: string, host: string): Option.Option<RegionName> => {
  const [name, region] = [`${service}(?:-fips)?`, "([a-z0-9-]+)"]
  const forms = new RegExp(`^(?:${name}\\.${region}|[\\w-]+\\.${name}\\.${region}\\.vpce)\\.([a-z0-9.-]+)$`)
  const [, regional, inVpc, suffix] = forms.exec(host) ?? []
  return Option.filter(Schema.decodeUnknownOption(RegionName)(regional ?? inVpc), (region) => {
    const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region)
    return suffix === dnsSuffix || suffix === dualStackDnsSuffix
  })
}

/**
 * The input of the endpoint rules: a region, or the URL of a custom endpoint. A pseudo-region `fips-us-east-1` means
 * `us-east-1` with `useFips`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolveOptions {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly useFips?: boolean | undefined
  readonly useDualStack?: boolean | undefined
}

/**
 * Resolves the URL of the endpoint by the published rules, or returns the reason why there is none. A region in a
 * host name must be a `RegionName`, but not a registered one. Does not check a custom endpoint.
 *
 * @example
 * import * as Either from "effect/Either"
 * import { Regions } from "effect-glacier/protocol"
 *
 * Regions.resolve({ region: "eu-west-1" }) // Either.right("https://glacier.eu-west-1.amazonaws.com")
 * Regions.resolve({}) // Either.left("Invalid Configuration: Missing Region")
 *
 * @since 0.1.0
 * @category endpoints
 */
export const resolve = (options: ResolveOptions): Either.Either<string, string> => {
  const { endpoint, useDualStack = false } = options
  const region = options.region === undefined ? undefined : signingRegion(options.region)
  const useFips = options.useFips === true || region !== options.region
  if (endpoint !== undefined) {
    if (useFips) return Either.left("Invalid Configuration: FIPS and custom endpoint are not supported")
    if (useDualStack) return Either.left("Invalid Configuration: Dualstack and custom endpoint are not supported")
    return Either.right(endpoint)
  }
  if (region === undefined) return Either.left("Invalid Configuration: Missing Region")
  if (!Schema.is(RegionName)(region)) return Either.left("Invalid Configuration: Region is not a region name")
  const { dnsSuffix, dualStackDnsSuffix, name } = partitionOf(region)
  // Without dual stack, the plain host of GovCloud is the FIPS host.
  const service = useFips && (useDualStack || name !== "aws-us-gov") ? "glacier-fips" : "glacier"
  return Either.right(`https://${service}.${region}.${useDualStack ? dualStackDnsSuffix : dnsSuffix}`)
}
