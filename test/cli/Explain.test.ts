import { describe, expect, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { mkdirSync } from "node:fs"
import * as Explain from "../../src/cli/Explain.ts"
import { GlacierClient } from "../../src/index.ts"
import { NodeEmulator } from "../../src/node/index.ts"
import { plain } from "../socket/brokenServers.ts"
import { reject, serve } from "../socket/scriptedServer.ts"
import { createProxy } from "../support/connectProxy.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runProgramIn } from "../support/processes.ts"
import { environment } from "./emulator.ts"

const vaultName = "photos"

type Setting = Effect.Effect<NodeJS.ProcessEnv, never, Scope.Scope | GlacierClient.GlacierClient>

/** A server that responds to each request with an error. */
const rejecting = (status: number, code: string, text: string): Setting =>
  Effect.map(
    serve(Array.from({ length: 50 }, () => ["any", reject(status, code, text)]), false),
    ({ origin }) => ({ AWS_ENDPOINT_URL_GLACIER: origin })
  )

const set = (env: NodeJS.ProcessEnv): Setting => Effect.succeed(env)

/** The service's response to a wrong secret. */
const wrongSignature = rejecting(
  403,
  "InvalidSignatureException",
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and " +
    "signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have " +
    "been\n'GET\n/-/vaults\n\nhost:127.0.0.1\nx-amz-security-token:a-token\n\nhost'\n"
)

const noCredentials = {
  ...{ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_EC2_METADATA_DISABLED: "true" },
  ...{ AWS_CONFIG_FILE: "/nonexistent", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent" }
}

/** A vault that the state folder knows in another place, such as `123456789012/eu-west-1`. */
const vaultIn = (place: string): Setting =>
  Effect.map(temporaryFolder, (state) => {
    mkdirSync(`${state}/${place}/${vaultName}`, { recursive: true })
    return { EFFECT_GLACIER_STATE: state }
  })

const lockedVault = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  yield* glacier.createVault({ vaultName: "locked" })
  const Statement = { Effect: "Deny", Principal: "*", Action: "glacier:InitiateJob", Resource: "*" }
  yield* glacier.initiateVaultLock({ vaultName: "locked", policy: JSON.stringify({ Statement }) })
  return { EFFECT_GLACIER_VAULT: "locked" }
}).pipe(Effect.orDie)

interface Case {
  readonly problem: string
  readonly setting: Setting
  /** The lines on stderr. */
  readonly lines: ReadonlyArray<RegExp>
  readonly code?: number
}

const cases: ReadonlyArray<Case> = [
  {
    problem: "throttling",
    setting: rejecting(400, "ThrottlingException", "Rate exceeded"),
    lines: [/Rate exceeded/, /limits the requests of your account\. Run the command again in a few minutes$/]
  },
  {
    problem: "a refused connection",
    setting: set({ AWS_ENDPOINT_URL_GLACIER: "http://127.0.0.1:9" }),
    lines: [/ECONNREFUSED 127\.0\.0\.1:9$/, /^Nothing listens at this address: check the endpoint/]
  },
  {
    problem: "a host that does not resolve",
    setting: set({ AWS_ENDPOINT_URL_GLACIER: "https://glacier.invalid", HTTPS_PROXY: "", https_proxy: "" }),
    lines: [/glacier\.invalid$/, /^The name of the host cannot be resolved: check the network/]
  },
  {
    problem: "a certificate of an unknown authority",
    setting: Effect.map(serve([], true), ({ origin }) => ({ AWS_ENDPOINT_URL_GLACIER: origin, NO_PROXY: "127.0.0.1" })),
    lines: [/certificate/, /^Name the PEM file of the authority .* in AWS_CA_BUNDLE/]
  },
  {
    problem: "a server without TLS",
    setting: Effect.map(plain((socket) => socket.on("data", () => socket.end("HTTP/1.1 400 Bad\r\n\r\n"))), (host) => ({
      AWS_ENDPOINT_URL_GLACIER: `https://${host}`,
      NO_PROXY: "127.0.0.1"
    })),
    lines: [/SSL|EPROTO/, /^The server does not use TLS as expected: check the endpoint/]
  },
  {
    problem: "a proxy that rejects",
    setting: Effect.map(createProxy({ authorization: "Basic other" }), ({ url }) => ({
      AWS_ENDPOINT_URL_GLACIER: "https://glacier.us-east-1.amazonaws.com",
      HTTPS_PROXY: url.replace("//", "//user:pass-word@"),
      NO_PROXY: ""
    })),
    lines: [/proxy.*407/i, /^Check the proxy and its password in HTTPS_PROXY or HTTP_PROXY$/]
  },
  {
    problem: "expired credentials",
    setting: rejecting(403, "ExpiredTokenException", "The security token included in the request is expired"),
    lines: [/token included in the request is expired/, /^Renew your credentials, for instance by `aws sso login`/]
  },
  {
    problem: "missing credentials",
    setting: set(noCredentials),
    lines: [/found no credentials/]
  },
  {
    problem: "an unknown access key",
    setting: set({ AWS_ACCESS_KEY_ID: "AKIAUNKNOWN" }),
    lines: [/security token/, /does not know this access key: check AWS_ACCESS_KEY_ID, or choose others by --profile$/]
  },
  {
    problem: "a wrong secret",
    setting: set({ AWS_SECRET_ACCESS_KEY: "not-the-secret" }),
    lines: [
      /^The request signature .*\.$/,
      /^The secret does not belong to the access key: check AWS_SECRET_ACCESS_KEY/
    ]
  },
  {
    problem: "a response that repeats the signed text",
    setting: wrongSignature,
    lines: [/^The request signature we calculated .* you provided\.$/, /^The secret does not belong to the access key/]
  },
  {
    problem: "an endpoint of another region",
    setting: rejecting(
      403,
      "InvalidSignatureException",
      "Credential should be scoped to a valid region, not 'us-east-1'. "
    ),
    lines: [/scoped to a valid region/, /^The endpoint belongs to another region: choose its region by --region/]
  },
  {
    problem: "a name that no vault can have",
    setting: set({ EFFECT_GLACIER_VAULT: "a b" }),
    lines: [/^--vault must be 1 to 255 characters .* but is "a b"$/],
    code: 2
  },
  {
    problem: "an account id that no account has",
    setting: set({ EFFECT_GLACIER_ACCOUNT: "12" }),
    lines: [/^--account must be 12 digits .* but is "12"$/],
    code: 2
  },
  {
    problem: "a vault that does not exist",
    setting: set({}),
    lines: [/^Vault not found/, /^effect-glacier vaults lists the vaults of a region/]
  },
  {
    problem: "a vault in another region",
    setting: vaultIn("123456789012/eu-west-1"),
    lines: [/^Vault not found/, /knows the vault photos in eu-west-1 \(account 123456789012\): use --region eu-west-1$/]
  },
  {
    problem: "a vault of another account",
    setting: vaultIn("210987654321/us-east-1"),
    lines: [
      /^Vault not found/,
      /in us-east-1 \(account 210987654321\): use the keys of that account, such as by --profile$/
    ]
  },
  {
    problem: "a vault whose lock forbids the request",
    setting: lockedVault,
    lines: [/explicit deny/, /^A policy or the lock of the vault forbids this/]
  },
  {
    problem: "missing permissions",
    setting: rejecting(
      403,
      "AccessDeniedException",
      "User: arn:aws:iam::123456789012:user/x is not authorized to perform: glacier:DescribeVault"
    ),
    lines: [/is not authorized to perform/, /^Your credentials may not do this: ask the owner of the account/]
  },
  {
    problem: "a region without Glacier",
    setting: set({ AWS_REGION: "mars-north-1", AWS_ENDPOINT_URL_GLACIER: "" }),
    lines: [/region "mars-north-1" in AWS_REGION/]
  }
]

describe.concurrent("Explain", () => {
  for (const { code = 1, lines, problem, setting } of cases) {
    it.scopedLive(`explains ${problem} in ${lines.length === 1 ? "a line" : "two lines"}`, () =>
      Effect.gen(function*() {
        const env = {
          EFFECT_GLACIER_VAULT: vaultName,
          ...yield* environment(yield* temporaryFolder),
          ...yield* setting
        }
        const run = yield* Effect.flatMap(runProgramIn(env, ["inventory", "--quiet"]), ({ exit }) => exit)
        expect(run).toMatchObject({ code, stdout: "" })
        expect(run.stderr.trimEnd().split("\n")).toEqual(lines.map((line) => expect.stringMatching(line)))
        expect(run.stderr).not.toMatch(/not-the-secret|a-token|pass-word|canonical/i)
      }).pipe(Effect.provide(NodeEmulator.layer())))
  }

  it("leaves out the text that the service has signed, also for a single archive", () => {
    const message =
      `The request signature does not match. Check it.\n\nThe Canonical String: x-amz-security-token:a-token`
    expect(Explain.textOf({ _tag: "InvalidSignature", message })).toBe("The request signature does not match.")
  })

  it.scopedLive("adds the trace with --verbose, without the text that was signed", () =>
    Effect.gen(function*() {
      const env = { ...yield* environment(yield* temporaryFolder), ...yield* wrongSignature }
      const { stderr } = yield* Effect.flatMap(runProgramIn(env, ["vaults", "--verbose"]), ({ exit }) => exit)
      expect(stderr).toMatch(/\n {4}at /)
      expect(stderr).not.toMatch(/a-token|canonical/i)
    }).pipe(Effect.provide(NodeEmulator.layer())))
})
