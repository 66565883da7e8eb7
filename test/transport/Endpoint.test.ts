import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import endpoints from "../fixtures/endpoints.json" with { type: "json" }
import { respondWith, responseOf, scripted } from "./support.ts"

const region = "eu-west-1"
const published = endpoints.published_tests.cases.flatMap(({ params: { Region, ...params }, ...rest }) =>
  Region === undefined ? [] : [{ ...rest, params: { ...params, Region } }]
)
const made = (options: Endpoint.Options) => Either.getOrThrowWith(Endpoint.make(options), (error) => error)
const outcomeOf = (options: Endpoint.Options) =>
  Either.match(Endpoint.make(options), { onLeft: (error) => error.message, onRight: ({ url }) => `uses ${url}` })

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
    ])("has the URL and the signing region of %j [S6]", (options, host, signing) => {
      expect(made(options)).toEqual({ url: `https://${host}`, host, region: signing })
    })

    it.each(published)(
      "has the published URL or error of $params [S6]",
      ({ botocore_now, expect: expected, params }) => {
        const { Endpoint: endpoint, Region, UseDualStack: useDualStack, UseFIPS: useFips } = params
        const outcome = botocore_now ?? expected
        expect(outcomeOf({ region: Region, endpoint, useFips, useDualStack }))
          .toBe(outcome.startsWith("https:") ? `uses ${outcome}` : outcome.replace("ERROR: ", ""))
      }
    )

    it.each(["xx-nowhere-9", "us-east-9", "aws-global", "fips-us-east-9"])(
      "requires a URL for the region %s [S6]",
      (unknown) => {
        expect(outcomeOf({ region: unknown })).toContain("give the endpoint's url as well")
      }
    )

    it.each(["", "us", "US-EAST-1", "us-east-1.evil.example", "us-east-1\r\nHost: evil", "us-east-1/", "fips-fips-us"])(
      "rejects %j as the name of a region, with a url or without [S6]",
      (name) => {
        for (const options of [{ region: name }, { region: name, endpoint: "https://glacier.example.com" }]) {
          expect(outcomeOf(options)).toMatch(
            /is not the name of a region|Glacier is not known|FIPS and custom endpoint/
          )
          expect(outcomeOf(options)).not.toMatch(/[\r\n]/)
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
      ["http://[0:0:0:0:0:0:0:1]", "http://[::1]", "[::1]"],
      ["http://127.0.0.1.", "http://127.0.0.1", "127.0.0.1"],
      ["http://2130706433:9012", "http://127.0.0.1:9012", "127.0.0.1:9012"],
      ["http://0x7f.1", "http://127.0.0.1", "127.0.0.1"],
      ["https://glacier.example.com.", "https://glacier.example.com.", "glacier.example.com."],
      ["https://glacier.example.com:", "https://glacier.example.com", "glacier.example.com"],
      ["https://glacier.example.com:65535", "https://glacier.example.com:65535", "glacier.example.com:65535"],
      ["https://glacier.example.com:00443", "https://glacier.example.com", "glacier.example.com"],
      ["https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"],
      ["https://my_glacier.example.com", "https://my_glacier.example.com", "my_glacier.example.com"],
      ["https://[2001:DB8::0001]:8443", "https://[2001:db8::1]:8443", "[2001:db8::1]:8443"],
      ["https://localhost", "https://localhost", "localhost"],
      ["https://169.253.169.254", "https://169.253.169.254", "169.253.169.254"]
    ])("accepts %s [S6]", (endpoint, url, host) => {
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
      "http://localhost.",
      "http://glacier.localhost",
      "http://[::ffff:7f00:1]",
      "http://128.0.0.1",
      "http://example.com:9012"
    ])("accepts %s only with allowHttp [S6]", (endpoint) => {
      expect(outcomeOf({ region, endpoint })).toBe(`The endpoint "${endpoint}" must be https (or http on this machine)`)
      expect(outcomeOf({ region, endpoint, allowHttp: false })).toContain("must be https")
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
      ["https://@glacier.example.com", "must be a scheme, a host and a port only"],
      ["https://:@glacier.example.com", "must be a scheme, a host and a port only"],
      ["https:glacier.example.com", "must be a scheme, a host and a port only"],
      ["https:/glacier.example.com", "must be a scheme, a host and a port only"],
      ["https:///glacier.example.com", "must be a scheme, a host and a port only"],
      ["https:\\\\glacier.example.com", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com/.", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com/%2e", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com?", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com#", "must be a scheme, a host and a port only"],
      ["https://glacier.example.com,evil.example", "must be a scheme, a host and a port only"],
      ["http://%6cocalhost", "must be a scheme, a host and a port only"],
      ["https://gl%D0%B0cier.example.com", "must be a scheme, a host and a port only"],
      ["https://169.254.169.254%2e", "must be a scheme, a host and a port only"],
      ["https://%E2%91%A069.254.169.254", "must be a scheme, a host and a port only"],
      ["blob:https://glacier.example.com", "must be a scheme, a host and a port only"],
      ["data:text/plain,glacier", "must be a scheme, a host and a port only"],
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
      ["http://[febf:0::1]", "must not be a metadata address"],
      ["http://[fd00:ec2:0:1::254]", "must not be a metadata address"],
      ["https://169.254.0.1", "must not be a metadata address"],
      ["https://169.254.43518", "must not be a metadata address"],
      ["https://169.16689662", "must not be a metadata address"],
      ["https://0xA9.0xFE.0xA9.0xFE", "must not be a metadata address"],
      ["https://169.0376.0xa9.254:8443/", "must not be a metadata address"],
      ["https://025177524776", "must not be a metadata address"],
      ["https://[::169.254.169.254]", "must not be a metadata address"],
      ["https://[::ffff:0:169.254.169.254]", "must not be a metadata address"],
      ["https://[0:0:0:0:0:FFFF:A9FE:AA02]", "must not be a metadata address"],
      ["https://[64:ff9b::169.254.169.254]", "must not be a metadata address"],
      ["http://100.100.100.200", "must not be a metadata address"],
      ["http://metadata.google.internal", "must not be a metadata address"],
      ["http://Metadata.Google.Internal.", "must not be a metadata address"],
      ["http://[::ffff:169.254.169.254]", "must not be a metadata address"],
      ["https://[::ffff:a9fe:a9fe]", "must not be a metadata address"],
      ["ftp://glacier.example.com", "must be https"],
      ["wss://glacier.example.com", "must be https"],
      ["gopher://glacier.example.com", "must be https"],
      ["http+unix://glacier", "must be a scheme, a host and a port only"],
      ["ws://localhost", "must be https"],
      ["file:///etc/passwd", "must be"],
      ["javascript:alert(1)", "must be"],
      ["", "is not a url"],
      ["glacier.example.com", "is not a url"],
      ["https://", "is not a url"],
      ["https://glacier.example.com:99999", "is not a url"],
      ["https://127.999.0.1", "is not a url"],
      ["https://1.2.3.4.5", "is not a url"],
      ["https://[::1", "is not a url"],
      ["https://[fe80::1%25eth0]", "is not a url"],
      ["https://xn--a.example.com", "is not a url"],
      ["//glacier.example.com", "is not a url"],
      ["https://glacier.example.com:8443:1", "is not a url"],
      ["https://glacier.example.com:٤٤٣", "is not a url"],
      ["https://glacier.example.com%0d%0aHost:%20evil", "is not a url"],
      ["https://glacier.example.com\r\nHost: evil", "is not a url"],
      ["https://glacier.exam\tple.com", "is not a url"],
      [" https://glacier.example.com", "is not a url"],
      ["https://glacier.example.com\u0000", "is not a url"],
      ["https://glacier.example.com\n", "is not a url"],
      ["\u0001https://glacier.example.com", "is not a url"],
      ["https://glacier.example.com\u007f", "is not a url"],
      ["https://glacier.example.com\u0085", "is not a url"],
      ["https://glacier\u3002example.com", "is not a url"],
      ["https://glacier\u00ad.example.com", "is not a url"],
      ["http://①⑥⑨.254.169.254", "is not a url"],
      ["https://glacier.example.com\u202e", "is not a url"],
      ["https://glаcier.example.com", "is not a url"]
    ])("rejects %j, even with allowHttp [S6]", (endpoint, problem) => {
      for (const allowHttp of [false, true]) {
        expect(outcomeOf({ region, endpoint, allowHttp })).toContain(problem)
        expect(outcomeOf({ region, endpoint, allowHttp })).not.toMatch(/hunter2|[\r\n]/)
      }
    })

    it("shows no password in the error, even if the url cannot be parsed [S6]", () => {
      expect(outcomeOf({ region, endpoint: "https://user:hunter2@glacier.exam ple.com" })).not.toContain("hunter2")
    })

    it.effect.each([
      "",
      "--",
      "0123-4567-890",
      "012345678901.evil.example",
      "012345678901@evil",
      "../-",
      "-\r\nHost: evil"
    ])(
      "receives no request with the account id %j [S6]",
      (accountId) =>
        Effect.gen(function*() {
          const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)))
          const failures = [
            yield* Effect.flip(glacier.describeVault({ vaultName: "photos", accountId })),
            yield* Effect.flip(glacier.listVaults({ accountId }))
          ]
          for (const failure of failures) expect(failure).toMatchObject({ _tag: "InvalidInput", field: "accountId" })
          expect(sent).toEqual([])
        })
    )

    it("can be signed for any region", () => {
      const endpoint = "https://glacier.example.com"
      expect(made({ region: "xx-nowhere-9", endpoint }).region).toBe("xx-nowhere-9")
    })

    it.each<readonly [endpoint: string, message: string]>([
      ["localhost:9012", `The endpoint "localhost:9012" is not a url: it has no scheme; write http://localhost:9012`],
      [
        "127.0.0.1:9012/",
        `The endpoint "127.0.0.1:9012/" is not a url: it has no scheme; write http://127.0.0.1:9012/`
      ],
      ["[::1]:9012", `The endpoint "[::1]:9012" is not a url: it has no scheme; write http://[::1]:9012`],
      [
        "glacier.example.com",
        `The endpoint "glacier.example.com" is not a url: it has no scheme; write https://glacier.example.com`
      ],
      [
        "//glacier.example.com:8443",
        `The endpoint "//glacier.example.com:8443" is not a url: it has no scheme; write https://glacier.example.com:8443`
      ],
      [
        "https://1.2.3.4.5",
        `The endpoint "https://1.2.3.4.5" is not a url; write one such as https://glacier.example.com`
      ],
      [
        "https://me:hunter2@example.com/?token=hunter2",
        `The endpoint "https://...@example.com/?..." must not carry a user name or password`
      ],
      ["me:hunter2@example.com", `The endpoint "...@example.com" must be a scheme, a host and a port only`]
    ])("rejects %s with its value and a correction, but without a password [S6]", (endpoint, message) => {
      expect(outcomeOf({ region, endpoint })).toBe(message)
    })

    it.each([
      "https://glacier.us-west-2.amazonaws.com",
      "https://glacier-fips.us-west-2.amazonaws.com",
      "https://glacier.us-west-2.api.aws",
      "https://vpce-0a1b2c3d-4e5f.glacier.us-west-2.vpce.amazonaws.com"
    ])("rejects %s, which AWS serves for another region [S6]", (endpoint) => {
      expect(outcomeOf({ region, endpoint })).toBe(
        `The endpoint "${endpoint}" is in region us-west-2, but requests would be signed for "eu-west-1"; write us-west-2 there`
      )
      expect(made({ region: "us-west-2", endpoint }).url).toBe(endpoint)
    })

    it("cannot be combined with FIPS or dual stack", () => {
      const endpoint = "https://glacier.example.com"
      expect(outcomeOf({ region, endpoint, useFips: true })).toContain("FIPS and custom endpoint")
      expect(outcomeOf({ region: "fips-us-east-1", endpoint })).toContain("FIPS and custom endpoint")
      expect(outcomeOf({ region, endpoint, useDualStack: true })).toContain("Dualstack and custom endpoint")
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
      [{ AWS_REGION, AWS_USE_DUALSTACK_ENDPOINT: "true" }, "https://glacier.eu-west-1.api.aws", "eu-west-1"],
      [
        { AWS_ENDPOINT_URL_GLACIER: "https://glacier.us-west-2.amazonaws.com" },
        "https://glacier.us-west-2.amazonaws.com",
        "us-west-2"
      ]
    ])("is read from %j", ([variables, url, signing]) =>
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
    ])("rejects %j: %s", ([variables, problem]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(from(variables))
        expect(error._tag).toBe("EndpointError")
        expect(error.message).toContain(problem)
      }))

    it.effect.each<readonly [variables: Readonly<Record<string, string>>, message: string]>([
      [{}, "No region: AWS_REGION and AWS_DEFAULT_REGION are not set. Set AWS_REGION, for instance to eu-west-1"],
      [
        { AWS_DEFAULT_REGION: "Ireland" },
        `"Ireland" in AWS_DEFAULT_REGION is not the name of a region; write one such as eu-west-1`
      ],
      [
        { AWS_REGION, AWS_ENDPOINT_URL_GLACIER: "localhost:9012" },
        `The endpoint "localhost:9012" in AWS_ENDPOINT_URL_GLACIER is not a url: it has no scheme; write http://localhost:9012`
      ],
      [
        { AWS_REGION, AWS_ENDPOINT_URL: "http://example.com" },
        `The endpoint "http://example.com" in AWS_ENDPOINT_URL must be https (or http on this machine)`
      ],
      [
        { AWS_REGION, AWS_ENDPOINT_URL: "https://glacier.us-west-2.amazonaws.com" },
        `The endpoint "https://glacier.us-west-2.amazonaws.com" in AWS_ENDPOINT_URL is in region us-west-2, ` +
        `but requests would be signed for "eu-west-1" in AWS_REGION; write us-west-2 there`
      ],
      [
        { AWS_REGION, AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT: "true" },
        "Invalid Configuration: FIPS and custom endpoint are not supported; unset AWS_ENDPOINT_URL, " +
        "or else AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT"
      ],
      [
        { AWS_REGION, AWS_USE_FIPS_ENDPOINT: "perhaps" },
        `No endpoint: AWS_USE_FIPS_ENDPOINT cannot be used (Expected a boolean value but received "perhaps")`
      ]
    ])("rejects %j with the variable, its value and what to do", ([variables, message]) =>
      Effect.gen(function*() {
        expect((yield* Effect.flip(from(variables))).message).toBe(message)
      }))

    it.effect("does not report a missing region when something else is wrong", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(from({ AWS_REGION, AWS_USE_FIPS_ENDPOINT: "perhaps" }))
        expect(error.message).not.toContain("No region")
      }))
  })
})
