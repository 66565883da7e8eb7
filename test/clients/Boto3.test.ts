/** Runs AWS's Python client against the emulator: the suite in the folder `glacier_boto3`. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it, layer } from "@effect/vitest"
import { Context, DateTime, Effect, Layer, Logger, Option, Redacted, Schema } from "effect"
import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Emulator } from "../../src/emulator/index.ts"
import { NodeEmulator } from "../../src/node/index.ts"

const suite = fileURLToPath(new URL("./glacier_boto3", import.meta.url))

// The system's Python comes first, because boto3 may be installed as a package of the system.
const python = ["/usr/bin/python3", "python3"].find((python) => spawnSync(python, ["-c", "import boto3"]).status === 0)

const Line = Schema.parseJson(Schema.Struct({ test: Schema.String, reason: Schema.optional(Schema.String) }))

const linesOf = (stdout: string) => stdout.trim().split("\n").map((line) => Schema.decodeSync(Line)(line))

const environment = {
  AWS_ACCESS_KEY_ID: Emulator.defaultKey.accessKeyId,
  AWS_SECRET_ACCESS_KEY: Redacted.value(Emulator.defaultKey.secretAccessKey),
  AWS_DEFAULT_REGION: NodeEmulator.region,
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_MAX_ATTEMPTS: "1",
  NO_PROXY: "*",
  PYTHONDONTWRITEBYTECODE: "1"
}

const emptyAccount = "111122223333"

// The secret of these keys is equal to their id.
const key = (name: string, rest: Partial<Emulator.Key> = {}): Emulator.Key => ({
  accessKeyId: name,
  secretAccessKey: Redacted.make(name),
  ...rest
})

const sessionToken = Redacted.make("token")

const keys = [
  Emulator.defaultKey,
  key("OTHER", { accountId: "210987654321" }),
  key("EMPTY", { accountId: emptyAccount }),
  key("TEMPORARY", { sessionToken }),
  key("EXPIRED", { sessionToken, expiration: DateTime.unsafeMake(0) })
]

/** Runs some areas of the suite, or all, and returns its stdout and stderr. */
const run = (python: string, areas: ReadonlyArray<string>, endpoints: Readonly<Record<string, string>>) =>
  Effect.async<{ readonly stdout: string; readonly stderr: string }>((resume, signal) => {
    const env = { PATH: process.env["PATH"], ...environment, ...endpoints }
    execFile(python, [suite, ...areas], { env, signal, maxBuffer: 2 ** 26 }, (_, stdout, stderr) => {
      resume(Effect.succeed({ stdout, stderr }))
    })
  })

/** Returns why a test failed. The text is empty when the test passed. */
class Results extends Context.Tag("test/Results")<Results, (test: string) => string>() {}

const serve = (options: NodeEmulator.Options) =>
  Effect.map(Layer.build(NodeEmulator.layerServer(options)), Context.get(NodeEmulator.Address))

const results = (python: string, areas: ReadonlyArray<string> = [], tls?: true) =>
  Layer.scoped(
    Results,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "boto3-" })
      const usual = yield* serve({
        tls,
        keys,
        jobDelay: { Expedited: "100 millis", Standard: "100 millis", Bulk: "1 second", Inventory: "100 millis" },
        inventoryDelay: 0,
        expeditedLimit: 4 * 2 ** 20,
        withoutStorage: [emptyAccount],
        bodyTimeout: "2 seconds"
      })
      const slow = yield* serve({ tls, jobDelay: "1 hour", inventoryDelay: "1 hour" })
      const fleeting = yield* serve({ tls, jobDelay: 0, inventoryDelay: 0, expiry: "2 seconds" })
      const broken = yield* serve({ tls, directory })
      yield* fs.remove(`${directory}/blobs`, { recursive: true })
      const authorities = `${directory}/ca.pem`
      const addresses = [usual, slow, fleeting, broken]
      yield* fs.writeFileString(authorities, addresses.flatMap(({ ca }) => Option.toArray(ca)).join("\n"))
      const { stderr, stdout } = yield* run(python, areas, {
        GLACIER_USUAL: usual.url,
        GLACIER_SLOW: slow.url,
        GLACIER_FLEETING: fleeting.url,
        GLACIER_BROKEN: broken.url,
        AWS_CA_BUNDLE: authorities
      })
      const reasons = new Map(linesOf(stdout).map(({ reason, test }) => [test, reason]))
      return (test: string) => reasons.get(test) ?? `The test did not run.\n${stderr}`
    })
  ).pipe(Layer.provide(NodeContext.layer), Layer.provide(Logger.remove(Logger.defaultLogger)))

if (python === undefined) {
  const skipped = "boto3 suite (skipped: python3 with boto3 is not installed)"
  // The reporter shows only the number of skipped tests.
  console.warn(skipped)
  describe.skip(skipped, () => it("is skipped", () => {}))
} else {
  const env = { PATH: process.env["PATH"], ...environment }
  const check = (name: string, areas: ReadonlyArray<string> = [], tls?: true) => {
    const listed = spawnSync(python, [suite, "--list", ...areas], { env, encoding: "utf8" })
    layer(results(python, areas, tls), { excludeTestServices: true, timeout: "2 minutes" })(name, (it) => {
      for (const { test } of linesOf(listed.stdout)) {
        it.effect(test, () => Effect.map(Results, (reason) => expect(reason(test)).toBe("")))
      }
    })
  }
  check("boto3 suite")
  check("boto3 suite over TLS", ["archives", "multipart", "vaults"], true)
}
