import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterEach, vi } from "vitest"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as NodeCredentials from "../../src/node/NodeCredentials.ts"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { keys, listen, plain, printed, profile, secret, setEnvironment, withProcess } from "./awsEnvironment.ts"

describe("NodeCredentials", () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.doUnmock("@aws-sdk/credential-provider-node")
  })

  it.scoped("finds the keys of the environment", () =>
    Effect.gen(function*() {
      yield* setEnvironment({
        AWS_ACCESS_KEY_ID: "ASIA",
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_SESSION_TOKEN: "token",
        AWS_CREDENTIAL_EXPIRATION: "2100-01-02T03:04:05Z"
      })
      expect(plain(yield* keys)).toEqual(["ASIA", secret, "token", "2100-01-02T03:04:05.000Z"])
    }))

  it.scoped("finds the keys of a profile, and its new keys after the service rejected the first ones", () =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({})
      writeFileSync(join(folder, "credentials"), profile("AKID1"))
      yield* Effect.gen(function*() {
        const credentials = yield* Credentials.Credentials
        const stale = yield* credentials.keys
        expect(plain(stale)).toEqual(["AKID1", secret, undefined, undefined])
        writeFileSync(join(folder, "credentials"), profile("AKID2"))
        expect(yield* credentials.keys).toBe(stale)
        expect(plain(yield* credentials.refreshed(stale))).toEqual(["AKID2", secret, undefined, undefined])
      }).pipe(Effect.provide(NodeCredentials.layer))
    }))

  it.scoped("finds the keys that a process prints", () =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({})
      const json = JSON.stringify({
        Version: 1,
        AccessKeyId: "ASIA",
        SecretAccessKey: secret,
        SessionToken: "token",
        Expiration: "2100-01-02T03:04:05Z"
      })
      writeFileSync(join(folder, "config"), withProcess(folder, `console.log(${JSON.stringify(json)})`))
      const found = yield* keys
      expect(plain(found)).toEqual(["ASIA", secret, "token", "2100-01-02T03:04:05.000Z"])
      expect(inspect(found, { depth: Infinity, showHidden: true }) + JSON.stringify(found)).not.toMatch(/wJalr|"token"/)
    }))

  it.scoped("finds the keys of a container", () =>
    Effect.gen(function*() {
      const url = yield* listen((request, response) => {
        response.statusCode = request.headers.authorization === "the container's" ? 200 : 403
        response.end(JSON.stringify({
          AccessKeyId: "ASIA",
          SecretAccessKey: secret,
          Token: "token",
          Expiration: "2100-01-02T03:04:05Z"
        }))
      })
      yield* setEnvironment({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/role`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "the container's"
      })
      expect(plain(yield* keys)).toEqual(["ASIA", secret, "token", "2100-01-02T03:04:05.000Z"])
    }))

  it.scoped("names the provider chain when there are no keys", () =>
    Effect.gen(function*() {
      yield* setEnvironment({})
      expect(yield* Effect.flip(keys)).toMatchObject({ _tag: "CredentialsError", message: /default provider chain/ })
    }))

  it.scoped.each(
    [
      ["prints nonsense", `console.log("the secret is ${secret}")`],
      ["fails", `console.error("the secret is ${secret}"); process.exit(1)`],
      [
        "prints expired keys",
        `console.log('${
          JSON.stringify({
            Version: 1,
            AccessKeyId: "ASIA",
            SecretAccessKey: secret,
            Expiration: "2001-01-01T00:00:00Z"
          })
        }')`
      ]
    ] as const
  )("shows no secret when a process %s [S5]", ([, program]) =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({})
      writeFileSync(join(folder, "config"), withProcess(folder, program))
      const error = yield* Effect.flip(keys)
      expect(error._tag).toBe("CredentialsError")
      expect(printed(error)).not.toContain("wJalr")
    }))

  it.scoped("shows no secret whatever the chain fails with [S5]", () =>
    Effect.gen(function*() {
      yield* setEnvironment({})
      vi.doMock("@aws-sdk/credential-provider-node", () => ({
        defaultProvider: () => () => Promise.reject(Object.assign(new Error(secret, { cause: secret }), { secret }))
      }))
      const error = yield* Effect.flip(keys)
      expect(error.message).toContain("default provider chain")
      expect(printed(error)).not.toContain("wJalr")
    }))

  it.scoped("names the missing profile of AWS_PROFILE, the files and the existing profiles", () =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({ AWS_PROFILE: "nosuch" })
      writeFileSync(join(folder, "config"), "[default]\nregion = eu-west-1\n[profile work]\nregion = us-west-2\n")
      expect((yield* Effect.flip(keys)).message).toBe(
        `AWS's default provider chain found no credentials: there is no profile "nosuch" (AWS_PROFILE) in ` +
          `${join(folder, "config")} or ${join(folder, "credentials")}, which have the profiles default, work. ` +
          "Correct AWS_PROFILE, or add that profile."
      )
    }))

  it.scoped.each([
    [
      "The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login",
      "aws sso login"
    ],
    ["Token is expired. To refresh this SSO session run 'aws sso login'", "aws sso login"],
    ["Profile work requires multi-factor authentication, but no MFA code callback was provided.", "temporary keys"],
    ["Command failed: /bin/print --password " + secret, "credential_process failed"],
    ["Profile work credential_process returned invalid JSON.", "printed no valid credentials"]
  ])("explains the failure of the chain without quoting it: %s", ([message, cause]) =>
    Effect.gen(function*() {
      yield* setEnvironment({})
      vi.doMock("@aws-sdk/credential-provider-node", () => ({
        defaultProvider: () => () => Promise.reject(new Error(message))
      }))
      const error = yield* Effect.flip(keys)
      expect(error.message).toContain(cause)
      expect(printed(error)).not.toContain("wJalr")
    }))

  it.scoped("names the package to install when AWS's chain is missing", () =>
    Effect.gen(function*() {
      yield* setEnvironment({})
      vi.doMock("@aws-sdk/credential-provider-node", () => Promise.reject(new Error("Cannot find package")))
      expect((yield* Effect.flip(keys)).message).toContain("Install it")
    }))
})

describe("NodeGlacier.layer", () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.doUnmock("@aws-sdk/credential-provider-node")
  })

  /** The error of a call, and the access keys that signed its requests. The server rejects all requests. */
  const errorAndSigners = Effect.gen(function*() {
    const signers: Array<string | undefined> = []
    const url = yield* listen((request, response) => {
      signers.push(/Credential=(\w+)/.exec(request.headers.authorization ?? "")?.[1])
      response.writeHead(403, { "content-type": "application/json" })
      response.end(JSON.stringify({ code: "AccessDeniedException", message: "no", type: "Client" }))
    })
    vi.stubEnv("AWS_REGION", "us-east-1")
    vi.stubEnv("AWS_ENDPOINT_URL_GLACIER", url)
    const error = yield* Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.listVaults({})).pipe(
      Effect.provide(Layer.fresh(NodeGlacier.layer)),
      Effect.withConfigProvider(ConfigProvider.fromEnv()),
      Effect.flip
    )
    return [error._tag, ...signers]
  })

  it.scopedLive("signs with the keys of the environment, even if AWS's chain is missing", () =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({ AWS_ACCESS_KEY_ID: "AKIDENV", AWS_SECRET_ACCESS_KEY: secret })
      writeFileSync(join(folder, "credentials"), profile("AKIDFILE"))
      vi.doMock("@aws-sdk/credential-provider-node", () => Promise.reject(new Error("Cannot find package")))
      expect(yield* errorAndSigners).toEqual(["AccessDenied", "AKIDENV"])
    }))

  it.scopedLive("signs with the keys of AWS's chain when the environment has none", () =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({})
      writeFileSync(join(folder, "credentials"), profile("AKIDFILE"))
      expect(yield* errorAndSigners).toEqual(["AccessDenied", "AKIDFILE"])
    }))

  /** The error of a call with the layer for this environment. */
  const errorOfCall = Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.listVaults({})).pipe(
    Effect.provide(Layer.fresh(NodeGlacier.layer)),
    Effect.withConfigProvider(ConfigProvider.fromEnv()),
    Effect.flip
  )

  it.scopedLive("signs for the region of the profile in use when the environment has none", () =>
    Effect.gen(function*() {
      const scopes: Array<string | undefined> = []
      const url = yield* listen((request, response) => {
        scopes.push(/\/([\w-]+)\/glacier\//.exec(request.headers.authorization ?? "")?.[1])
        response.writeHead(403).end()
      })
      const folder = yield* setEnvironment({ AWS_ENDPOINT_URL_GLACIER: url })
      writeFileSync(join(folder, "credentials"), profile("AKIDFILE") + profile("AKIDWORK").replace("default", "work"))
      writeFileSync(join(folder, "config"), "[default]\nregion = eu-west-1\n[profile work]\nregion = us-west-2\n")
      yield* errorOfCall
      vi.stubEnv("AWS_PROFILE", "work")
      yield* errorOfCall
      vi.stubEnv("AWS_REGION", "sa-east-1")
      yield* errorOfCall
      expect(scopes).toEqual(["eu-west-1", "us-west-2", "sa-east-1"])
    }))

  it.scopedLive("names the places that have no region", () =>
    Effect.gen(function*() {
      const folder = yield* setEnvironment({})
      const files = `${join(folder, "config")} or ${join(folder, "credentials")}`
      const message = (why: string) =>
        `No region: AWS_REGION and AWS_DEFAULT_REGION are not set, and ${why}. Set AWS_REGION, for instance to eu-west-1`
      expect(yield* errorOfCall).toMatchObject({
        _tag: "EndpointError",
        message: message(`profile "default" in ${files} has no region`)
      })
      vi.stubEnv("AWS_PROFILE", "nosuch")
      expect(yield* errorOfCall).toMatchObject({
        message: message(`there is no profile "nosuch" (AWS_PROFILE) in ${files}, which have no profiles`)
      })
      writeFileSync(join(folder, "config"), "[profile nosuch]\nregion = Ireland\n")
      expect(yield* errorOfCall).toMatchObject({
        message: `"Ireland" in profile "nosuch" is not the name of a region; write one such as eu-west-1`
      })
    }))

  it.scopedLive("fails in the first call when there are no keys", () =>
    Effect.gen(function*() {
      yield* setEnvironment({})
      expect(yield* errorAndSigners).toEqual(["CredentialsError"])
    }))
})
