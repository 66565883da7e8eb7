import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Endpoint from "../../src/transport/Endpoint.ts"

const region = "eu-west-1"
const made = (options: Endpoint.Options) => Either.getOrThrowWith(Endpoint.make(options), (error) => error)
const refused = (options: Endpoint.Options) =>
  Either.match(Endpoint.make(options), { onLeft: (error) => error.message, onRight: ({ url }) => `took ${url}` })

const from = (variables: Readonly<Record<string, string>>) =>
  Endpoint.Endpoint.pipe(
    Effect.provide(Endpoint.layerConfig),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )

describe("Endpoint", () => {
  describe("of a region", () => {
    it.each<readonly [Endpoint.Options, host: string, region: string]>([
      [{ region }, "glacier.eu-west-1.amazonaws.com", "eu-west-1"],
      [{ region: "cn-north-1" }, "glacier.cn-north-1.amazonaws.com.cn", "cn-north-1"],
      [{ region: "us-east-1", useFips: true }, "glacier-fips.us-east-1.amazonaws.com", "us-east-1"],
      [{ region: "us-gov-west-1", useFips: true }, "glacier.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
      [{ region: "fips-us-east-1" }, "glacier-fips.us-east-1.amazonaws.com", "us-east-1"],
      [{ region, useDualStack: true }, "glacier.eu-west-1.api.aws", "eu-west-1"],
      [{ region, useFips: true, useDualStack: true }, "glacier-fips.eu-west-1.api.aws", "eu-west-1"],
      [{ region, useFips: false, useDualStack: false, allowHttp: true }, "glacier.eu-west-1.amazonaws.com", "eu-west-1"]
    ])("%j", (options, host, signing) => {
      expect(made(options)).toEqual({ url: `https://${host}`, host, region: signing })
    })

    it.each(["xx-nowhere-9", "us-east-9", "aws-global", "fips-us-east-9"])("%s needs a url", (unknown) => {
      expect(refused({ region: unknown })).toContain("give the endpoint's url as well")
    })

    it.each(["", "us", "US-EAST-1", "us-east-1.evil.example", "us-east-1\r\nHost: evil", "us-east-1/", "fips-fips-us"])(
      "%j is no name of a region, with a url or without",
      (name) => {
        for (const options of [{ region: name }, { region: name, endpoint: "https://glacier.example.com" }]) {
          expect(refused(options)).toMatch(/is not the name of a region|Glacier is not known|FIPS and custom endpoint/)
          expect(refused(options)).not.toMatch(/[\r\n]/)
        }
      }
    )
  })

  describe("of a url", () => {
    it.each<readonly [endpoint: string, url: string, host: string]>([
      ["https://glacier.example.com", "https://glacier.example.com", "glacier.example.com"],
      ["https://glacier.example.com/", "https://glacier.example.com", "glacier.example.com"],
      ["https://glacier.example.com:443", "https://glacier.example.com", "glacier.example.com"],
      ["https://glacier.example.com:8443", "https://glacier.example.com:8443", "glacier.example.com:8443"],
      ["HTTPS://Glacier.Example.COM", "https://glacier.example.com", "glacier.example.com"],
      ["https://10.0.0.1", "https://10.0.0.1", "10.0.0.1"],
      ["http://localhost", "http://localhost", "localhost"],
      ["http://localhost:80", "http://localhost", "localhost"],
      ["http://LOCALHOST:9012", "http://localhost:9012", "localhost:9012"],
      ["http://127.0.0.1:9012/", "http://127.0.0.1:9012", "127.0.0.1:9012"],
      ["http://127.8.9.10:9012", "http://127.8.9.10:9012", "127.8.9.10:9012"],
      ["http://127.1", "http://127.0.0.1", "127.0.0.1"],
      ["http://[::1]:9012", "http://[::1]:9012", "[::1]:9012"],
      ["http://[0:0:0:0:0:0:0:1]", "http://[::1]", "[::1]"]
    ])("%s is taken", (endpoint, url, host) => {
      expect(made({ region, endpoint })).toEqual({ url, host, region })
    })

    it.each([
      "http://glacier.eu-west-1.amazonaws.com",
      "http://10.0.0.1:9012",
      "http://0.0.0.0",
      "http://[::]",
      "http://[::ffff:a00:1]",
      "http://localhost.example.com",
      "http://127.0.0.1.example.com",
      "http://example.com:9012"
    ])("%s is taken only when allowed", (endpoint) => {
      expect(refused({ region, endpoint })).toBe("The endpoint must be https (or http on this machine)")
      expect(refused({ region, endpoint, allowHttp: false })).toContain("must be https")
      expect(made({ region, endpoint, allowHttp: true }).url).toBe(endpoint)
    })

    it.each<readonly [endpoint: string, problem: string]>([
      ["https://user@glacier.example.com", "must not carry a user name or password"],
      ["https://:hunter2@glacier.example.com", "must not carry a user name or password"],
      ["https://glacier.eu-west-1.amazonaws.com:hunter2@evil.example", "must not carry a user name or password"],
      ["https://glacier.example.com/v1", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com//", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com\\@evil.example", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com?a=b", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com/#x", "must be a scheme, a host and a port only"],
      ["http://169.254.169.254", "must not be a metadata address"],
      ["https://169.254.169.254", "must not be a metadata address"],
      ["http://169.254.170.2", "must not be a metadata address"],
      ["http://169.254.169.254.", "must not be a metadata address"],
      ["http://2852039166", "must not be a metadata address"],
      ["http://0xa9fea9fe", "must not be a metadata address"],
      ["http://0251.0376.0251.0376", "must not be a metadata address"],
      ["http://[fd00:ec2::254]", "must not be a metadata address"],
      ["http://[fd00:0ec2:0:0:0:0:0:23]", "must not be a metadata address"],
      ["http://[fe80::1]", "must not be a metadata address"],
      ["http://[::ffff:169.254.169.254]", "must not be a metadata address"],
      ["https://[::ffff:a9fe:a9fe]", "must not be a metadata address"],
      ["ftp://glacier.example.com", "must be https"],
      ["ws://localhost", "must be https"],
      ["file:///etc/passwd", "must be"],
      ["javascript:alert(1)", "must be"],
      ["", "is not a url"],
      ["glacier.example.com", "is not a url"],
      ["https://", "is not a url"],
      ["https://glacier.example.com:99999", "is not a url"],
      ["https://127.999.0.1", "is not a url"],
      ["https://glacier.example.com\r\nHost: evil", "is not a url"],
      ["https://glacier.exam\tple.com", "is not a url"],
      [" https://glacier.example.com", "is not a url"],
      ["https://glacier.example.com\u0000", "is not a url"],
      ["https://glаcier.example.com", "is not a url"]
    ])("%j is refused, even where http is allowed", (endpoint, problem) => {
      for (const allowHttp of [false, true]) {
        expect(refused({ region, endpoint, allowHttp })).toContain(problem)
        expect(refused({ region, endpoint, allowHttp })).not.toMatch(/hunter2|[\r\n]/)
      }
    })

    it("shows no password when it is refused, even one that cannot be read", () => {
      expect(refused({ region, endpoint: "https://user:hunter2@glacier.exam ple.com" })).not.toContain("hunter2")
    })

    it("is signed for any region", () => {
      const endpoint = "https://glacier.example.com"
      expect(made({ region: "xx-nowhere-9", endpoint }).region).toBe("xx-nowhere-9")
    })

    it("has neither FIPS nor dual stack", () => {
      const endpoint = "https://glacier.example.com"
      expect(refused({ region, endpoint, useFips: true })).toContain("FIPS and custom endpoint")
      expect(refused({ region: "fips-us-east-1", endpoint })).toContain("FIPS and custom endpoint")
      expect(refused({ region, endpoint, useDualStack: true })).toContain("Dualstack and custom endpoint")
    })
  })

  describe("of the environment", () => {
    const AWS_REGION = region
    const AWS_ENDPOINT_URL_GLACIER = "http://127.0.0.1:9012"
    const AWS_ENDPOINT_URL = "https://aws.example.com"

    it.effect.each<readonly [variables: Readonly<Record<string, string>>, url: string, region: string]>([
      [{ AWS_REGION }, "https://glacier.eu-west-1.amazonaws.com", "eu-west-1"],
      [{ AWS_DEFAULT_REGION: "us-west-2" }, "https://glacier.us-west-2.amazonaws.com", "us-west-2"],
      [{ AWS_REGION, AWS_DEFAULT_REGION: "us-west-2" }, "https://glacier.eu-west-1.amazonaws.com", "eu-west-1"],
      [{ AWS_REGION: "", AWS_DEFAULT_REGION: "us-west-2" }, "https://glacier.us-west-2.amazonaws.com", "us-west-2"],
      [{ AWS_REGION, AWS_ENDPOINT_URL }, AWS_ENDPOINT_URL, "eu-west-1"],
      [{ AWS_REGION, AWS_ENDPOINT_URL_GLACIER }, AWS_ENDPOINT_URL_GLACIER, "eu-west-1"],
      [{ AWS_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_GLACIER }, AWS_ENDPOINT_URL_GLACIER, "eu-west-1"],
      [{ AWS_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_GLACIER: "" }, AWS_ENDPOINT_URL, "eu-west-1"],
      [{ AWS_REGION, AWS_ENDPOINT_URL: "" }, "https://glacier.eu-west-1.amazonaws.com", "eu-west-1"],
      [{ AWS_REGION: "xx-nowhere-9", AWS_ENDPOINT_URL_GLACIER }, AWS_ENDPOINT_URL_GLACIER, "xx-nowhere-9"],
      [{ AWS_REGION, AWS_USE_FIPS_ENDPOINT: "true" }, "https://glacier-fips.eu-west-1.amazonaws.com", "eu-west-1"],
      [{ AWS_REGION, AWS_USE_FIPS_ENDPOINT: "false" }, "https://glacier.eu-west-1.amazonaws.com", "eu-west-1"],
      [{ AWS_REGION, AWS_USE_DUALSTACK_ENDPOINT: "true" }, "https://glacier.eu-west-1.api.aws", "eu-west-1"]
    ])("%j", ([variables, url, signing]) =>
      Effect.gen(function*() {
        const endpoint = yield* from(variables)
        expect(endpoint).toEqual({ url, host: new URL(url).host, region: signing })
      }))

    it.effect.each<readonly [variables: Readonly<Record<string, string>>, problem: string]>([
      [{}, "AWS_REGION"],
      [{ AWS_REGION: "", AWS_DEFAULT_REGION: "" }, "AWS_DEFAULT_REGION"],
      [{ AWS_ENDPOINT_URL_GLACIER }, "AWS_REGION"],
      [{ AWS_REGION: "nowhere" }, "is not the name of a region"],
      [{ AWS_REGION, AWS_USE_FIPS_ENDPOINT: "perhaps" }, "AWS_USE_FIPS_ENDPOINT"],
      [{ AWS_REGION, AWS_ENDPOINT_URL: "http://example.com" }, "must be https"],
      [{ AWS_REGION, AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT: "true" }, "FIPS and custom endpoint"],
      [{ AWS_REGION, AWS_ENDPOINT_URL, AWS_USE_DUALSTACK_ENDPOINT: "true" }, "Dualstack and custom endpoint"]
    ])("%j is refused: %s", ([variables, problem]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(from(variables))
        expect(error._tag).toBe("EndpointError")
        expect(error.message).toContain(problem)
      }))

    it.effect("is not said to lack a region when something else is wrong", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(from({ AWS_REGION, AWS_USE_FIPS_ENDPOINT: "perhaps" }))
        expect(error.message).not.toContain("No region")
      }))
  })
})
