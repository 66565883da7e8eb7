import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Regions from "../../src/protocol/Regions.ts"
import endpoints from "../fixtures/endpoints.json" with { type: "json" }

const resolved = (options: Regions.ResolveOptions): string =>
  Either.match(Regions.resolve(options), { onLeft: (reason) => `ERROR: ${reason}`, onRight: (url) => url })

const registered = endpoints.partitions.flatMap((partition) => partition.regions ?? [])
const pseudo = endpoints.partitions.flatMap((partition) => partition.pseudo_regions ?? [])

const hostile: ReadonlyArray<string> = [
  "",
  " ",
  "us",
  "us-",
  "-us-east-1",
  "us-east-1-",
  "us--east-1",
  "us-east-1.evil.example",
  "us-east-1/x",
  "us-east-1\\x",
  "us-east-1@evil",
  "us-east-1:443",
  "us-east-1?x",
  "us-east-1#x",
  "us-east-1%2e",
  "us-east-1\n",
  "us-east-1\r\nHost: evil",
  "us-east-1\u0000",
  "us-east-١",
  "us_east_1",
  "US-EAST-1",
  " us-east-1",
  "us east-1",
  "us-east-1 ",
  "us-" + "a".repeat(61),
  "us" + "-a".repeat(100_000)
]

describe("Regions", () => {
  describe("Regions.resolve", () => {
    it("is tested with all 54 published cases [S6]", () => expect(endpoints.published_tests.cases).toHaveLength(54))

    it.each(endpoints.published_tests.cases)("returns the published result for $params [S6]", (published) => {
      const { botocore_now, params } = published
      const options = {
        region: params.Region,
        endpoint: params.Endpoint,
        useFips: params.UseFIPS,
        useDualStack: params.UseDualStack
      }
      expect(resolved(options)).toBe(botocore_now ?? published.expect)
    })

    it.each(registered)("returns the four URLs of $region [S6]", ({ region, rules }) => {
      expect({
        default: resolved({ region }),
        fips: resolved({ region, useFips: true }),
        dualstack: resolved({ region, useDualStack: true }),
        fips_dualstack: resolved({ region, useFips: true, useDualStack: true })
      }).toEqual(rules)
    })

    it.each(pseudo)("reads $name as its region with FIPS", ({ credentialScope: { region }, hostname, name }) => {
      expect(resolved({ region: name })).toBe(`https://${hostname}`)
      expect(resolved({ region: name, useDualStack: true }))
        .toBe(resolved({ region, useFips: true, useDualStack: true }))
      expect(resolved({ region: name, endpoint: "https://example.com" })).toContain("FIPS and custom endpoint")
      expect(Regions.signingRegion(name)).toBe(region)
      expect(Regions.signingRegion(region)).toBe(region)
    })

    it("puts an unknown region into the aws partition", () => {
      expect(resolved({ region: "xx-nowhere-9" })).toBe("https://glacier.xx-nowhere-9.amazonaws.com")
      expect(Regions.get("xx-nowhere-9")).toEqual(Option.none())
    })

    it.each(hostile)("rejects the region %j [S6]", (region) => {
      const reason = "ERROR: Invalid Configuration: Region is not a region name"
      expect(resolved({ region })).toBe(reason)
      expect(resolved({ region: `fips-${region}` })).toBe(reason)
    })
  })

  describe("regions", () => {
    it("are the registered regions, sorted by name", () => {
      const expected = endpoints.regions_all.map(({ region, ...rest }) => ({ name: region, ...rest }))
      expect(Regions.regions()).toEqual(expected.sort((a, b) => (a.name < b.name ? -1 : 1)))
    })

    it("have the registered partitions", () => {
      for (const { name } of Regions.partitions) {
        const names = Regions.regions().filter((region) => region.partition === name).map((region) => region.name)
        expect(names).toEqual(new Map(Object.entries(endpoints.regions_by_partition)).get(name) ?? [])
      }
    })

    it("include the regions of boto 2", () => {
      expect(endpoints.boto_2_49_regions).toHaveLength(14)
      expect(Regions.regions()).toEqual(
        expect.arrayContaining(endpoints.boto_2_49_regions.map((region) => expect.objectContaining(region)))
      )
    })

    it("are found by name", () => {
      for (const region of Regions.regions()) expect(Regions.get(region.name)).toEqual(Option.some(region))
      for (const name of ["", "fips-us-east-1", "aws-global", "toString"]) {
        expect(Regions.get(name)).toEqual(Option.none())
      }
    })
  })

  describe("partitions", () => {
    it("are the published partitions, in their order", () => {
      expect(
        Regions.partitions.map(({ dnsSuffix, dualStackDnsSuffix, name, pattern }) => ({
          dnsSuffix,
          dualStackDnsSuffix,
          name,
          pattern: pattern.source
        }))
      ).toEqual(
        endpoints.partitions.map(({ dnsSuffix, dualStackDnsSuffix, partition, regionRegex }) => ({
          dnsSuffix,
          dualStackDnsSuffix,
          name: partition,
          pattern: regionRegex.replaceAll("\\-", "-")
        }))
      )
      expect(endpoints.partitions.filter(({ supportsDualStack, supportsFIPS }) => !supportsDualStack || !supportsFIPS))
        .toEqual([])
    })

    it.each(Object.entries(endpoints.partition_region_names))("%s contains its regions", (partition, names) => {
      for (const name of names) expect(Regions.partitionOf(name).name).toBe(partition)
    })

    it("contain unlisted regions by their patterns, and aws contains the rest", () => {
      expect(Regions.partitionOf("cn-south-7").name).toBe("aws-cn")
      expect(Regions.partitionOf("us-gov-north-1").name).toBe("aws-us-gov")
      expect(Regions.partitionOf("xx-nowhere-9").name).toBe("aws")
    })
  })

  describe("RegionName", () => {
    const accepts = Schema.is(Regions.RegionName)

    it("accepts every existing region, and names of up to 63 characters", () => {
      for (const name of Object.values(endpoints.partition_region_names).flat()) expect(accepts(name)).toBe(true)
      expect(accepts("us-" + "a".repeat(60))).toBe(true)
    })

    it.each(hostile)("rejects %j [S6]", (name) => expect(accepts(name)).toBe(false))

    it.prop("is always a single DNS label [S6]", [Regions.RegionName], ([region]) => {
      expect(new URL(`https://glacier.${region}.amazonaws.com`).hostname.split(".")).toEqual(
        ["glacier", region, "amazonaws", "com"]
      )
    })
  })
})
